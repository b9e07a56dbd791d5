"""The facts of a ledger, and what follows from them: compact, for a ledger may know of millions of deliveries.

A million take some 50 MB, wherever their lines are: in a lockfile, its journal, a remote's version.
"""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.contact_index import ContactIndex
from runner.ledger.fact_index import FactIndex, Group, raw_key
from runner.ledger.fact_reader import FactReader
from runner.ledger.line_source import BytesSource, FileSource, LineSource
from runner.ledger.record import Header, KeyStatus, Record, State, fold_records, key_status, salt_check


class MessageStatus(NamedTuple):
    """What holds of a key: its status, and the message and revision of the record that says so."""

    message: str
    revision: int
    status: KeyStatus


class Facts:
    """A set of facts and headers, and what follows from them. `torn` tells of lines that could not be read.

    It holds what is at the top of each attempt, and a claim beside its unknown: reconcile needs when it was made.
    """

    def __init__(self) -> None:
        self._headers: dict[Header, int] = {}
        self.torn_lines: list[str] = []
        self._rows = FactIndex()
        self._contacts: dict[tuple[str, int], ContactIndex] = {}

    @property
    def headers(self) -> frozenset[Header]:
        """What the headers say."""
        return frozenset(self._headers)

    def __len__(self) -> int:
        """How many keys something is known of."""
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        """Every key."""
        return map(self._rows.key_text, range(len(self._rows)))

    def add(self, fact: Record | Header, place: int = 0) -> None:
        """Adds a fact that a place (a bit) holds."""
        if isinstance(fact, Header):
            self._headers[fact] = self._headers.get(fact, 0) | place
            return
        self._rows.add_record(fact, place)
        self._contacts.pop((fact.message, fact.revision), None)

    def read(self, data: bytes, origin: str, place: int = 0) -> bool:
        """Adds every line of a lockfile or journal; whether it had a header, or nothing at all.

        Raises LedgerUnavailable if it is none, or a newer version's.
        """
        return self._read(BytesSource(data), origin, place)

    def read_file(self, path: Path, origin: str, place: int = 0) -> bool:
        """Adds every line of a file, as `read`; one that is not there is empty. It stays open, to be read again."""
        try:
            lines = FileSource(path)
        except FileNotFoundError:
            return True
        except OSError as error:
            raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}") from error
        return self._read(lines, origin, place)

    def status(self, key: bytes) -> KeyStatus | None:
        """What holds for a key (its 16 bytes), if anything is known of it."""
        row = self._rows.keys.row_of(key)
        return None if row is None else self._rows.status(row)

    def was_sent_with(self, key: bytes, content: str) -> bool:
        """Whether some sent fact of a key (its 16 bytes) has this content."""
        row = self._rows.keys.row_of(key)
        if row is None:
            return False
        groups = (self._rows.groups[fact.group_number] for fact in self._rows.facts(row))
        return any((group.status, group.content) == ("sent", content) for group in groups)

    def state(self, key: str) -> State | None:
        """What holds for a key, with its records, if anything is known of it."""
        row = self._rows.keys.row_of(raw_key(key))
        return None if row is None else fold_records(self._rows.read_records(row))

    def records_of(self, key: str) -> tuple[Record, ...]:
        """Every fact that is held about a key."""
        row = self._rows.keys.row_of(raw_key(key))
        return () if row is None else tuple(self._rows.read_records(row))

    def records(self) -> Iterator[Record]:
        """Every fact that is held."""
        return (record for row in range(len(self._rows)) for record in self._rows.read_records(row))

    def lacks_header(self, header: Header, place: int) -> bool:
        """Whether a place (a bit) has another header, or none."""
        return not self._headers.get(header, 0) & place

    def missing_from(self, place: int) -> Iterator[Record]:
        """The lasting facts that a place (a bit) lacks. Facts that later ones of their attempt replace last not."""
        for row in range(len(self._rows)):
            if not self._rows.copy_bits[row] & place or row in self._rows.extra_facts:
                yield from (
                    self._rows.read_record(fact) for fact in self._rows.lasting_facts(row) if not fact.copy_bits & place
                )

    def compacted_records(self) -> Iterator[Record]:
        """The lasting facts, sorted by key and attempt."""
        for row in self._rows.sort_by_key(range(len(self._rows))):
            yield from sorted(
                map(self._rows.read_record, self._rows.lasting_facts(row)), key=lambda one: (one.attempt, one.to_line())
            )

    def counts(self) -> Counter[MessageStatus]:
        """How many keys there are, by what holds of them."""
        table, found = self._rows, Counter[MessageStatus]()
        alone = [_held(group) for group in table.groups]
        for group, number in Counter(islice(table.group_numbers, len(table))).items():
            found[alone[group]] += number
        for row in table.extra_facts:
            found[alone[table.group_numbers[row]]] -= 1
            found[self._held(row)] += 1
        return +found

    def states_with(self, *statuses: KeyStatus, message: str | None = None) -> Iterator[State]:
        """The states with one of these statuses, of one message or of all, by message, revision and key."""
        table = self._rows
        alone = [_held(group) for group in table.groups]
        rows: dict[tuple[str, int], array[int]] = {}
        for row, group in enumerate(islice(table.group_numbers, len(table))):
            held = alone[group] if row not in table.extra_facts else self._held(row)
            if held.status in statuses and message in (None, held.message):
                rows.setdefault((held.message, held.revision), array("I")).append(row)
        for _, found in sorted(rows.items()):
            yield from (fold_records(table.read_records(row)) for row in table.sort_by_key(found))

    def sorted_records(self) -> Iterator[Record]:
        """Every fact that is held, sorted by key and attempt."""
        for row in self._rows.sort_by_key(range(len(self._rows))):
            yield from sorted(self._rows.read_records(row), key=lambda one: (one.attempt, one.to_line()))

    def unknown_keys(self) -> Iterator[str]:
        """The keys whose deliveries may or may not have been sent, sorted."""
        rows = [row for row in range(len(self._rows)) if self._rows.status(row) == "unknown"]
        return iter(sorted(map(self._rows.key_text, rows)))

    def message_names(self) -> frozenset[str]:
        """The names of the messages that something is known of."""
        return frozenset(group.message for group in self._rows.groups)

    def keys_of(self, message: str, revision: int) -> frozenset[str]:
        """The keys with a fact of this revision of a message."""
        return frozenset(map(self._rows.key_text, self._rows.rows_of(message, revision)))

    def sent_keys_of(self, message: str, revision: int) -> Iterator[bytes]:
        """The keys (16 bytes each) of this revision that were sent."""
        rows = self._rows.rows_of(message, revision)
        return (self._rows.keys[row] for row in rows if self._rows.status(row) == "sent")

    def revisions_with(self, content: str) -> frozenset[tuple[str, int]]:
        """The messages (name, revision) that this content was sent as."""
        groups = (
            group for group in self._rows.groups if content and (group.status, group.content) == ("sent", content)
        )
        return frozenset((group.message, group.revision) for group in groups)

    def has_reached(self, message: str, revision: int, contact: str, *, except_key: str = "") -> bool:
        """Whether a revision was, or may have been, sent to an Intercom contact, under another key than `but`."""
        known = self._contacts.get((message, revision))
        if known is None:
            known = self._contacts[message, revision] = self._contacts_of(message, revision)
        own = self._rows.keys.row_of(raw_key(except_key))
        return any(row != own for row in known.rows_of(contact))

    def duplicates(self) -> list[State]:
        """The keys that were sent twice, by message and key."""
        found = [
            state
            for row in self._rows.extra_facts
            if (state := fold_records(self._rows.read_records(row))).is_duplicate
        ]
        return sorted(found, key=lambda state: (state.record.message, state.record.key))

    def merged_header(self, salt: str) -> Header:
        """What the headers agree on, for this salt. Raises GuardRefused if they contradict each other or the salt."""
        ours = salt_check(salt)
        workspaces = sorted({header.workspace for header in self.headers if header.workspace})
        if len(workspaces) > 1:
            raise GuardRefused(
                f"the ledger belongs to two workspaces: {' and '.join(workspaces)}",
                "ledgers of two workspaces were merged; give each its own environment in msgrun.yaml",
            )
        if any(header.salt_check not in {"", ours} for header in self.headers):
            raise GuardRefused(
                "the salt is not the one that this ledger was written with",
                "with another salt nothing sent would be recognised; put back salt: of msgrun.yaml, or MSGRUN_SALT",
            )
        return Header(workspaces[0] if workspaces else "", ours)

    @property
    def moved_to(self) -> str:
        """Where the ledger moved; empty as long as it is where these facts were read."""
        return self._last_move[1]

    def compacted_headers(self, salt: str) -> list[Header]:
        """The headers that tell all that the headers say. Raises GuardRefused as `header`."""
        header, (turn, moved) = self.merged_header(salt), self._last_move
        return [header, *([replace(header, turn=turn, moved_to=moved)] if turn else [])]

    def compacted_lines(self, salt: str) -> Iterator[bytes]:
        """The lines of a ledger that says no more than it must. Raises GuardRefused as `header`."""
        yield from (header.to_line() for header in self.compacted_headers(salt))
        yield from (record.to_line() for record in self.compacted_records())

    def move_header(self, salt: str, to: str, least: int = 1) -> Header:
        """The header that says that the ledger moves now; with an empty `to`, that it came back.

        `least`: its turn at least, where not all that was ever said of the ledger is known here.
        """
        return replace(self.merged_header(salt), turn=max(least, self._last_move[0] + 1), moved_to=to)

    @property
    def _last_move(self) -> tuple[int, str]:
        """The turn, and where to; of two at one turn the one that stops a run."""
        return max(((header.turn, header.moved_to) for header in self._headers), default=(0, ""))

    def _read(self, lines: LineSource, origin: str, place: int) -> bool:
        self._contacts.clear()
        reading = FactReader(self._rows, origin, place)
        try:
            reading.read(lines)
        finally:
            self.torn_lines.extend(reading.torn_lines)
        for header in reading.headers:
            self.add(header, place)
        return bool(reading.headers) or not reading.has_record

    def _contacts_of(self, message: str, revision: int) -> ContactIndex:
        found, rows = ContactIndex(), self._rows
        for row in rows.rows_of(message, revision):
            if rows.status(row) in {"sent", "unknown"}:
                of_it = (fact for fact in rows.facts(row) if rows.groups[fact.group_number][1:3] == (message, revision))
                for contact in {rows.read_contact(fact) for fact in of_it} - {""}:
                    found.add(contact, row)
        return found

    def _held(self, row: int) -> MessageStatus:
        state = fold_records(self._rows.read_records(row))
        return MessageStatus(state.record.message, state.record.revision, state.status)


def _held(group: Group) -> MessageStatus:
    """What holds of a key of which there is but one fact."""
    return MessageStatus(group.message, group.revision, key_status({group.status}))
