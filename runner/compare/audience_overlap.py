"""What two audiences have in common: 24 bytes a recipient are kept, not the recipients.

Only their addresses are rendered. The two may have other names and revisions: recipients are compared, not deliveries.
"""

import filecmp
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from runner.declare.audience import IdentifierKind, Recipient, TableAudience
from runner.declare.audience.audience import RowSource
from runner.declare.audience.recipient import normalise_identifier
from runner.declare.audience.selection import Tally
from runner.declare.declaration import Declaration
from runner.declare.template.language import TOO_SLOW, TemplateFault
from runner.errors import Problem

_IDENTITY, _DATA = 16, 8  # bytes; a million recipients meet by chance once in 10^27 times


_RECORD = _IDENTITY + _DATA


_PARTS = 256  # so that only one part of an audience at a time is spread out into objects


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many recipients came, went and stayed, and of those that stayed, how many have other values now.

    `unreadable` counts the recipients of either side that have no address, for a fault of their own.
    """

    added: int = 0
    removed: int = 0
    same: int = 0
    altered: int = 0
    unreadable: int = 0

    @property
    def has_changes(self) -> bool:
        """Whether somebody came, went, or has other values."""
        return bool(self.added or self.removed or self.altered)


def compare_audiences(before: Declaration, now: Declaration, count: int) -> Overlap:
    """Compares the audiences of two declarations; `count` is the number of recipients now."""
    if _is_same_table(before, now):
        return Overlap(same=count)
    used = used_variables(before, now)
    return _Audience(before, used).towards(_Audience(now, used))


def hash_recipient(kind: IdentifierKind, value: str) -> bytes:
    """16 bytes that tell one recipient from another, as keys do but without name, revision and salt."""
    return blake2b(
        f"{kind}:{normalise_identifier(kind, value)}".encode(errors="surrogatepass"), digest_size=_IDENTITY
    ).digest()


def find_recipient(declaration: Declaration, wanted: bytes) -> Recipient | None:
    """The recipient with an identity, or else the first; none where none can be read."""
    first = None
    for recipient, found in _recipients(declaration):
        first = first or recipient
        if recipient and found == wanted:
            return recipient
    return first


def used_variables(*declarations: Declaration) -> frozenset[str] | None:
    """The variables that the texts of declarations use; None where an include may use any."""
    texts = [text for declared in declarations for text in (declared.subject, declared.body) if text]
    return None if any(text.includes for text in texts) else frozenset(_names(text.variables for text in texts))


class _Audience:
    """The recipients of a declaration, as records of identity and data in as many parts as a first byte has values."""

    def __init__(self, declaration: Declaration, used: frozenset[str] | None) -> None:
        self._parts = [bytearray() for _ in range(_PARTS)]
        self._unreadable = 0
        for recipient, found in _recipients(declaration):
            if recipient is None:
                self._unreadable += 1
            else:
                self._parts[found[0]] += found + _data(recipient, used)

    def towards(self, now: "_Audience") -> Overlap:
        """What changes from this audience to another."""
        added = removed = same = altered = 0
        for old_part, new_part in zip(self._parts, now._parts, strict=True):  # noqa: SLF001  # of the same class
            old, new = dict(_records(old_part)), dict(_records(new_part))
            stayed = old.keys() & new.keys()
            added += len(new) - len(stayed)
            removed += len(old) - len(stayed)
            same += len(stayed)
            altered += sum(old[found] != new[found] for found in stayed)
        return Overlap(added, removed, same, altered, self._unreadable + now._unreadable)  # noqa: SLF001  # likewise


def _records(part: bytearray) -> Iterator[tuple[bytes, bytes]]:
    for at in range(0, len(part), _RECORD):
        yield bytes(part[at : at + _IDENTITY]), bytes(part[at + _IDENTITY : at + _RECORD])


def _recipients(declaration: Declaration) -> Iterator[tuple[Recipient | None, bytes]]:
    """Every recipient with its identity; None for one that cannot be read."""
    for recipient in declaration.recipients(Tally()):
        if isinstance(recipient, Problem):
            yield None, b""
            continue
        values = {**declaration.variables, **recipient.vars}
        for name in recipient.blank_variables:
            values.pop(name, None)
        try:
            value = recipient.identifier.render(values)
        except TemplateFault as fault:
            yield None, b""
            if fault.code == TOO_SLOW:
                return  # the next one would take as long
        else:
            yield recipient, hash_recipient(recipient.kind, value)


def _data(recipient: Recipient, used: frozenset[str] | None) -> bytes:
    values = sorted((name, value) for name, value in recipient.vars.items() if used is None or name in used)
    return blake2b(repr((recipient.role, values)).encode(errors="surrogatepass"), digest_size=_DATA).digest()


def _names(found: Iterable[Iterable[str]]) -> Iterator[str]:
    for names in found:
        yield from names


def _is_same_table(before: Declaration, now: Declaration) -> bool:
    """Whether both read the same bytes in the same way, which spares looking at every row."""
    one, other = before.audience, now.audience
    if not isinstance(one, TableAudience) or not isinstance(other, TableAudience):
        return False
    if before.selection.is_filtering or now.selection.is_filtering:
        return False
    same_use = before.document.value["to"] == now.document.value["to"]
    return same_use and _has_same_files(one.source, other.source)


def _has_same_files(one: RowSource, other: RowSource) -> bool:
    pairs = zip(one.paths, other.paths, strict=False)
    return len(one.paths) == len(other.paths) and all(
        filecmp.cmp(one.tree.root / path, other.tree.root / same, shallow=False) for path, same in pairs
    )
