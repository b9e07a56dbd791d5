"""The files of a lockfile ledger (the lockfile, its journal in git, its rescue file), and how they are read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.errors import LedgerUnavailable
from runner.ledger.durable_append import append_lines
from runner.ledger.facts import Facts
from runner.ledger.line_source import FileSource
from runner.ledger.record import Header, Record, parse_entry
from runner.ledger.torn_lines import parse_objects

LOCKFILE, JOURNAL = 1, 2  # bits that tell `Facts` which of the two files has a record


@dataclass(frozen=True, slots=True)
class LockfilePaths:
    """The paths of one lockfile ledger, and its name in messages.

    `journal` is None outside of a git repository. `rescue` is the file for outcomes that could not be written to the
    lockfile; the next run reads it. It is None where a commit could write that file.
    """

    lockfile: Path
    journal: Path | None
    display_name: str
    rescue: Path | None

    @property
    def flock_file(self) -> Path:
        """The file that a process locks to be the only one that writes this lockfile."""
        return self.lockfile.parent / ".msgrun" / "lock"

    @property
    def exists(self) -> bool:
        """Whether there is a lockfile with content.

        An empty or blank file has lost its header, so it counts as missing.
        """
        return self.lockfile.is_file() and any(block.strip() for block in read_blocks(self.lockfile))


def read_lockfile(paths: LockfilePaths) -> Facts:
    """The records of the lockfile, its journal and its rescue file, read without a lock. Raises LedgerUnavailable."""
    facts = Facts()
    for bit, path, display_name in files_of(paths):
        if not facts.read_file(path, display_name, bit):
            # Without the header, a wrong workspace or salt would not be noticed, and everything would be sent again.
            raise LedgerUnavailable(
                f"{display_name} has lost its header", "take the line with msgrun_lock back from git"
            )
    if paths.rescue:
        facts.read_file(paths.rescue, paths.rescue.name)
    return facts


def read_history(paths: LockfilePaths, key_prefix: str = "") -> list[Record]:
    """Every record whose key begins with `key_prefix`, in order of time. Raises LedgerUnavailable."""
    files = [(display_name, path) for _, path, display_name in files_of(paths)]
    files += [(paths.rescue.name, paths.rescue)] if paths.rescue else []
    return find_records(
        ((display_name, path.read_bytes() if path.exists() else b"") for display_name, path in files), key_prefix
    )


def find_records(versions: Iterable[tuple[str, bytes]], key_prefix: str) -> list[Record]:
    """Every record in versions of a lockfile whose key begins with `key_prefix`, in order of time.

    A version is its name in messages and its bytes. Raises LedgerUnavailable.
    """
    records: dict[Record, None] = {}
    for display_name, data in versions:
        for number, line in enumerate(data.split(b"\n"), 1):
            for value in parse_objects(line)[0] if line.strip() else ():
                entry = parse_entry(value, display_name, number)
                if isinstance(entry, Record) and entry.key.startswith(key_prefix):
                    records[entry] = None
    return sorted(records, key=lambda record: (record.at, record.attempt, record.to_line()))


def create_lockfile(paths: LockfilePaths, header: Header) -> None:
    """Writes a lockfile that has only a header. Raises LedgerUnavailable."""
    append_lines([paths.lockfile], header.to_line())


def count_lines(path: Path) -> int:
    """The number of lines of a file. Raises LedgerUnavailable."""
    return sum(block.count(b"\n") for block in read_blocks(path))


def files_of(paths: LockfilePaths) -> list[tuple[int, Path, str]]:
    """The lockfile and its journal: for each a bit for `Facts`, its path, and its name in messages."""
    journal = [(JOURNAL, paths.journal, "the journal in git's folder")] if paths.journal else []
    return [(LOCKFILE, paths.lockfile, paths.display_name), *journal]


def read_blocks(path: Path) -> Iterator[bytes]:
    """The content of a file, in blocks. Raises LedgerUnavailable."""
    try:
        yield from FileSource(path).blocks()
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}") from error
