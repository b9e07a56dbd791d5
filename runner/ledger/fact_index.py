"""An index of a ledger's records: 46 bytes a record, with the position of the line from which it is read again."""

import hashlib
from array import array
from binascii import Error as NotHex
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import orjson

from runner.current_work import CURRENT_WORK
from runner.errors import LedgerUnavailable
from runner.key_table import KEY_SIZE, KeyTable
from runner.ledger.key_state import KeyStatus, key_status
from runner.ledger.lines import LineSource, lines_in_memory
from runner.ledger.record import RANK, Record, parse_entry

HASH_MASK = 0xFFFFFFFF  # what is kept of a line's hash, which only tells records of one attempt apart
_USUAL_LINE_SIZE = 440  # bytes of a usual line, to estimate how many records a file has
_MAX_UINT32 = 0xFFFFFFFF
_MIN_NEW_ROWS = 1024
# Different records of one attempt with one status. Each is compared with the others; `accept` adds one.
MAX_RECORDS_OF_ATTEMPT = 200
_CLAIMED, _UNKNOWN = 2 * RANK["claimed"], 2 * RANK["unknown"]  # as `Record.rank`; one more if it is forgotten
_OPEN_CLAIMS = {_CLAIMED, _CLAIMED + 1}


class Group(NamedTuple):
    """The fields that many records have in common."""

    status: str
    message: str
    revision: int
    content: str


class Fact(NamedTuple):
    """An entry of the index: where the line of a record is, and what tells the record from others.

    `offset` is in bytes from the start of the source with the number `source`. `attempt_hash` and `line_hash` are
    hashes of the attempt and of the line. `copy_bits` has a bit for each copy of the ledger (such as the lockfile and
    its journal) that has the record.
    """

    offset: int
    source: int
    group_number: int
    attempt_hash: int
    line_hash: int
    copy_bits: int


class FactIndex:
    """A table with a row for each key. The columns have its first entry, `extra_facts` its other entries, if any.

    These are kept by the hash of their attempt, because a damaged ledger may have thousands of attempts of one key.
    It keeps the records with the highest status of each attempt, and a claim beside its `unknown` outcome, because
    reconcile needs the time of the claim.
    """

    def __init__(self) -> None:
        self.keys = KeyTable()
        self.offsets, self.sources, self.group_numbers = array("I"), bytearray(), array("I")
        self.attempt_hashes, self.line_hashes, self.copy_bits = array("q"), array("I"), bytearray()
        self.extra_facts: dict[int, dict[int, tuple[Fact, ...]]] = {}
        # By group; the groups of records without their recipient, which have another rank, by (group, "forgotten").
        self.group_lookup: dict[tuple[Any, ...], int] = {}
        self.groups: list[Group] = []
        self._ranks: list[int] = []  # the rank of each group's records
        self._added_lines = bytearray()  # of records that no source has as a line of its own
        self.line_sources = [(lines_in_memory(self._added_lines), "what this run added")]
        self.irregular_keys: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def add_source(self, lines: LineSource, origin: str) -> int:
        """Adds a source of lines and returns its number. The first source makes room for all its records."""
        if not self.keys:
            delivery_count = _estimate_deliveries(lines)
            self.keys = KeyTable.with_room_for(delivery_count)
            self.make_room(delivery_count)
        if lines.size > _MAX_UINT32 and self.offsets.typecode == "I":
            self.offsets = array("Q", self.offsets)
        self.line_sources.append((lines, origin))
        return len(self.line_sources) - 1

    def add_record(self, record: Record, copy_bit: int) -> None:
        """Adds a record that has no line of its own. `copy_bit` is the bit of the copy of the ledger that has it."""
        offset, line, group = len(self._added_lines), record.to_line(), self.intern_group(record)
        self._added_lines += line
        self.add(record.key, Fact(offset, 0, group, hash(record.attempt), hash(line[:-1]) & HASH_MASK, copy_bit))

    def add(self, key: str, fact: Fact) -> None:
        """Adds an entry to the row of a key, which may be new."""
        key_bytes, row_count = raw_key(key), len(self.keys)
        row = self.keys.add(key_bytes)
        if key_bytes.hex() != key:
            self.irregular_keys[row] = key
        if row < row_count:
            self.merge_fact(row, fact)
        else:
            self.set_first_fact(row, fact)

    def set_first_fact(self, row: int, fact: Fact) -> None:
        """Makes an entry the first of its row."""
        if row == len(self.copy_bits):
            self.make_room(_MIN_NEW_ROWS + row // 4)
        self.offsets[row], self.sources[row], self.group_numbers[row] = fact.offset, fact.source, fact.group_number
        self.attempt_hashes[row], self.line_hashes[row] = fact.attempt_hash, fact.line_hash
        self.copy_bits[row] = fact.copy_bits

    def make_room(self, rows: int) -> None:
        """Adds many rows to the columns at once: small steps would leave unused memory as large as the columns."""
        for column in (self.offsets, self.group_numbers, self.attempt_hashes, self.line_hashes):
            column.extend(array(column.typecode, [0]) * rows)
        for byte_column in (self.sources, self.copy_bits):
            byte_column.extend(bytes(rows))

    def merge_fact(self, row: int, new: Fact) -> None:
        """Adds an entry to a row that already has one.

        If the row has the same record from another copy of the ledger, only the bits are added. Otherwise the row keeps
        the entries that the class describes.
        """
        if row not in self.extra_facts and self.attempt_hashes[row] == new.attempt_hash:
            # Most deliveries have a claim and its outcome: the one with the higher rank replaces the other.
            old_rank, new_rank = self._ranks[self.group_numbers[row]], self._ranks[new.group_number]
            if old_rank != new_rank and not _is_kept(min(old_rank, new_rank), max(old_rank, new_rank)):
                if new_rank > old_rank:
                    self.set_first_fact(row, new)
                return
        first, attempt = self._first_fact(row), new.attempt_hash
        extra = self.extra_facts.setdefault(row, {})
        is_first = first.attempt_hash == attempt
        facts = [*([first] if is_first else ()), *extra.pop(attempt, ())]
        for position, known in enumerate(facts):
            if known.group_number == new.group_number and (
                known.line_hash == new.line_hash or self.read_record(known) == self.read_record(new)
            ):
                facts[position] = known._replace(copy_bits=known.copy_bits | new.copy_bits)
                break
        else:
            facts.append(new)
            top = max(map(self.rank, facts))
            facts = [fact for fact in facts if _is_kept(self.rank(fact), top)]
        if len(facts) > MAX_RECORDS_OF_ATTEMPT:
            message = f"the ledger has more than {MAX_RECORDS_OF_ATTEMPT} different records of one attempt"
            raise LedgerUnavailable(message, "take the file back from git, as it was before it was damaged")
        if is_first:
            self.set_first_fact(row, facts.pop(0))
        if facts:
            extra[attempt] = tuple(facts)
        elif not extra:
            del self.extra_facts[row]

    # Reading

    def facts(self, row: int) -> list[Fact]:
        """Returns the entries of a row."""
        return [self._first_fact(row), *chain.from_iterable(self.extra_facts.get(row, {}).values())]

    def _first_fact(self, row: int) -> Fact:
        return Fact(
            self.offsets[row],
            self.sources[row],
            self.group_numbers[row],
            self.attempt_hashes[row],
            self.line_hashes[row],
            self.copy_bits[row],
        )

    def read_records(self, row: int) -> list[Record]:
        """Reads the records of a row again. Raises LedgerUnavailable, as `read_record` does."""
        return [self.read_record(fact) for fact in self.facts(row)]

    def read_record(self, fact: Fact) -> Record:
        """Reads the record of an entry again. Raises LedgerUnavailable if its file was changed in place."""
        CURRENT_WORK.step()  # a key may have as many records as the ledger
        record = parse_entry(self._read_object(fact), f"{self.line_sources[fact.source][1]}, at byte {fact.offset}", 1)
        assert isinstance(record, Record)
        return record

    def read_contact(self, fact: Fact) -> str:
        """Reads only the contact of an entry's record, faster than `read_record`. Empty if it is not the recipient."""
        value = self._read_object(fact)
        return "" if value.get("redirected") else str(value.get("contact") or "")

    def _read_object(self, fact: Fact) -> dict[str, Any]:
        lines, origin = self.line_sources[fact.source]
        line = lines.line_at(fact.offset)
        # Differs if an editor wrote into the file. Git would replace the file, and the old one stays open.
        if hash(line) & HASH_MASK != fact.line_hash:
            raise LedgerUnavailable(f"{origin} was changed while it was read", "run the command again")
        value: dict[str, Any] = orjson.loads(line)
        return value

    def rank(self, fact: Fact) -> int:
        """Returns the rank of an entry within its attempt."""
        return self._ranks[fact.group_number]

    def status(self, row: int) -> KeyStatus:
        """Returns the status of a row's key."""
        if row not in self.extra_facts:
            return key_status({self.groups[self.group_numbers[row]].status})
        return key_status({self.groups[fact.group_number].status for fact in self.facts(row)})

    def sort_by_key(self, rows: Iterable[int]) -> Iterator[int]:
        """Yields rows in the order of their keys.

        Sorts the keys with the same first byte at a time, so that no list has a million keys.
        """
        buckets = [array("I") for _ in range(256)]
        for row in rows:
            buckets[self.keys[row][0]].append(row)
        for bucket in buckets:
            yield from sorted(bucket, key=self.keys.__getitem__)

    def lasting_facts(self, row: int) -> list[Fact]:
        """Returns the entries of a row, without the claims of attempts that have an `unknown` outcome."""
        facts = self.facts(row)
        settled = {fact.attempt_hash for fact in facts if self.rank(fact) in {_UNKNOWN, _UNKNOWN + 1}}
        return [fact for fact in facts if self.rank(fact) not in _OPEN_CLAIMS or fact.attempt_hash not in settled]

    def rows_of(self, message: str, revision: int) -> Iterator[int]:
        """Yields the rows with a record of this revision of a message."""
        wanted = {
            number for number, group in enumerate(self.groups) if (group.message, group.revision) == (message, revision)
        }
        for row in range(len(self.keys)):
            if self.group_numbers[row] in wanted or (
                row in self.extra_facts and any(fact.group_number in wanted for fact in self.facts(row))
            ):
                yield row

    def intern_group(self, record: Record) -> int:
        """Returns the number of a record's group, which is added if it is new."""
        group = Group(record.status, record.message, record.revision, record.content)
        number = self.group_lookup.setdefault((group, "forgotten") if record.forgotten else group, len(self.groups))
        if number == len(self.groups):
            self.groups.append(group)
            self._ranks.append(record.rank)
        return number

    def key_text(self, row: int) -> str:
        """Returns the key of a row as it is written in the ledger."""
        return self.irregular_keys.get(row) or self.keys[row].hex()


def _estimate_deliveries(lines: LineSource) -> int:
    """Estimates how many deliveries a ledger has: one for each line except claims, which have an outcome after them."""
    sample = lines.sample()
    claims, facts = sample.count(b'"status":"claimed"'), sample.count(b'"status":')
    return lines.size * (facts - claims) // (_USUAL_LINE_SIZE * max(1, facts))


def _is_kept(rank: int, top: int) -> bool:
    # A claim is kept beside its unknown outcome, unless only the outcome has its recipient forgotten.
    return rank == top or (rank, top) in {(_CLAIMED, _UNKNOWN), (_CLAIMED + 1, _UNKNOWN + 1), (_CLAIMED + 1, _UNKNOWN)}


def raw_key(key: str) -> bytes:
    """Returns the 16 bytes of a key. For a text that is not a key of this version, they are a hash of the text."""
    try:
        key_bytes = unhexlify(key)
    except (NotHex, ValueError):
        key_bytes = b""
    return (
        key_bytes
        if len(key_bytes) == KEY_SIZE
        else hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=KEY_SIZE).digest()
    )
