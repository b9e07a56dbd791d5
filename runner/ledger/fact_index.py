"""What is held of every fact of a ledger: 46 bytes, and where its line is, from which its record is read again."""

import hashlib
from array import array
from binascii import Error as NotHex
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from runner.errors import LedgerUnavailable
from runner.key_table import KEY_SIZE, KeyTable
from runner.ledger.line_source import LineSource
from runner.ledger.record import RANK, KeyStatus, Record, key_status, parse_entry

HASH_MASK = 0xFFFFFFFF  # what is kept of a line's hash: it only tells the same fact from another of one attempt


IN_MEMORY_SOURCE = 255  # the place in `lines` of the facts that stand on no line of their own


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
    group_number: int
    attempt_hash: int
    line_hash: int
    copy_bits: int


class FactIndex:
    """A row a key: the columns hold its first fact, `more` the others, if it has several attempts.

    Held is what is at the top of each attempt, and a claim beside its unknown: reconcile needs when it was made.
    """

    def __init__(self) -> None:
        self.keys = KeyTable()
        self.offsets, self.sources, self.group_numbers = array("I"), bytearray(), array("I")
        self.attempt_hashes, self.line_hashes, self.copy_bits = array("q"), array("I"), bytearray()
        self.extra_facts: dict[int, list[Fact]] = {}
        self.group_lookup: dict[tuple[str, str, int, str], int] = {}
        self.groups: list[Group] = []
        self._ranks: list[int] = []  # of the groups
        self.line_sources: list[tuple[LineSource, str]] = []
        self.in_memory_records: list[Record] = []
        self.irregular_keys: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def add_source(self, lines: LineSource, origin: str) -> int:
        """Makes room for the facts on some lines; returns the number of this source."""
        if not self.keys:
            expected = _expected(lines)
            self.keys = KeyTable(expected)
            self.make_room(expected)
        if lines.size > _FOUR_BYTES and self.offsets.typecode == "I":
            self.offsets = array("Q", self.offsets)
        self.line_sources.append((lines, origin))
        return len(self.line_sources) - 1

    def add_record(self, record: Record, place: int) -> None:
        """Adds a fact that stands on no line of its own."""
        self.in_memory_records.append(record)
        line = hash(record.to_line().rstrip()) & HASH_MASK
        self.add(
            record.key,
            Fact(
                len(self.in_memory_records) - 1,
                IN_MEMORY_SOURCE,
                self.intern_group(record),
                hash(record.attempt),
                line,
                place,
            ),
        )

    def add(self, key: str, fact: Fact) -> None:
        """Adds a fact about a key."""
        raw, before = raw_key(key), len(self.keys)
        row = self.keys.add(raw)
        if raw.hex() != key:
            self.irregular_keys[row] = key
        if row < before:
            self.merge_fact(row, fact)
        else:
            self.set_first_fact(row, fact)

    def set_first_fact(self, row: int, fact: Fact) -> None:
        """Makes a fact the first of its row."""
        if row == len(self.copy_bits):
            self.make_room(_LEAST_ROOM + row // 4)
        self.offsets[row], self.sources[row], self.group_numbers[row] = fact.offset, fact.source, fact.group_number
        self.attempt_hashes[row], self.line_hashes[row], self.copy_bits[row] = (
            fact.attempt_hash,
            fact.line_hash,
            fact.copy_bits,
        )

    def make_room(self, rows: int) -> None:
        """Makes the columns longer; many at once, for what grows bit by bit leaves holes as large as itself."""
        for column in (self.offsets, self.group_numbers, self.attempt_hashes, self.line_hashes):
            column.extend(array(column.typecode, [0]) * rows)
        for places in (self.sources, self.copy_bits):
            places.extend(bytes(rows))

    def merge_fact(self, row: int, new: Fact) -> None:
        """Adds a fact to those of its key: the same one in another place, or one that replaces or joins them."""
        if row not in self.extra_facts and self.attempt_hashes[row] == new.attempt_hash:
            # A claim and its outcome, as most deliveries have them: the one that is further replaces the other.
            before, after = self._ranks[self.group_numbers[row]], self._ranks[new.group_number]
            if before != after and not _is_held(min(before, after), max(before, after)):
                if after > before:
                    self.set_first_fact(row, new)
                return
        facts = self.facts(row)
        for at, known in enumerate(facts):
            if (known.attempt_hash, known.group_number) == (new.attempt_hash, new.group_number) and (
                known.line_hash == new.line_hash or self.read_record(known) == self.read_record(new)
            ):
                facts[at] = known._replace(copy_bits=known.copy_bits | new.copy_bits)
                break
        else:
            facts.append(new)
            ranks = [self.rank(fact) for fact in facts if fact.attempt_hash == new.attempt_hash]
            top = max(ranks)
            facts = [fact for fact in facts if fact.attempt_hash != new.attempt_hash or _is_held(self.rank(fact), top)]
        self._put(row, facts)

    def _put(self, row: int, facts: list[Fact]) -> None:
        first, *others = facts
        self.set_first_fact(row, first)
        if others:
            self.extra_facts[row] = others
        else:
            self.extra_facts.pop(row, None)

    # What is held

    def facts(self, row: int) -> list[Fact]:
        """What is held of a row."""
        first = Fact(
            self.offsets[row],
            self.sources[row],
            self.group_numbers[row],
            self.attempt_hashes[row],
            self.line_hashes[row],
            self.copy_bits[row],
        )
        return [first, *self.extra_facts.get(row, ())]

    def read_records(self, row: int) -> list[Record]:
        """The records of what is held of a row, read again."""
        return [self.read_record(fact) for fact in self.facts(row)]

    def read_record(self, fact: Fact) -> Record:
        """The record of a fact, read again. Raises LedgerUnavailable if its file was changed in place."""
        if fact.source == IN_MEMORY_SOURCE:
            return self.in_memory_records[fact.offset]
        record = parse_entry(self._value(fact), f"{self.line_sources[fact.source][1]}, at byte {fact.offset}", 1)
        assert isinstance(record, Record)
        return record

    def read_contact(self, fact: Fact) -> str:
        """The contact of a fact's record, which is all that is read of it: `record` takes four times as long."""
        if fact.source == IN_MEMORY_SOURCE:
            return self.in_memory_records[fact.offset].contact
        return str(self._value(fact).get("contact") or "")

    def _value(self, fact: Fact) -> dict[str, Any]:
        lines, origin = self.line_sources[fact.source]
        line = lines.line_at(fact.offset)
        if (
            hash(line) & HASH_MASK != fact.line_hash
        ):  # an editor that writes into the file, where git puts a new one in its place
            raise LedgerUnavailable(f"{origin} was changed while it was read", "run the command again")
        value: dict[str, Any] = orjson.loads(line)
        return value

    def rank(self, fact: Fact) -> int:
        """The rank of its status within an attempt."""
        return self._ranks[fact.group_number]

    def status(self, row: int) -> KeyStatus:
        """What holds for a row."""
        if row not in self.extra_facts:
            return key_status({self.groups[self.group_numbers[row]].status})
        return key_status({self.groups[fact.group_number].status for fact in self.facts(row)})

    def sort_by_key(self, rows: Iterable[int]) -> Iterator[int]:
        """Rows in the order of their keys: sorted one first byte at a time, so that no list holds a million keys."""
        shares = [array("I") for _ in range(256)]
        for row in rows:
            shares[self.keys[row][0]].append(row)
        for share in shares:
            yield from sorted(share, key=self.keys.__getitem__)

    def lasting_facts(self, row: int) -> list[Fact]:
        """What is held of a row, without claims whose outcome is known to be unknown."""
        facts = self.facts(row)
        settled = {fact.attempt_hash for fact in facts if self.rank(fact) == _UNKNOWN}
        return [fact for fact in facts if self.rank(fact) != _CLAIMED or fact.attempt_hash not in settled]

    def rows_of(self, message: str, revision: int) -> Iterator[int]:
        """The rows with a fact of this revision of a message."""
        wanted = {at for at, group in enumerate(self.groups) if (group.message, group.revision) == (message, revision)}
        for row in range(len(self.keys)):
            if self.group_numbers[row] in wanted or (
                row in self.extra_facts and any(fact.group_number in wanted for fact in self.extra_facts[row])
            ):
                yield row

    def intern_group(self, record: Record) -> int:
        """The number of a record's group."""
        group = Group(record.status, record.message, record.revision, record.content)
        if group not in self.group_lookup:
            self.group_lookup[group] = len(self.groups)
            self.groups.append(group)
            self._ranks.append(RANK[group.status])
        return self.group_lookup[group]

    def key_text(self, row: int) -> str:
        """The key of a row, as it is written."""
        return self.irregular_keys.get(row) or self.keys[row].hex()


def _expected(lines: LineSource) -> int:
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
    return (
        raw
        if len(raw) == KEY_SIZE
        else hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=KEY_SIZE).digest()
    )
