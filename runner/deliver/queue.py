"""The queue of deliveries to send, in the order of the plan: rendered again, with recipients looked up in advance."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.settings import Settings
from runner.errors import GuardRefused, RunStopped
from runner.intercom.contact import Contact
from runner.intercom.contact_search import ContactSearch
from runner.intercom.lookups import SEARCH_BATCH, Workspace
from runner.intercom.wire_format import needs_lookup
from runner.plan.deliveries import PlannedMessage
from runner.plan.plan import Plan

_MAX_BATCHES = 8  # batches prepared ahead: enough for the longest latency at the highest rate, few to discard at a stop
ContactsByAddress = dict[tuple[str, str], list[Contact]]


@dataclass(frozen=True, slots=True)
class PreparedDelivery:
    """A delivery to send. `contacts` are those with its address, or None if it needs no look-up."""

    declaration: Declaration
    delivery: Delivery
    contacts: list[Contact] | None


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The contacts of a batch, or the error that prevented reading them."""

    batch: "Batch"
    contacts: ContactsByAddress
    error: RunStopped | None = None


@dataclass(slots=True, eq=False)
class Batch:
    """Some deliveries of one message. `contacts` is None until their look-up has ended."""

    declaration: Declaration
    deliveries: deque[Delivery]
    contacts: ContactsByAddress | None


class DeliveryQueue:
    """The deliveries of a plan that are to be sent, up to its limit."""

    def __init__(self, plan: Plan, settings: Settings, workspace: Workspace) -> None:
        self._settings = settings
        self._contacts = ContactSearch(workspace)
        self._batches: deque[Batch] = deque()
        self._upcoming = self._render_batches(plan)
        self._has_ended = False

    @property
    def is_exhausted(self) -> bool:
        """Whether there is nothing left to take."""
        return self._has_ended and not any(batch.deliveries for batch in self._batches)

    def next_lookups(self, free_threads: int) -> list[Callable[[], LookupResult]]:
        """Returns jobs that look up the contacts of the next recipients: up to `free_threads`, or one if it is 0.

        Raises GuardRefused if a delivery is not rendered as planned.
        """
        jobs: list[Callable[[], LookupResult]] = []
        while len(self._batches) < _MAX_BATCHES and len(jobs) < max(1, free_threads) and not self._has_ended:
            batch = next(self._upcoming, None)
            if batch is None:
                self._has_ended = True
                break
            self._batches.append(batch)
            unresolved = [
                delivery for delivery in batch.deliveries if needs_lookup(delivery.payload, self._settings.api_version)
            ]
            if unresolved:
                jobs.append(lambda batch=batch, unresolved=unresolved: self._look_up(batch, unresolved))  # type: ignore[misc]
            else:
                batch.contacts = {}
        return jobs

    def pop(self) -> PreparedDelivery | None:
        """Removes and returns the next delivery; None if there is none, or its look-up has not ended."""
        while self._batches and not self._batches[0].deliveries:
            self._batches.popleft()
        if not self._batches or self._batches[0].contacts is None:
            return None
        batch = self._batches[0]
        delivery = batch.deliveries.popleft()
        is_lookup_needed = needs_lookup(delivery.payload, self._settings.api_version)
        contacts = self._batches[0].contacts.get(delivery.address, []) if is_lookup_needed else None
        return PreparedDelivery(batch.declaration, delivery, contacts)

    def _look_up(self, batch: Batch, deliveries: list[Delivery]) -> LookupResult:
        """Looks up the contacts of the deliveries of a batch; runs in a thread."""
        contacts_by_address: ContactsByAddress = {}
        try:
            addresses = list(dict.fromkeys(delivery.address for delivery in deliveries))
            for kind in sorted({kind for kind, _ in addresses}):
                values = [value for other, value in addresses if other == kind]
                contacts_by_address |= {
                    (kind, value): contacts for value, contacts in self._contacts.find(kind, values).items()
                }
        except RunStopped as error:
            return LookupResult(batch, {}, error)
        return LookupResult(batch, contacts_by_address)

    def _render_batches(self, plan: Plan) -> Iterator[Batch]:
        """Yields the deliveries to send in batches, each of one message."""
        send_counts = plan.send_counts()
        for message in plan.messages:
            deliveries = islice(self._render_sends(message), send_counts[message.name])
            while batch := deque(islice(deliveries, SEARCH_BATCH)):
                yield Batch(message.declaration, batch, None)

    def _render_sends(self, message: PlannedMessage) -> Iterator[Delivery]:
        """Yields the deliveries of a message whose action is `send`.

        Raises GuardRefused if a delivery is not rendered as planned.
        """
        rendered = render_deliveries(message.declaration, self._settings.salt, skip_duplicate_check=True)
        for planned in message.deliveries:
            delivery = next(rendered, None)
            if not isinstance(delivery, Delivery) or (delivery.key, delivery.digest) != (planned.key, planned.digest):
                raise GuardRefused(
                    f"{message.name} is not rendered as it was planned: a file changed meanwhile",
                    "run the command again to plan anew",
                )
            if planned.action == "send":
                yield delivery
