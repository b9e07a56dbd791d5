"""The warning that the lockfile is too large for GitHub."""

from runner.cli.context import Context
from runner.errors import LedgerUnavailable
from runner.ledger.lockfile.location import lockfile_paths
from runner.report import ledger_size


def lockfile_size_warning(context: Context) -> str:
    """Returns a warning if the lockfile is too large for GitHub, or soon will be.

    The warning is empty if it is small, if git cannot be read, or if the ledger is no lockfile.
    """
    try:
        paths = lockfile_paths(context, allow_unreadable_git=True)
    except LedgerUnavailable:
        return ""
    return (
        ledger_size.size_warning(paths.display_name, paths.lockfile.stat().st_size) if paths.lockfile.exists() else ""
    )
