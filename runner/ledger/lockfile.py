"""The lockfile ledger: JSON lines in the project, a journal of the same lines in git's folder, one holder at a time."""

import fcntl
import os
import socket
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger import store
from runner.ledger.facts import Facts
from runner.ledger.line import objects
from runner.ledger.lines import File
from runner.ledger.record import Header, Record, parsed

_LOCKFILE, _JOURNAL = 1, 2


@dataclass(frozen=True, slots=True)
class Places:
    """Where one ledger lives: the lockfile, its journal if it is inside git, and what to call it in messages.

    `rescue` is where outcomes go that it did not take, for the next run; None where a commit could write that file.
    """

    lockfile: Path
    journal: Path | None
    shown: str
    rescue: Path | None

    @property
    def lock(self) -> Path:
        """The file whose lock makes the holder the only one."""
        return self.lockfile.parent / ".msgrun" / "lock"

    @property
    def exists(self) -> bool:
        """Whether there is a lockfile; one of no bytes, or of blank lines, has lost its header, and counts as lost."""
        return self.lockfile.is_file() and any(block.strip() for block in _blocks(self.lockfile))


def read(places: Places) -> Facts:
    """What the lockfile and its journal know, without holding them. Raises LedgerUnavailable."""
    facts = Facts()
    for bit, path, shown in _files(places):
        if not facts.read_file(path, shown, bit):
            # Without it nothing tells that workspace and salt are the ones it was written with.
            raise LedgerUnavailable(f"{shown} has lost its header", "take the line with msgrun_lock back from git")
    if places.rescue:
        facts.read_file(places.rescue, places.rescue.name)
    return facts


def history(places: Places, start: str = "") -> list[Record]:
    """Every fact that is written about the keys that begin with `start`, by time. Raises LedgerUnavailable."""
    files = [(shown, path) for _, path, shown in _files(places)]
    files += [(places.rescue.name, places.rescue)] if places.rescue else []
    return matching(((shown, path.read_bytes() if path.exists() else b"") for shown, path in files), start)


def matching(versions: Iterable[tuple[str, bytes]], start: str) -> list[Record]:
    """Every fact on a line of lockfiles (what to call one, its bytes) about the keys that begin with `start`, by time.

    Raises LedgerUnavailable.
    """
    found: dict[Record, None] = {}
    for shown, data in versions:
        for number, line in enumerate(data.split(b"\n"), 1):
            for value in objects(line)[0] if line.strip() else ():
                fact = parsed(value, shown, number)
                if isinstance(fact, Record) and fact.key.startswith(start):
                    found[fact] = None
    return sorted(found, key=lambda record: (record.at, record.attempt, record.line()))


def create(places: Places, header: Header) -> None:
    """Writes a lockfile that holds only its header. Raises LedgerUnavailable."""
    store.append([places.lockfile], header.line())


def count(path: Path) -> int:
    """How many lines a file has."""
    return sum(block.count(b"\n") for block in _blocks(path))


class Lockfile:
    """The lockfile, held alone until it is closed. What one place lacks is written to it when it is opened."""

    batch = least = 1
    draw = None
    is_held = True  # the lock dies with the process, and nothing before it

    def __init__(self, places: Places, salt: str, command: str, now: datetime) -> None:
        self._places = places
        self._salt = salt
        self._opened = int(now.timestamp())
        self._holds = [_hold(places.lock, command, now)]
        try:
            if places.journal:
                # Two work trees share a journal, and each has a lockfile of its own to hold.
                self._holds.append(_hold(places.journal.with_suffix(".hold"), command, now))
            self.facts = read(places)
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
        headers, healed = self.facts.heading(self._salt), 0
        for bit, path, _ in _files(self._places):
            lines = [header.line() for header in headers if self.facts.lacks_header(header, bit)]
            for record in self.facts.lacking(bit):
                lines.append(record.line())
                healed += bit == _LOCKFILE
            store.append([path], b"".join(lines))
        if self._places.rescue:
            self._places.rescue.unlink(missing_ok=True)
        return healed

    def lacking(self, data: bytes, shown: str) -> bytes:
        """The lines that another version of the lockfile lacks. Raises GuardRefused, LedgerUnavailable."""
        theirs = Facts()
        theirs.read(data, shown)
        self.facts.read(data, shown)
        headers = [header for header in self.facts.heading(self._salt) if header not in theirs.headers]
        missing = (record for record in self.facts.compacted() if record not in theirs.of(record.key))
        return b"".join([*(header.line() for header in headers), *(record.line() for record in missing)])

    def become(self, data: bytes) -> None:
        """Replaces the file by a version that lacks none of its lasting facts. Raises LedgerUnavailable.

        Not a file with torn lines: a person may still make something of them.
        """
        if not self.facts.torn:
            _replace(self._places.lockfile.resolve(), [data])

    def refresh(self) -> None:
        """Reads what a run wrote into the facts."""
        self.facts = read(self._places)

    def save(self, records: list[Record]) -> Path:
        """Writes outcomes that could not be written to the rescue file, and returns it. Raises LedgerUnavailable."""
        if self._places.rescue is None:
            raise LedgerUnavailable("git cannot be read, so there is no place for them that no commit can write to")
        store.append([self._places.rescue], b"".join(record.line() for record in records))
        return self._places.rescue

    def append(self, *records: Record) -> None:
        """Makes the records durable before it returns. Raises LedgerUnavailable."""
        self.write(*records)
        for record in records:
            self.facts.add(record)

    def gone(self, keys: list[str]) -> frozenset[str]:
        """None that a claim would not find out at the same price."""
        del keys
        return frozenset()

    def sending(self, messages: list[str]) -> Counter[str]:
        """Nobody: it is held alone."""
        del messages
        return Counter()

    def write(self, *records: Record) -> frozenset[str]:
        """Makes the records durable before it returns; for a run, whose memory must not grow with what it sends.

        Returns nothing: whoever holds the lockfile claims alone.
        Raises LedgerUnavailable: outcomes are kept wherever there is room, claims nowhere. ClaimsLeft if they may be.
        """
        lines: tuple[list[bytes], list[bytes]] = [], []
        for record in records:
            lines[record.status == "claimed"].append(record.line())
        store.append(self._paths, *map(b"".join, lines))
        return frozenset()

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

    def move(self, to: str, *, is_leaving: bool = False) -> None:
        """Notes where the ledger is, durably; empty: here.

        Where it is leaving, in the journal alone: the file itself is about to be removed from git, as it was committed.
        Turns are seconds since 1970, for another clone may have noted one that is not known here.
        """
        header = self.facts.moving(self._salt, to, self._opened)
        store.append(self._paths[-1:] if is_leaving else self._paths, header.line())
        self.facts.add(header)

    def compact(self) -> tuple[int, int]:
        """Rewrites the lockfile sorted and without what later facts of an attempt replace: lines before and after."""
        path = self._places.lockfile.resolve()
        before = count(path)
        _replace(path, self.facts.compacted_lines(self._salt))
        return before, count(path)

    @property
    def _paths(self) -> list[Path]:
        return [path for _, path, _ in _files(self._places)]


def _files(places: Places) -> list[tuple[int, Path, str]]:
    """The places that hold everything: a bit for each, its path, and what to call it."""
    journal = [(_JOURNAL, places.journal, "the journal in git's folder")] if places.journal else []
    return [(_LOCKFILE, places.lockfile, places.shown), *journal]


def _blocks(path: Path) -> Iterator[bytes]:
    """All of a file. Raises LedgerUnavailable."""
    try:
        yield from File(path).blocks()
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
        store.sync_folder(path.parent)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
