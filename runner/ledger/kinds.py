"""The kinds of ledger: which one `lock:` names."""

from runner.cli.context import Context
from runner.errors import LedgerUnavailable
from runner.ledger.address import URL_HINT, is_conninfo, is_postgres
from runner.ledger.known_hosts import require_known_host
from runner.ledger.location import LedgerLocation
from runner.ledger.lockfile.location import LockfileLocation


def location_of(context: Context) -> LedgerLocation:
    """Where the ledger lives, by what `lock:` says. Raises LedgerUnavailable; GuardRefused if its host is not known."""
    if not context.options.sandbox:
        require_known_host(context)
    if context.settings.lock.startswith("git+") and not context.options.sandbox:
        from runner.ledger.branch.location import BranchLocation  # noqa: PLC0415  # imported where used

        return BranchLocation(context)
    if is_postgres(context.settings.lock) and not context.options.sandbox:
        from runner.ledger.postgres.location import PostgresLocation  # noqa: PLC0415  # needs an extra

        return PostgresLocation(context)
    if is_conninfo(context.settings.lock) and not context.options.sandbox:  # of MSGRUN_LOCK; it may hold a password
        raise LedgerUnavailable("MSGRUN_LOCK is no address of a ledger in a database", URL_HINT)
    return LockfileLocation(context)
