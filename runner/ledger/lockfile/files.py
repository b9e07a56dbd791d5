"""The files of a lockfile ledger: the lockfile, its journal in git and its rescue file, and reading them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.errors import LedgerUnavailable
from runner.ledger.durable_append import append_lines
from runner.ledger.facts import Facts
from runner.ledger.line_source import FileSource
from runner.ledger.record import Header, Record, parse_entry
from runner.ledger.torn_lines import parse_objects

LOCKFILE, JOURNAL = 1, 2


@dataclass(frozen=True, slots=True)
class LockfilePaths:
    """Where one ledger lives: the lockfile, its journal if it is inside git, and what to call it in messages.

    `rescue` is where outcomes go that it did not take, for the next run; None where a commit could write that file.
    """

    lockfile: Path
    journal: Path | None
    display_name: str
    rescue: Path | None

    @property
    def flock_file(self) -> Path:
        """The file whose lock makes the holder the only one."""
        return self.lockfile.parent / ".msgrun" / "lock"

    @property
    def exists(self) -> bool:
        """Whether there is a lockfile; one of no bytes, or of blank lines, has lost its header, and counts as lost."""
        return self.lockfile.is_file() and any(block.strip() for block in read_blocks(self.lockfile))


def read_lockfile(places: LockfilePaths) -> Facts:
    """What the lockfile and its journal know, without holding them. Raises LedgerUnavailable."""
    facts = Facts()
    for bit, path, shown in files_of(places):
        if not facts.read_file(path, shown, bit):
            # Without it nothing tells that workspace and salt are the ones it was written with.
            raise LedgerUnavailable(f"{shown} has lost its header", "take the line with msgrun_lock back from git")
    if places.rescue:
        facts.read_file(places.rescue, places.rescue.name)
    return facts


def read_history(places: LockfilePaths, start: str = "") -> list[Record]:
    """Every fact that is written about the keys that begin with `start`, by time. Raises LedgerUnavailable."""
    files = [(shown, path) for _, path, shown in files_of(places)]
    files += [(places.rescue.name, places.rescue)] if places.rescue else []
    return find_records(((shown, path.read_bytes() if path.exists() else b"") for shown, path in files), start)


def find_records(versions: Iterable[tuple[str, bytes]], start: str) -> list[Record]:
    """Every fact on a line of lockfiles (what to call one, its bytes) about the keys that begin with `start`, by time.

    Raises LedgerUnavailable.
    """
    found: dict[Record, None] = {}
    for shown, data in versions:
        for number, line in enumerate(data.split(b"\n"), 1):
            for value in parse_objects(line)[0] if line.strip() else ():
                fact = parse_entry(value, shown, number)
                if isinstance(fact, Record) and fact.key.startswith(start):
                    found[fact] = None
    return sorted(found, key=lambda record: (record.at, record.attempt, record.to_line()))


def create_lockfile(places: LockfilePaths, header: Header) -> None:
    """Writes a lockfile that holds only its header. Raises LedgerUnavailable."""
    append_lines([places.lockfile], header.to_line())


def count_lines(path: Path) -> int:
    """How many lines a file has."""
    return sum(block.count(b"\n") for block in read_blocks(path))


def files_of(places: LockfilePaths) -> list[tuple[int, Path, str]]:
    """The places that hold everything: a bit for each, its path, and what to call it."""
    journal = [(JOURNAL, places.journal, "the journal in git's folder")] if places.journal else []
    return [(LOCKFILE, places.lockfile, places.display_name), *journal]


def read_blocks(path: Path) -> Iterator[bytes]:
    """All of a file. Raises LedgerUnavailable."""
    try:
        yield from FileSource(path).blocks()
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}") from error
