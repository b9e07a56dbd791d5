"""How the commits of a pull request change the lockfile.

They should not change it at all: the merge button of a git host cannot merge two versions of a lockfile.
"""

from dataclasses import dataclass

from runner.git.repository import Repository
from runner.ledger.facts import Facts

_BEFORE, _AFTER = 1, 2  # bits that tell `Facts` which of the two versions has a record


@dataclass(frozen=True, slots=True)
class LockfileChange:
    """How many records the commits add to a lockfile, and how many they remove.

    A record that a later one of its attempt supersedes does not count. Both numbers are 0 if only the form changed.
    """

    old_path: str
    path: str
    added: int
    removed: int

    def __str__(self) -> str:
        change = (
            f"change {self.path}"
            if self.old_path == self.path
            else f"move the lockfile from {self.old_path} to {self.path}"
        )
        return f"these commits {change}: {self.added:,} records added, {self.removed:,} removed"


def find_lockfile_change(repository: Repository, base: str, old_path: str, path: str) -> LockfileChange | None:
    """How HEAD changes the lockfile of the commit `base`; None if it does not.

    A new lockfile without records is no change. `old_path` is the lockfile's path in `base`, `path` its path in HEAD.
    Raises LedgerUnavailable if one of the two files is not a lockfile.
    """
    before, after = repository.read_blob(base, old_path), repository.read_blob("HEAD", path)
    if before == after and old_path == path:
        return None
    facts = Facts()
    facts.read(before or b"", f"{base}:{old_path}", _BEFORE)
    facts.read(after or b"", f"HEAD:{path}", _AFTER)
    added, removed = (sum(1 for _ in facts.missing_from(version)) for version in (_BEFORE, _AFTER))
    return LockfileChange(old_path, path, added, removed) if before is not None or added else None
