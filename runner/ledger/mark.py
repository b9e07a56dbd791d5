"""Explains the mark of a ledger that takes no claims, because it moved or is being filled by a move."""

from shlex import quote

from runner.ledger.record import Mark


def explain_mark(own: str, mark: Mark) -> tuple[str, str]:
    """Returns the message and the hint for a ledger whose mark is not `current`; `own` is its value of `lock:`."""
    other, here = quote(mark.address), quote(own)
    if mark.status == "moved":
        return f"the ledger {own} moved to {mark.address}", (
            f"use that one: lock: {mark.address} in msgrun.yaml; or move it back: MSGRUN_LOCK={other} msgrun lock move"
            f" {here}; or, if it is lost: msgrun lock begin --abandon-previous"
        )
    return f"the ledger {own} lacks records: its move from {mark.address} did not end", (
        f"finish the move: msgrun lock move {here}; or cancel it: msgrun lock move {other}; or, if that one is lost:"
        " msgrun lock begin --abandon-previous"
    )
