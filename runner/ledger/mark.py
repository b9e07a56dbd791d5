"""Explains the mark of a ledger that takes no claims, because it moved or is being filled by a move."""

from shlex import quote

from runner.errors import Refusal
from runner.ledger.record import MoveMark
from runner.shown_command import shown_command

# No hint names the command that gives a ledger up: the last command of a hint is the one that is copied in a hurry.
IF_LOST = "if it is lost: msgrun explain ledger-moved"


def explain_mark(setting: str, mark: MoveMark, command: str = "") -> Refusal:
    """Returns why a ledger takes no claims, for a mark that is not `current`. `setting` is the ledger's `lock:`.

    `command` is the start of a command line for this ledger; by default that of this run.
    """
    move, other, own = f"{command or shown_command()} lock move", quote(mark.address), quote(setting)
    if mark.status == "moved":
        hint = (
            f"if this commit is older than the move: git pull; else use that ledger: lock: {mark.address} in"
            f" msgrun.yaml; or move it back: MSGRUN_LOCK={other} {move} {own}; {IF_LOST}"
        )
        return Refusal(f"the ledger {setting} moved to {mark.address}", hint)
    hint = f"finish the move: {move} {own}; or cancel it: {move} {other}; {IF_LOST}"
    return Refusal(f"the ledger {setting} lacks records: its move from {mark.address} did not end", hint)
