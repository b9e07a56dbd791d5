"""What is to be sent next, in the order of the plan: rendered again, and with its recipient looked up ahead of time."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.settings import Settings
from runner.errors import GuardRefused, RunStopped
from runner.intercom.wire_format import Contact, needs_lookup
from runner.intercom.workspace import SEARCH_BATCH, Workspace
from runner.plan.deliveries import PlannedMessage
from runner.plan.plan import Plan

_AHEAD = 8  # batches; enough for the longest latency at the highest rate, and little to throw away at a stop


ContactsByAddress = dict[tuple[str, str], list[Contact]]


@dataclass(frozen=True, slots=True)
class PreparedDelivery:
    """A delivery to send: `contacts` are those with its address, or None where no look-up is needed."""

    declaration: Declaration
    delivery: Delivery
    contacts: list[Contact] | None


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The contacts of a batch, or why they could not be read."""

    batch: "Batch"
    contacts: ContactsByAddress
    error: RunStopped | None = None


@dataclass(slots=True, eq=False)
class Batch:
    """Some deliveries of one message. `contacts` is None as long as their look-up is on its way."""

    declaration: Declaration
    deliveries: deque[Delivery]
    contacts: ContactsByAddress | None


class DeliveryQueue:
    """The deliveries of a plan that are to be sent, up to its limit."""

    def __init__(self, plan: Plan, settings: Settings, workspace: Workspace) -> None:
        self._settings = settings
        self._workspace = workspace
        self._batches: deque[Batch] = deque()
        self._coming = self._rendered(plan)
        self._ended = False

    @property
    def is_exhausted(self) -> bool:
        """Whether there is nothing left to take."""
        return self._ended and not any(batch.deliveries for batch in self._batches)

    def next_lookups(self, lanes: int) -> list[Callable[[], LookupResult]]:
        """Jobs, at most `lanes`, that look up who the next recipients are. Raises GuardRefused."""
        jobs: list[Callable[[], LookupResult]] = []
        while len(self._batches) < _AHEAD and len(jobs) < max(1, lanes) and not self._ended:
            batch = next(self._coming, None)
            if batch is None:
                self._ended = True
                break
            self._batches.append(batch)
            wanted = [found for found in batch.deliveries if needs_lookup(found.payload, self._settings.api_version)]
            if wanted:
                jobs.append(lambda batch=batch, wanted=wanted: self._look_up(batch, wanted))  # type: ignore[misc]
            else:
                batch.contacts = {}
        return jobs

    def pop(self) -> PreparedDelivery | None:
        """The next delivery, if there is one and it is known who it goes to."""
        while self._batches and not self._batches[0].deliveries:
            self._batches.popleft()
        if not self._batches or self._batches[0].contacts is None:
            return None
        batch = self._batches[0]
        delivery = batch.deliveries.popleft()
        needed = needs_lookup(delivery.payload, self._settings.api_version)
        found = self._batches[0].contacts.get((delivery.kind, delivery.value), []) if needed else None
        return PreparedDelivery(batch.declaration, delivery, found)

    def _look_up(self, batch: Batch, wanted: list[Delivery]) -> LookupResult:
        found: ContactsByAddress = {}
        try:
            for kind in sorted({delivery.kind for delivery in wanted}):
                values = [delivery.value for delivery in wanted if delivery.kind == kind]
                found |= {(kind, value): who for value, who in self._workspace.contacts(kind, values).items()}
        except RunStopped as error:
            return LookupResult(batch, {}, error)
        return LookupResult(batch, found)

    def _rendered(self, plan: Plan) -> Iterator[Batch]:
        sends = plan.send_counts()
        for message in plan.messages:
            due = islice(self._of(message), sends[message.name])
            while batch := deque(islice(due, SEARCH_BATCH)):
                yield Batch(message.declaration, batch, None)

    def _of(self, message: PlannedMessage) -> Iterator[Delivery]:
        """The deliveries of a message to send. Whatever is rendered otherwise than planned raises GuardRefused."""
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
