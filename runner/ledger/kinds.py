"""The kinds of ledger: which one `lock:` names."""

from runner.cli.context import Session
from runner.errors import LedgerUnavailable
from runner.ledger.address import URL_HINT, is_conninfo, is_postgres
from runner.ledger.known_hosts import require_known_host
from runner.ledger.location import Home
from runner.ledger.lockfile.location import LockfileLocation


def home(here: Session) -> Home:
    """Where the ledger lives, by what `lock:` says. Raises LedgerUnavailable; GuardRefused if its host is not known."""
    if not here.options.sandbox:
        require_known_host(here)
    if here.settings.lock.startswith("git+") and not here.options.sandbox:
        from runner.ledger.branch.location import BranchHome  # noqa: PLC0415  # imported where used

        return BranchHome(here)
    if is_postgres(here.settings.lock) and not here.options.sandbox:
        from runner.ledger.postgres.location import PostgresHome  # noqa: PLC0415  # needs an extra

        return PostgresHome(here)
    if is_conninfo(here.settings.lock) and not here.options.sandbox:  # of MSGRUN_LOCK; it may hold a password
        raise LedgerUnavailable("MSGRUN_LOCK is no address of a ledger in a database", URL_HINT)
    return LockfileLocation(here)
