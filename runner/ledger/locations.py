"""The location of a ledger, by the kind of its address."""

from typing import assert_never

from runner.ledger.address import BranchAddress, DatabaseAddress, LockfileAddress
from runner.ledger.branch.location import BranchLocation
from runner.ledger.context import LedgerContext
from runner.ledger.known_hosts import require_known_host
from runner.ledger.location import LedgerLocation
from runner.ledger.lockfile.location import LockfileLocation


def location_of(context: LedgerContext) -> LedgerLocation:
    """The location of the ledger at the address in use.

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
