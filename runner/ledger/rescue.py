"""The rescue file: outcomes that a ledger elsewhere did not take, kept on this machine for the next run."""

from collections.abc import Callable
from pathlib import Path

from runner.ledger.facts import Facts


def take_in(path: Path, facts: Facts, append: Callable[..., None]) -> int:
    """Appends what a rescue file has and `facts` lack, and removes it; returns how many. Raises LedgerUnavailable."""
    saved = Facts()
    saved.read_file(path, path.name)
    size = path.stat().st_size if path.exists() else 0
    records = [record for record in saved.compacted() if record not in facts.of(record.key)]
    append(*records)
    if size and path.stat().st_size == size:  # else somebody added to it meanwhile
        path.unlink()
    return len(records)
