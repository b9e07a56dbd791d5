"""The attempts that a run may try next, in the order of its plan."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from runner.clock import Clock
from runner.declare.declaration import Declaration
from runner.declare.settings import Settings
from runner.deliver.attempt import Attempt
from runner.deliver.attempt_records import RecordFactory
from runner.deliver.contact_choice import ALREADY_REACHED, SAME_CONTACT
from runner.deliver.queue import DeliveryQueue, PreparedDelivery
from runner.deliver.summary import Summary
from runner.intercom.wire_format import build_body
from runner.ledger.facts import Facts
from runner.ledger.record import Record


class AttemptSource:
    """Makes attempts of the deliveries in a queue, and takes back those that a write did not claim.

    `facts` returns the records of the ledger. A delivery that must not be POSTed gets no attempt: an expired one is
    counted, and of another one `refuse` is called with its claim, a code and a message. Once `summary` has a reason to
    stop, there are no more attempts.
    """

    def __init__(
        self,
        queue: DeliveryQueue,
        records: RecordFactory,
        clock: Clock,
        settings: Settings,
        facts: Callable[[], Facts],
        summary: Summary,
        refuse: Callable[[Record, str, str], None],
    ) -> None:
        self._queue = queue
        self._records = records
        self._clock = clock
        self._settings = settings
        self._facts = facts
        self._refuse = refuse
        self._summary = summary
        self._unclaimed: deque[Attempt] = deque()
        self.expired: Counter[str] = Counter()

    @property
    def is_exhausted(self) -> bool:
        """Whether no attempt is left."""
        return self._queue.is_exhausted and not self._unclaimed

    def take(self, most: int) -> list[Attempt]:
        """Removes and returns the next attempts, up to `most`; fewer if no more are prepared."""
        attempts: list[Attempt] = []
        while len(attempts) < most and self._summary.stop is None and (attempt := self._next()):
            attempts.append(attempt)
        return attempts

    def put_back(self, attempts: Iterable[Attempt]) -> None:
        """Takes back attempts that a write did not try to claim. They come first again, in the same order."""
        self._unclaimed.extendleft(reversed(list(attempts)))

    def is_expired(self, declaration: Declaration) -> bool:
        """Whether nothing of a message may be POSTed any more."""
        return declaration.is_expired(self._clock.now())

    def _next(self) -> Attempt | None:
        if self._unclaimed:
            unclaimed = self._unclaimed.popleft()
            unclaimed.claim = replace(unclaimed.claim, at=self._records.timestamp())
            return unclaimed
        while prepared := self._queue.pop():
            if attempt := self._create(prepared):
                return attempt
        return None

    def _create(self, prepared: PreparedDelivery) -> Attempt | None:
        """Returns an attempt with its claim; None if the delivery is expired or refused without a claim."""
        declaration, delivery = prepared.declaration, prepared.delivery
        if self.is_expired(declaration):
            self.expired[declaration.name] += 1
            return None
        contact = prepared.contact
        claim = self._records.new_claim(prepared)
        if contact is None:
            self._refuse(claim, prepared.planned.code, prepared.planned.reason)
            return None
        if claim.recipient_contact and self._has_reached_contact(claim):
            self._refuse(claim, SAME_CONTACT, ALREADY_REACHED)
            return None
        body = build_body(delivery.payload, self._settings.api_version, contact, sender_id=claim.sender)
        is_limited = self._settings.frequency is not None and not declaration.ignores_frequency
        values = (*delivery.private_values, delivery.address[1])
        return Attempt(claim, body, declaration, values, is_limited=is_limited)

    def _has_reached_contact(self, claim: Record) -> bool:
        """Returns whether another run has sent this revision to the contact since the recipients were checked.

        Within a plan, that check leaves each contact to one delivery of a message.
        """
        contact = (claim.message, claim.revision, claim.recipient_contact)
        return self._facts().has_reached(*contact, except_key=claim.key)
