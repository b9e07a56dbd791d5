"""Opens the ledger at an address, by the kind of the address, without the check that it is the current one.

`opening` adds that check. Only `lock compact` and the moves open a ledger from here.
"""

import contextlib
from collections.abc import Iterator
from typing import assert_never

from runner.ledger.branch.location import BranchLocation
from runner.ledger.context import LedgerContext
from runner.ledger.known_hosts import require_known_host
from runner.ledger.ledger import Ledger
from runner.ledger.location import LedgerLocation, missing_ledger_error
from runner.ledger.lock_address import BranchAddress, DatabaseAddress, LockfileAddress
from runner.ledger.lockfile.location import LockfileLocation


def location_of(context: LedgerContext) -> LedgerLocation:
    """Returns the location of the ledger at the address in use.

    Raises GuardRefused if its host is not known, and LedgerUnavailable if psycopg is needed and missing, or if git or
    its remote is needed to check the host and does not answer.
    """
    require_known_host(context)
    match context.address:
        case LockfileAddress(path):
            return LockfileLocation(context, path)
        case BranchAddress():
            return BranchLocation(context, context.address)
        case DatabaseAddress():
            from runner.ledger.postgres.location import PostgresLocation  # noqa: PLC0415  # psycopg is an extra

            return PostgresLocation(context, context.address)
        case _:
            assert_never(context.address)


@contextlib.contextmanager
def open_existing(context: LedgerContext, command: str, *, fetch: bool = True) -> Iterator[Ledger]:
    """Opens the ledger at the address in use, current or not, and restores records that it lost.

    Raises GuardRefused if there is none, and LedgerUnavailable.
    """
    with location_of(context).open(command, fetch=fetch) as ledger:
        if not ledger.exists:
            raise missing_ledger_error(context)
        recover(context, ledger)
        yield ledger


def recover(context: LedgerContext, ledger: Ledger) -> None:
    """Writes what the ledger lost, and reports how many records that were. Raises GuardRefused, LedgerUnavailable."""
    count = ledger.recover()
    if count and not context.is_sandbox:
        context.report(f"{context.address.display_name} lacked {count:,} records that this clone or its remote had")
