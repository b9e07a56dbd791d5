"""The files of a lockfile ledger (the lockfile, and its journal in git), and how they are read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join
from urllib.parse import quote

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import Repository
from runner.ledger.facts import Facts
from runner.ledger.lines import open_lines
from runner.ledger.lock_address import LockfileAddress
from runner.managed_path import managed_path
from runner.shown_command import shown_command

LOCKFILE, JOURNAL = 1, 2  # bits that tell `Facts` which of the two files has a record


@dataclass(frozen=True, slots=True)
class LockfilePaths:
    """The paths of one lockfile ledger, and its name in messages. `journal` is None outside of a git repository."""

    lockfile: Path
    journal: Path | None
    display_name: str

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


def lockfile_paths(root: Path, lock: str, repository: Repository | None) -> LockfilePaths:
    """Returns the paths of the lockfile `lock` below `root`. Raises GuardRefused if one of them is a link."""
    path = managed_path(root, lock)
    managed_path(root, join(dirname(lock), ".msgrun/lock"))
    return LockfilePaths(path, journal_path(repository, path) if repository else None, lock)


def journal_path(repository: Repository, lockfile: Path) -> Path:
    """Returns the path of a lockfile's journal. Every record of the lockfile is also written to it.

    No reset, stash or switch of branches changes it.
    """
    flat_name = quote(repository.relative_path(lockfile) or str(lockfile.resolve()), safe="")
    return repository.common_dir / "msgrun" / f"{flat_name}.journal"


def read_versions(
    repository: Repository, lockfile: Path, commits: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, bytes]]:
    """Yields the lockfile of each commit that has it, as (name for messages, content).

    `commits` are the newest ones of the remotes' branches, with their names: a CI job that is run again works on an old
    commit, and its checkout often lacks origin/HEAD. Raises GuardRefused, LedgerUnavailable.
    """
    path = repository.relative_path(lockfile)
    for name, commit in commits if path else ():
        if path and (content := repository.read_blob(commit, path)) is not None:
            yield f"{name}:{path}", content


def read_lockfile(paths: LockfilePaths) -> Facts:
    """Returns the records of the lockfile and its journal, read without a lock. Raises LedgerUnavailable."""
    facts = Facts(LockfileAddress(paths.display_name).setting)
    for bit, path, display_name in files_of(paths):
        if not facts.read_file(path, display_name, bit):
            # Without the header, a wrong workspace or salt would not be noticed, and everything would be sent again.
            raise LedgerUnavailable(
                f"{display_name} has lost its header", "take the line with msgrun_lock back from git"
            )
    own, others = (
        {header.ledger for header in facts.headers if header.ledger and not facts.headers.lacks(header, bit)}
        for bit in (LOCKFILE, JOURNAL)
    )
    if own and others and not own & others:
        raise GuardRefused(
            f"{paths.display_name} has the id {min(own)}, but this clone recorded another ledger there, {min(others)}",
            f"to use the file: mv {paths.journal} other.lock, and then {shown_command('lock', 'import', 'other.lock')}",
        )
    return facts


def read_local_lockfile(paths: LockfilePaths, *, journal_only: bool = False) -> Facts:
    """Returns the records that this clone has of a lockfile which may be the ledger no more. No file counts as empty.

    `journal_only`: of the journal alone, which no commit can change. Raises LedgerUnavailable.
    """
    facts = Facts()
    for bit, path, display_name in files_of(paths):
        if bit == JOURNAL or not journal_only:
            facts.read_file(path, display_name)
    return facts


def count_lines(path: Path) -> int:
    """Returns the number of lines of a file. Raises LedgerUnavailable."""
    return sum(block.count(b"\n") for block in read_blocks(path))


def files_of(paths: LockfilePaths) -> list[tuple[int, Path, str]]:
    """Returns the lockfile and its journal: for each a bit for `Facts`, its path, and its name in messages."""
    journal = [(JOURNAL, paths.journal, "the journal in git's folder")] if paths.journal else []
    return [(LOCKFILE, paths.lockfile, paths.display_name), *journal]


def read_blocks(path: Path) -> Iterator[bytes]:
    """Yields the content of a file, in blocks. Raises LedgerUnavailable."""
    try:
        yield from open_lines(path).blocks()
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}") from error
