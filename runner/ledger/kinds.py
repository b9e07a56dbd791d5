"""Which kind of ledger `lock:` names."""

from runner.cli.context import Context
from runner.errors import LedgerUnavailable
from runner.ledger.address import URL_HINT, is_conninfo, is_postgres
from runner.ledger.known_hosts import require_known_host
from runner.ledger.location import LedgerLocation
from runner.ledger.lockfile.location import LockfileLocation


def location_of(context: Context) -> LedgerLocation:
    """The location of the ledger that `lock:` names; in the sandbox always a lockfile.

    Raises LedgerUnavailable if psycopg is needed and missing, if MSGRUN_LOCK is no valid address of a database, or if
    git or its remote is needed to check the host and does not answer. Raises GuardRefused if the host is not known.
    """
    if not context.options.sandbox:
        require_known_host(context)
    if context.settings.lock.startswith("git+") and not context.options.sandbox:
        from runner.ledger.branch.location import BranchLocation  # noqa: PLC0415  # breaks an import cycle

        return BranchLocation(context)
    if is_postgres(context.settings.lock) and not context.options.sandbox:
        from runner.ledger.postgres.location import PostgresLocation  # noqa: PLC0415  # breaks an import cycle, and psycopg is an extra

        return PostgresLocation(context)
    # Only MSGRUN_LOCK can be a conninfo string. The message does not repeat it: it may have a password.
    if is_conninfo(context.settings.lock) and not context.options.sandbox:
        raise LedgerUnavailable("MSGRUN_LOCK is no address of a ledger in a database", URL_HINT)
    return LockfileLocation(context)
