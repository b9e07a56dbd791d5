"""The records of a ledger that this clone has outside of it: in its lockfile, in the journal, and in the rescue file.

They only add up, so adding them loses nothing. A ledger that moved away from a lockfile gets what was added to that
lockfile later, and a run gets the outcomes that an earlier one could not write.
"""

import contextlib
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from runner.errors import LedgerUnavailable, UsageMistake
from runner.ledger.context import LedgerContext
from runner.ledger.durable_append import append_lines
from runner.ledger.facts import Facts
from runner.ledger.forgetting import RecipientRemoval
from runner.ledger.ledger import Ledger, append_missing, find_missing_records
from runner.ledger.lock_address import LockfileAddress, default_lockfile
from runner.ledger.lockfile.files import LockfilePaths, files_of, lockfile_paths, read_local_lockfile
from runner.ledger.mark import MoveMark
from runner.ledger.record import Record
from runner.managed_path import managed_path


def add_local_records(context: LedgerContext, ledger: Ledger) -> None:
    """Appends what this clone has of a ledger, and removes the rescue file. Raises GuardRefused, LedgerUnavailable."""
    ledger_id = ledger.facts.headers.merged(context.salt).ledger
    count = sum(append_missing(ledger, local) for local in _read_own_lockfiles(context, ledger.facts))
    count += import_rescue_file(rescue_path(context, ledger_id), ledger)
    if count:
        context.report(f"{context.address.display_name} lacked {count:,} records that this clone has")


def read_local_records(context: LedgerContext, facts: Facts) -> None:
    """Adds what this clone has of a ledger to its facts, and writes nothing. Raises GuardRefused, LedgerUnavailable."""
    for local in _read_own_lockfiles(context, facts):
        for record in find_missing_records(local, facts):
            facts.add(record)
    with contextlib.suppress(LedgerUnavailable):  # git cannot be read, and that is reported already
        rescue = rescue_path(context, facts.headers.merged(context.salt).ledger)
        facts.read_file(rescue, rescue.name)


def read_local_lockfiles(context: LedgerContext, mark: MoveMark) -> Iterator[tuple[str, Facts]]:
    """Yields what this clone has of the default lockfile, and of the one that a ledger with this mark came from.

    Yields the path and the records of each. If the second has a journal, only the journal is read: a pull request can
    bring a lockfile, and `lock verify` does not check this one.
    """
    for number, paths in enumerate(_list_lockfiles(context, mark)):
        journal_only = number > 0 and paths.journal is not None
        yield paths.display_name, read_local_lockfile(paths, journal_only=journal_only)


def forget_local_records(context: LedgerContext, facts: Facts, keys: AbstractSet[str]) -> list[str]:
    """Removes these recipients from the other files with records that this clone has. Returns the names of the files.

    They are the lockfiles that the ledger may have moved from, their journals, and the rescue file. Raises
    GuardRefused, LedgerUnavailable.
    """
    files = [
        (path, display_name)
        for paths in _list_lockfiles(context, facts.mark)
        if context.address != LockfileAddress(paths.display_name)
        for _, path, display_name in files_of(paths)
    ]
    rescue = rescue_path(context, facts.headers.merged(context.salt).ledger)
    removal = RecipientRemoval(keys)
    return [name for path, name in [*files, (rescue, rescue.name)] if removal.rewrite(path, name)]


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


def _list_lockfiles(context: LedgerContext, mark: MoveMark) -> Iterator[LockfilePaths]:
    """Yields the default lockfile, and the one that a ledger with this mark came from."""
    default = default_lockfile(context.stem).path
    yield lockfile_paths(context.root, default, context.readable_repository)
    with contextlib.suppress(UsageMistake):
        previous = context.parse(mark.address) if mark.address else None
        if isinstance(previous, LockfileAddress) and previous.path != default and not previous.is_outside:
            yield lockfile_paths(context.root, previous.path, context.readable_repository)


def _read_own_lockfiles(context: LedgerContext, facts: Facts) -> Iterator[Facts]:
    """Yields what this clone's lockfiles have of a ledger of another kind."""
    if isinstance(context.address, LockfileAddress):
        return
    ledger_id = facts.headers.merged(context.salt).ledger or context.declared.ledger_id
    for path, local in read_local_lockfiles(context, facts.mark):
        if local.headers.ids <= {ledger_id}:
            local.headers.require_consistent(context.salt)
            yield local
        elif len(local):
            ids = ", ".join(sorted(local.headers.ids))
            context.report(f"{path} belongs to another ledger ({ids}), so its records do not count")


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
