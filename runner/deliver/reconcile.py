"""Searches Intercom for the messages of unknown deliveries, with the data in their claims.

It only ever changes unknown to sent. A conversation proves a delivery if contact, sender, text and time match, and its
message belongs to no other delivery.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, repeat

from runner.clock import Clock, format_timestamp
from runner.declare.keys_and_digests import text_hash
from runner.deliver.searchable_attempt import SearchableAttempt, find_rivals, find_searchable, list_searchable
from runner.errors import RunStopped
from runner.intercom.conversations import ConversationQuery, Conversations, OpeningMessage
from runner.intercom.workspace import Workspace
from runner.ledger.facts import Facts
from runner.ledger.key_state import State, fold_records
from runner.ledger.record import Record

POLL_INTERVALS = (2.0, 4.0, 8.0, 15.0, 30.0)  # seconds between two searches; the last one repeats

_MAX_EXTRA = 10  # messages that are kept beyond one an attempt: one more proves that a delivery was sent twice
_MAX_NAMED = 3  # messages in a reason

NOT_SEARCHED = "Intercom could not be searched"
NO_CONVERSATION = (
    "no conversation with this text at this time was found: the message was not sent, or its conversation became a "
    "ticket, which a token sees only with the scope Read tickets"
)
CONTACT_GONE = "its contact is not in Intercom any more: it was deleted, or merged without a trace"
CONTACT_UNREADABLE = "the token lacks the scope to read contacts, so it is not known whether its contact was merged"


@dataclass(frozen=True, slots=True)
class StillUnknown:
    """A delivery that stays unknown, and why."""

    record: Record
    reason: str


@dataclass(slots=True)
class ReconcileResult:
    """The deliveries that were sent, those that were sent twice (`duplicates`), and those that stay unknown."""

    sent: list[State] = field(default_factory=list)
    duplicates: list[State] = field(default_factory=list)
    unknown: list[StillUnknown] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Cluster:
    """Attempts and openings that match each other, directly or through others."""

    attempts: list[SearchableAttempt] = field(default_factory=list)
    openings: dict[str, OpeningMessage] = field(default_factory=dict)


class Reconciliation:
    """The search for unknown deliveries of `facts`, given by their states.

    `pending` are their open attempts that can be searched for and were not found yet.
    """

    def __init__(
        self,
        facts: Facts,
        salt: str,
        states: list[State],
        pending: list[SearchableAttempt],
        rivals: list[SearchableAttempt],
    ) -> None:
        self.states = states
        self.pending = pending
        self._facts = facts
        self._salt = salt
        self._rival_attempts = rivals
        self._reasons: dict[tuple[str, str], str] = {}
        self._new_records: dict[str, list[Record]] = {}
        self._used_ids: set[str] = set()
        self._openings: dict[tuple[str, str, str], dict[str, OpeningMessage]] = {}

    def search(
        self,
        workspace: Workspace,
        clock: Clock,
        wait: float,
        write: Callable[..., None],
        on_wait: Callable[[int, float], None],
    ) -> None:
        """Searches until every attempt is found or `wait` seconds are over.

        `write` is called with the new records of each search at once. Before each pause, `on_wait` is called with the
        number of pending attempts and the length of the pause in seconds. Raises RunStopped and LedgerUnavailable.
        """
        conversations = Conversations(workspace)
        deadline = clock.monotonic() + wait
        try:
            self._search_once(conversations, write)
        except (RunStopped, KeyboardInterrupt) as error:
            why = error.message if isinstance(error, RunStopped) else "interrupted"
            reason = f"{NOT_SEARCHED}: {why}"
            self._reasons.update((attempt.identity, reason) for attempt in self.pending)
            raise
        self._follow_merges(workspace)
        if any(attempt.is_merged for attempt in self.pending):
            self._search_once(conversations, write)
        for pause in chain(POLL_INTERVALS, repeat(POLL_INTERVALS[-1])):
            remaining = deadline - clock.monotonic()
            if not self.pending or remaining <= 0:
                break
            on_wait(len(self.pending), min(pause, remaining))
            clock.sleep(min(pause, remaining))
            self._search_once(conversations, write)
        self._record_proven(write, is_last=True)

    def result(self) -> ReconcileResult:
        """Returns what is known by now."""
        result = ReconcileResult()
        for state in self.states:
            current_state = fold_records((*state.attempts, *self._new_records.get(state.record.key, ())))
            if current_state.status == "unknown":
                reasons = dict.fromkeys(self._explain(record) for record in state.open_attempts)
                result.unknown.append(StillUnknown(current_state.record, "; ".join(reasons)))
            elif current_state.is_duplicate:
                result.duplicates.append(current_state)
            else:
                result.sent.append(current_state)
        return result

    def _explain(self, record: Record) -> str:
        """Returns why an open attempt is still unknown."""
        attempt = find_searchable(self._facts, record)
        return attempt if isinstance(attempt, str) else self._reasons.get(attempt.identity, NO_CONVERSATION)

    def _search_once(self, conversations: Conversations, write: Callable[..., None]) -> None:
        """Searches once for the pending attempts, and writes the records that the search proves.

        Of the answers it keeps what fits an attempt, without texts and contacts: all of it may be gigabytes. Raises
        RunStopped.
        """
        attempts_by_key: dict[tuple[str, str, str], list[SearchableAttempt]] = {}
        for attempt in (*self.pending, *self._rival_attempts):
            attempts_by_key.setdefault(attempt.match_key, []).append(attempt)
        earliest_times: dict[tuple[str, str], float] = {}  # by contact and sender
        for attempt in self.pending:
            key = attempt.match_key[:2]
            earliest_times[key] = min(attempt.earliest, earliest_times.get(key, attempt.earliest))
        queries = (ConversationQuery(*key, earliest) for key, earliest in earliest_times.items())
        for opening in conversations.search(queries):
            text = text_hash({"subject": opening.subject, "body": opening.body}, self._salt)
            for contact in opening.contacts:
                match_key = contact, opening.author, text
                attempts = attempts_by_key.get(match_key, [])
                if any(attempt.covers(opening) for attempt in attempts):
                    openings = self._openings.setdefault(match_key, {})
                    if len(openings) < len(attempts) + _MAX_EXTRA:
                        openings[opening.id] = replace(opening, contacts=(), subject="", body="")
        self._record_proven(write, is_last=False)

    def _record_proven(self, write: Callable[..., None], *, is_last: bool) -> None:
        """Writes the records that the openings prove which were found so far. `is_last`: no search follows."""
        clusters = self._build_clusters()
        records = [record for cluster in clusters for record in self._prove_sent(cluster, is_last=is_last)]
        if records:
            write(*records)
        for record in records:
            self._new_records.setdefault(record.key, []).append(record)
            self._used_ids.add(record.id)
        settled = {(record.key, record.attempt) for record in records}
        self.pending = [attempt for attempt in self.pending if attempt.identity not in settled]

    def _build_clusters(self) -> Iterable[_Cluster]:
        """Returns the attempts with the openings that they match, without openings that belong to a known delivery."""
        opening_ids = {opening_id for openings in self._openings.values() for opening_id in openings}
        used_ids = self._used_ids | {record.id for record in self._facts.records() if record.id in opening_ids}
        clusters: dict[str, _Cluster] = {}  # by the id of each of its openings
        for attempt in (*self.pending, *self._rival_attempts):
            openings = self._openings.get(attempt.match_key, {})
            fitting = {
                opening_id: opening
                for opening_id, opening in openings.items()
                if opening_id not in used_ids and attempt.covers(opening)
            }
            merged = _Cluster([attempt], fitting)
            for other in dict.fromkeys(clusters[opening_id] for opening_id in fitting if opening_id in clusters):
                merged.attempts.extend(other.attempts)
                merged.openings.update(other.openings)
            clusters.update(dict.fromkeys(merged.openings, merged))
        return dict.fromkeys(clusters.values())

    def _prove_sent(self, cluster: _Cluster, *, is_last: bool) -> list[Record]:
        """Returns the sent records that a cluster proves.

        With at least as many openings as attempts, every attempt was sent. An extra opening is a second message of an
        attempt. It gets a record under an attempt id of its own, so that the ledger has two attempts sent with
        different ids, which is a duplicate.

        With fewer openings than attempts, it is open which attempt was sent, unless all are of one delivery. Then only
        the last search returns the records, because Intercom may index further messages until it.
        """
        attempts = sorted(cluster.attempts, key=lambda attempt: (attempt.earliest, attempt.record.attempt))
        openings = sorted(cluster.openings.values(), key=lambda opening: (opening.created_at, opening.id))
        pairs = list(zip(attempts, openings, strict=False))
        is_one_delivery = len({attempt.record.key for attempt in attempts}) == 1
        is_ambiguous = len(openings) < len(attempts) and not (is_one_delivery and is_last)
        if is_ambiguous or not all(attempt.covers(opening) for attempt, opening in pairs):
            ids = " or ".join(
                [*(opening.id for opening in openings[:_MAX_NAMED]), *(["…"] if openings[_MAX_NAMED:] else [])]
            )
            reason = f"message {ids} fits it, and {len(attempts) - 1} other unknown attempts as well"
            self._reasons.update(dict.fromkeys((attempt.identity for attempt in attempts), reason))
            return []
        records = [(attempt, _create_sent_record(attempt, opening)) for attempt, opening in pairs]
        for opening in openings[len(attempts) :]:
            attempt = next(attempt for attempt in attempts if attempt.covers(opening))
            attempt_id = f"{attempt.record.attempt}~{opening.id}"
            records.append((attempt, replace(_create_sent_record(attempt, opening), attempt=attempt_id)))
        return [record for attempt, record in records if attempt not in self._rival_attempts]

    def _follow_merges(self, workspace: Workspace) -> None:
        """Replaces the contacts of the pending attempts by those that they were merged into. Raises RunStopped."""
        current: dict[str, str | None] = {}
        for contact in dict.fromkeys(attempt.contact for attempt in self.pending):
            current[contact] = workspace.current_contact(contact)
            if current[contact] is None:  # the token may not read any other contact either
                break
        for attempt in self.pending:
            if not (now := current.get(attempt.contact)):
                reason = CONTACT_UNREADABLE if now is None else CONTACT_GONE
                self._reasons[attempt.identity] = f"{NO_CONVERSATION}; {reason}"
        self.pending = [
            replace(attempt, contact=current.get(attempt.contact) or attempt.contact) for attempt in self.pending
        ]
        if any(attempt.is_merged for attempt in self.pending):
            self._rival_attempts = find_rivals(self._facts, self.states, self.pending)


def prepare_reconciliation(
    facts: Facts, message: str | None, salt: str, is_being_sent: Callable[[State], bool] = lambda _: False
) -> Reconciliation:
    """Returns the search for the unknown deliveries among `facts`, of all messages or of one.

    What another run is sending is left to that run.
    """
    unknown = list(facts.states_with("unknown"))
    states = [state for state in unknown if message in {None, state.record.message} and not is_being_sent(state)]
    pending = list_searchable(facts, states)
    return Reconciliation(facts, salt, states, pending, find_rivals(facts, states, pending))


def _create_sent_record(attempt: SearchableAttempt, opening: OpeningMessage) -> Record:
    """Returns the record that a message is of an attempt.

    It does not depend on when or where that was found out, so that two runs create the same record.
    """
    return replace(
        attempt.record,
        status="sent",
        contact=attempt.contact,
        id=opening.id,
        conversation=opening.conversation,
        at=format_timestamp(datetime.fromtimestamp(opening.created_at, UTC)),
        code="",
        by="reconcile",
        sender="",
        opens_conversation=False,
    )
