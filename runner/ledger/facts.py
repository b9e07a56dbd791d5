"""The facts of a ledger, compact: of each where it stands and what decides; its record is read again when asked for.

A million deliveries take some 50 MB, wherever their lines are: in a lockfile, its journal, a remote's version.
"""

import hashlib
from array import array
from binascii import Error as NotHex
from binascii import unhexlify
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

import orjson

from runner.errors import GuardRefused, LedgerUnavailable
from runner.keys import SIZE, Keys
from runner.ledger.contacts import Contacts
from runner.ledger.line import objects
from runner.ledger.lines import Bytes, File, Lines
from runner.ledger.record import RANK, Header, KeyStatus, Record, State, folded, key_status, parsed, salt_check

_LINE = 440  # bytes of a usual line, to make room for a file's facts at once
_FOUR_BYTES = 0xFFFFFFFF
_HASH = _FOUR_BYTES  # what is kept of a line's hash: it only tells the same fact from another of one attempt
_LEAST_ROOM = 1024  # rows
_MEMBERS = 255  # the place in `_lines` of the facts that stand on no line of their own
_CLAIMED, _UNKNOWN = RANK["claimed"], RANK["unknown"]


class Held(NamedTuple):
    """What holds of a key: its status, and the message and revision of the record that says so."""

    message: str
    revision: int
    status: KeyStatus


class _Group(NamedTuple):
    """What many facts have in common."""

    status: str
    message: str
    revision: int
    content: str


class _Fact(NamedTuple):
    """One fact: where its line is, and what tells it from others. `attempt` and `line` are hashes.

    `places` has a bit for each place that holds it.
    """

    offset: int
    source: int
    group: int
    attempt: int
    line: int
    places: int


class Facts:
    """A set of facts and headers, and what follows from them. `torn` tells of lines that could not be read.

    It holds what is at the top of each attempt, and a claim beside its unknown: reconcile needs when it was made.
    """

    def __init__(self) -> None:
        self._headers: dict[Header, int] = {}
        self.torn: list[str] = []
        self._keys = Keys()
        self._offset, self._source, self._group = array("I"), bytearray(), array("I")
        self._attempt, self._line, self._places = array("q"), array("I"), bytearray()
        self._more: dict[int, list[_Fact]] = {}
        self._known: dict[tuple[str, str, int, str], int] = {}
        self._groups: list[_Group] = []
        self._lines: list[tuple[Lines, str]] = []
        self._members: list[Record] = []
        self._odd: dict[int, str] = {}
        self._contacts: dict[tuple[str, int], Contacts] = {}

    @property
    def headers(self) -> frozenset[Header]:
        """What the headers say."""
        return frozenset(self._headers)

    def __len__(self) -> int:
        """How many keys something is known of."""
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        """Every key."""
        return map(self._name, range(len(self._keys)))

    def add(self, fact: Record | Header, place: int = 0) -> None:
        """Adds a fact that a place (a bit) holds."""
        if isinstance(fact, Header):
            self._headers[fact] = self._headers.get(fact, 0) | place
            return
        self._members.append(fact)
        group = self._group_of(fact)
        line = hash(fact.line().rstrip()) & _HASH
        self._add(fact.key, _Fact(len(self._members) - 1, _MEMBERS, group, hash(fact.attempt), line, place))
        self._contacts.pop((fact.message, fact.revision), None)

    def read(self, data: bytes, origin: str, place: int = 0) -> bool:
        """Adds every line of a lockfile or journal; whether it had a header, or nothing at all.

        Raises LedgerUnavailable if it is none, or a newer version's.
        """
        return self._read(Bytes(data), origin, place)

    def read_file(self, path: Path, origin: str, place: int = 0) -> bool:
        """Adds every line of a file, as `read`; one that is not there is empty. It stays open, to be read again."""
        try:
            lines = File(path)
        except FileNotFoundError:
            return True
        except OSError as error:
            raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}") from error
        return self._read(lines, origin, place)

    def status(self, key: bytes) -> KeyStatus | None:
        """What holds for a key (its 16 bytes), if anything is known of it."""
        row = self._keys.row(key)
        return None if row is None else self._status(row)

    def was_sent_with(self, key: bytes, content: str) -> bool:
        """Whether some sent fact of a key (its 16 bytes) has this content."""
        row = self._keys.row(key)
        if row is None:
            return False
        groups = [self._groups[self._group[row]], *(self._groups[fact.group] for fact in self._more.get(row, ()))]
        return any((group.status, group.content) == ("sent", content) for group in groups)

    def state(self, key: str) -> State | None:
        """What holds for a key, with its records, if anything is known of it."""
        row = self._keys.row(_raw(key))
        return None if row is None else folded(self._records(row))

    def of(self, key: str) -> tuple[Record, ...]:
        """Every fact that is held about a key."""
        row = self._keys.row(_raw(key))
        return () if row is None else tuple(self._records(row))

    def records(self) -> Iterator[Record]:
        """Every fact that is held."""
        return (record for row in range(len(self._keys)) for record in self._records(row))

    def lacks_header(self, header: Header, place: int) -> bool:
        """Whether a place (a bit) has another header, or none."""
        return not self._headers.get(header, 0) & place

    def lacking(self, place: int) -> Iterator[Record]:
        """The lasting facts that a place (a bit) lacks. Facts that later ones of their attempt replace last not."""
        for row in range(len(self._keys)):
            if not self._places[row] & place or row in self._more:
                yield from (self._record(fact) for fact in self._lasting(row) if not fact.places & place)

    def compacted(self) -> Iterator[Record]:
        """The lasting facts, sorted by key and attempt."""
        for row in self._by_key(range(len(self._keys))):
            yield from sorted(map(self._record, self._lasting(row)), key=lambda one: (one.attempt, one.line()))

    def counts(self) -> Counter[Held]:
        """How many keys there are, by what holds of them."""
        found: Counter[Held] = Counter()
        alone = [_held(group) for group in self._groups]
        for group, number in Counter(islice(self._group, len(self._keys))).items():
            found[alone[group]] += number
        for row in self._more:
            found[alone[self._group[row]]] -= 1
            found[self._held(row)] += 1
        return +found

    def holding(self, *statuses: KeyStatus, message: str | None = None) -> Iterator[State]:
        """The states with one of these statuses, of one message or of all, by message, revision and key."""
        alone = [_held(group) for group in self._groups]
        rows: dict[tuple[str, int], array[int]] = {}
        for row, group in enumerate(islice(self._group, len(self._keys))):
            held = alone[group] if row not in self._more else self._held(row)
            if held.status in statuses and message in (None, held.message):
                rows.setdefault((held.message, held.revision), array("I")).append(row)
        for _, found in sorted(rows.items()):
            yield from (folded(self._records(row)) for row in self._by_key(found))

    def ordered(self) -> Iterator[Record]:
        """Every fact that is held, sorted by key and attempt."""
        for row in self._by_key(range(len(self._keys))):
            yield from sorted(self._records(row), key=lambda one: (one.attempt, one.line()))

    def unknown(self) -> Iterator[str]:
        """The keys whose deliveries may or may not have been sent, sorted."""
        rows = [row for row in range(len(self._keys)) if self._status(row) == "unknown"]
        return iter(sorted(map(self._name, rows)))

    def messages(self) -> frozenset[str]:
        """The names of the messages that something is known of."""
        return frozenset(group.message for group in self._groups)

    def keys_of(self, message: str, revision: int) -> frozenset[str]:
        """The keys with a fact of this revision of a message."""
        return frozenset(map(self._name, self._rows_of(message, revision)))

    def sent_of(self, message: str, revision: int) -> Iterator[bytes]:
        """The keys (16 bytes each) of this revision that were sent."""
        rows = self._rows_of(message, revision)
        return (self._keys[row] for row in rows if self._status(row) == "sent")

    def messages_with(self, content: str) -> frozenset[tuple[str, int]]:
        """The messages (name, revision) that this content was sent as."""
        groups = (group for group in self._groups if content and (group.status, group.content) == ("sent", content))
        return frozenset((group.message, group.revision) for group in groups)

    def reached(self, message: str, revision: int, contact: str, *, but: str = "") -> bool:
        """Whether a revision was, or may have been, sent to an Intercom contact, under another key than `but`."""
        known = self._contacts.get((message, revision))
        if known is None:
            known = self._contacts[message, revision] = self._contacts_of(message, revision)
        own = self._keys.row(_raw(but))
        return any(row != own for row in known.rows(contact))

    def duplicates(self) -> list[State]:
        """The keys that were sent twice, by message and key."""
        found = [state for row in self._more if (state := folded(self._records(row))).is_duplicate]
        return sorted(found, key=lambda state: (state.record.message, state.record.key))

    def header(self, salt: str) -> Header:
        """What the headers agree on, for this salt. Raises GuardRefused if they contradict each other or the salt."""
        ours = salt_check(salt)
        workspaces = sorted({header.workspace for header in self.headers if header.workspace})
        if len(workspaces) > 1:
            raise GuardRefused(
                f"the ledger belongs to two workspaces: {' and '.join(workspaces)}",
                "lockfiles of two workspaces were merged; give each its own environment in msgrun.yaml",
            )
        if any(header.salt_check not in {"", ours} for header in self.headers):
            raise GuardRefused(
                "the salt is not the one that this ledger was written with",
                "with another salt nothing sent would be recognised; put back salt: of msgrun.yaml, or MSGRUN_SALT",
            )
        return Header(workspaces[0] if workspaces else "", ours)

    def _read(self, lines: Lines, origin: str, place: int) -> bool:
        self._contacts.clear()
        if not self._keys:
            self._keys = Keys(lines.size // _LINE)
            self._make_room(lines.size // _LINE)
        if lines.size > _FOUR_BYTES and self._offset.typecode == "I":
            self._offset = array("Q", self._offset)
        self._lines.append((lines, origin))
        at = _At(origin, place, len(self._lines) - 1)
        rest = b""
        for block in lines.blocks():
            *whole, rest = (rest + block).split(b"\n")
            self._take(whole, at)
        self._take([rest] if rest else [], at)
        if at.odd and not (at.headers or at.has_record or at.is_torn_header):
            raise LedgerUnavailable(
                f"{origin} is no lockfile: no line of it can be read",
                "a pointer of Git LFS, or encrypted? Get the file itself; without it everything would be sent again",
            )
        return bool(at.headers) or not at.has_record

    def _take(self, lines: list[bytes], at: "_At") -> None:
        """Adds a block's lines; the usual ones are read together, which halves the time."""
        values = _values(lines)
        if values is not None:
            self._take_usual(lines, values, at)
            return
        for line in lines:
            value = _single(line)
            if value is None:
                self._take_odd(line, at)
                at.pass_by(line)
            else:
                self._take_usual([line], [value], at)

    def _take_usual(self, lines: list[bytes], values: list[dict[str, Any]], at: "_At") -> None:
        """Adds what whole lines say. Most are facts with a content, of a group that was seen before: those at once."""
        add, known, attempts, hashes, places = self._keys.add, self._known, self._attempt, self._line, self._places
        rows = len(self._keys)
        offsets, sources, groups = self._offset, self._source, self._group
        offset, first, source, place = at.offset, at.number, at.source, at.place
        for number, (line, value) in enumerate(zip(lines, values, strict=True), first):
            try:
                key, attempt = unhexlify(value["key"]), value["attempt"]
                group = known[value["status"], value["message"], value["revision"], value["content"]]
            except (KeyError, TypeError, ValueError):
                group = -1
            if group < 0 or len(key) != SIZE or attempt.__class__ is not str:
                at.offset, at.number = offset, number
                self._take_value(line, value, at)
                rows = len(self._keys)
                offset += len(line) + 1
                continue
            at.has_record = True
            row, name, text = add(key), hash(attempt), hash(line) & _HASH
            if row == rows:
                rows += 1
                if row < len(places):
                    offsets[row], sources[row], groups[row] = offset, source, group
                    attempts[row], hashes[row], places[row] = name, text, place
                else:
                    self._set(row, _Fact(offset, source, group, name, text, place))
            elif attempts[row] == name and hashes[row] == text:
                places[row] |= place
            else:
                self._join(row, _Fact(offset, source, group, name, text, place))
            offset += len(line) + 1
        at.offset, at.number = offset, first + len(lines)

    def _take_value(self, line: bytes, value: dict[str, Any], at: "_At") -> None:
        """Adds what a whole line says, whatever it is."""
        fact = parsed(value, at.origin, at.number)
        if isinstance(fact, Header):
            self.add(fact, at.place)
            at.headers.add(fact)
            return
        at.has_record = True
        group = self._group_of(fact)
        self._add(fact.key, _Fact(at.offset, at.source, group, hash(fact.attempt), hash(line) & _HASH, at.place))

    def _take_odd(self, line: bytes, at: "_At") -> None:
        """Adds what a line says that is not exactly one object."""
        if not line.strip():
            return
        at.first, at.odd = at.first or line, at.odd + 1
        values, is_torn = objects(line)
        if is_torn:
            self.torn.append(f"{at.origin}:{at.number}")
        for value in values:
            fact = parsed(value, at.origin, at.number)
            at.has_record = at.has_record or isinstance(fact, Record)
            if isinstance(fact, Header):
                at.headers.add(fact)
            self.add(fact, at.place)

    def _add(self, key: str, fact: _Fact) -> None:
        raw, before = _raw(key), len(self._keys)
        row = self._keys.add(raw)
        if raw.hex() != key:
            self._odd[row] = key
        if row < before:
            self._join(row, fact)
        else:
            self._set(row, fact)

    def _set(self, row: int, fact: _Fact) -> None:
        """Makes a fact the first of its row."""
        if row == len(self._places):
            self._make_room(_LEAST_ROOM + row // 4)
        self._offset[row], self._source[row], self._group[row] = fact.offset, fact.source, fact.group
        self._attempt[row], self._line[row], self._places[row] = fact.attempt, fact.line, fact.places

    def _make_room(self, rows: int) -> None:
        """Makes the columns longer; many at once, for what grows bit by bit leaves holes as large as itself."""
        for column in (self._offset, self._group, self._attempt, self._line):
            column.extend(array(column.typecode, [0]) * rows)
        for places in (self._source, self._places):
            places.extend(bytes(rows))

    def _join(self, row: int, new: _Fact) -> None:
        """Adds a fact to those of its key: the same one in another place, or one that replaces or joins them."""
        facts = self._facts(row)
        for at, known in enumerate(facts):
            if (known.attempt, known.group) == (new.attempt, new.group) and (
                known.line == new.line or self._record(known) == self._record(new)
            ):
                facts[at] = known._replace(places=known.places | new.places)
                break
        else:
            facts.append(new)
            ranks = [self._rank(fact) for fact in facts if fact.attempt == new.attempt]
            top = max(ranks)
            facts = [fact for fact in facts if fact.attempt != new.attempt or _is_held(self._rank(fact), top)]
        self._put(row, facts)

    def _put(self, row: int, facts: list[_Fact]) -> None:
        first, *others = facts
        self._set(row, first)
        if others:
            self._more[row] = others
        else:
            self._more.pop(row, None)

    # What is held

    def _facts(self, row: int) -> list[_Fact]:
        first = _Fact(
            self._offset[row],
            self._source[row],
            self._group[row],
            self._attempt[row],
            self._line[row],
            self._places[row],
        )
        return [first, *self._more.get(row, ())]

    def _records(self, row: int) -> list[Record]:
        return [self._record(fact) for fact in self._facts(row)]

    def _record(self, fact: _Fact) -> Record:
        if fact.source == _MEMBERS:
            return self._members[fact.offset]
        lines, origin = self._lines[fact.source]
        line = lines.line(fact.offset)
        if hash(line) & _HASH != fact.line:  # edited in place, where git puts a new file in its place
            raise LedgerUnavailable(f"{origin} was changed while it was read", "run the command again")
        record = parsed(orjson.loads(line), f"{origin}, at byte {fact.offset}", 1)
        assert isinstance(record, Record)
        return record

    def _rank(self, fact: _Fact) -> int:
        return RANK[self._groups[fact.group].status]

    def _status(self, row: int) -> KeyStatus:
        if row not in self._more:
            return key_status({self._groups[self._group[row]].status})
        return key_status({self._groups[fact.group].status for fact in self._facts(row)})

    def _held(self, row: int) -> Held:
        state = folded(self._records(row))
        return Held(state.record.message, state.record.revision, state.status)

    def _by_key(self, rows: Iterable[int]) -> Iterator[int]:
        """Rows in the order of their keys: sorted one first byte at a time, so that no list holds a million keys."""
        shares = [array("I") for _ in range(256)]
        for row in rows:
            shares[self._keys[row][0]].append(row)
        for share in shares:
            yield from sorted(share, key=self._keys.__getitem__)

    def _lasting(self, row: int) -> list[_Fact]:
        facts = self._facts(row)
        settled = {fact.attempt for fact in facts if self._rank(fact) == _UNKNOWN}
        return [fact for fact in facts if self._rank(fact) != _CLAIMED or fact.attempt not in settled]

    def _rows_of(self, message: str, revision: int) -> Iterator[int]:
        wanted = {at for at, group in enumerate(self._groups) if (group.message, group.revision) == (message, revision)}
        for row in range(len(self._keys)):
            if self._group[row] in wanted or (
                row in self._more and any(fact.group in wanted for fact in self._more[row])
            ):
                yield row

    def _contacts_of(self, message: str, revision: int) -> Contacts:
        found = Contacts()
        for row in self._rows_of(message, revision):
            if self._status(row) in {"sent", "unknown"}:
                records = self._records(row)
                mine = {one.contact for one in records if (one.message, one.revision) == (message, revision)}
                for contact in mine - {""}:
                    found.add(contact, row)
        return found

    def _group_of(self, record: Record) -> int:
        group = _Group(record.status, record.message, record.revision, record.content)
        if group not in self._known:
            self._known[group] = len(self._groups)
            self._groups.append(group)
        return self._known[group]

    def _name(self, row: int) -> str:
        return self._odd.get(row) or self._keys[row].hex()


@dataclass(slots=True)
class _At:
    """Where reading has come to in a place, and what was found there. `odd` lines are not exactly one object."""

    origin: str
    place: int
    source: int
    offset: int = 0
    number: int = 1
    first: bytes = b""
    odd: int = 0
    has_record: bool = False
    headers: set[Header] = field(default_factory=set)

    def pass_by(self, line: bytes) -> None:
        """Goes on behind a line."""
        self.offset += len(line) + 1
        self.number += 1

    @property
    def is_torn_header(self) -> bool:
        """Whether there is nothing but a line that begins as a header does: a power cut while it was written."""
        return self.odd == 1 and self.first.lstrip(b"\xef\xbb\xbf ").startswith(b"{")


def _values(lines: list[bytes]) -> list[Any] | None:
    """The objects on lines that are whole, or nothing if some line is not.

    A number between two lines tells an object that goes on over both from two objects that stand on one.
    """
    try:
        values = orjson.loads(b"[" + b",0,".join(lines) + b"]")
    except orjson.JSONDecodeError:
        return None
    found, between = values[::2], values[1::2]
    is_whole = len(found) == len(lines) and not any(between) and all(value.__class__ is dict for value in found)
    return cast("list[Any]", found) if is_whole else None


def _single(line: bytes) -> dict[str, Any] | None:
    """The object that a line is, if it is one and whole."""
    values, is_torn = objects(line) if line.strip() else ([], True)
    return None if is_torn else values[0]


def _held(group: _Group) -> Held:
    """What holds of a key of which there is but one fact."""
    return Held(group.message, group.revision, key_status({group.status}))


def _is_held(rank: int, top: int) -> bool:
    return rank == top or (rank, top) == (_CLAIMED, _UNKNOWN)


def _raw(key: str) -> bytes:
    """The 16 bytes of a key; a hash of them for what is no key of this version."""
    try:
        raw = unhexlify(key)
    except (NotHex, ValueError):
        raw = b""
    return raw if len(raw) == SIZE else hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()
