"""Whether the lockfile is too large for GitHub."""

from runner.cli.context import Session
from runner.errors import LedgerUnavailable
from runner.ledger.lockfile.location import places
from runner.report import ledger_size


def outgrown(here: Session) -> str:
    """That the lockfile is too large for GitHub, or soon will be; empty where it is not, and for other ledgers."""
    try:
        where = places(here, tolerant=True)
    except LedgerUnavailable:
        return ""
    return ledger_size.note(where.display_name, where.lockfile.stat().st_size) if where.lockfile.exists() else ""
