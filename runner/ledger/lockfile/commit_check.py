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
    """

    path: str
    added: int
    removed: int
    has_other_headers: bool
    is_removed: bool
    before: Facts

    def __str__(self) -> str:
        headers = ", and its headers changed" if self.has_other_headers and not self.is_removed else ""
        verb = "remove" if self.is_removed else "change"
        return f"{verb} {self.path}: {self.added:,} records added, {self.removed:,} removed{headers}"


def find_lockfile_change(
    repository: Repository, base: str, path: str, ledger_id: str = "", *, becomes_ledger: bool = False
) -> LockfileChange | None:
    """How HEAD changes the lockfile of the commit `base`; None if it does not.

    A new lockfile is no change if it has no record, no mark, and not the id `ledger_id` of the project's ledger:
    it would count as that ledger without its records. `becomes_ledger`: the commits name a file in `lock:` that was not
    the ledger, so it counts as new. Raises LedgerUnavailable if one of the two is no lockfile.
    """
    old, new = None if becomes_ledger else repository.read_blob(base, path), repository.read_blob("HEAD", path)
    if old == new:
        return None
    before, after = Facts(), Facts()
    before.read(old or b"", f"{base}:{path}")
    after.read(new or b"", f"HEAD:{path}")
    added, removed = count_missing_records(after, before), count_missing_records(before, after)
    is_forged = bool(after.mark.turn) or ledger_id in {header.ledger for header in after.headers} - {""}
    has_other_headers = is_forged if old is None else set(before.headers) != set(after.headers)
    if not (added or removed or has_other_headers):
        return None
    return LockfileChange(path, added, removed, has_other_headers, new is None, before)
