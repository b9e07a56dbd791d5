"""Sends a plan, several deliveries at once: writes claims, POSTs, and writes outcomes.

One thread decides and writes. The threads of the pool only wait for the network. Each round writes the outcomes that
came back and the claims of the deliveries that start next in one append, so that it costs one fsync, however many
requests are open.
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
from runner.deliver.contact_choice import NoContact, choose_contact
from runner.deliver.post import Attempt, MessagePoster, Outcome, PostResult, Retry
from runner.deliver.queue import DeliveryQueue, LookupResult, PreparedDelivery
from runner.deliver.reached_contacts import ReachedContacts
from runner.deliver.stop import StopConditions, StopController
from runner.deliver.summary import ReportedDelivery, StopKind, StopReason, Summary
from runner.deliver.threads import MAX_THREADS, ThreadPool
from runner.errors import GuardRefused, LedgerUnavailable, RateExhausted
from runner.intercom.lookups import Workspace
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.wire_format import build_body
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.ledger import Ledger
from runner.ledger.record import CONTACT_NOT_FOUND, Record
from runner.plan.plan import Plan
from runner.privacy import mark_private_values

TICK = 0.05  # seconds between two rounds if the limit is below 500 requests a second, or no request is open
SHORT_TICK = 0.01  # the same with background claims: they stay open longer than this, and are one batch at most
_POLL_INTERVAL = 0.2  # seconds after which a waiting run checks signals and the stop file again
_FINAL_WRITE_TRIES = 4  # tries to write the last outcomes, a second apart


class Run:
    """One apply of one plan, on at most `max_threads` threads. `run_id` begins the names of its attempts.

    `progress` is called after every round, and `log` with every record once it is durable.
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
        self._claimed: deque[Attempt] = deque()  # claimed in the background, not started yet
        self._unclaimed: deque[Attempt] = deque()  # taken from the queue for a write that did not claim them
        self._in_flight: dict[str, Attempt] = {}
        self._to_retry: list[tuple[float, str]] = []
        self._outcomes: list[Record] = []
        self._reached_contacts = ReachedContacts()
        self._expired: Counter[str] = Counter()
        self._is_failing = False  # the last append failed
        self.summary = Summary(planned=plan.to_send)
        self._stop_controller = StopController(self.summary, settings.abort_conditions, clock)

    def deliver(self) -> Summary:
        """Sends every planned delivery, in order and up to the plan's limit. Returns the summary."""
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
        if self._in_flight and not self._stop_controller.is_drained:
            return False
        return not self._outcomes or self._is_failing

    def _round(self) -> None:
        """Writes outcomes and the claims of what starts, starts it, and waits for the next results."""
        self._stop_controller.stop(self._stop_conditions.stop_reason(self._clock))
        if self.summary.stop:
            self._release_waiting()
        if self._background:
            self._claim_in_background(self._background)
        starts = [] if self.summary.stop else self._choose_starts()
        claims = [attempt.claim for attempt in starts if attempt.claim.attempt not in self._in_flight]
        if self._background or self._commit(claims):
            for attempt in starts:
                self._in_flight[attempt.claim.attempt] = attempt
                self._threads.start(partial(self._poster.post, attempt, self._find_stop_reason))
        else:
            self._to_retry += [
                (0.0, attempt.claim.attempt) for attempt in starts if attempt.claim.attempt in self._in_flight
            ]
        for result in self._threads.collect(self._wait_time()):
            if isinstance(result, LookupResult):
                self._store_contacts(result)
            else:
                self._handle_result(result)
        self._progress(self.summary)

    def _wait_time(self) -> float:
        """Returns the seconds to wait for results.

        If a limit below 500 requests a second is known, or no request is open, it sleeps for one tick and returns 0.
        So one round handles several results. A stopped run with open requests does not sleep.
        """
        if self._threads.busy and (self.summary.stop or not self._limiter.has_low_limit):
            return _POLL_INTERVAL
        if self._threads.busy or not self._is_done():
            self._clock.sleep(SHORT_TICK if self._background else TICK)
        return 0.0

    def _choose_starts(self) -> list[Attempt]:
        """Returns the attempts that may start now: first those to be tried again, then the next of the plan."""
        try:
            for job in self._queue.next_lookups(self._threads.free // 2):
                self._threads.start(job)
        except GuardRefused as error:
            self._stop_controller.stop(StopReason("guard", error.message, error.hint))
            return []
        starts: list[Attempt] = []
        granted = self._limiter.acquire(self._threads.free)
        while len(starts) < granted and self._to_retry and self._to_retry[0][0] <= self._clock.monotonic():
            starts.append(self._in_flight[heapq.heappop(self._to_retry)[1]])
        while len(starts) < granted and (attempt := self._take_next()):
            starts.append(attempt)
        self._limiter.give_back(granted - len(starts))
        if self._background:
            self._background.observe_round(
                len(self._claimed), is_starved=len(starts) < granted and not self._queue.is_exhausted
            )
        return starts

    def _take_next(self) -> Attempt | None:
        """Returns the next attempt to start: one claimed in the background, or without that the next of the plan."""
        if self._background:
            return self._claimed.popleft() if self._claimed else None
        return self._take_unclaimed()

    def _take_unclaimed(self) -> Attempt | None:
        """Returns the next attempt of the plan that has to be claimed."""
        if self._unclaimed:
            unclaimed = self._unclaimed.popleft()
            unclaimed.claim = replace(unclaimed.claim, at=self._records.timestamp())
            return unclaimed
        while prepared := self._queue.pop():
            if attempt := self._create_attempt(prepared):
                return attempt
        return None

    def _claim_in_background(self, background: BackgroundClaims) -> None:
        """Handles the result of the last write, and begins the next one.

        It begins one if enough of the batch is free, if no attempt is in flight, or if the run stops.
        """
        if result := background.poll():
            self._handle_write(result)
        is_idle = not self._in_flight or self.summary.stop is not None
        if background.is_writing or self._is_failing or not (is_idle or background.should_write(self._outcomes)):
            return
        background.resize_batch()
        attempts: list[Attempt] = []
        while (
            not self.summary.stop
            and background.lookahead(self._outcomes) > len(attempts)
            and (attempt := self._take_unclaimed())
        ):
            attempts.append(attempt)
        if self._outcomes or attempts:
            outcomes, self._outcomes = self._outcomes, []
            background.start_write(outcomes, attempts)

    def _handle_write(self, result: WriteResult) -> None:
        """Handles the result of a background write.

        Attempts that it claimed may start. Attempts that other runs claimed may not. A failed write stops the run.
        """
        claims = [attempt.claim for attempt in result.attempts]
        self._unclaimed.extendleft(reversed(result.unclaimed))
        if result.error:
            self._outcomes = [*result.outcomes, *self._outcomes]
            self._stop_for_ledger(result.error, claims)
            return
        self._is_failing = False
        for record in (*result.outcomes, *claims):
            if record.status != "claimed" or record.attempt not in result.lost:
                self._log(record)
        for attempt in list(self._claimed):
            # An earlier write claimed it, and another run or a user settled that claim since: another run may send it.
            if attempt.claim.attempt in result.lost:
                self._claimed.remove(attempt)
                self._settle(attempt, Outcome("released"))
        for attempt in result.attempts:
            if attempt.claim.attempt in result.lost:
                self.summary.claimed_by_others += 1
            else:
                self._in_flight[attempt.claim.attempt] = attempt
                self._claimed.append(attempt)

    def _create_attempt(self, prepared: PreparedDelivery) -> Attempt | None:
        """Returns an attempt with its claim; None if the delivery is expired or refused without a claim."""
        declaration, delivery = prepared.declaration, prepared.delivery
        if self._is_expired(declaration):
            self._expired[declaration.name] += 1
            return None
        claim = self._records.new_claim(prepared)
        contact = None
        if prepared.contacts is not None:
            choice = choose_contact(delivery, prepared.contacts)
            if isinstance(choice, NoContact):
                self._refuse(claim, choice.code, choice.message)
                return None
            contact = choice.contact
            self.summary.warnings.extend(choice.warnings)
            claim = replace(claim, contact=contact.id)
        if claim.contact and not self._is_first_to_contact(claim):
            self._refuse(claim, "same_contact", "this contact was sent this revision already, under another address")
            return None
        return Attempt(
            claim,
            build_body(delivery.payload, self._settings.api_version, contact),
            declaration,
            delivery.private_values,
        )

    def _is_first_to_contact(self, claim: Record) -> bool:
        """Whether no other delivery of this revision reached the contact, in the ledger or in this run."""
        revision_and_contact = (claim.message, claim.revision, claim.contact)
        return not self._ledger.facts.has_reached(
            *revision_and_contact, except_key=claim.key
        ) and self._reached_contacts.add(*revision_and_contact)

    def _store_contacts(self, result: LookupResult) -> None:
        result.batch.contacts = result.contacts
        if result.error:
            kind: StopKind = "later" if isinstance(result.error, RateExhausted) else "error"
            self._stop_controller.stop(StopReason(kind, result.error.message, result.error.hint))

    def _handle_result(self, posted: PostResult) -> None:
        """Handles the result of a POST: settles the attempt, or schedules another try."""
        attempt = posted.attempt
        decision = self._poster.decide_outcome(posted)
        if isinstance(decision, Retry):
            if not self.summary.stop:
                heapq.heappush(self._to_retry, (self._clock.monotonic() + decision.seconds, attempt.claim.attempt))
                return
            decision = Outcome("released")
        self._settle(attempt, decision)

    def _release_waiting(self) -> None:
        """Releases, after a stop, the attempts that wait for a try: Intercom provably made no message of them."""
        for _, attempt_id in self._to_retry:
            self._settle(self._in_flight[attempt_id], Outcome("released"))
        self._to_retry = []
        while self._claimed:
            self._settle(self._claimed.popleft(), Outcome("released"))

    def _refuse(self, claim: Record, code: str, message: str) -> None:
        """Refuses a delivery without a claim, because it is not POSTed.

        If an earlier run recorded that its contact is missing, no second record is written.
        """
        record = replace(claim, status="refused", code=code, sender="", conversation=False)
        state = self._ledger.facts.state(claim.key) if code == CONTACT_NOT_FOUND else None
        if state and state.was_not_found_as(claim.digest):
            self.summary.still_not_found.append(ReportedDelivery(record, message))
            return
        self._outcomes.append(record)
        self.summary.refused.append(ReportedDelivery(record, message))
        self._stop_controller.check_breakers()

    def _settle(self, attempt: Attempt, outcome: Outcome) -> None:
        """Records the outcome of an attempt, and stops the run if the outcome demands it."""
        del self._in_flight[attempt.claim.attempt]
        record = self._records.new_outcome(attempt.claim, outcome)
        self._outcomes.append(record)
        self.summary.count(
            ReportedDelivery(record, mark_private_values(outcome.detail, attempt.values) if outcome.detail else "")
        )
        if outcome.stop and outcome.stop.kind == "expired":
            self._expired[attempt.claim.message] += 1
        elif outcome.stop:
            self._stop_controller.stop(outcome.stop)
        self._stop_controller.record_outcome(is_unknown=outcome.status == "unknown")

    def _commit(self, claims: list[Record]) -> bool:
        """Makes outcomes and claims durable in one append. Returns whether that succeeded.

        If it failed, nothing may start, and the outcomes are kept for the next append.
        """
        if not self._outcomes and not claims:
            return True
        try:
            self._ledger.commit(*self._outcomes, *claims)
        except LedgerUnavailable as error:
            self._stop_for_ledger(error, claims)
            return False
        for record in (*self._outcomes, *claims):
            self._log(record)
        self._outcomes, self._is_failing = [], False
        return True

    def _stop_for_ledger(self, error: LedgerUnavailable, claims: list[Record]) -> None:
        """Stops the run, because a write to the ledger failed. Claims of that write may be stored all the same."""
        self._is_failing = True
        if isinstance(
            error, ClaimsUncertain
        ):  # without these outcomes the claims would stay unknown, though nothing was POSTed
            self._outcomes += [self._records.new_outcome(claim, Outcome("released")) for claim in claims]
        self._stop_controller.stop(StopReason("ledger", error.message, error.hint))

    def _finish(self) -> None:
        """Tries to write the remaining outcomes, and completes the summary.

        Attempts without an answer are reported as unknown, as their claims make them.
        """
        while (
            self._background and self._background.is_writing
        ):  # no time limit: git and the database have their own time limits, so every write ends
            if result := self._background.poll(_POLL_INTERVAL):
                self._handle_write(result)
        while self._claimed:
            self._settle(self._claimed.popleft(), Outcome("released"))
        # A ledger with background claims repeats failed writes itself.
        for tries_left in range(1 if self._background else _FINAL_WRITE_TRIES, 0, -1):
            if self._commit([]):
                break
            if tries_left > 1:
                self._clock.sleep(1.0)
        self.summary.unwritten.extend(self._outcomes)
        self.summary.skipped = self._expired.total()
        for name, count in self._expired.items():
            self.summary.warnings.append(f"{name} expired while it was sent: {count} were left out")
        for attempt in self._in_flight.values():
            self.summary.count(
                ReportedDelivery(replace(attempt.claim, status="unknown"), "no answer came before the run ended")
            )

    def _find_stop_reason(self, declaration: Declaration) -> StopReason | None:
        """Returns why a delivery must not be POSTed. Called by a thread of the pool right before the POST."""
        if self._is_expired(declaration):
            return StopReason(
                "expired", f"{declaration.name} expired while it was sent", "raise expires, if that is meant"
            )
        if not self._ledger.has_valid_claims:
            message = "the ledger was out of reach for so long that others may settle what this run has claimed"
            return StopReason("ledger", message, "run the same command again to go on")
        return self._stop_conditions.stop_reason(self._clock)

    def _is_expired(self, declaration: Declaration) -> bool:
        return declaration.expires is not None and self._clock.now() >= declaration.expires
