"""Sends a plan, several deliveries at once: claims, POSTs, and records the outcomes.

One thread decides; the threads of the pool only wait for the network. The `ClaimWriter` alone knows the kind of ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from runner.clock import Clock
from runner.declare.declaration import Declaration
from runner.declare.settings import Settings
from runner.deliver.attempt import ActiveAttempts, Attempt, Outcome
from runner.deliver.attempt_records import RecordFactory
from runner.deliver.attempt_source import AttemptSource
from runner.deliver.claims import ClaimWriter, WriteResult, make_claim_writer
from runner.deliver.post import MessagePoster, PostResult, Retry
from runner.deliver.stop import StopConditions, StopController
from runner.deliver.summary import ReportedDelivery, StopReason, Summary
from runner.deliver.threads import MAX_THREADS, POLL_INTERVAL, ThreadPool
from runner.errors import GuardRefused
from runner.intercom.rate_limit import RateLimiter
from runner.ledger.ledger import Ledger
from runner.ledger.record import NO_ORIGIN, Record, RunOrigin
from runner.plan.plan import Plan
from runner.privacy import mark_private_values


def make_run(
    plan: Plan, settings: Settings, ledger: Ledger, poster: MessagePoster, limiter: RateLimiter, clock: Clock,
    stop_conditions: StopConditions, run_id: str, progress: Callable[[Summary], None],
    *, log: Callable[[Record], None] = lambda _: None, max_threads: int = MAX_THREADS, origin: RunOrigin = NO_ORIGIN,
) -> "Run":  # fmt: skip
    """Returns a run that sends a plan, with at most `max_threads` threads.

    `run_id` is the beginning of the ids of its attempts. `origin` is who runs it, and where.
    """
    summary = Summary(planned=plan.to_send + plan.to_refuse, unrecorded_refusals=plan.to_refuse)
    stop = StopController(summary, stop_conditions, settings.abort_conditions, clock)
    records = RecordFactory(run_id, plan.digest, settings.salt, clock, plan.sender_ids, origin)
    source = AttemptSource(plan, settings, ledger, records, clock, stop)
    writer = make_claim_writer(ledger, source, plan.to_send, clock)
    return Run(source, records, writer, poster, stop, limiter, clock, ThreadPool(max_threads), progress, log)


@dataclass(slots=True, eq=False)
class Run:
    """The sending of one plan.

    `progress` is called after every round, and `log` with every record once it is durable.
    """

    _source: AttemptSource
    _records: RecordFactory
    _writer: ClaimWriter
    _poster: MessagePoster
    _stop: StopController
    _limiter: RateLimiter
    _clock: Clock
    _threads: ThreadPool[PostResult]
    _progress: Callable[[Summary], None]
    _log: Callable[[Record], None]
    _attempts: ActiveAttempts = field(default_factory=ActiveAttempts)

    @property
    def summary(self) -> Summary:
        """The result so far."""
        return self._stop.summary

    def deliver(self) -> Summary:
        """Sends every planned delivery, in order and up to the plan's limit. Returns the summary."""
        began = self._clock.monotonic()
        try:
            while not self._is_done():
                self._round()
        finally:
            self.summary.seconds = self._clock.monotonic() - began
            self._threads.close()
            self._finish()
            self._writer.close()
        return self.summary

    def _is_done(self) -> bool:
        if self._writer.is_writing:
            return False
        if self.summary.stop is None:
            return self._source.is_exhausted and not self._attempts and not self._writer.outcomes
        if self._attempts and not self._stop.is_drained:
            return False
        return not self._writer.outcomes or self._writer.is_failing

    def _round(self) -> None:
        """Claims what may start, starts it, and waits for the next results."""
        self._stop.check_conditions()
        if self.summary.stop is None:
            self._prepare()
        if self.summary.stop:
            self._release(self._attempts.remove_unstarted())
        granted = 0 if self.summary.stop else self._limiter.acquire(self._threads.free)
        self._claim(granted - self._attempts.startable(self._clock.monotonic()))
        attempts = [] if self.summary.stop else self._attempts.start(granted, self._clock.monotonic())
        self._limiter.give_back(granted - len(attempts))
        for attempt in attempts:
            self._threads.start(partial(self._poster.post, attempt, self._find_stop_reason))
        self.summary.in_flight = self._attempts.posting  # read at a Ctrl-C, which may come during the wait
        for result in self._collect_results():
            self._handle_result(result)
            self.summary.in_flight = self._attempts.posting
        self._progress(self.summary)

    def _collect_results(self) -> list[PostResult]:
        """Waits a short time, and returns the results of POSTs that have come.

        If a limit below 500 requests a second is known, the wait lasts one tick, so that one round handles several
        results. A higher limit needs every thread, and a stopped run must not lose time: then the first result ends it.
        """
        if self._threads.busy and (self.summary.stop or not self._limiter.has_low_limit):
            return self._threads.collect(POLL_INTERVAL)
        if self._threads.busy or not self._is_done():
            self._clock.sleep(self._writer.tick)
        return self._threads.collect(0.0)

    def _prepare(self) -> None:
        try:
            self._source.prepare()
        except GuardRefused as error:
            self._stop.stop(StopReason("guard", error.message, error.hint))

    def _claim(self, wanted: int) -> None:
        """Writes outcomes and claims. `wanted` is how many more attempts could be POSTed at once."""
        is_urgent = not self._attempts or self.summary.stop is not None
        self._handle_write(self._writer.write(max(0, wanted), is_urgent=is_urgent))

    def _handle_write(self, result: WriteResult) -> None:
        """Handles the result of a write. If it failed, the run stops: nothing may be POSTed without a durable claim."""
        for record in result.records:
            self._log(record)
        self._release(self._attempts.remove_revoked(result.revoked))
        self._attempts.add_claimed(result.claimed)
        self.summary.claimed_by_others += result.lost
        if result.error:
            # Without these outcomes the claims would stay unknown, though nothing was POSTed.
            for attempt in result.uncertain:
                self._writer.outcomes.append(self._records.new_outcome(attempt.claim, Outcome("released")))
            self._stop.stop(StopReason("ledger", result.error.message, result.error.hint))

    def _handle_result(self, posted: PostResult) -> None:
        """Handles the result of a POST: the attempt has an outcome, or waits for another try."""
        decision = self._poster.decide_outcome(posted)
        if isinstance(decision, Retry) and not self._attempts.may_retry(posted.attempt):
            decision = Outcome("released")
        if isinstance(decision, Retry):
            self._attempts.wait(posted.attempt, self._clock.monotonic() + decision.seconds)
        else:
            self._attempts.end(posted.attempt)
            self._record(posted.attempt, decision)

    def _release(self, attempts: list[Attempt]) -> None:
        """Records that attempts are given up. It is certain that Intercom made no message of them."""
        for attempt in attempts:
            self._record(attempt, Outcome("released"))

    def _record(self, attempt: Attempt, outcome: Outcome) -> None:
        """Records the outcome of an attempt, and stops the run if the outcome demands it."""
        record = self._records.new_outcome(attempt.claim, outcome)
        self._writer.outcomes.append(record)
        detail = mark_private_values(outcome.detail, attempt.values) if outcome.detail else ""
        self.summary.count(ReportedDelivery(record, detail))
        if outcome.stop and outcome.stop.kind == "expired":
            self._source.expired[attempt.claim.message] += 1
        elif outcome.stop and outcome.stop.kind == "quiet":
            self._stop.note_put_off(outcome.stop)
        elif outcome.stop:
            self._stop.stop(outcome.stop)
        self._stop.record_outcome(is_unknown=outcome.status == "unknown")

    def _finish(self) -> None:
        """Tries to write the remaining outcomes, and completes the summary.

        Attempts without an answer are reported as unknown: a claim without an outcome counts as unknown.
        """
        self._handle_write(self._writer.wait())
        self._release(self._attempts.remove_unstarted())
        self._handle_write(self._writer.write_last())
        self.summary.unwritten.extend(self._writer.outcomes)
        self.summary.expired = self._source.expired.total()
        for name, count in self._source.expired.items():
            self.summary.warnings.append(f"{name} expired during the run: {count} deliveries were not sent")
        for attempt in self._attempts:
            record = replace(attempt.claim, status="unknown")
            self.summary.count(ReportedDelivery(record, "no answer came before the run ended"))
        self._stop.finish()

    def _find_stop_reason(self, declaration: Declaration) -> StopReason | None:
        """Returns why a delivery must not be POSTed. Called by a thread of the pool right before the POST."""
        return self._stop.find_reason(declaration, has_valid_claims=self._writer.has_valid_claims)
