"""When deliveries were sent, and to whom: what status asks, answered without reading every record as a whole."""

import heapq
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import orjson

from runner.ledger.contact_index import ContactIndex
from runner.ledger.fact_index import FactIndex
from runner.ledger.facts import Facts
from runner.ledger.key_state import KeyStatus, State, fold_records
from runner.ledger.record import ACCEPT, DUPLICATE, Record

_TIME = b'"at":"'
_DECISIONS = (f'"by":"{ACCEPT}"'.encode(), f'"code":"{DUPLICATE}"'.encode())


def sent_revisions(facts: Facts) -> frozenset[tuple[str, int]]:
    """Returns the messages, as (name, revision), that have a sent record."""
    return frozenset((group.message, group.revision) for group in facts.index.groups if group.status == "sent")


def sent_times(facts: Facts) -> dict[tuple[str, int], tuple[str, str]]:
    """Returns the first and the last time at which each message, as (name, revision), was sent."""
    index = facts.index
    is_sent = [group.status == "sent" for group in index.groups]
    columns = zip(islice(index.group_numbers, len(index)), index.sources, index.offsets, strict=False)
    others = ((one.group_number, one.source, one.offset) for row in index.extra_facts for one in index.facts(row))
    ranges: dict[int, tuple[str, str]] = {}
    for number, source, offset in chain(columns, others):
        if is_sent[number] and (at := _read_time(index, source, offset)):
            first, last = ranges.get(number, (at, at))
            ranges[number] = min(first, at), max(last, at)
    times: dict[tuple[str, int], tuple[str, str]] = {}
    for number, (first, last) in ranges.items():
        _, message, revision, _ = index.groups[number]
        known = times.get((message, revision), (first, last))
        times[message, revision] = min(first, known[0]), max(last, known[1])
    return times


def latest_states(facts: Facts, message: str, most: int, *statuses: KeyStatus) -> list[State]:
    """Returns the states of a message's deliveries with one of these statuses: at most `most`, the latest first."""
    index = facts.index
    numbers = {number for number, group in enumerate(index.groups) if group.message == message}
    rows = (
        row
        for row in range(len(index))
        if any(fact.group_number in numbers for fact in index.facts(row)) and index.status(row) in statuses
    )
    latest = heapq.nlargest(
        most, rows, key=lambda row: max(_read_time(index, fact.source, fact.offset) for fact in index.facts(row))
    )
    return [fold_records(index.read_records(row)) for row in latest]


def states_of_contacts(facts: Facts, contacts: Iterable[str]) -> Iterator[State]:
    """Yields the states of the deliveries whose records name one of these Intercom contacts."""
    wanted = frozenset(contacts)
    index, rows = facts.index, array("I")
    if wanted:
        rows.extend(
            row for row in range(len(index)) if any(index.read_contact(fact) in wanted for fact in index.facts(row))
        )
    return (fold_records(index.read_records(row)) for row in rows)


class RecentSendings:
    """What each contact was sent, or may have been, since a time: 28 bytes a contact, and 8 a delivery.

    `since` is as records have it. A record with an older time is not read as a whole.
    """

    def __init__(self, facts: Facts, since: str) -> None:
        self._index = index = facts.index
        self._since = since
        self._contacts = ContactIndex()
        for row in range(len(index)):
            if index.status(row) in {"sent", "unknown"}:
                recent = (fact for fact in index.facts(row) if _read_time(index, fact.source, fact.offset) >= since)
                for contact in {index.read_contact(fact) for fact in recent} - {""}:
                    self._contacts.add(contact, row)

    def records_of(self, contact: str) -> list[Record]:
        """Returns a record of each delivery to a contact, the earliest first."""
        states = (fold_records(self._index.read_records(row)) for row in self._contacts.rows_of(contact))
        records = [state.record for state in states if state.record.at >= self._since]
        return sorted(records, key=lambda record: record.at)


def _read_time(index: FactIndex, source: int, offset: int) -> str:
    """Returns the time of a record; empty if it has none, or if a later decision copied it (`Record.is_decision`).

    Reading the whole record takes many times as long.
    """
    line = index.line_sources[source][0].line_at(offset)
    if any(decision in line for decision in _DECISIONS):
        return ""
    start = line.find(_TIME) + len(_TIME)
    if start < len(_TIME):  # no time, or JSON that another program wrote, with spaces in it
        value = orjson.loads(line)
        is_decision = value.get("by") == ACCEPT or value.get("code") == DUPLICATE
        return "" if is_decision else str(value.get("at") or "")
    return line[start : line.find(b'"', start)].decode(errors="replace")
