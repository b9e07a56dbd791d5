"""How commits change the lockfile. None of a pull request should: no merge button knows how to merge it."""

from dataclasses import dataclass

from runner.git.repository import Repository
from runner.ledger.facts import Facts

_BEFORE, _AFTER = 1, 2  # bits of the two places


@dataclass(frozen=True, slots=True)
class LockfileChange:
    """How many lasting records came to a lockfile, and how many are gone; both may be 0 if only its form changed."""

    old_path: str
    path: str
    added: int
    removed: int

    def __str__(self) -> str:
        told = (
            f"change {self.path}"
            if self.old_path == self.path
            else f"move the lockfile from {self.old_path} to {self.path}"
        )
        return f"these commits {told}: {self.added:,} records added, {self.removed:,} removed"


def find_lockfile_change(repository: Repository, base: str, was: str, path: str) -> LockfileChange | None:
    """How HEAD changes the lockfile of the commit `base`, if it does; a new one without records is no change.

    `was` is its path then, `path` the one of today. Raises LedgerUnavailable if one of the two is no lockfile.
    """
    before, after = repository.read_blob(base, was), repository.read_blob("HEAD", path)
    if before == after and was == path:
        return None
    facts = Facts()
    facts.read(before or b"", f"{base}:{was}", _BEFORE)
    facts.read(after or b"", f"HEAD:{path}", _AFTER)
    added, removed = (sum(1 for _ in facts.missing_from(place)) for place in (_BEFORE, _AFTER))
    return LockfileChange(was, path, added, removed) if before is not None or added else None
