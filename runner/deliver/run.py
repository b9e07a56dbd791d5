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
from runner.deliver.attempt_records import Records
from runner.deliver.background_claims import Ahead, Written
from runner.deliver.contact import NoContact, chosen
from runner.deliver.post import Again, Flight, Outcome, Posted, Sender
from runner.deliver.queue import Due, LookedUp, Prepared
from runner.deliver.reached_contacts import Reached
from runner.deliver.stop import Halt, Stopping
from runner.deliver.summary import Stop, StopKind, Summary, Told
from runner.deliver.threads import MOST_LANES, Lanes
from runner.errors import GuardRefused, LedgerUnavailable, RateExhausted
from runner.intercom.rate_limit import Pace
from runner.intercom.wire_format import wire
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
    """One apply of one plan, on at most so many `lanes`. `run_id` names its attempts.

    `progress` hears of every round, `log` of every record once it is durable.
    """

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        ledger: Ledger,
        workspace: Workspace,
        sender: Sender,
        pace: Pace,
        clock: Clock,
        halt: Halt,
        run_id: str,
        progress: Callable[[Summary], None],
        log: Callable[[Record], None] = lambda _: None,
        lanes: int = MOST_LANES,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._sender = sender
        self._pace = pace
        self._clock = clock
        self._halt = halt
        self._records = Records(run_id, plan.digest, settings.salt, clock)
        self._progress = progress
        self._log = log
        self._due = Due(plan, settings, workspace)
        self._lanes: Lanes[Posted | LookedUp] = Lanes(lanes)
        self._ahead = Ahead(ledger, plan.to_send) if ledger.max_batch > 1 else None
        self._ready: deque[Flight] = deque()  # claimed ahead, and not started
        self._left: deque[Flight] = deque()  # looked at ahead, and not claimed
        self._flying: dict[str, Flight] = {}
        self._again: list[tuple[float, str]] = []
        self._outcomes: list[Record] = []
        self._reached = Reached()
        self._expired: Counter[str] = Counter()
        self._is_failing = False  # the last append failed
        self.summary = Summary(planned=plan.to_send)
        self._stopping = Stopping(self.summary, settings.abort_conditions, clock)

    def deliver(self) -> Summary:
        """Sends every planned delivery, in order, up to the plan's limit; returns what came of it."""
        try:
            while not self._is_done():
                self._round()
        finally:
            self._lanes.close()
            self._finish()
            if self._ahead:
                self._ahead.close()
        return self.summary

    def _is_done(self) -> bool:
        if self._ahead and self._ahead.is_writing:
            return False
        if self.summary.stop is None:
            return self._due.is_over and not self._left and not self._flying and not self._outcomes
        if self._flying and not self._stopping.is_drained:
            return False
        return not self._outcomes or self._is_failing

    def _round(self) -> None:
        """Writes what came back and what starts, starts it, and waits for what comes back next."""
        self._stopping.stop(self._halt.reason(self._clock))
        if self.summary.stop:
            self._release_waiting()
        if self._ahead:
            self._write_ahead(self._ahead)
        starts = [] if self.summary.stop else self._starts()
        claims = [flight.claim for flight in starts if flight.claim.attempt not in self._flying]
        if self._ahead or self._commit(claims):
            for flight in starts:
                self._flying[flight.claim.attempt] = flight
                self._lanes.start(partial(self._sender.post, flight, self._halted))
        else:
            self._again += [(0.0, flight.claim.attempt) for flight in starts if flight.claim.attempt in self._flying]
        for result in self._lanes.results(self._patience()):
            if isinstance(result, LookedUp):
                self._looked_up(result)
            else:
                self._landed(result)
        self._progress(self.summary)

    def _patience(self) -> float:
        """Seconds to wait for results: where a limit is near, one tick for all of them, so that rounds are few."""
        if self._lanes.busy and (self.summary.stop or not self._pace.is_tight):
            return _PATIENCE
        if self._lanes.busy or not self._is_done():
            self._clock.sleep(SHORT_TICK if self._ahead else TICK)
        return 0.0

    def _starts(self) -> list[Flight]:
        """What may start now: first what is to be tried again, then the next of the plan."""
        try:
            for job in self._due.look_ahead(self._lanes.free // 2):
                self._lanes.start(job)
        except GuardRefused as error:
            self._stopping.stop(Stop("guard", error.message, error.hint))
            return []
        starts: list[Flight] = []
        granted = self._pace.take(self._lanes.free)
        while len(starts) < granted and self._again and self._again[0][0] <= self._clock.monotonic():
            starts.append(self._flying[heapq.heappop(self._again)[1]])
        while len(starts) < granted and (flight := self._next()):
            starts.append(flight)
        self._pace.give_back(granted - len(starts))
        if self._ahead:
            self._ahead.watch(len(self._ready), is_short=len(starts) < granted and not self._due.is_over)
        return starts

    def _next(self) -> Flight | None:
        """The next delivery to start: one that was claimed ahead, or where that is not done, the next of the plan."""
        if self._ahead:
            return self._ready.popleft() if self._ready else None
        return self._next_due()

    def _next_due(self) -> Flight | None:
        """The next delivery of the plan that has to be claimed."""
        if self._left:
            left = self._left.popleft()
            left.claim = replace(left.claim, at=self._records.time())
            return left
        while prepared := self._due.take():
            if flight := self._flight(prepared):
                return flight
        return None

    def _write_ahead(self, ahead: Ahead) -> None:
        """Takes in what was written, and begins the next write if it is worth it."""
        if written := ahead.written():
            self._take_in(written)
        is_dry = not self._flying or self.summary.stop is not None
        if ahead.is_writing or self._is_failing or not (is_dry or ahead.is_worth_it(self._outcomes)):
            return
        ahead.fit()
        flights: list[Flight] = []
        while not self.summary.stop and ahead.sight(self._outcomes) > len(flights) and (flight := self._next_due()):
            flights.append(flight)
        if self._outcomes or flights:
            outcomes, self._outcomes = self._outcomes, []
            ahead.write(outcomes, flights)

    def _take_in(self, written: Written) -> None:
        """What a write claimed may start; what somebody else has may not, and nothing may if the write failed."""
        claims = [flight.claim for flight in written.flights]
        self._left.extendleft(reversed(written.left))
        if written.error:
            self._outcomes = [*written.outcomes, *self._outcomes]
            self._failed(written.error, claims)
            return
        self._is_failing = False
        for record in (*written.outcomes, *claims):
            if record.status != "claimed" or record.attempt not in written.lost:
                self._log(record)
        for flight in list(self._ready):
            # Claimed before, and somebody settled it meanwhile: it may be another's by now.
            if flight.claim.attempt in written.lost:
                self._ready.remove(flight)
                self._settle(flight, Outcome("released"))
        for flight in written.flights:
            if flight.claim.attempt in written.lost:
                self.summary.taken += 1
            else:
                self._flying[flight.claim.attempt] = flight
                self._ready.append(flight)

    def _flight(self, prepared: Prepared) -> Flight | None:
        """A delivery with its claim, or nothing where it is settled without one."""
        declaration, delivery = prepared.declaration, prepared.delivery
        if self._is_over(declaration):
            self._expired[declaration.name] += 1
            return None
        claim = self._records.claim(prepared)
        contact = None
        if prepared.contacts is not None:
            found = chosen(delivery, prepared.contacts)
            if isinstance(found, NoContact):
                self._refuse(claim, found.code, found.message)
                return None
            contact = found.contact
            self.summary.warnings.extend(found.warnings)
            claim = replace(claim, contact=contact.id)
        if claim.contact and not self._is_first(claim):
            self._refuse(claim, "same_contact", "this contact was sent this revision already, under another address")
            return None
        return Flight(
            claim, wire(delivery.payload, self._settings.api_version, contact), declaration, delivery.private_values
        )

    def _is_first(self, claim: Record) -> bool:
        """Whether no other delivery of this revision reached the contact, in the ledger or in this run."""
        reached = (claim.message, claim.revision, claim.contact)
        return not self._ledger.facts.has_reached(*reached, except_key=claim.key) and self._reached.add(*reached)

    def _looked_up(self, result: LookedUp) -> None:
        result.batch.contacts = result.contacts
        if result.error:
            kind: StopKind = "later" if isinstance(result.error, RateExhausted) else "error"
            self._stopping.stop(Stop(kind, result.error.message, result.error.hint))

    def _landed(self, posted: Posted) -> None:
        """Takes what came back for a flight: an outcome, or another try."""
        flight = posted.flight
        verdict = self._sender.judged(posted)
        if isinstance(verdict, Again):
            if not self.summary.stop:
                heapq.heappush(self._again, (self._clock.monotonic() + verdict.seconds, flight.claim.attempt))
                return
            verdict = Outcome("released")
        self._settle(flight, verdict)

    def _release_waiting(self) -> None:
        """What waits for another try after a stop was provably not made."""
        for _, attempt in self._again:
            self._settle(self._flying[attempt], Outcome("released"))
        self._again = []
        while self._ready:
            self._settle(self._ready.popleft(), Outcome("released"))

    def _refuse(self, claim: Record, code: str, message: str) -> None:
        """Refuses without a claim: nothing was about to be sent. A contact that is still missing has its record."""
        record = replace(claim, status="refused", code=code, sender="", conversation=False)
        known = self._ledger.facts.state(claim.key) if code == CONTACT_NOT_FOUND else None
        if known and known.was_not_found_as(claim.digest):
            self.summary.missing.append(Told(record, message))
            return
        self._outcomes.append(record)
        self.summary.refused.append(Told(record, message))
        self._stopping.check()

    def _settle(self, flight: Flight, outcome: Outcome) -> None:
        del self._flying[flight.claim.attempt]
        record = self._records.closed(flight.claim, outcome)
        self._outcomes.append(record)
        self.summary.count(Told(record, mark_private_values(outcome.said, flight.values) if outcome.said else ""))
        if outcome.stop and outcome.stop.kind == "expired":
            self._expired[flight.claim.message] += 1
        elif outcome.stop:
            self._stopping.stop(outcome.stop)
        self._stopping.settled(is_unknown=outcome.status == "unknown")

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
            self._outcomes += [self._records.closed(claim, Outcome("released")) for claim in claims]
        self._stopping.stop(Stop("ledger", error.message, error.hint))

    def _finish(self) -> None:
        """Tries to write what could not be written, and tells of what never came back: its claim makes it unknown."""
        while self._ahead and self._ahead.is_writing:  # git has its own bounds
            if written := self._ahead.written(_PATIENCE):
                self._take_in(written)
        while self._ready:
            self._settle(self._ready.popleft(), Outcome("released"))
        # Ahead of its turn the ledger tries again by itself.
        for left in range(1 if self._ahead else _WRITES, 0, -1):
            if self._commit([]):
                break
            if left > 1:
                self._clock.sleep(1.0)
        self.summary.unwritten.extend(self._outcomes)
        self.summary.skipped = self._expired.total()
        for name, count in self._expired.items():
            self.summary.warnings.append(f"{name} expired while it was sent: {count} were left out")
        for flight in self._flying.values():
            self.summary.count(Told(replace(flight.claim, status="unknown"), "no answer came before the run ended"))

    def _halted(self, declaration: Declaration) -> Stop | None:
        """Asked in a lane immediately before a POST."""
        if self._is_over(declaration):
            return Stop("expired", f"{declaration.name} expired while it was sent", "raise expires, if that is meant")
        if not self._ledger.has_valid_claims:
            message = "the ledger was out of reach for so long that others may settle what this run has claimed"
            return Stop("ledger", message, "run the same command again to go on")
        return self._halt.reason(self._clock)

    def _is_over(self, declaration: Declaration) -> bool:
        return declaration.expires is not None and self._clock.now() >= declaration.expires
