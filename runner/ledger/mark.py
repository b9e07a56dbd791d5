"""The mark of a move on a ledger. A ledger whose mark is not `current` takes no claims."""

from dataclasses import dataclass
from shlex import quote
from typing import Any, Literal

from runner.errors import GuardRefused, Refusal
from runner.shown_command import shown_command, shown_git

MAX_GENERATION = 2**31  # what a column of PostgreSQL can store
_MAX_ADDRESS = 4096  # characters
MarkStatus = Literal["pending", "current", "moved"]
MARK_RANK: dict[str, int] = {"pending": 0, "current": 1, "moved": 2}

# No hint names the command that gives a ledger up: the last command of a hint is the one that is copied in a hurry.
IF_LOST = "if it is lost: msgrun explain ledger-moved"


@dataclass(frozen=True, slots=True)
class MoveMark:
    """What a move says about a ledger: it is current, being filled (`pending`), or left (`moved`).

    Each move is a new `generation`; the lockfile and the database call it `turn`. The mark with the highest generation
    is valid, and within a generation the one with the later status of MARK_RANK. `address` is where a left ledger moved
    to, and where the records of any other ledger came from; empty for a ledger that never moved.
    """

    generation: int = 0
    status: MarkStatus = "current"
    address: str = ""

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts marks: the highest one is valid."""
        return self.generation, MARK_RANK[self.status], self.address


NO_MARK = MoveMark()


def next_generation(generation: int) -> int:
    """Returns the generation after this one. Raises GuardRefused if a mark cannot have a higher one: it was forged."""
    if generation + 1 >= MAX_GENERATION:
        hint = "find the line or the ref refs/msgrun/moved with this turn, and remove it"
        raise GuardRefused(f"a mark of this ledger has the turn {generation}, and no higher one is possible", hint)
    return generation + 1


def parse_mark(value: dict[str, Any]) -> MoveMark:
    """Returns the mark in a header; NO_MARK if there is none, or its generation is not a valid number."""
    generation = value.get("turn")
    if type(generation) is not int or not 0 < generation < MAX_GENERATION:  # in JSON, true is not a number
        return NO_MARK
    status: MarkStatus = "moved" if value.get("moved") else "pending" if value.get("pending") else "current"
    address = str(value.get("moved") or value.get("from") or "")
    # Another project or a pull request may have written it, and it is printed.
    shown = "".join(character for character in address[:_MAX_ADDRESS] if character.isprintable())
    return MoveMark(generation, status, shown)


def explain_mark(setting: str, mark: MoveMark, command: str = "") -> Refusal:
    """Returns why a ledger takes no claims, for a mark that is not `current`. `setting` is the ledger's `lock:`.

    `command` is the start of a command line for this ledger; by default that of this run.
    """
    move, other, own = f"{command or shown_command()} lock move", quote(mark.address), quote(setting)
    if mark.status == "moved":
        hint = (
            f"if this commit is older than the move: {shown_git('pull')}; else write lock: {other} into msgrun.yaml;"
            f" to move it back: MSGRUN_LOCK={other} {move} {own}; {IF_LOST}"
        )
        return Refusal(f"the ledger {setting} moved to {mark.address}", hint)
    hint = f"finish the move: {move} {own}; or cancel it: {move} {other}; {IF_LOST}"
    return Refusal(f"the ledger {setting} lacks records: its move from {mark.address} did not end", hint)
