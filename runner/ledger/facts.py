"""The records of a ledger, and what follows from them. Compact, because a ledger may have millions of deliveries.

The records of a million deliveries take about 50 MB, wherever their lines are: in a lockfile, its journal, or a
version of the lockfile on a remote.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from runner.errors import LedgerUnavailable
from runner.ledger.contact_index import ContactIndex, index_contacts
from runner.ledger.fact_index import Fact, FactIndex, Group, raw_key
from runner.ledger.fact_reader import FactReader
from runner.ledger.headers import Headers
from runner.ledger.key_state import KeyStatus, State, fold_records, key_status
from runner.ledger.lines import LineSource, lines_in_memory, open_lines
from runner.ledger.mark import MoveMark
from runner.ledger.record import Header, Record


class MessageStatus(NamedTuple):
    """The status of a key, and the message and revision of the record that decides it."""

    message: str
    revision: int
    status: KeyStatus


class Facts:
    """A set of records and headers, and what follows from the records. `torn_lines` names the lines that are damaged.

    It keeps the records with the highest status of each attempt, and a claim beside its `unknown` outcome, because
    reconcile needs the time of the claim.

    A copy of the ledger, such as the lockfile or its journal, may have a bit: `copy_bit`, 0 if it has none.
    `own_setting`: see `Headers`. `index` is for the other modules of this package.
    """

    def __init__(self, own_setting: str = "") -> None:
        self.headers = Headers(own_setting)
        self.torn_lines: list[str] = []
        self.index = FactIndex()
        self._contacts: dict[tuple[str, int], ContactIndex] = {}

    def __len__(self) -> int:
        """Returns the number of keys with a record."""
        return len(self.index)

    def __bool__(self) -> bool:
        """Returns True: facts without records may have headers, so they are not the same as none."""
        return True

    def __iter__(self) -> Iterator[str]:
        """Yields every key with a record."""
        return map(self.index.key_text, range(len(self.index)))

    def add(self, entry: Record | Header, copy_bit: int = 0) -> None:
        """Adds a record or header that a copy of the ledger has."""
        if isinstance(entry, Header):
            self.headers.add(entry, copy_bit)
            return
        self.index.add_record(entry, copy_bit)
        self._contacts.pop((entry.message, entry.revision), None)

    def read(self, data: bytes, origin: str, copy_bit: int = 0) -> bool:
        """Adds every line of a lockfile or journal. Returns whether it has a header, or no record.

        `origin` names it in messages. Raises LedgerUnavailable if it is not a lockfile, or one of a newer version.
        """
        return self._read(lines_in_memory(data), origin, copy_bit)

    def read_file(self, path: Path, origin: str, copy_bit: int = 0) -> bool:
        """Adds every line of a file, as `read` does. A missing file counts as empty.

        The file stays open, because its lines are read again. Raises LedgerUnavailable.
        """
        try:
            lines = open_lines(path)
        except FileNotFoundError:
            return True
        except OSError as error:
            raise LedgerUnavailable(f"{path} cannot be read: {error.strerror}") from error
        return self._read(lines, origin, copy_bit)

    def status(self, key: bytes) -> KeyStatus | None:
        """Returns the status of a key, given as its 16 bytes; None if it has no record."""
        row = self.index.keys.row_of(key)
        return None if row is None else self.index.status(row)

    def was_sent_with(self, key: bytes, content: str) -> bool:
        """Returns whether a key, given as its 16 bytes, has a sent record with this content."""
        row = self.index.keys.row_of(key)
        if row is None:
            return False
        groups = (self.index.groups[fact.group_number] for fact in self.index.facts(row))
        return any((group.status, group.content) == ("sent", content) for group in groups)

    def state(self, key: str) -> State | None:
        """Returns the state of a key, with its records; None if it has no record."""
        row = self.index.keys.row_of(raw_key(key))
        return None if row is None else fold_records(self.index.read_records(row))

    def records_of(self, key: str) -> tuple[Record, ...]:
        """Returns the records of a key that are kept."""
        row = self.index.keys.row_of(raw_key(key))
        return () if row is None else tuple(self.index.read_records(row))

    def records(self) -> Iterator[Record]:
        """Yields every record that is kept, in the order in which their keys were added."""
        return (record for row in range(len(self.index)) for record in self.index.read_records(row))

    def missing_from(self, copy_bit: int) -> Iterator[Record]:
        """Yields the records that a copy of the ledger, given by its bit, lacks.

        Records that a later one of their attempt replaces are left out.
        """
        for row in range(len(self.index)):
            if not self.index.copy_bits[row] & copy_bit or row in self.index.extra_facts:
                yield from (
                    self.index.read_record(fact)
                    for fact in self.index.lasting_facts(row)
                    if not fact.copy_bits & copy_bit
                )

    def compacted_records(self) -> Iterator[Record]:
        """Returns the records that compaction keeps, sorted by key and attempt.

        Compaction removes the records that a later one of their attempt replaces.
        """
        return self._sort_records(self.index.lasting_facts)

    def counts(self) -> Counter[MessageStatus]:
        """Counts the keys by status, and by message and revision of the record that decides the status."""
        index, counts = self.index, Counter[MessageStatus]()
        statuses_by_group = [_status_of_group(group) for group in index.groups]
        for group, count in Counter(islice(index.group_numbers, len(index))).items():
            counts[statuses_by_group[group]] += count
        for row in index.extra_facts:
            counts[statuses_by_group[index.group_numbers[row]]] -= 1
            counts[self._status_of_row(row)] += 1
        return +counts

    def states_with(self, *statuses: KeyStatus, message: str | None = None) -> Iterator[State]:
        """Yields the states with one of these statuses, of one message or all, sorted by message, revision and key."""
        index = self.index
        statuses_by_group = [_status_of_group(group) for group in index.groups]
        rows_by_revision: dict[tuple[str, int], array[int]] = {}
        for row, group in enumerate(islice(index.group_numbers, len(index))):
            status = statuses_by_group[group] if row not in index.extra_facts else self._status_of_row(row)
            if status.status in statuses and message in (None, status.message):
                rows_by_revision.setdefault((status.message, status.revision), array("I")).append(row)
        for _, revision_rows in sorted(rows_by_revision.items()):
            yield from (fold_records(index.read_records(row)) for row in index.sort_by_key(revision_rows))

    def sorted_records(self) -> Iterator[Record]:
        """Returns every record that is kept, sorted by key and attempt."""
        return self._sort_records(self.index.facts)

    def message_names(self) -> frozenset[str]:
        """Returns the names of the messages that have a record."""
        return frozenset(group.message for group in self.index.groups)

    def keys_of(self, message: str, revision: int) -> frozenset[str]:
        """Returns the keys with a record of this revision of a message."""
        return frozenset(map(self.index.key_text, self.index.rows_of(message, revision)))

    def sent_keys_of(self, message: str, revision: int) -> Iterator[bytes]:
        """Returns the keys, 16 bytes each, that have a record of this revision and were sent."""
        rows = self.index.rows_of(message, revision)
        return (self.index.keys[row] for row in rows if self.index.status(row) == "sent")

    def revisions_with(self, content: str) -> frozenset[tuple[str, int]]:
        """Returns the messages, as (name, revision), that this content was sent as."""
        groups = (
            group for group in self.index.groups if content and (group.status, group.content) == ("sent", content)
        )
        return frozenset((group.message, group.revision) for group in groups)

    def has_reached(self, message: str, revision: int, contact: str, *, except_key: str = "") -> bool:
        """Returns whether a revision was, or may have been, sent to an Intercom contact.

        The delivery with the key `except_key` does not count.
        """
        index = self._contacts.get((message, revision))
        if index is None:
            index = self._contacts[message, revision] = index_contacts(self.index, message, revision)
        own = self.index.keys.row_of(raw_key(except_key))
        return any(row != own for row in index.rows_of(contact))

    def duplicates(self) -> list[State]:
        """Returns the states of the keys that were sent twice, sorted by message and key."""
        states = [
            state
            for row in self.index.extra_facts
            if (state := fold_records(self.index.read_records(row))).is_duplicate
        ]
        return sorted(states, key=lambda state: (state.record.message, state.record.key))

    @property
    def mark(self) -> MoveMark:
        """The mark that holds."""
        return self.headers.mark

    def compacted_lines(self, salt: str) -> Iterator[bytes]:
        """Yields the lines of the compacted ledger. Raises GuardRefused as `Headers.merged`."""
        yield from (header.to_line() for header in self.headers.compacted(salt))
        yield from (record.to_line() for record in self.compacted_records())

    def _read(self, lines: LineSource, origin: str, copy_bit: int) -> bool:
        self._contacts.clear()
        reader = FactReader(self.index, origin, copy_bit)
        try:
            reader.read(lines)
        finally:
            self.torn_lines.extend(reader.torn_lines)
        for header in reader.headers:
            self.add(header, copy_bit)
        return bool(reader.headers) or not reader.has_record

    def _sort_records(self, facts_of: Callable[[int], list[Fact]]) -> Iterator[Record]:
        for row in self.index.sort_by_key(range(len(self.index))):
            records = map(self.index.read_record, facts_of(row))
            yield from sorted(records, key=lambda record: (record.attempt, record.to_line()))

    def _status_of_row(self, row: int) -> MessageStatus:
        state = fold_records(self.index.read_records(row))
        return MessageStatus(state.record.message, state.record.revision, state.status)


def _status_of_group(group: Group) -> MessageStatus:
    """Returns the status of a key that has only one record."""
    return MessageStatus(group.message, group.revision, key_status({group.status}))
