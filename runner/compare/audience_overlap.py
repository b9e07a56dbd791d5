"""Compares two audiences. It keeps 32 bytes for each recipient, not the recipients.

Only the addresses of recipients are rendered. The two declarations may have different names and revisions: recipients
are compared, not deliveries.
"""

import filecmp
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from runner.current_work import CURRENT_WORK
from runner.declare.audience.audience import TableAudience
from runner.declare.audience.recipient import IdentifierKind, Recipient, normalise_identifier
from runner.declare.audience.selection import Selection, Tally
from runner.declare.declaration import Declaration
from runner.declare.template.language import TOO_SLOW, TemplateFault
from runner.declare.template.template import used_variables
from runner.errors import Problem
from runner.key_table import KEY_SIZE, KeyTable

_DATA_SIZE = 8  # bytes
_OF_A_FILE, _OF_A_QUERY = 100, 5_000  # rows that opening an audience counts for


class OutOfBudgetError(Exception):
    """More rows would have to be read than may be read."""


@dataclass(slots=True)
class RowBudget:
    """How many rows of audiences may still be read: how many one has is known only at its end."""

    rows: int

    def take(self, rows: int = 1) -> None:
        """Takes rows. Raises OutOfBudgetError if there are not so many left."""
        self.rows -= rows
        if self.rows < 0:
            raise OutOfBudgetError


@dataclass(frozen=True, slots=True)
class Overlap:
    """Counts of recipients: those that were added, those that were removed, and the same ones, on both sides.

    `altered` is the number of the same recipients whose values changed. `unreadable` is the number of recipients of
    either side without an address, because their row or the template of the address has a fault. `unrecognised` is the
    number of added ones whom a list leaves out if their rows are read as before.
    """

    added: int = 0
    removed: int = 0
    same: int = 0
    altered: int = 0
    unreadable: int = 0
    unrecognised: int = 0

    @property
    def has_changes(self) -> bool:
        """Whether a recipient was added or removed, or has other values."""
        return bool(self.added or self.removed or self.altered)

    @property
    def count_before(self) -> int:
        """The number of recipients at the git ref."""
        return self.same + self.removed

    @property
    def count_now(self) -> int:
        """The current number of recipients."""
        return self.same + self.added

    def __str__(self) -> str:
        parts = [
            (self.added, "added"),
            (self.removed, "removed"),
            (self.same, "the same"),
            (self.unreadable, "unreadable"),
        ]
        counts = ", ".join(f"{number:,} {word}" for number, word in parts if number)
        return f"{counts}; {self.altered:,} of the same with other values" if self.altered else counts


def compare_audiences(
    before: Declaration, now: Declaration, count: int, budget: RowBudget | None = None
) -> Overlap | None:
    """Compares the audiences of two declarations. `count` is the current number of recipients.

    None if one of them is in the workspace and was not read. Raises OutOfBudgetError if there is a `budget`.
    """
    if before.audience.is_unread or now.audience.is_unread:
        return None
    if _is_same_table(before, now):
        return Overlap(same=count)
    used = used_variables([*before.texts, *now.texts])
    with CURRENT_WORK.on_file(now.document.source.path):
        old, new = _hash_audience(before, used, budget), _hash_audience(now, used, budget)
        overlap = old.compare_to(new)
        if not overlap.added:
            return overlap
        return replace(overlap, unrecognised=_count_unrecognised(before, now, old, new, budget))


def hash_recipient(kind: IdentifierKind, value: str) -> bytes:
    """Returns 16 bytes that identify a recipient. Unlike a key, they depend on no name, revision or salt."""
    return blake2b(
        f"{kind}:{normalise_identifier(kind, value)}".encode(errors="surrogatepass"), digest_size=KEY_SIZE
    ).digest()


def count_kinds(declaration: Declaration) -> Counter[str]:
    """Counts by what the recipients of a list are addressed: id, user_id or email. Those of a table count as one."""
    audience = declaration.audience
    if isinstance(audience, TableAudience):
        return Counter([audience.kind])
    return Counter(member.kind for member in audience.members)


def has_other_kinds(before: Declaration, now: Declaration) -> bool:
    """Returns whether some recipients may have another kind of address: there are fewer of one, and more of another.

    How many a table has is not known, so beside one each new kind counts.
    """
    old, new = count_kinds(before), count_kinds(now)
    if any(isinstance(side.audience, TableAudience) for side in (before, now)):
        return not new.keys() <= old.keys()
    return bool(old - new and new - old)


def find_recipient(declaration: Declaration, identity: bytes) -> Recipient | None:
    """Returns the recipient with an identity, else the first one; None if no recipient can be read."""
    first = None
    for recipient, candidate in _read_recipients(declaration):
        first = first or recipient
        if recipient and candidate == identity:
            return recipient
    return first


@dataclass(frozen=True, slots=True)
class _Audience:
    """The recipients of a declaration, each by its identity, with a hash of its data in the same row."""

    identities: KeyTable
    data: "array[int]"
    unreadable: int

    def compare_to(self, now: "_Audience") -> Overlap:
        """Returns what changes from this audience to the current one."""
        same = altered = 0
        for row, identity in enumerate(now.identities):
            if (old_row := self.identities.row_of(identity)) is not None:
                same += 1
                altered += self.data[old_row] != now.data[row]
        added, removed = len(now.identities) - same, len(self.identities) - same
        return Overlap(added, removed, same, altered, self.unreadable + now.unreadable)


def _count_unrecognised(
    before: Declaration, now: Declaration, old: _Audience, new: _Audience, budget: RowBudget | None
) -> int:
    """Returns how many get the message now whom the lists of now leave out if their rows are read as before.

    A list finds its contacts by the columns id, user_id and email, and a row may have others there now.
    """
    lists = Selection(suppression_list=now.selection.suppression_list, exclusion_list=now.selection.exclusion_list)
    if before.audience.is_unread or not lists.is_filtering:
        return 0
    added = (
        recipient
        for recipient, identity in _read_recipients(replace(before, selection=Selection()), budget)
        if recipient and identity in new.identities and identity not in old.identities
    )
    tally = Tally()
    for _ in lists.select(before.audience, added, before.variables, tally):
        pass
    return tally.left_out.total()


def _hash_audience(declaration: Declaration, used: frozenset[str] | None, budget: RowBudget | None) -> _Audience:
    identities, data, unreadable = KeyTable(), array("Q"), 0
    for recipient, identity in _read_recipients(declaration, budget):
        if recipient is None:
            unreadable += 1
        elif identities.add_if_new(identity):
            data.append(_hash_data(recipient, used))
    return _Audience(identities, data, unreadable)


def _read_recipients(
    declaration: Declaration, budget: RowBudget | None = None
) -> Iterator[tuple[Recipient | None, bytes]]:
    """Yields every recipient with its identity; None for one that cannot be read."""
    candidates = _count_rows(declaration, budget) if budget else declaration.audience.recipients()
    for recipient in declaration.selection.select(declaration.audience, candidates, declaration.variables, Tally()):
        CURRENT_WORK.step()
        if isinstance(recipient, Problem):
            yield None, b""
            continue
        try:
            value = recipient.identifier.render(recipient.merge_variables(declaration.variables))
        except TemplateFault as fault:
            yield None, b""
            if fault.code == TOO_SLOW:
                return  # every other recipient would take as long as this one
        else:
            yield recipient, hash_recipient(recipient.kind, value)


def _count_rows(declaration: Declaration, budget: RowBudget) -> Iterator[Recipient | Problem]:
    """Yields the recipients of an audience, and takes each from the budget: filters may leave most of them out."""
    audience = declaration.audience
    budget.take(_OF_A_QUERY if isinstance(audience, TableAudience) and not audience.estimated_count else _OF_A_FILE)
    for recipient in audience.recipients():
        budget.take()
        yield recipient


def _hash_data(recipient: Recipient, used: frozenset[str] | None) -> int:
    """Returns a hash of 64 bits of the recipient's role and of the values of its used variables.

    A variable without a value hides that of the message.
    """
    values = sorted((name, value) for name, value in recipient.vars.items() if used is None or name in used)
    blank = sorted(name for name in recipient.blank_variables if used is None or name in used)
    text = repr((recipient.role, values, blank)).encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=_DATA_SIZE).digest())


def _is_same_table(before: Declaration, now: Declaration) -> bool:
    """Returns whether both read the same bytes in the same way. If so, no row needs to be read."""
    old, new = before.audience, now.audience
    if not isinstance(old, TableAudience) or not isinstance(new, TableAudience):
        return False
    if before.selection.is_filtering or now.selection.is_filtering:
        return False
    has_same_fields = repr(before.document.value["to"]) == repr(now.document.value["to"])
    # An address may be made of a variable of the message or the project.
    # Compared as they print: 1, 1.0 and true are equal.
    has_same_constants = all(
        repr(before.variables.get(name)) == repr(now.variables.get(name)) for name in new.identifier.variables
    )
    if not (has_same_fields and has_same_constants and new.source.paths):
        return False
    return have_same_content(
        *([source.tree.root / path for path in source.paths] for source in (old.source, new.source))
    )


def have_same_content(old: Sequence[Path], new: Sequence[Path]) -> bool:
    """Returns whether there are as many files on both sides, and each pair has the same content and format."""
    return len(old) == len(new) and all(
        old_path.suffixes == new_path.suffixes and filecmp.cmp(old_path, new_path, shallow=False)
        for old_path, new_path in zip(old, new, strict=True)
    )
