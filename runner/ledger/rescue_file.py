"""The rescue file: outcomes that a ledger did not take, kept on this machine for the next run."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from runner.cli.context import Context
from runner.git.repository import Repository, find_repository
from runner.ledger.facts import Facts
from runner.managed_path import managed_path


def import_rescue_file(path: Path, facts: Facts, append: Callable[..., None]) -> int:
    """Appends what a rescue file has and `facts` lack, and removes it; returns how many. Raises LedgerUnavailable."""
    saved = Facts()
    saved.read_file(path, path.name)
    size = path.stat().st_size if path.exists() else 0
    records = [record for record in saved.compacted_records() if record not in facts.records_of(record.key)]
    append(*records)
    if size and path.stat().st_size == size:  # else somebody added to it meanwhile
        path.unlink()
    return len(records)


def rescue_path_here(context: Context, lock: str) -> Path:
    """`rescue` for a ledger that is no lockfile. Raises LedgerUnavailable if git cannot be read."""
    root = context.tree.root
    return rescue_path(root, lock, find_repository(root.resolve()))


def rescue_path(root: Path, lock: str, repository: Repository | None) -> Path:
    """Where outcomes wait that a ledger did not take; `lock` is its lockfile, or what that would be.

    Where no commit can write: a record that a pull request brings must never count as an outcome of a run.
    Raises GuardRefused if a link is there.
    """
    return (
        repository.rescue_path(root / lock)
        if repository
        else managed_path(root, f".msgrun/{quote(lock, safe='')}.rescue")
    )
