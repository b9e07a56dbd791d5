"""Decides which open attempts a search in Intercom can find, why others cannot be found, and which compete."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from runner.clock import parse_timestamp
from runner.intercom.conversations import OpeningMessage
from runner.ledger.facts import Facts
from runner.ledger.key_state import State
from runner.ledger.record import Record

CLOCK_SKEW = 120.0  # seconds by which Intercom's clock may be behind ours
LATE_ARRIVAL = 900.0  # seconds after its last record: a timed-out request may still be served, a suspended run resume
MAX_ATTEMPT_TIME = 900.0  # seconds that one attempt may take; used if compaction kept its outcome and not its claim

NO_TIMESTAMP = "its claim tells no time"


@dataclass(frozen=True, slots=True)
class SearchableAttempt:
    """An open attempt that can be searched for. Its message, if any, was created between two Unix times.

    `contact` is the contact of its record, or the one that this was merged into.
    """

    record: Record
    contact: str
    earliest: float
    latest: float

    @property
    def match_key(self) -> tuple[str, str, str]:
        """What its conversation must have: contact, sender and hash of the text."""
        return self.contact, self.record.sender, self.record.text

    @property
    def text_key(self) -> tuple[str, str]:
        """The match key without the contact: sender and hash of the text."""
        return self.record.sender, self.record.text

    @property
    def identity(self) -> tuple[str, str]:
        """The key and the attempt, which identify it among all attempts."""
        return self.record.key, self.record.attempt

    @property
    def is_merged(self) -> bool:
        """Whether its contact was merged into another one."""
        return self.contact != self.record.contact

    def covers(self, opening: OpeningMessage) -> bool:
        """Returns whether a message that was created at this time may be of this attempt."""
        return self.earliest <= opening.created_at <= self.latest


def list_searchable(facts: Facts, states: Iterable[State]) -> list[SearchableAttempt]:
    """Returns the open attempts of deliveries that a search can find."""
    attempts = [find_searchable(facts, record) for state in states for record in state.open_attempts]
    return [attempt for attempt in attempts if isinstance(attempt, SearchableAttempt)]


def find_searchable(facts: Facts, record: Record) -> SearchableAttempt | str:
    """Returns the attempt to search for, or the reason why no search can find it."""
    if reason := _unsearchable_reason(record):
        return reason
    records = [entry for entry in facts.records_of(record.key) if entry.attempt == record.attempt]
    times = [time for entry in records if (time := _parse_time(entry.at))]  # a torn line may have lost its time
    if not times:
        return NO_TIMESTAMP
    margin = CLOCK_SKEW if any(entry.status == "claimed" for entry in records) else MAX_ATTEMPT_TIME
    return SearchableAttempt(record, record.contact, min(times) - margin, max(times) + LATE_ARRIVAL)


def find_rivals(
    facts: Facts, states: Iterable[State], pending: Collection[SearchableAttempt]
) -> list[SearchableAttempt]:
    """Returns the open attempts of deliveries outside `states` that have the match key of a pending one.

    A message that is found may belong to one of them. Intercom is not asked whether one of their contacts was merged
    into a pending one's: with the same sender and text they count as if it was.
    """
    match_keys = {attempt.match_key for attempt in pending}
    merged: dict[tuple[str, str], set[str]] = {}
    for attempt in pending:
        if attempt.is_merged:
            merged.setdefault(attempt.text_key, set()).add(attempt.contact)
    own_keys = {state.record.key for state in states}
    keys = dict.fromkeys(
        record.key
        for record in facts.records()
        if record.key not in own_keys
        and record.is_searchable
        and ((record.contact, record.sender, record.text) in match_keys or (record.sender, record.text) in merged)
    )
    rivals = list_searchable(facts, [state for key in keys if (state := facts.state(key))])
    return [
        replace(rival, contact=contact)
        for rival in rivals
        for contact in sorted({rival.contact, *merged.get(rival.text_key, ())})
    ]


def _unsearchable_reason(record: Record) -> str:
    """Returns what an open attempt lacks for a search; empty if nothing."""
    if not (record.sender and record.text and record.at):  # the line is torn or was edited by hand
        return "its claim lacks sender, text or time, so Intercom cannot be asked"
    if not record.opens_conversation:
        return (
            "no conversation exists before the contact replies, so Intercom cannot be asked "
            "(create_conversation_without_contact_reply was not set)"
        )
    return "" if record.contact else "its claim names no contact, so Intercom cannot be asked"


def _parse_time(at: str) -> float:
    """Returns a record's time in Unix seconds, or 0 if it has none."""
    moment = parse_timestamp(at)
    return moment.timestamp() if moment else 0.0
