"""Explains the mark of a ledger that takes no claims, because it moved or is being filled by a move."""

from shlex import quote

from runner.ledger.record import Mark
from runner.shown_command import shown_command

# No hint names the command that gives a ledger up: the last command of a hint is the one that is copied in a hurry.
IF_LOST = "if it is lost: msgrun explain ledger-moved"


def explain_mark(own: str, mark: Mark, command: str = "") -> tuple[str, str]:
    """Returns the message and the hint for a ledger whose mark is not `current`; `own` is its value of `lock:`.

    `command` is the start of a command line for this ledger; that of this run unless it is given.
    """
    move, other, here = f"{command or shown_command()} lock move", quote(mark.address), quote(own)
    if mark.status == "moved":
        return f"the ledger {own} moved to {mark.address}", (
            f"if this commit is older than the move: git pull; else use that one: lock: {mark.address} in msgrun.yaml;"
            f" or move it back: MSGRUN_LOCK={other} {move} {here}; {IF_LOST}"
        )
    return f"the ledger {own} lacks records: its move from {mark.address} did not end", (
        f"finish the move: {move} {here}; or cancel it: {move} {other}; {IF_LOST}"
    )
