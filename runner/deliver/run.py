"""Sends what was planned, several deliveries at once: claims on disk, POSTs, outcomes on disk.

One thread decides and writes; lanes only wait for the network. Each round writes the outcomes that came back and the
claims of what starts next in one append, so that however many are on their way, a round costs one fsync.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from runner.clock import Clock
from runner.declare.declaration import Declaration
from runner.declare.settings import Settings
from runner.deliver.attempt_records import RecordFactory
from runner.deliver.background_claims import BackgroundClaims, WriteResult
from runner.deliver.contact import NoContact, choose_contact
from runner.deliver.post import Attempt, MessagePoster, Outcome, PostResult, Retry
from runner.deliver.queue import DeliveryQueue, LookupResult, PreparedDelivery
from runner.deliver.reached_contacts import ReachedContacts
from runner.deliver.stop import StopConditions, StopController
from runner.deliver.summary import ReportedDelivery, StopKind, StopReason, Summary
from runner.deliver.threads import MAX_THREADS, ThreadPool
from runner.errors import GuardRefused, LedgerUnavailable, RateExhausted
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.wire_format import build_body
from runner.intercom.workspace import Workspace
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.ledger import Ledger
from runner.ledger.record import CONTACT_NOT_FOUND, Record
from runner.plan.plan import Plan
from runner.privacy import mark_private_values

TICK = 0.05  # seconds between two rounds while a rate limit is near


SHORT_TICK = 0.01  # the same where claims are open longer than that, and there are no more than a batch of them


_PATIENCE = 0.2  # seconds after which signals and the stop file are looked at again


_WRITES = 4  # times that an outcome is tried to be written at the end, a second apart


class Run:
    """One apply of one plan, on at most `max_threads` threads. `run_id` names its attempts.

    `progress` hears of every round, `log` of every record once it is durable.
    """

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        ledger: Ledger,
        workspace: Workspace,
        poster: MessagePoster,
        limiter: RateLimiter,
        clock: Clock,
        stop_conditions: StopConditions,
        run_id: str,
        progress: Callable[[Summary], None],
        log: Callable[[Record], None] = lambda _: None,
        max_threads: int = MAX_THREADS,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._poster = poster
        self._limiter = limiter
        self._clock = clock
        self._stop_conditions = stop_conditions
        self._records = RecordFactory(run_id, plan.digest, settings.salt, clock)
        self._progress = progress
        self._log = log
        self._queue = DeliveryQueue(plan, settings, workspace)
        self._threads: ThreadPool[PostResult | LookupResult] = ThreadPool(max_threads)
        self._background = BackgroundClaims(ledger, plan.to_send) if ledger.max_batch > 1 else None
        self._claimed: deque[Attempt] = deque()  # claimed ahead, and not started
        self._unclaimed: deque[Attempt] = deque()  # looked at ahead, and not claimed
        self._in_flight: dict[str, Attempt] = {}
        self._to_retry: list[tuple[float, str]] = []
        self._outcomes: list[Record] = []
        self._reached_contacts = ReachedContacts()
        self._expired: Counter[str] = Counter()
        self._is_failing = False  # the last append failed
        self.summary = Summary(planned=plan.to_send)
        self._stopping = StopController(self.summary, settings.abort_conditions, clock)

    def deliver(self) -> Summary:
        """Sends every planned delivery, in order, up to the plan's limit; returns what came of it."""
        try:
            while not self._is_done():
                self._round()
        finally:
            self._threads.close()
            self._finish()
            if self._background:
                self._background.close()
        return self.summary

    def _is_done(self) -> bool:
        if self._background and self._background.is_writing:
            return False
        if self.summary.stop is None:
            return self._queue.is_exhausted and not self._unclaimed and not self._in_flight and not self._outcomes
        if self._in_flight and not self._stopping.is_drained:
            return False
        return not self._outcomes or self._is_failing

    def _round(self) -> None:
        """Writes what came back and what starts, starts it, and waits for what comes back next."""
        self._stopping.stop(self._stop_conditions.stop_reason(self._clock))
        if self.summary.stop:
            self._release_waiting()
        if self._background:
            self._write_ahead(self._background)
        starts = [] if self.summary.stop else self._starts()
        claims = [flight.claim for flight in starts if flight.claim.attempt not in self._in_flight]
        if self._background or self._commit(claims):
            for flight in starts:
                self._in_flight[flight.claim.attempt] = flight
                self._threads.start(partial(self._poster.post, flight, self._halted))
        else:
            self._to_retry += [
                (0.0, flight.claim.attempt) for flight in starts if flight.claim.attempt in self._in_flight
            ]
        for result in self._threads.collect(self._patience()):
            if isinstance(result, LookupResult):
                self._looked_up(result)
            else:
                self._landed(result)
        self._progress(self.summary)

    def _patience(self) -> float:
        """Seconds to wait for results: where a limit is near, one tick for all of them, so that rounds are few."""
        if self._threads.busy and (self.summary.stop or not self._limiter.has_low_limit):
            return _PATIENCE
        if self._threads.busy or not self._is_done():
            self._clock.sleep(SHORT_TICK if self._background else TICK)
        return 0.0

    def _starts(self) -> list[Attempt]:
        """What may start now: first what is to be tried again, then the next of the plan."""
        try:
            for job in self._queue.next_lookups(self._threads.free // 2):
                self._threads.start(job)
        except GuardRefused as error:
            self._stopping.stop(StopReason("guard", error.message, error.hint))
            return []
        starts: list[Attempt] = []
        granted = self._limiter.acquire(self._threads.free)
        while len(starts) < granted and self._to_retry and self._to_retry[0][0] <= self._clock.monotonic():
            starts.append(self._in_flight[heapq.heappop(self._to_retry)[1]])
        while len(starts) < granted and (flight := self._next()):
            starts.append(flight)
        self._limiter.give_back(granted - len(starts))
        if self._background:
            self._background.observe_round(
                len(self._claimed), is_starved=len(starts) < granted and not self._queue.is_exhausted
            )
        return starts

    def _next(self) -> Attempt | None:
        """The next delivery to start: one that was claimed ahead, or where that is not done, the next of the plan."""
        if self._background:
            return self._claimed.popleft() if self._claimed else None
        return self._next_due()

    def _next_due(self) -> Attempt | None:
        """The next delivery of the plan that has to be claimed."""
        if self._unclaimed:
            left = self._unclaimed.popleft()
            left.claim = replace(left.claim, at=self._records.timestamp())
            return left
        while prepared := self._queue.pop():
            if flight := self._flight(prepared):
                return flight
        return None

    def _write_ahead(self, ahead: BackgroundClaims) -> None:
        """Takes in what was written, and begins the next write if it is worth it."""
        if written := ahead.poll():
            self._take_in(written)
        is_dry = not self._in_flight or self.summary.stop is not None
        if ahead.is_writing or self._is_failing or not (is_dry or ahead.should_write(self._outcomes)):
            return
        ahead.resize_batch()
        flights: list[Attempt] = []
        while not self.summary.stop and ahead.lookahead(self._outcomes) > len(flights) and (flight := self._next_due()):
            flights.append(flight)
        if self._outcomes or flights:
            outcomes, self._outcomes = self._outcomes, []
            ahead.start_write(outcomes, flights)

    def _take_in(self, written: WriteResult) -> None:
        """What a write claimed may start; what somebody else has may not, and nothing may if the write failed."""
        claims = [flight.claim for flight in written.attempts]
        self._unclaimed.extendleft(reversed(written.unclaimed))
        if written.error:
            self._outcomes = [*written.outcomes, *self._outcomes]
            self._failed(written.error, claims)
            return
        self._is_failing = False
        for record in (*written.outcomes, *claims):
            if record.status != "claimed" or record.attempt not in written.lost:
                self._log(record)
        for flight in list(self._claimed):
            # Claimed before, and somebody settled it meanwhile: it may be another's by now.
            if flight.claim.attempt in written.lost:
                self._claimed.remove(flight)
                self._settle(flight, Outcome("released"))
        for flight in written.attempts:
            if flight.claim.attempt in written.lost:
                self.summary.claimed_by_others += 1
            else:
                self._in_flight[flight.claim.attempt] = flight
                self._claimed.append(flight)

    def _flight(self, prepared: PreparedDelivery) -> Attempt | None:
        """A delivery with its claim, or nothing where it is settled without one."""
        declaration, delivery = prepared.declaration, prepared.delivery
        if self._is_over(declaration):
            self._expired[declaration.name] += 1
            return None
        claim = self._records.new_claim(prepared)
        contact = None
        if prepared.contacts is not None:
            found = choose_contact(delivery, prepared.contacts)
            if isinstance(found, NoContact):
                self._refuse(claim, found.code, found.message)
                return None
            contact = found.contact
            self.summary.warnings.extend(found.warnings)
            claim = replace(claim, contact=contact.id)
        if claim.contact and not self._is_first(claim):
            self._refuse(claim, "same_contact", "this contact was sent this revision already, under another address")
            return None
        return Attempt(
            claim,
            build_body(delivery.payload, self._settings.api_version, contact),
            declaration,
            delivery.private_values,
        )

    def _is_first(self, claim: Record) -> bool:
        """Whether no other delivery of this revision reached the contact, in the ledger or in this run."""
        reached = (claim.message, claim.revision, claim.contact)
        return not self._ledger.facts.has_reached(*reached, except_key=claim.key) and self._reached_contacts.add(
            *reached
        )

    def _looked_up(self, result: LookupResult) -> None:
        result.batch.contacts = result.contacts
        if result.error:
            kind: StopKind = "later" if isinstance(result.error, RateExhausted) else "error"
            self._stopping.stop(StopReason(kind, result.error.message, result.error.hint))

    def _landed(self, posted: PostResult) -> None:
        """Takes what came back for a flight: an outcome, or another try."""
        flight = posted.attempt
        verdict = self._poster.decide_outcome(posted)
        if isinstance(verdict, Retry):
            if not self.summary.stop:
                heapq.heappush(self._to_retry, (self._clock.monotonic() + verdict.seconds, flight.claim.attempt))
                return
            verdict = Outcome("released")
        self._settle(flight, verdict)

    def _release_waiting(self) -> None:
        """What waits for another try after a stop was provably not made."""
        for _, attempt in self._to_retry:
            self._settle(self._in_flight[attempt], Outcome("released"))
        self._to_retry = []
        while self._claimed:
            self._settle(self._claimed.popleft(), Outcome("released"))

    def _refuse(self, claim: Record, code: str, message: str) -> None:
        """Refuses without a claim: nothing was about to be sent. A contact that is still missing has its record."""
        record = replace(claim, status="refused", code=code, sender="", conversation=False)
        known = self._ledger.facts.state(claim.key) if code == CONTACT_NOT_FOUND else None
        if known and known.was_not_found_as(claim.digest):
            self.summary.still_not_found.append(ReportedDelivery(record, message))
            return
        self._outcomes.append(record)
        self.summary.refused.append(ReportedDelivery(record, message))
        self._stopping.check_breakers()

    def _settle(self, flight: Attempt, outcome: Outcome) -> None:
        del self._in_flight[flight.claim.attempt]
        record = self._records.new_outcome(flight.claim, outcome)
        self._outcomes.append(record)
        self.summary.count(
            ReportedDelivery(record, mark_private_values(outcome.detail, flight.values) if outcome.detail else "")
        )
        if outcome.stop and outcome.stop.kind == "expired":
            self._expired[flight.claim.message] += 1
        elif outcome.stop:
            self._stopping.stop(outcome.stop)
        self._stopping.record_outcome(is_unknown=outcome.status == "unknown")

    def _commit(self, claims: list[Record]) -> bool:
        """Makes outcomes and claims durable in one append. If that fails nothing starts, and outcomes are kept."""
        if not self._outcomes and not claims:
            return True
        try:
            self._ledger.commit(*self._outcomes, *claims)
        except LedgerUnavailable as error:
            self._failed(error, claims)
            return False
        for record in (*self._outcomes, *claims):
            self._log(record)
        self._outcomes, self._is_failing = [], False
        return True

    def _failed(self, error: LedgerUnavailable, claims: list[Record]) -> None:
        """Stops the run, because the ledger took nothing."""
        self._is_failing = True
        if isinstance(error, ClaimsUncertain):  # without it they would seem unknown for ever, and nothing was POSTed
            self._outcomes += [self._records.new_outcome(claim, Outcome("released")) for claim in claims]
        self._stopping.stop(StopReason("ledger", error.message, error.hint))

    def _finish(self) -> None:
        """Tries to write what could not be written, and tells of what never came back: its claim makes it unknown."""
        while self._background and self._background.is_writing:  # git has its own bounds
            if written := self._background.poll(_PATIENCE):
                self._take_in(written)
        while self._claimed:
            self._settle(self._claimed.popleft(), Outcome("released"))
        # Ahead of its turn the ledger tries again by itself.
        for left in range(1 if self._background else _WRITES, 0, -1):
            if self._commit([]):
                break
            if left > 1:
                self._clock.sleep(1.0)
        self.summary.unwritten.extend(self._outcomes)
        self.summary.skipped = self._expired.total()
        for name, count in self._expired.items():
            self.summary.warnings.append(f"{name} expired while it was sent: {count} were left out")
        for flight in self._in_flight.values():
            self.summary.count(
                ReportedDelivery(replace(flight.claim, status="unknown"), "no answer came before the run ended")
            )

    def _halted(self, declaration: Declaration) -> StopReason | None:
        """Asked in a lane immediately before a POST."""
        if self._is_over(declaration):
            return StopReason(
                "expired", f"{declaration.name} expired while it was sent", "raise expires, if that is meant"
            )
        if not self._ledger.has_valid_claims:
            message = "the ledger was out of reach for so long that others may settle what this run has claimed"
            return StopReason("ledger", message, "run the same command again to go on")
        return self._stop_conditions.stop_reason(self._clock)

    def _is_over(self, declaration: Declaration) -> bool:
        return declaration.expires is not None and self._clock.now() >= declaration.expires
