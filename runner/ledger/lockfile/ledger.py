"""The ledger in a lockfile, written by one process at a time."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import Path

from runner.atomic_write import write_atomically
from runner.errors import LedgerUnavailable
from runner.ledger.durable_append import append_lines
from runner.ledger.facts import Facts
from runner.ledger.forgetting import RecipientRemoval
from runner.ledger.lockfile.files import LOCKFILE, LockfilePaths, count_lines, files_of, read_lockfile
from runner.ledger.lockfile.process_lock import lock_file
from runner.ledger.record import Header, MoveMark, Record


@contextlib.contextmanager
def open_lockfile(paths: LockfilePaths, salt: str, command: str, now: datetime) -> Iterator["LockfileLedger"]:
    """Locks a lockfile and its journal and reads both. Until the context ends, no other process opens it to write.

    Raises LedgerUnavailable.
    """
    with contextlib.ExitStack() as locks:
        # Work trees of one clone share the journal, but each has a lockfile and a `.msgrun/lock` of its own.
        files = [paths.flock_file, *([paths.journal.with_suffix(".hold")] if paths.journal else [])]
        for file in files:
            locks.callback(os.close, lock_file(file, command, now))
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

    def commit(self, outcomes: Sequence[Record], claims: Sequence[Record]) -> frozenset[str]:
        """Makes the records durable before it returns. The facts stay as they are: memory does not grow in a run.

        Returns an empty set: no other run can claim at the same time.
        Raises LedgerUnavailable if a file fails: outcomes stay in every file that took them, claims are removed again.
        Raises ClaimsUncertain if a claim may still be in a file.
        """
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
