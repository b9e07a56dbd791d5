"""LedgerLocation: the Protocol that each kind of ledger implements to be read and opened."""

from contextlib import AbstractContextManager
from typing import Protocol

from runner.errors import GuardRefused
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.mark import IF_LOST


class LedgerLocation(Protocol):
    """Where a ledger is: reads it without a lock, and opens it to write."""

    def read(self) -> Facts | None:
        """Returns its records, read without a lock; None if no ledger was started there.

        Raises GuardRefused, LedgerUnavailable.
        """
        ...

    def open(self, command: str, *, fetch: bool) -> AbstractContextManager[Ledger]:
        """Opens the ledger to write, whether it exists or not; closed when the context ends. Nothing is written yet.

        `command` names who writes. Without `fetch`, no git remote is asked for other versions of a lockfile.
        Raises GuardRefused, LedgerUnavailable.
        """
        ...


def missing_ledger_error(
    context: LedgerContext,
    advice: str = "check lock: in msgrun.yaml, or restore the ledger from git",
    *,
    was_moved: bool = False,
) -> GuardRefused:
    """Returns the error for an address without a ledger. `advice` says how to find the ledger.

    `was_moved`: the other end of its move exists.
    """
    is_known = was_moved or context.declared.ledger_id
    way = IF_LOST if is_known else f"if nothing was sent yet: {context.begin_command}"
    hint = f"without it everything would be sent again: {advice}; {way}"
    return GuardRefused(f"there is no ledger {context.address.display_name}", hint)
