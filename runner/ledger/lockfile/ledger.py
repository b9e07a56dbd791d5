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
    """The lockfile, held alone until it is closed. What one place lacks is written to it when it is opened."""

    max_batch = min_batch = 1
    request_permits = None
    has_valid_claims = True  # the lock dies with the process, and nothing before it

    def __init__(self, places: LockfilePaths, salt: str, command: str, now: datetime) -> None:
        self._places = places
        self._salt = salt
        self._opened = int(now.timestamp())
        self._holds = [lock_file(places.flock_file, command, now)]
        try:
            if places.journal:
                # Two work trees share a journal, and each has a lockfile of its own to hold.
                self._holds.append(lock_file(places.journal.with_suffix(".hold"), command, now))
            self.facts = read_lockfile(places)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets others hold it."""
        for descriptor in self._holds:
            os.close(descriptor)
        self._holds = []

    def merge_versions(self, versions: Iterable[tuple[str, bytes]]) -> None:
        """Adds what other places know. Raises LedgerUnavailable."""
        for shown, data in versions:
            self.facts.read(data, shown)

    def recover(self) -> int:
        """Writes to each place what it lacks; returns how many records the lockfile lacked. Raises GuardRefused.

        Facts that later ones of their attempt replace are not missed: else what was compacted would come back.
        """
        headers, healed = self.facts.compacted_headers(self._salt), 0
        for bit, path, _ in files_of(self._places):
            lines = [header.to_line() for header in headers if self.facts.lacks_header(header, bit)]
            for record in self.facts.missing_from(bit):
                lines.append(record.to_line())
                healed += bit == LOCKFILE
            append_lines([path], b"".join(lines))
        if self._places.rescue:
            self._places.rescue.unlink(missing_ok=True)
        return healed

    def lines_missing_from(self, data: bytes, shown: str) -> bytes:
        """The lines that another version of the lockfile lacks. Raises GuardRefused, LedgerUnavailable."""
        theirs = Facts()
        theirs.read(data, shown)
        self.facts.read(data, shown)
        headers = [header for header in self.facts.compacted_headers(self._salt) if header not in theirs.headers]
        missing = (record for record in self.facts.compacted_records() if record not in theirs.records_of(record.key))
        return b"".join([*(header.to_line() for header in headers), *(record.to_line() for record in missing)])

    def replace_file(self, data: bytes) -> None:
        """Replaces the file by a version that lacks none of its lasting facts. Raises LedgerUnavailable.

        Not a file with torn lines: a person may still make something of them.
        """
        if not self.facts.torn_lines:
            _replace(self._places.lockfile.resolve(), [data])

    def refresh(self) -> None:
        """Reads what a run wrote into the facts."""
        self.facts = read_lockfile(self._places)

    def write_rescue_file(self, records: list[Record]) -> Path:
        """Writes outcomes that could not be written to the rescue file, and returns it. Raises LedgerUnavailable."""
        if self._places.rescue is None:
            raise LedgerUnavailable("git cannot be read, so there is no place for them that no commit can write to")
        append_lines([self._places.rescue], b"".join(record.to_line() for record in records))
        return self._places.rescue

    def append(self, *records: Record) -> None:
        """Makes the records durable before it returns. Raises LedgerUnavailable."""
        self.commit(*records)
        for record in records:
            self.facts.add(record)

    def claimed_by_others(self, keys: list[str]) -> frozenset[str]:
        """None that a claim would not find out at the same price."""
        del keys
        return frozenset()

    def other_runs(self, messages: list[str]) -> Counter[str]:
        """Nobody: it is held alone."""
        del messages
        return Counter()

    def commit(self, *records: Record) -> frozenset[str]:
        """Makes the records durable before it returns; for a run, whose memory must not grow with what it sends.

        Returns nothing: whoever holds the lockfile claims alone.
        Raises LedgerUnavailable: outcomes are kept wherever there is room, claims nowhere. ClaimsLeft if they may be.
        """
        lines: tuple[list[bytes], list[bytes]] = [], []
        for record in records:
            lines[record.status == "claimed"].append(record.to_line())
        append_lines(self._paths, *map(b"".join, lines))
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
        append_lines(self._paths, pinned.to_line())
        self.facts.add(pinned)

    def mark_moved(self, to: str, *, journal_only: bool = False) -> None:
        """Notes where the ledger is, durably; empty: here.

        Where it is leaving, in the journal alone: the file itself is about to be removed from git, as it was committed.
        Turns are seconds since 1970, for another clone may have noted one that is not known here.
        """
        header = self.facts.move_header(self._salt, to, self._opened)
        append_lines(self._paths[-1:] if journal_only else self._paths, header.to_line())
        self.facts.add(header)

    def compact(self) -> tuple[int, int]:
        """Rewrites the lockfile sorted and without what later facts of an attempt replace: lines before and after."""
        path = self._places.lockfile.resolve()
        before = count_lines(path)
        _replace(path, self.facts.compacted_lines(self._salt))
        return before, count_lines(path)

    @property
    def _paths(self) -> list[Path]:
        return [path for _, path, _ in files_of(self._places)]


def _replace(path: Path, lines: Iterable[bytes]) -> None:
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
