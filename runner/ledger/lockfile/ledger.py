"""The ledger in a lockfile, written by one process at a time."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runner.atomic_write import write_atomically
from runner.errors import LedgerUnavailable
from runner.ledger.context import LedgerContext, process_name
from runner.ledger.durable_append import append_lines
from runner.ledger.facts import Facts
from runner.ledger.forgetting import RecipientRemoval
from runner.ledger.lockfile.files import (
    LOCKFILE,
    LockfilePaths,
    count_lines,
    files_of,
    lockfile_paths,
    read_lockfile,
    read_versions,
)
from runner.ledger.mark import MoveMark
from runner.ledger.record import Header, Record

_MAX_OWNER = 4096  # bytes of the name of a process
_PROBE_TIME = 0.05  # seconds; `find_other_owner` has a lock for microseconds


@dataclass(frozen=True, slots=True)
class LockfileLocation:
    """The lockfile of the project, or of its sandbox."""

    context: LedgerContext
    path: str

    def read(self) -> Facts | None:
        """Returns the records of the lockfile and its journal, read without a lock; None if there is no lockfile.

        One with nothing but a torn header counts as none: it was never started.
        """
        paths = lockfile_paths(self.context.root, self.path, self.context.readable_repository)
        facts = read_lockfile(paths) if paths.exists else None
        return facts if facts and facts.headers else None

    @contextlib.contextmanager
    def open(self, command: str, commits: Sequence[tuple[str, str]] = ()) -> Iterator["LockfileLedger"]:
        """Opens the lockfile, locked for this process, with the records of the journal and of commits of git remotes.

        Raises GuardRefused, LedgerUnavailable.
        """
        context, repository = self.context, self.context.repository
        paths = lockfile_paths(context.root, self.path, repository)
        with open_lockfile(paths, context.salt, command, context.now()) as ledger:
            for display_name, data in read_versions(repository, paths.lockfile, commits) if repository else ():
                ledger.facts.read(data, display_name)
            yield ledger


@contextlib.contextmanager
def open_lockfile(paths: LockfilePaths, salt: str, command: str, now: datetime) -> Iterator["LockfileLedger"]:
    """Locks a lockfile and its journal and reads both. Until the context ends, no other process opens it to write.

    Raises LedgerUnavailable.
    """
    with contextlib.ExitStack() as locks:
        for file in _locked_files(paths):
            locks.callback(os.close, _lock_file(file, command, now))
        yield LockfileLedger(paths, salt, read_lockfile(paths))


class LockfileLedger:
    """The ledger in a lockfile and its journal, which `open_lockfile` locked. `facts` are the records of both."""

    def __init__(self, paths: LockfilePaths, salt: str, facts: Facts) -> None:
        self._paths = paths
        self._salt = salt
        self.facts = facts

    @property
    def exists(self) -> bool:
        """Whether there is a lockfile with a header."""
        return self._paths.exists and bool(self.facts.headers)

    def create(self, header: Header) -> None:
        """Adds the header to the facts; `recover` writes it."""
        self.facts.add(header)

    def recover(self) -> int:
        """Writes to the lockfile and the journal the records and headers that each lacks, as `Ledger.recover` says.

        A record that a later one of its attempt supersedes is not written: it would undo compaction.
        """
        headers, recovered = self.facts.headers.compacted(self._salt), 0
        for bit, path, _ in files_of(self._paths):
            lines = [
                header.to_line()
                for header in headers
                if self.facts.headers.lacks(header, bit) and path in self._files_for(header)
            ]
            for record in self.facts.missing_from(bit):
                lines.append(record.to_line())
                recovered += bit == LOCKFILE
            append_lines([path], b"".join(lines))
        return recovered

    def refresh(self) -> None:
        """Reads the records again, with those that a run wrote. Raises LedgerUnavailable."""
        self.facts = read_lockfile(self._paths)

    def append(self, *records: Record) -> None:
        """Makes the records durable and adds them to the facts. Raises LedgerUnavailable."""
        append_lines(self._record_files, b"".join(record.to_line() for record in records))
        for record in records:
            self.facts.add(record)

    def commit(
        self, outcomes: Sequence[Record], claims: Sequence[Record], limited: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Makes the records durable before it returns. The facts stay as they are: memory does not grow in a run.

        Returns an empty set: no other run can claim at the same time.
        Raises LedgerUnavailable if a file fails: outcomes stay in every file that took them, claims are removed again.
        Raises ClaimsUncertain if a claim may still be in a file.
        """
        del limited  # no other run can have sent since the ledger was read
        lines = (b"".join(record.to_line() for record in records) for records in (outcomes, claims))
        append_lines(self._record_files, *lines)
        return frozenset()

    def write_header(self, header: Header) -> MoveMark:
        """Adds a header, as `Ledger.write_header` says."""
        if new := self.facts.headers.new(header, self._salt):
            append_lines(self._files_for(new), new.to_line())
            self.facts.add(new)
        return self.facts.mark

    def forget(self, keys: AbstractSet[str]) -> int:
        """Rewrites the lockfile and its journal, as `Ledger.forget` says."""
        removal = RecipientRemoval(keys)
        for _, path, display_name in files_of(self._paths):
            removal.rewrite(path.resolve(), display_name)
        self.refresh()
        return removal.count

    def compact(self) -> tuple[int, int]:
        """Rewrites the lockfile, sorted, as `Ledger.compact` says."""
        path = self._paths.lockfile.resolve()
        before = count_lines(path)
        try:
            write_atomically(path, self.facts.compacted_lines(self._salt))
        except OSError as error:
            raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
        return before, count_lines(path)

    def _files_for(self, header: Header) -> list[Path]:
        """Returns the files that a header is written to.

        That a ledger moved away is only written to the journal, if there is one: the user is about to remove the
        lockfile from git, and the journal remembers it longer.
        """
        return self._record_files[-1:] if header.mark.status == "moved" else self._record_files

    @property
    def _record_files(self) -> list[Path]:
        return [path for _, path, _ in files_of(self._paths)]


def find_other_owner(paths: LockfilePaths) -> str:
    """Returns which other process has locked a lockfile; empty if none has."""
    for file in _locked_files(paths):
        with contextlib.suppress(OSError), file.open("rb") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = handle.read(_MAX_OWNER).decode(errors="replace").strip()
                return "" if f"process {os.getpid()} on" in owner else owner or "another process"
    return ""


def _locked_files(paths: LockfilePaths) -> list[Path]:
    """Returns the files that a process locks to write: work trees of one clone share the journal, not the lockfile."""
    return [paths.flock_file, *([paths.journal.with_suffix(".hold")] if paths.journal else [])]


def _lock_file(path: Path, command: str, now: datetime) -> int:
    """Locks the file, writes to it which process owns the lock, and returns the file descriptor to close.

    The lock ends with its process; the text in the file may stay. `now` is in UTC.
    Raises LedgerUnavailable if another process owns the lock, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # perhaps only by `find_other_owner` of a command that reads
            time.sleep(_PROBE_TIME)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(descriptor, _MAX_OWNER, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise LedgerUnavailable(f"the ledger is held by {owner or 'another process'}", "wait until it ends") from error
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{process_name(command, now)}\n".encode(), 0)
    except OSError as error:
        os.close(descriptor)
        raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
    return descriptor
