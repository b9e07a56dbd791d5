"""The attempts that a run tries next, in the order of its plan. Their deliveries are rendered again, in advance."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from runner.clock import Clock
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.settings import Settings
from runner.deliver.attempt import Attempt
from runner.deliver.attempt_records import RecordFactory
from runner.deliver.contact_choice import ALREADY_REACHED, SAME_CONTACT
from runner.deliver.stop import StopController
from runner.deliver.summary import ReportedDelivery
from runner.errors import GuardRefused
from runner.intercom.contact import Contact
from runner.intercom.wire_format import build_body
from runner.ledger.ledger import Ledger
from runner.ledger.record import CONTACT_NOT_FOUND, Record
from runner.plan.deliveries import PlannedDelivery, PlannedMessage
from runner.plan.plan import Plan

_MAX_PREPARED = 120  # deliveries that are rendered in advance: enough for all threads, few to discard at a stop


@dataclass(frozen=True, slots=True)
class _RenderedDelivery:
    """A delivery to send, or to refuse without a claim. `planned` has the contact, or the reason."""

    declaration: Declaration
    delivery: Delivery
    planned: PlannedDelivery

    @property
    def contact(self) -> Contact | None:
        """The contact to send to, which the check of the recipients chose; None if the delivery is to be refused."""
        if self.planned.action == "refused":
            return None
        role, _, contact_id = self.planned.contact.partition(":")
        assert contact_id, "recipients are checked before anything is sent"
        return Contact(contact_id, role)


class AttemptSource:
    """Makes attempts of the deliveries that a plan sends.

    A delivery that must not be POSTed gets no attempt: it is refused, or counted in `expired` by the message's name.
    A message that `stop` puts off is skipped. Once the run stops, there are no more attempts.
    """

    def __init__(
        self, plan: Plan, settings: Settings, ledger: Ledger, records: RecordFactory, clock: Clock, stop: StopController
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._records = records
        self._clock = clock
        self._stop = stop
        self._rendered: deque[_RenderedDelivery] = deque()
        self._upcoming = self._render(plan)
        self._has_ended = False
        self._refused: list[Record] = []  # since the last `take`
        self.expired: Counter[str] = Counter()

    @property
    def is_exhausted(self) -> bool:
        """Whether no attempt is left."""
        return self._has_ended and not self._rendered

    def prepare(self) -> None:
        """Renders the next deliveries. Raises GuardRefused if one is not rendered as planned."""
        wanted = _MAX_PREPARED - len(self._rendered)
        if wanted > 0 and not self._has_ended:
            upcoming = list(islice(self._upcoming, wanted))
            self._rendered.extend(upcoming)
            self._has_ended = len(upcoming) < wanted

    def take(self, limit: int) -> tuple[list[Attempt], list[Record]]:
        """Removes and returns the next attempts, up to `limit`, and the records of deliveries that it refused.

        There are fewer attempts if no more deliveries are prepared.
        """
        attempts: list[Attempt] = []
        while len(attempts) < limit and self._stop.summary.stop is None and (attempt := self._next()):
            attempts.append(attempt)
        refused, self._refused = self._refused, []
        return attempts, refused

    def _next(self) -> Attempt | None:
        while self._rendered:
            rendered = self._rendered.popleft()
            is_put_off = rendered.planned.action == "send" and self._stop.puts_off(rendered.declaration)
            if not is_put_off and (new_attempt := self._create(rendered)):
                return new_attempt
        return None

    def _create(self, rendered: _RenderedDelivery) -> Attempt | None:
        """Returns an attempt with its claim; None if the delivery is expired or refused without a claim."""
        declaration, delivery, planned = rendered.declaration, rendered.delivery, rendered.planned
        if declaration.is_expired(self._clock.now()):
            self.expired[declaration.name] += 1
            return None
        contact = rendered.contact
        claim = self._records.new_claim(declaration, delivery, contact)
        if contact is None:
            self._stop.summary.unrecorded_refusals -= 1
            self._refuse(claim, planned.code, planned.reason)
            return None
        if claim.recipient_contact and self._has_reached_contact(claim):
            self._refuse(claim, SAME_CONTACT, ALREADY_REACHED)
            return None
        body = build_body(delivery.payload, self._settings.api_version, contact, sender_id=claim.sender)
        is_limited = self._settings.frequency is not None and not declaration.ignores_frequency
        values = (*delivery.private_values, delivery.address[1])
        return Attempt(claim, body, declaration, values, is_limited=is_limited)

    def _refuse(self, claim: Record, code: str, message: str) -> None:
        """Refuses a delivery without a claim, because it is not POSTed.

        If an earlier run recorded that its contact is missing, no second record is written.
        """
        record = replace(claim, status="refused", code=code, sender="", opens_conversation=False)
        state = self._ledger.facts.state(claim.key) if code == CONTACT_NOT_FOUND else None
        if state and state.was_not_found_as(claim.digest):
            self._stop.summary.still_not_found.append(ReportedDelivery(record, message))
            return
        self._refused.append(record)
        self._stop.summary.refused.append(ReportedDelivery(record, message))
        self._stop.check_abort_conditions()

    def _has_reached_contact(self, claim: Record) -> bool:
        """Returns whether another run has sent this revision to the contact since the recipients were checked.

        Two deliveries of a message in this run never have the same contact: that check refuses all but one of them.
        """
        contact = (claim.message, claim.revision, claim.recipient_contact)
        return self._ledger.facts.has_reached(*contact, except_key=claim.key)

    def _render(self, plan: Plan) -> Iterator[_RenderedDelivery]:
        send_counts = plan.send_counts()
        for message in plan.messages:
            yield from self._render_message(message, send_counts[message.name])

    def _render_message(self, message: PlannedMessage, sends: int) -> Iterator[_RenderedDelivery]:
        """Yields up to `sends` deliveries to send, and those that the check of the recipients refused.

        If a limit leaves a part of the message to a later run, so are those that were refused. Ends if the message is
        put off. Raises GuardRefused if a delivery is not rendered as planned.
        """
        is_partial = message.counts["send"] > sends
        refused = 0 if is_partial else message.deliveries.checked_counts("refused").total()
        if not (sends or refused):
            return
        rendered = render_deliveries(message.declaration, self._settings.salt, skip_duplicate_check=True)
        for planned in message.deliveries:
            delivery = next(rendered, None)
            if not isinstance(delivery, Delivery) or (delivery.key, delivery.digest) != (planned.key, planned.digest):
                raise GuardRefused(f"{message.name} changed after the plan was made", "run the command again")
            if planned.action == "send" and sends:
                if self._stop.puts_off(message.declaration):
                    return
                sends -= 1
                yield _RenderedDelivery(message.declaration, delivery, planned)
            elif planned.action == "refused" and planned.code and refused:
                refused -= 1
                yield _RenderedDelivery(message.declaration, delivery, planned)
            if not (sends or refused):
                return
