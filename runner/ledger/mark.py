"""Explains the mark of a ledger that takes no claims, because it moved or is being filled by a move."""

from shlex import quote

from runner.ledger.record import Mark


def explain_mark(
    own: str, mark: Mark, command: str = "msgrun", abandon: str = "msgrun lock begin --abandon-previous"
) -> tuple[str, str]:
    """Returns the message and the hint for a ledger whose mark is not `current`; `own` is its value of `lock:`.

    `command` is the start of a command line for this ledger, and `abandon` the command that makes it the current one.
    """
    move, other, here = f"{command} lock move", quote(mark.address), quote(own)
    if mark.status == "moved":
        return f"the ledger {own} moved to {mark.address}", (
            f"use that one: lock: {mark.address} in msgrun.yaml; or move it back: MSGRUN_LOCK={other} {move} {here};"
            f" or, if it is lost: {abandon}"
        )
    return f"the ledger {own} lacks records: its move from {mark.address} did not end", (
        f"finish the move: {move} {here}; or cancel it: {move} {other}; or, if that one is lost: {abandon}"
    )
