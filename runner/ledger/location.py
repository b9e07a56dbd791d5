"""The Protocol of a ledger's location, whatever kind of ledger it is."""

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
        """Its records, read without a lock; None if no ledger was started there.

        Raises GuardRefused, LedgerUnavailable.
        """
        ...

    def open(self, command: str, *, fetch: bool) -> AbstractContextManager[Ledger]:
        """The ledger to write to, whether it exists or not; closed when the context ends. Nothing is written yet.

        `command` names who writes. Without `fetch`, no git remote is asked for other versions of a lockfile.
        Raises GuardRefused, LedgerUnavailable.
        """
        ...


def missing_ledger_error(context: LedgerContext, advice: str, *, was_moved: bool = False) -> GuardRefused:
    """The error for a ledger that is not there. `advice` says where to look for it.

    `was_moved`: the other end of its move is there.
    """
    is_known = was_moved or context.declared.ledger_id
    way = IF_LOST if is_known else f"if nothing was sent yet: {context.begin_command}"
    hint = f"without it everything would be sent again: {advice}; {way}"
    return GuardRefused(f"there is no ledger {context.address.display_name}", hint)
