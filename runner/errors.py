"""Problems in the user's files, and the errors that stop a command, as data.

This module neither prints nor exits. `cli` turns an error into an exit code, and `report` turns problems into text.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from runner.privacy import AnyText


class Severity(StrEnum):
    """How serious a problem is: an error prevents all sending, a warning is only reported."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file: a path relative to the project's root, a line and a column (both from 1).

    `length` is the number of characters of the value there, on this line; 0 if it is not known. Places that differ
    only in it are equal.
    """

    path: str
    line: int = 1
    column: int = 1
    length: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    @property
    def sort_key(self) -> tuple[str, int, int]:
        """The sort key of a place: path, line, column."""
        return self.path, self.line, self.column


class Edit(NamedTuple):
    """A change of one line: the text `old` at a line and column (both from 1) becomes `new`.

    Both may hold recipients' values.
    """

    line: int
    column: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in the user's files: code, place, message, hint. It does not depend on how it is displayed.

    `message` and `excerpt` (the line of the file at the place) may hold recipients' values.
    `recipient` names the recipient if the problem concerns only one, as "recipient 2" or "row 7 of a.csv". It may quote
    a wrong identifier. `edits` of the file at the place certainly fix the problem; there may be none.
    """

    code: str
    place: Place
    message: AnyText
    hint: str = ""
    severity: Severity = Severity.ERROR
    excerpt: AnyText = ""
    recipient: AnyText = ""
    edits: tuple[Edit, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether it prevents all sending."""
        return self.severity is Severity.ERROR


class MsgrunError(Exception):
    """The base class of all expected errors: a message for the user, and a hint how to go on."""

    def __init__(self, message: AnyText, hint: str = "") -> None:
        super().__init__(str(message))
        self.message = message
        self.hint = hint


class Refusal(NamedTuple):
    """Why a command must not go on, and a hint how to go on."""

    message: str
    hint: str


class UsageMistake(MsgrunError):
    """The command was called with options or values that make no sense (exit 64)."""


class ProblemsFound(MsgrunError):
    """The files have problems (exit 1)."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{sum(problem.is_error for problem in problems)} problems")
        self.problems = problems


class GuardRefused(MsgrunError):
    """A guard stopped the command before anything was sent (exit 5)."""


class Cancelled(GuardRefused):
    """The user did not confirm (exit 5). The message says what was done and what was not."""


class LedgerUnavailable(MsgrunError):
    """The ledger is locked by another process, unreadable, or cannot be brought up to date (exit 6)."""


class RunStopped(MsgrunError):
    """The run cannot go on, for example without a network or authorization (exit 1)."""


class RateExhausted(RunStopped):
    """The rate limit allowed nothing for several windows in a row; a later run sends the rest (exit 75)."""
