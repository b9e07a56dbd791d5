"""How the commits of a pull request change a lockfile. They must not: it would change what is remembered as sent."""

from dataclasses import dataclass

from runner.git.repository import Repository
from runner.ledger.facts import Facts
from runner.ledger.ledger import count_missing_records


@dataclass(frozen=True, slots=True)
class LockfileChange:
    """How many records the commits add to a lockfile, and how many they remove.

    A record that a later one of its attempt supersedes does not count. `has_other_headers`: they change what the file
    says of itself, as its id or that it moved. `is_removed`: the file is not there any more; `before` are its records.
    `is_uncounted`: the file is too large for what is not a ledger in use, so its records were not compared.
    """

    path: str
    added: int
    removed: int
    has_other_headers: bool
    is_removed: bool
    before: Facts
    is_uncounted: bool = False

    @property
    def may_remove(self) -> bool:
        """Whether records may be missing now."""
        return self.removed > 0 or self.is_uncounted

    def __str__(self) -> str:
        if self.is_uncounted:
            return f"change {self.path}, which is too large for its records to be compared"
        headers = ", and what it says of itself changed" if self.has_other_headers and not self.is_removed else ""
        verb = "remove" if self.is_removed else "change"
        return f"{verb} {self.path}: {self.added:,} records added, {self.removed:,} removed{headers}"


@dataclass(slots=True)
class ByteBudget:
    """How many bytes of files may still be read."""

    size: int

    def take(self, size: int) -> bool:
        """Takes the size of a file from the budget. Returns whether there was enough."""
        if size > self.size:
            return False
        self.size -= size
        return True


def find_lockfile_change(
    repository: Repository,
    base: str,
    path: str,
    ledger_id: str = "",
    *,
    becomes_ledger: bool = False,
    budget: ByteBudget | None = None,
) -> LockfileChange | None:
    """Returns how HEAD changes the lockfile of the commit `base`; None if it does not.

    A file that differs and is larger than what is left of `budget` counts as changed, and is not read.

    A new lockfile is not a change if it has no record, no mark, and not the id `ledger_id` of the project's ledger:
    it would count as that ledger without its records. `becomes_ledger`: the commits name a file in `lock:` that was not
    the ledger, so it counts as new. Raises LedgerUnavailable if one of the two is not a lockfile.
    """
    old_blob = None if becomes_ledger else repository.find_blob(base, path)
    new_blob = repository.find_blob("HEAD", path)
    if old_blob == new_blob:
        return None
    if new_blob and budget and not budget.take(new_blob[1]):
        return LockfileChange(path, 0, 0, has_other_headers=False, is_removed=False, before=Facts(), is_uncounted=True)
    old, new = repository.read_blob(base, path) if old_blob else None, repository.read_blob("HEAD", path)
    before, after = Facts(), Facts()
    before.read(old or b"", f"{base}:{path}")
    after.read(new or b"", f"HEAD:{path}")
    added, removed = count_missing_records(after, before), count_missing_records(before, after)
    is_forged = bool(after.mark.generation) or ledger_id in after.headers.ids
    has_other_headers = is_forged if old is None else set(before.headers) != set(after.headers)
    if not (added or removed or has_other_headers):
        return None
    return LockfileChange(path, added, removed, has_other_headers, new is None, before)
