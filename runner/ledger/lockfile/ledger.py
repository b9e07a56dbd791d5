"""The ledger in a lockfile, written by one process at a time."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.durable_append import append_lines, sync_folder
from runner.ledger.facts import Facts
from runner.ledger.lockfile.files import LOCKFILE, LockfilePaths, count_lines, files_of, read_lockfile
from runner.ledger.lockfile.process_lock import lock_file
from runner.ledger.record import Header, Record


class LockfileLedger:
    """The ledger in a lockfile and its journal. Until it is closed, no other process can open it to write.

    `recover` writes the records that one of the two files lacks to it.
    """

    max_batch = min_batch = 1
    request_permits = None
    has_valid_claims = True  # the lock lasts as long as the process, so no other run can take over its claims

    def __init__(self, paths: LockfilePaths, salt: str, command: str, now: datetime) -> None:
        self._paths = paths
        self._salt = salt
        self._opened_at = int(now.timestamp())
        self._locks = [lock_file(paths.flock_file, command, now)]
        try:
            if paths.journal:
                # Work trees of one clone share the journal, but each has a lockfile and a `.msgrun/lock` of its own.
                self._locks.append(lock_file(paths.journal.with_suffix(".hold"), command, now))
            self.facts = read_lockfile(paths)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the locks, so that another process can open the ledger."""
        for descriptor in self._locks:
            os.close(descriptor)
        self._locks = []

    def merge_versions(self, versions: Iterable[tuple[str, bytes]]) -> None:
        """Adds the records of other versions of the lockfile to the facts. Raises LedgerUnavailable."""
        for display_name, data in versions:
            self.facts.read(data, display_name)

    def recover(self) -> int:
        """Writes to the lockfile and the journal the records that each lacks, then removes the rescue file.

        Returns how many records the lockfile lacked. A record that a later one of its attempt supersedes is not
        written: it would undo compaction. Raises GuardRefused, LedgerUnavailable.
        """
        headers, recovered = self.facts.compacted_headers(self._salt), 0
        for bit, path, _ in files_of(self._paths):
            lines = [header.to_line() for header in headers if self.facts.lacks_header(header, bit)]
            for record in self.facts.missing_from(bit):
                lines.append(record.to_line())
                recovered += bit == LOCKFILE
            append_lines([path], b"".join(lines))
        if self._paths.rescue:
            self._paths.rescue.unlink(missing_ok=True)
        return recovered

    def lines_missing_from(self, data: bytes, display_name: str) -> bytes:
        """The lines that `data`, another version of the lockfile, lacks. Adds the records of `data` to the facts.

        `display_name` is that version's name in messages. Raises GuardRefused, LedgerUnavailable.
        """
        theirs = Facts()
        theirs.read(data, display_name)
        self.facts.read(data, display_name)
        headers = [header for header in self.facts.compacted_headers(self._salt) if header not in theirs.headers]
        missing = (record for record in self.facts.compacted_records() if record not in theirs.records_of(record.key))
        return b"".join([*(header.to_line() for header in headers), *(record.to_line() for record in missing)])

    def replace_file(self, data: bytes) -> None:
        """Replaces the lockfile by `data`, which must have all its records that are not superseded.

        Does nothing if the file has torn lines: a person may still be able to read them. Raises LedgerUnavailable.
        """
        if not self.facts.torn_lines:
            _replace_file(self._paths.lockfile.resolve(), [data])

    def refresh(self) -> None:
        """Reads the records again, with those that a run wrote. Raises LedgerUnavailable."""
        self.facts = read_lockfile(self._paths)

    def write_rescue_file(self, records: list[Record]) -> Path:
        """Writes outcomes that could not be recorded to the rescue file; returns its path. Raises LedgerUnavailable."""
        if self._paths.rescue is None:
            raise LedgerUnavailable("git cannot be read, so there is no place for them that no commit can write to")
        append_lines([self._paths.rescue], b"".join(record.to_line() for record in records))
        return self._paths.rescue

    def append(self, *records: Record) -> None:
        """Makes the records durable and adds them to the facts. Raises LedgerUnavailable."""
        self.commit(*records)
        for record in records:
            self.facts.add(record)

    def claimed_by_others(self, keys: list[str]) -> frozenset[str]:
        """Always empty: no other run can claim while this process has the lock."""
        del keys
        return frozenset()

    def other_runs(self, messages: list[str]) -> Counter[str]:
        """Always empty: no other run can send while this process has the lock."""
        del messages
        return Counter()

    def commit(self, *records: Record) -> frozenset[str]:
        """Makes the records durable before it returns. The facts stay as they are: memory does not grow in a run.

        Returns an empty set: no other run can claim at the same time.
        Raises LedgerUnavailable if a file fails: outcomes stay in every file that took them, claims are removed again.
        Raises ClaimsUncertain if a claim may still be in a file.
        """
        lines: tuple[list[bytes], list[bytes]] = [], []
        for record in records:
            lines[record.status == "claimed"].append(record.to_line())
        append_lines(self._record_files, *map(b"".join, lines))
        return frozenset()

    def pin(self, workspace: str) -> None:
        """Ties the ledger to a workspace, durably. Raises GuardRefused if it is tied to another."""
        header = self.facts.merged_header(self._salt)
        if header.workspace == workspace:
            return
        if header.workspace:
            hint = "the token is of another workspace; each workspace has an environment and a lockfile of its own"
            raise GuardRefused(f"the lockfile belongs to workspace {header.workspace}, not {workspace}", hint)
        pinned = Header(workspace, header.salt_check)
        append_lines(self._record_files, pinned.to_line())
        self.facts.add(pinned)

    def mark_moved(self, to: str, *, journal_only: bool = False) -> None:
        """Records durably that the ledger moved to the address `to`; an empty `to` means that it came back.

        `journal_only`: the lockfile stays as it was committed, because the user is about to remove it from git. If
        there is no journal, the lockfile is written all the same.
        The turn of a move is at least the time in seconds since 1970: another clone may have recorded a move that
        this one does not know, and the highest turn decides.
        """
        header = self.facts.move_header(self._salt, to, self._opened_at)
        append_lines(self._record_files[-1:] if journal_only else self._record_files, header.to_line())
        self.facts.add(header)

    def compact(self) -> tuple[int, int]:
        """Rewrites the lockfile: sorted, without records that a later one of their attempt supersedes.

        Returns the number of lines before and after. Raises GuardRefused, LedgerUnavailable.
        """
        path = self._paths.lockfile.resolve()
        before = count_lines(path)
        _replace_file(path, self.facts.compacted_lines(self._salt))
        return before, count_lines(path)

    @property
    def _record_files(self) -> list[Path]:
        return [path for _, path, _ in files_of(self._paths)]


def _replace_file(path: Path, lines: Iterable[bytes]) -> None:
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as handle:
            handle.writelines(lines)
            handle.flush()
            os.fchmod(handle.fileno(), path.stat().st_mode)
            os.fsync(handle.fileno())
        os.replace(temporary, path)  # noqa: PTH105  # the atomic rename is the point
        sync_folder(path.parent)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
