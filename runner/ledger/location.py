"""The Protocol of a ledger's location, whatever kind of ledger it is."""

from contextlib import AbstractContextManager
from typing import Protocol

from runner.errors import GuardRefused
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger


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


def missing_ledger_error(context: LedgerContext, advice: str, other: LedgerContext | None = None) -> GuardRefused:
    """The error for a ledger that is not there. `advice` says where to look for it.

    `other` is the other end of its move, if that is there.
    """
    if other:
        way = f"or, if it is lost, go on with {other.address.setting}: {other.abandon_command}"
    elif context.declared.ledger_id:
        way = f"or, if it is lost: {context.abandon_command}"
    else:
        way = f"if nothing was sent yet: {context.begin_command}"
    hint = f"without it everything would be sent again: {advice}; {way}"
    return GuardRefused(f"there is no ledger {context.address.display_name}", hint)
