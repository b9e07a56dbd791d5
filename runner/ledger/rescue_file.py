"""The rescue file has the outcomes that a ledger did not take, kept on this machine for the next run."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from runner.cli.context import Context
from runner.git.repository import Repository, find_repository
from runner.ledger.facts import Facts
from runner.managed_path import managed_path


def import_rescue_file(path: Path, facts: Facts, append: Callable[..., None]) -> int:
    """Appends the records of a rescue file that `facts` lacks, and removes the file.

    The file stays if another process added to it meanwhile. Returns the number of records. Raises LedgerUnavailable.
    """
    rescued = Facts()
    rescued.read_file(path, path.name)
    size = path.stat().st_size if path.exists() else 0
    records = [record for record in rescued.compacted_records() if record not in facts.records_of(record.key)]
    append(*records)
    if size and path.stat().st_size == size:  # otherwise another process added to it meanwhile
        path.unlink()
    return len(records)


def rescue_path_for(context: Context, lock: str) -> Path:
    """Returns the rescue file's path for a ledger that is not a lockfile.

    `lock` is the name that its lockfile would have. Raises LedgerUnavailable if git cannot be read.
    """
    root = context.tree.root
    return rescue_path(root, lock, find_repository(root.resolve()))


def rescue_path(root: Path, lock: str, repository: Repository | None) -> Path:
    """Returns the rescue file's path; `lock` is the path of the ledger's lockfile, or what that would be.

    No commit can write to it: a record from a pull request must never count as an outcome of a run.
    Raises GuardRefused if the path contains a link.
    """
    return (
        repository.rescue_path(root / lock)
        if repository
        else managed_path(root, f".msgrun/{quote(lock, safe='')}.rescue")
    )
