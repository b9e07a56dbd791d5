"""The Protocol of a ledger's location, whatever kind of ledger it is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from runner.errors import GuardRefused
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.record import Header

# Called with the ledger's records before anything is written. Raises GuardRefused if it must not be used.
Check = Callable[[Facts], None]
# Called where there is no ledger, with the records that are known all the same. Returns the header to start it with.
# Raises GuardRefused if it may not be started.
Create = Callable[[Facts], Header]


class LedgerLocation(Protocol):
    """Where a ledger is: reads it without a lock, and opens it to write."""

    def read(self) -> Facts | None:
        """Its records, read without a lock; None if no ledger was started there.

        Raises GuardRefused, LedgerUnavailable.
        """
        ...

    def open(self, command: str, check: Check, create: Create, *, fetch: bool) -> AbstractContextManager[Ledger]:
        """The ledger, brought up to date and ready to write; closed when the context ends.

        `command` names who writes. Without `fetch`, no git remote is asked for other versions of a lockfile.
        Raises GuardRefused, LedgerUnavailable.
        """
        ...


def missing_ledger_error(context: LedgerContext, advice: str) -> GuardRefused:
    """The error for a ledger that is not there. `advice` says where to look for it."""
    hint = f"without it everything would be sent again: {advice}; if nothing was sent yet: {context.command} lock begin"
    return GuardRefused(f"there is no ledger {context.address.display_name}", hint)
