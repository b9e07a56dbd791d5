"""What is held of every fact of a ledger: 46 bytes, and where its line is, from which its record is read again."""

import hashlib
from array import array
from binascii import Error as NotHex
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from runner.errors import LedgerUnavailable
from runner.key_table import SIZE, Keys
from runner.ledger.line_source import Lines
from runner.ledger.record import RANK, KeyStatus, Record, key_status, parsed

HASH = 0xFFFFFFFF  # what is kept of a line's hash: it only tells the same fact from another of one attempt


MEMBERS = 255  # the place in `lines` of the facts that stand on no line of their own


_LINE = 440  # bytes of a usual line, to make room for a file's facts at once


_FOUR_BYTES = 0xFFFFFFFF


_LEAST_ROOM = 1024  # rows


_CLAIMED, _UNKNOWN = RANK["claimed"], RANK["unknown"]


class Group(NamedTuple):
    """What many facts have in common."""

    status: str
    message: str
    revision: int
    content: str


class Fact(NamedTuple):
    """One fact: where its line is, and what tells it from others. `attempt` and `line` are hashes.

    `places` has a bit for each place that holds it.
    """

    offset: int
    source: int
    group: int
    attempt: int
    line: int
    places: int


class Rows:
    """A row a key: the columns hold its first fact, `more` the others, if it has several attempts.

    Held is what is at the top of each attempt, and a claim beside its unknown: reconcile needs when it was made.
    """

    def __init__(self) -> None:
        self.keys = Keys()
        self.offsets, self.sources, self.group_numbers = array("I"), bytearray(), array("I")
        self.attempts, self.hashes, self.places = array("q"), array("I"), bytearray()
        self.more: dict[int, list[Fact]] = {}
        self.known: dict[tuple[str, str, int, str], int] = {}
        self.groups: list[Group] = []
        self._ranks: list[int] = []  # of the groups
        self.lines: list[tuple[Lines, str]] = []
        self.members: list[Record] = []
        self.odd: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def open(self, lines: Lines, origin: str) -> int:
        """Makes room for the facts on some lines; returns the number of this source."""
        if not self.keys:
            expected = _expected(lines)
            self.keys = Keys(expected)
            self.make_room(expected)
        if lines.size > _FOUR_BYTES and self.offsets.typecode == "I":
            self.offsets = array("Q", self.offsets)
        self.lines.append((lines, origin))
        return len(self.lines) - 1

    def add_member(self, record: Record, place: int) -> None:
        """Adds a fact that stands on no line of its own."""
        self.members.append(record)
        line = hash(record.line().rstrip()) & HASH
        self.add(
            record.key,
            Fact(len(self.members) - 1, MEMBERS, self.group_of(record), hash(record.attempt), line, place),
        )

    def add(self, key: str, fact: Fact) -> None:
        """Adds a fact about a key."""
        raw, before = raw_key(key), len(self.keys)
        row = self.keys.add(raw)
        if raw.hex() != key:
            self.odd[row] = key
        if row < before:
            self.join(row, fact)
        else:
            self.set_first(row, fact)

    def set_first(self, row: int, fact: Fact) -> None:
        """Makes a fact the first of its row."""
        if row == len(self.places):
            self.make_room(_LEAST_ROOM + row // 4)
        self.offsets[row], self.sources[row], self.group_numbers[row] = fact.offset, fact.source, fact.group
        self.attempts[row], self.hashes[row], self.places[row] = fact.attempt, fact.line, fact.places

    def make_room(self, rows: int) -> None:
        """Makes the columns longer; many at once, for what grows bit by bit leaves holes as large as itself."""
        for column in (self.offsets, self.group_numbers, self.attempts, self.hashes):
            column.extend(array(column.typecode, [0]) * rows)
        for places in (self.sources, self.places):
            places.extend(bytes(rows))

    def join(self, row: int, new: Fact) -> None:
        """Adds a fact to those of its key: the same one in another place, or one that replaces or joins them."""
        if row not in self.more and self.attempts[row] == new.attempt:
            # A claim and its outcome, as most deliveries have them: the one that is further replaces the other.
            before, after = self._ranks[self.group_numbers[row]], self._ranks[new.group]
            if before != after and not _is_held(min(before, after), max(before, after)):
                if after > before:
                    self.set_first(row, new)
                return
        facts = self.facts(row)
        for at, known in enumerate(facts):
            if (known.attempt, known.group) == (new.attempt, new.group) and (
                known.line == new.line or self.record(known) == self.record(new)
            ):
                facts[at] = known._replace(places=known.places | new.places)
                break
        else:
            facts.append(new)
            ranks = [self.rank(fact) for fact in facts if fact.attempt == new.attempt]
            top = max(ranks)
            facts = [fact for fact in facts if fact.attempt != new.attempt or _is_held(self.rank(fact), top)]
        self._put(row, facts)

    def _put(self, row: int, facts: list[Fact]) -> None:
        first, *others = facts
        self.set_first(row, first)
        if others:
            self.more[row] = others
        else:
            self.more.pop(row, None)

    # What is held

    def facts(self, row: int) -> list[Fact]:
        """What is held of a row."""
        first = Fact(
            self.offsets[row],
            self.sources[row],
            self.group_numbers[row],
            self.attempts[row],
            self.hashes[row],
            self.places[row],
        )
        return [first, *self.more.get(row, ())]

    def records(self, row: int) -> list[Record]:
        """The records of what is held of a row, read again."""
        return [self.record(fact) for fact in self.facts(row)]

    def record(self, fact: Fact) -> Record:
        """The record of a fact, read again. Raises LedgerUnavailable if its file was changed in place."""
        if fact.source == MEMBERS:
            return self.members[fact.offset]
        record = parsed(self._value(fact), f"{self.lines[fact.source][1]}, at byte {fact.offset}", 1)
        assert isinstance(record, Record)
        return record

    def contact(self, fact: Fact) -> str:
        """The contact of a fact's record, which is all that is read of it: `record` takes four times as long."""
        if fact.source == MEMBERS:
            return self.members[fact.offset].contact
        return str(self._value(fact).get("contact") or "")

    def _value(self, fact: Fact) -> dict[str, Any]:
        lines, origin = self.lines[fact.source]
        line = lines.line(fact.offset)
        if hash(line) & HASH != fact.line:  # an editor that writes into the file, where git puts a new one in its place
            raise LedgerUnavailable(f"{origin} was changed while it was read", "run the command again")
        value: dict[str, Any] = orjson.loads(line)
        return value

    def rank(self, fact: Fact) -> int:
        """The rank of its status within an attempt."""
        return self._ranks[fact.group]

    def status(self, row: int) -> KeyStatus:
        """What holds for a row."""
        if row not in self.more:
            return key_status({self.groups[self.group_numbers[row]].status})
        return key_status({self.groups[fact.group].status for fact in self.facts(row)})

    def by_key(self, rows: Iterable[int]) -> Iterator[int]:
        """Rows in the order of their keys: sorted one first byte at a time, so that no list holds a million keys."""
        shares = [array("I") for _ in range(256)]
        for row in rows:
            shares[self.keys[row][0]].append(row)
        for share in shares:
            yield from sorted(share, key=self.keys.__getitem__)

    def lasting(self, row: int) -> list[Fact]:
        """What is held of a row, without claims whose outcome is known to be unknown."""
        facts = self.facts(row)
        settled = {fact.attempt for fact in facts if self.rank(fact) == _UNKNOWN}
        return [fact for fact in facts if self.rank(fact) != _CLAIMED or fact.attempt not in settled]

    def of(self, message: str, revision: int) -> Iterator[int]:
        """The rows with a fact of this revision of a message."""
        wanted = {at for at, group in enumerate(self.groups) if (group.message, group.revision) == (message, revision)}
        for row in range(len(self.keys)):
            if self.group_numbers[row] in wanted or (
                row in self.more and any(fact.group in wanted for fact in self.more[row])
            ):
                yield row

    def group_of(self, record: Record) -> int:
        """The number of a record's group."""
        group = Group(record.status, record.message, record.revision, record.content)
        if group not in self.known:
            self.known[group] = len(self.groups)
            self.groups.append(group)
            self._ranks.append(RANK[group.status])
        return self.known[group]

    def name(self, row: int) -> str:
        """The key of a row, as it is written."""
        return self.odd.get(row) or self.keys[row].hex()


def _expected(lines: Lines) -> int:
    """About how many deliveries a ledger knows of: one for each line, but for claims, which others follow."""
    some = lines.sample()
    claims, facts = some.count(b'"status":"claimed"'), some.count(b'"status":')
    return lines.size * (facts - claims) // (_LINE * max(1, facts))


def _is_held(rank: int, top: int) -> bool:
    return rank == top or (rank, top) == (_CLAIMED, _UNKNOWN)


def raw_key(key: str) -> bytes:
    """The 16 bytes of a key; a hash of them for what is no key of this version."""
    try:
        raw = unhexlify(key)
    except (NotHex, ValueError):
        raw = b""
    return raw if len(raw) == SIZE else hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()
