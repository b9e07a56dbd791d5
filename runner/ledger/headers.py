"""The headers of a ledger: its workspace, its id, its salt, and the marks of moves."""

from collections.abc import Iterator
from dataclasses import replace

from runner.errors import GuardRefused
from runner.ledger.mark import NO_MARK, MoveMark
from runner.ledger.record import Header, salt_check
from runner.shown_command import shown_command


class Headers:
    """The set of a ledger's headers, from wherever their lines were read, and what they add up to.

    A copy of the ledger, such as the lockfile or its journal, may have a bit: `copy_bit`, 0 if it has none.

    `own_setting` is the value of `lock:` for the ledger, if git may merge another file into it: a mark that the ledger
    moved there is of the file that it moved from. Git takes a removal of that file for a rename to the new one.
    """

    def __init__(self, own_setting: str = "") -> None:
        self._own_setting = own_setting
        self._copy_bits: dict[Header, int] = {}

    def __len__(self) -> int:
        return len(self._copy_bits)

    def __iter__(self) -> Iterator[Header]:
        return iter(self._copy_bits)

    def add(self, header: Header, copy_bit: int = 0) -> None:
        """Adds a header that a copy of the ledger has."""
        if header.mark.status == "moved" and header.mark.address == self._own_setting:
            header = replace(header, mark=NO_MARK)
        self._copy_bits[header] = self._copy_bits.get(header, 0) | copy_bit

    @property
    def ids(self) -> frozenset[str]:
        """The ids that the headers name. If there are two, two ledgers were merged."""
        return frozenset(header.ledger for header in self._copy_bits if header.ledger)

    def lacks(self, header: Header, copy_bit: int) -> bool:
        """Returns whether a copy of the ledger, given by its bit, lacks this header."""
        return not self._copy_bits.get(header, 0) & copy_bit

    def fits(self, salt: str) -> bool:
        """Returns whether all headers are of ledgers with this salt, or do not say which they have."""
        return all(header.salt_check in {"", salt_check(salt)} for header in self._copy_bits)

    def merged(self, salt: str) -> Header:
        """Returns the one header that all headers add up to, for this salt, without a mark.

        Raises GuardRefused if the headers contradict each other or the salt.
        """
        expected_check = salt_check(salt)
        workspaces = sorted({header.workspace for header in self._copy_bits if header.workspace})
        if len(workspaces) > 1:
            raise GuardRefused(
                f"the ledger belongs to two workspaces: {' and '.join(workspaces[:2])}",
                "ledgers of two workspaces were merged; give each its own environment in msgrun.yaml",
            )
        if not self.fits(salt):
            raise GuardRefused(
                "the salt is not the one that this ledger was written with",
                "with another salt nothing sent would be recognised; put back salt: of msgrun.yaml, or MSGRUN_SALT",
            )
        ids = sorted(self.ids)
        if len(ids) > 1:
            raise GuardRefused(
                f"two ledgers were merged: {' and '.join(ids)}",
                "take the file of one of them back from git, and add the records of the other:"
                f" {shown_command('lock', 'import', 'FILE')}",
            )
        return Header(next(iter(workspaces), ""), expected_check, next(iter(ids), ""))

    def require_consistent(self, salt: str) -> None:
        """Raises GuardRefused if the headers contradict each other or the salt."""
        self.merged(salt)

    @property
    def mark(self) -> MoveMark:
        """The mark that is valid: the highest."""
        return max((header.mark for header in self._copy_bits), key=lambda mark: mark.rank, default=NO_MARK)

    def new(self, header: Header, salt: str) -> Header | None:
        """Returns a header with all that is known, to be written; None if it says nothing new that holds.

        New is a workspace, an id, or a mark that is higher than all others. Raises GuardRefused if the header
        contradicts the others, or if these contradict each other or the salt.
        """
        known = self.merged(salt)
        if header.workspace and known.workspace not in {"", header.workspace}:
            raise GuardRefused(
                f"the ledger belongs to workspace {known.workspace}, not {header.workspace}",
                "the token is of another workspace; each workspace has an environment and a ledger of its own",
            )
        if header.ledger and known.ledger not in {"", header.ledger}:
            hint = "lock: names a ledger that has nothing to do with this one"
            raise GuardRefused(f"the ledger has the id {known.ledger}, not {header.ledger}", hint)
        full = replace(
            known, workspace=known.workspace or header.workspace, ledger=known.ledger or header.ledger, mark=header.mark
        )
        is_new = full.mark.rank[:2] > self.mark.rank[:2] or (full.mark == NO_MARK and full not in self._copy_bits)
        return full if is_new else None

    def compacted(self, salt: str) -> list[Header]:
        """Returns the fewest headers that say what all headers say. Raises GuardRefused as `merged`.

        The one with the mark comes first: a torn write that left only the other would make a ledger current.
        """
        header, mark = self.merged(salt), self.mark
        return [*([replace(header, mark=mark)] if mark.generation else []), header]
