"""What can go wrong, as data: a problem in somebody's files, or an error that stops the run.

Nothing here prints or exits; `cli` turns an error into an exit code and `report` turns problems into text.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a problem is: an error keeps everything from being sent, a warning is only told."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a path relative to the project's root, a line and a column (both from 1)."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    @property
    def sort_key(self) -> tuple[str, int, int]:
        """What places are sorted by."""
        return self.path, self.line, self.column


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with somebody's files: code, place, message, hint. Knows nothing of how it is shown.

    `message`, `hint` and `excerpt` (the line of the file at the place) may hold values marked by `privacy`.
    `recipient` names the only one that shows it, as "recipient 2" or "row 7 of a.csv".
    """

    code: str
    place: Place
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    excerpt: str = ""
    recipient: str = ""

    @property
    def is_error(self) -> bool:
        """Whether it keeps everything from being sent."""
        return self.severity is Severity.ERROR


class MsgrunError(Exception):
    """The root of every foreseen error: a message for people, and a hint about the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageMistake(MsgrunError):
    """The command was called in a way that makes no sense (exit 64)."""


class ProblemsFound(MsgrunError):
    """The files have problems (exit 1)."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{sum(problem.is_error for problem in problems)} problems")
        self.problems = problems


class GuardRefused(MsgrunError):
    """A guard said no before anything was sent (exit 5)."""


class LedgerUnavailable(MsgrunError):
    """The ledger is held by somebody else, unreadable, or cannot be brought up to date (exit 6)."""


class RunStopped(MsgrunError):
    """The run cannot go on: no network, no authorization (exit 1)."""


class RateExhausted(RunStopped):
    """The rate limit left no room for several windows in a row; the rest is for later (exit 75)."""
