"""The lockfile ledger: JSON lines in the project, a journal of the same lines in git's folder, one holder at a time."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger import store
from runner.ledger.record import Facts, Header, Record


@dataclass(frozen=True, slots=True)
class Places:
    """Where one ledger lives: the lockfile, its journal if it is inside git, and what to call it in messages."""

    lockfile: Path
    journal: Path | None
    shown: str

    @property
    def lock(self) -> Path:
        """The file whose lock makes the holder the only one."""
        return self.lockfile.parent / ".msgrun" / "lock"

    @property
    def rescue(self) -> Path:
        """Where outcomes go that the lockfile did not take; the next run picks them up."""
        return self.lockfile.with_name(f"{self.lockfile.name}.rescue")

    @property
    def exists(self) -> bool:
        """Whether there is a lockfile; one of no bytes has lost its header, and counts as lost."""
        return self.lockfile.is_file() and self.lockfile.stat().st_size > 0


def read(places: Places) -> Facts:
    """What the lockfile and its journal know, without holding them. Raises LedgerUnavailable."""
    facts = Facts()
    for path, shown in _files(places):
        facts.merge(_facts(path, shown))
    facts.read(_bytes(places.rescue), places.rescue.name)
    return facts


def create(places: Places, header: Header) -> None:
    """Writes a lockfile that holds only its header. Raises LedgerUnavailable."""
    store.append([places.lockfile], header.line())


class Lockfile:
    """The lockfile, held alone until it is closed. What one place lacks is written to it when it is opened."""

    def __init__(self, places: Places, salt: str, command: str, now: datetime) -> None:
        self._places = places
        self._salt = salt
        self._holds = [_hold(places.lock, command, now)]
        try:
            if places.journal:
                # Two work trees share a journal, and each has a lockfile of its own to hold.
                self._holds.append(_hold(places.journal.with_suffix(".hold"), command, now))
            self.facts = Facts()
            self._known: list[set[Record | Header]] = []
            for path, shown in _files(places):
                own = _facts(path, shown)
                self._known.append({*own.headers, *own.records()})
                self.facts.merge(own)
            self.facts.read(_bytes(places.rescue), places.rescue.name)
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

    def fold_in(self, versions: Iterable[tuple[str, bytes]]) -> None:
        """Adds what other places know. Raises LedgerUnavailable."""
        for shown, data in versions:
            self.facts.read(data, shown)

    def heal(self) -> int:
        """Writes to each place what it lacks; returns how many records the lockfile lacked. Raises GuardRefused.

        Facts that later ones of their attempt replace are not missed: else what was compacted would come back.
        """
        header = self.facts.header(self._salt)
        lasting = [record for key in self.facts for record in _lasting(self.facts, key)]
        lacking = [[record for record in lasting if record not in known] for known in self._known]
        for (path, _), known, records in zip(_files(self._places), self._known, lacking, strict=True):
            lines = [] if header in known else [header.line()]
            store.append([path], b"".join([*lines, *(record.line() for record in records)]))
        self._known = [set() for _ in self._known]
        self._places.rescue.unlink(missing_ok=True)
        return len(lacking[0])

    def lacking(self, data: bytes, shown: str) -> bytes:
        """The lines that another version of the lockfile lacks. Raises GuardRefused, LedgerUnavailable."""
        theirs = Facts()
        theirs.read(data, shown)
        self.facts.merge(theirs)
        header = self.facts.header(self._salt)
        missing = (record for key in self.facts for record in _lasting(self.facts, key) if record not in theirs.of(key))
        lines = b"".join(record.line() for record in missing)
        return lines if header in theirs.headers else header.line() + lines

    def refresh(self) -> None:
        """Reads what a run wrote into the facts."""
        self.facts = read(self._places)

    def save(self, records: list[Record]) -> Path:
        """Writes outcomes that could not be written to the rescue file, and returns it. Raises LedgerUnavailable."""
        store.append([self._places.rescue], b"".join(record.line() for record in records))
        return self._places.rescue

    def append(self, *records: Record) -> None:
        """Makes the records durable before it returns. Raises LedgerUnavailable."""
        self.write(*records)
        for record in records:
            self.facts.add(record)

    def write(self, *records: Record) -> None:
        """Makes the records durable before it returns; for a run, whose memory must not grow with what it sends.

        Raises LedgerUnavailable: outcomes are kept wherever there is room, claims nowhere. ClaimsLeft if they may be.
        """
        lines: tuple[list[bytes], list[bytes]] = [], []
        for record in records:
            lines[record.status == "claimed"].append(record.line())
        store.append(self._paths, *map(b"".join, lines))

    def pin(self, workspace: str) -> None:
        """Ties the ledger to a workspace, durably. Raises GuardRefused if it is tied to another."""
        header = self.facts.header(self._salt)
        if header.workspace == workspace:
            return
        if header.workspace:
            hint = "the token is of another workspace; each workspace has an environment and a lockfile of its own"
            raise GuardRefused(f"the lockfile belongs to workspace {header.workspace}, not {workspace}", hint)
        pinned = Header(workspace, header.salt_check)
        store.append(self._paths, pinned.line())
        self.facts.add(pinned)

    def compact(self) -> tuple[int, int]:
        """Rewrites the lockfile sorted and without what later facts of an attempt replace: lines before and after."""
        before = _bytes(self._places.lockfile).count(b"\n")
        kept = [record for key in sorted(self.facts) for record in _lasting(self.facts, key)]
        header = self.facts.header(self._salt)
        _replace(self._places.lockfile.resolve(), [header.line(), *(record.line() for record in kept)])
        return before, len(kept) + 1

    @property
    def _paths(self) -> list[Path]:
        return [path for path, _ in _files(self._places)]


def _files(places: Places) -> list[tuple[Path, str]]:
    journal = [(places.journal, "the journal in git's folder")] if places.journal else []
    return [(places.lockfile, places.shown), *journal]


def _facts(path: Path, shown: str) -> Facts:
    found = Facts()
    found.read(_bytes(path), shown)
    if not found.headers and any(True for _ in found):
        # Without it nothing tells that workspace and salt are the ones it was written with.
        raise LedgerUnavailable(f"{shown} has lost its header", "take the line with msgrun_lock back from git")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}") from error


def _hold(path: Path, command: str, now: datetime) -> int:
    """Locks the file and says in it who holds it. The lock dies with its process, the text may outlive it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 4096, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise LedgerUnavailable(f"the ledger is held by {holder or 'another process'}", "wait until it ends") from error
    told = f"msgrun {command}, process {os.getpid()} on {socket.gethostname()}, since {now:%Y-%m-%dT%H:%M:%SZ}\n"
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, told.encode(), 0)
    except OSError as error:
        os.close(descriptor)
        raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
    return descriptor


def _lasting(facts: Facts, key: str) -> list[Record]:
    state = facts.state(key)
    return sorted(state.attempts, key=lambda record: (record.attempt, record.line())) if state else []


def _replace(path: Path, lines: list[bytes]) -> None:
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as handle:
            handle.writelines(lines)
            handle.flush()
            os.fchmod(handle.fileno(), path.stat().st_mode)
            os.fsync(handle.fileno())
        os.replace(temporary, path)  # noqa: PTH105  # the atomic rename is the point
        store.sync_folder(path.parent)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
