"""Whether the lockfile is too large for GitHub."""

from runner.cli.context import Context
from runner.errors import LedgerUnavailable
from runner.ledger.lockfile.location import lockfile_paths
from runner.report import ledger_size


def lockfile_size_warning(context: Context) -> str:
    """That the lockfile is too large for GitHub, or soon will be; empty where it is not, and for other ledgers."""
    try:
        where = lockfile_paths(context, allow_unreadable_git=True)
    except LedgerUnavailable:
        return ""
    return (
        ledger_size.size_warning(where.display_name, where.lockfile.stat().st_size) if where.lockfile.exists() else ""
    )
