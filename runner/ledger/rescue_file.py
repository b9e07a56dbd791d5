"""The rescue file has the outcomes that a ledger did not take, kept on this machine for the next run."""

from collections.abc import Sequence
from pathlib import Path

from runner.ledger.context import LedgerContext
from runner.ledger.durable_append import append_lines
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger, append_missing
from runner.ledger.lock_address import default_lockfile
from runner.ledger.record import Record
from runner.managed_path import managed_path


def rescue_path(context: LedgerContext, ledger_id: str) -> Path:
    """Returns the path of the rescue file of the ledger with this id.

    No commit can write to it: a record from a pull request must never count as an outcome of a run.
    Raises GuardRefused if the path contains a link, LedgerUnavailable if git cannot be read.
    """
    name, repository = f"{ledger_id or default_lockfile(context.stem).path}.rescue", context.repository
    if repository:
        return repository.common_dir / "msgrun" / name
    return managed_path(context.root, f".msgrun/{'sandbox/' if context.is_sandbox else ''}{name}")


def write_rescue_file(context: LedgerContext, ledger_id: str, records: Sequence[Record]) -> Path:
    """Writes outcomes that could not be recorded to the rescue file; returns its path. Raises LedgerUnavailable."""
    path = rescue_path(context, ledger_id)
    append_lines([path], b"".join(record.to_line() for record in records))
    return path


def import_rescue_file(path: Path, ledger: Ledger) -> int:
    """Appends the records of a rescue file that the ledger lacks, and removes the file.

    The file stays if another process added to it meanwhile. Returns the number of records. Raises LedgerUnavailable.
    """
    if not path.exists():
        return 0
    rescued = Facts()
    rescued.read_file(path, path.name)
    size = path.stat().st_size
    count = append_missing(ledger, rescued)
    if path.stat().st_size == size:
        path.unlink()
    return count
