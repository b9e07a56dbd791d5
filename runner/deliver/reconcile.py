"""Looks in Intercom for what became of unknown deliveries, by what their claims hold.

It only ever turns unknown into sent. A conversation proves a delivery if contact, sender, text and time fit, and its
message is no other delivery's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, repeat

from runner.clock import Clock
from runner.declare.identity import text_hash
from runner.intercom.conversations import ConversationQuery, Conversations, OpeningMessage
from runner.ledger.facts import Facts
from runner.ledger.record import Record, State, fold_records

CLOCK_SKEW = 120.0  # seconds before its claim at which a message may seem made: no two clocks agree
LATE_ARRIVAL = (
    900.0  # seconds after its last fact: a server may go on with a request that we gave up; a stopped run wakes up
)
MAX_ATTEMPT_TIME = (
    900.0  # seconds for which one attempt may have been tried; used where compacting left only its outcome
)
POLL_INTERVALS = (2.0, 4.0, 8.0, 15.0, 30.0)  # seconds between two looks; the last for ever

NO_CONVERSATION = "no conversation with this text at this time was found"
NO_TIMESTAMP = "its claim tells no time"


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An open attempt that can be searched for. Its message, if there is one, was made between two Unix times."""

    record: Record
    earliest: float
    latest: float

    @property
    def match_key(self) -> tuple[str, str, str]:
        """What its conversation looks like: contact, sender, hash of the text."""
        return self.record.contact, self.record.sender, self.record.text

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from every other attempt."""
        return self.record.key, self.record.attempt

    def covers(self, opening: OpeningMessage) -> bool:
        """Whether it may have made a message at that time."""
        return self.earliest <= opening.created_at <= self.latest


@dataclass(frozen=True, slots=True)
class StillUnknown:
    """A delivery that stays unknown, and why."""

    record: Record
    reason: str


@dataclass(slots=True)
class ReconcileResult:
    """What came of it: what was found `sent`, what turned out to be sent `twice`, and what stays `unknown`."""

    sent: list[State] = field(default_factory=list)
    duplicates: list[State] = field(default_factory=list)
    unknown: list[StillUnknown] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Cluster:
    """Attempts and openings that fit each other, directly or through others."""

    attempts: list[OpenAttempt] = field(default_factory=list)
    openings: dict[str, OpeningMessage] = field(default_factory=dict)


class Reconciliation:
    """The unknown deliveries among `facts`, all or a message's, on their way to being found."""

    def __init__(self, facts: Facts, message: str | None, salt: str) -> None:
        found = [state for key in facts.unknown_keys() if (state := facts.state(key))]
        self.states = [state for state in found if message in {None, state.record.message}]
        self._facts = facts
        self._salt = salt
        self._reasons: dict[tuple[str, str], str] = {}
        self._made: dict[str, list[Record]] = {}
        self._taken: set[str] = set()
        self._seen: dict[tuple[str, str, str], dict[str, OpeningMessage]] = {}
        self.pending = [
            attempt for state in self.states for record in state.open_attempts if (attempt := self._attempt(record))
        ]
        self._rivals = self._others()

    def search(
        self,
        conversations: Conversations,
        clock: Clock,
        wait: float,
        write: Callable[..., None],
        waiting: Callable[[int, float], None],
    ) -> None:
        """Looks until everything is found or `wait` seconds are over. `write` gets the facts of each look at once.

        `waiting` hears how many are left and for how many seconds it pauses. Raises RunStopped, LedgerUnavailable.
        """
        until = clock.monotonic() + wait
        for pause in chain(POLL_INTERVALS, repeat(POLL_INTERVALS[-1])):
            left = until - clock.monotonic()
            self._look(conversations, write, is_last=left <= 0)
            if not self.pending or left <= 0:
                return
            waiting(len(self.pending), min(pause, left))
            clock.sleep(min(pause, left))

    def result(self) -> ReconcileResult:
        """What is known by now."""
        findings = ReconcileResult()
        for state in self.states:
            after = fold_records((*state.attempts, *self._made.get(state.record.key, ())))
            if after.status == "unknown":
                reasons = dict.fromkeys(self._reasons[record.key, record.attempt] for record in state.open_attempts)
                findings.unknown.append(StillUnknown(after.record, "; ".join(reasons)))
            elif after.is_duplicate:
                findings.duplicates.append(after)
            else:
                findings.sent.append(after)
        return findings

    def _look(self, conversations: Conversations, write: Callable[..., None], *, is_last: bool) -> None:
        """Searches once for what is pending, and writes what that proves."""
        since: dict[tuple[str, str], float] = {}
        for attempt in self.pending:
            who = attempt.match_key[:2]
            since[who] = min(attempt.earliest, since.get(who, attempt.earliest))
        for opening in conversations.search(ConversationQuery(*who, begins) for who, begins in since.items()):
            text = text_hash({"subject": opening.subject, "body": opening.body}, self._salt)
            for contact in opening.contacts:
                self._seen.setdefault((contact, opening.author, text), {})[opening.id] = opening
        made = [record for cluster in self._clusters() for record in self._proven(cluster, is_last=is_last)]
        if made:
            write(*made)
        for record in made:
            self._made.setdefault(record.key, []).append(record)
            self._taken.add(record.id)
        settled = {(record.key, record.attempt) for record in made}
        self.pending = [attempt for attempt in self.pending if attempt.identity not in settled]

    def _clusters(self) -> Iterable[_Cluster]:
        """What fits what, among all that is pending and the openings that are nobody's."""
        seen = {found for openings in self._seen.values() for found in openings}
        known = self._taken | {record.id for record in self._facts.records() if record.id in seen}
        of_opening: dict[str, _Cluster] = {}
        for attempt in (*self.pending, *self._rivals):
            openings = self._seen.get(attempt.match_key, {})
            fitting = {found: one for found, one in openings.items() if found not in known and attempt.covers(one)}
            joined = _Cluster([attempt], fitting)
            for other in {
                id(of_opening[found]): of_opening[found] for found in fitting if found in of_opening
            }.values():
                joined.attempts.extend(other.attempts)
                joined.openings.update(other.openings)
            of_opening.update(dict.fromkeys(joined.openings, joined))
        return {id(cluster): cluster for cluster in of_opening.values()}.values()

    def _proven(self, cluster: _Cluster, *, is_last: bool) -> list[Record]:
        """The sent facts that follow from a cluster. No fewer openings than attempts leave no doubt whose they are.

        One too many is a second message of an attempt: a fact of its own, as of an attempt that nobody claimed, so that
        the ledger has two attempts sent with different ids, which is a duplicate. One too few leaves open whose it is,
        unless they all are one delivery's; then that is told when the time is over, for others may still be indexed.
        """
        attempts = sorted(cluster.attempts, key=lambda attempt: (attempt.earliest, attempt.record.attempt))
        openings = sorted(cluster.openings.values(), key=lambda opening: (opening.created_at, opening.id))
        pairs = list(zip(attempts, openings, strict=False))
        is_one_delivery = len({attempt.record.key for attempt in attempts}) == 1
        too_few = len(openings) < len(attempts) and not (is_one_delivery and is_last)
        if too_few or not all(attempt.covers(opening) for attempt, opening in pairs):
            ids = " or ".join(opening.id for opening in openings)
            reason = f"message {ids} fits it, and {len(attempts) - 1} other unknown attempts as well"
            self._reasons.update(dict.fromkeys((attempt.identity for attempt in attempts), reason))
            return []
        facts = [(attempt, _sent(attempt.record, opening)) for attempt, opening in pairs]
        for opening in openings[len(attempts) :]:
            attempt = next(attempt for attempt in attempts if attempt.covers(opening))
            name = f"{attempt.record.attempt}~{opening.id}"
            facts.append((attempt, replace(_sent(attempt.record, opening), attempt=name)))
        return [fact for attempt, fact in facts if attempt not in self._rivals]

    def _attempt(self, record: Record) -> OpenAttempt | None:
        """The attempt to search for, or nothing where no search can help, and then why."""
        moments = (_moment(fact.at) for fact in self._facts.records_of(record.key) if fact.attempt == record.attempt)
        times = [moment for moment in moments if moment]  # a torn line of the attempt may have lost its own
        reason = unsearchable_reason(record) or ("" if times else NO_TIMESTAMP)
        self._reasons[record.key, record.attempt] = reason or NO_CONVERSATION
        if reason:
            return None
        claimed = any(
            fact.status == "claimed" for fact in self._facts.records_of(record.key) if fact.attempt == record.attempt
        )
        return OpenAttempt(
            record, min(times) - (CLOCK_SKEW if claimed else MAX_ATTEMPT_TIME), max(times) + LATE_ARRIVAL
        )

    def _others(self) -> list[OpenAttempt]:
        """Open attempts at other deliveries that would look the same: what fits one may be theirs."""
        looks = {attempt.match_key for attempt in self.pending}
        own = {state.record.key for state in self.states}
        keys = dict.fromkeys(
            record.key
            for record in self._facts.records()
            if record.key not in own and record.is_searchable and (record.contact, record.sender, record.text) in looks
        )
        states = [state for key in keys if (state := self._facts.state(key))]
        return [attempt for state in states for record in state.open_attempts if (attempt := self._attempt(record))]


def unsearchable_reason(record: Record) -> str:
    """Why no search can find an open attempt; empty if one can."""
    if not (record.sender and record.text and record.at):  # of a torn line, or by hand
        return "its claim lacks sender, text or time, so Intercom cannot be asked"
    if not record.conversation:
        return (
            "no conversation exists before the contact replies, so Intercom cannot be asked "
            "(create_conversation_without_contact_reply was not set)"
        )
    return "" if record.contact else "its claim names no contact, so Intercom cannot be asked"


def _sent(record: Record, opening: OpeningMessage) -> Record:
    """The fact that a message is an attempt's. Nothing in it depends on when or where it was found out."""
    at = f"{datetime.fromtimestamp(opening.created_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return replace(record, status="sent", id=opening.id, at=at, code="", by="reconcile", sender="", conversation=False)


def _moment(at: str) -> float:
    """A record's time in Unix seconds, 0 if it tells none."""
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return 0.0
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp()
