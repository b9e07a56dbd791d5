"""The queue of deliveries to send, in the order of the plan, rendered again."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.settings import Settings
from runner.errors import GuardRefused
from runner.intercom.contact import Contact
from runner.plan.deliveries import PlannedDelivery, PlannedMessage
from runner.plan.plan import Plan

_AHEAD = 120  # deliveries that are rendered in advance: enough for all threads, few to discard at a stop


@dataclass(frozen=True, slots=True)
class PreparedDelivery:
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


class DeliveryQueue:
    """The deliveries of a plan that are to be sent, up to its limit, and those before them that its check refused.

    What is to be sent of a message for which `is_put_off` returns True is left out.
    """

    def __init__(
        self, plan: Plan, settings: Settings, is_put_off: Callable[[Declaration], bool] = lambda _: False
    ) -> None:
        self._settings = settings
        self._is_put_off = is_put_off
        self._prepared: deque[PreparedDelivery] = deque()
        self._upcoming = self._render(plan)
        self._has_ended = False

    @property
    def is_exhausted(self) -> bool:
        """Whether there is nothing left to take."""
        return self._has_ended and not self._prepared

    def prepare(self) -> None:
        """Renders the next deliveries. Raises GuardRefused if one is not rendered as planned."""
        wanted = _AHEAD - len(self._prepared)
        if wanted > 0 and not self._has_ended:
            upcoming = list(islice(self._upcoming, wanted))
            self._prepared.extend(upcoming)
            self._has_ended = len(upcoming) < wanted

    def pop(self) -> PreparedDelivery | None:
        """Removes and returns the next delivery; None if none is prepared."""
        while self._prepared:
            prepared = self._prepared.popleft()
            if prepared.planned.action != "send" or not self._is_put_off(prepared.declaration):
                return prepared
        return None

    def _render(self, plan: Plan) -> Iterator[PreparedDelivery]:
        send_counts = plan.send_counts()
        for message in plan.messages:
            yield from self._render_message(message, send_counts[message.name])

    def _render_message(self, message: PlannedMessage, most: int) -> Iterator[PreparedDelivery]:
        """Yields up to `most` deliveries to send, and the refused ones that the check found.

        Refused ones are left out while a limit keeps back a part of the message. A message that is put off ends. Raises
        GuardRefused.
        """
        is_limited = message.counts["send"] > most
        refused = 0 if is_limited else message.deliveries.checked_counts("refused").total()
        if not (most or refused):
            return
        rendered = render_deliveries(message.declaration, self._settings.salt, skip_duplicate_check=True)
        for planned in message.deliveries:
            delivery = next(rendered, None)
            if not isinstance(delivery, Delivery) or (delivery.key, delivery.digest) != (planned.key, planned.digest):
                raise GuardRefused(
                    f"{message.name} changed after the plan was made",
                    "run the command again",
                )
            if planned.action == "send" and most:
                if self._is_put_off(message.declaration):
                    return
                most -= 1
                yield PreparedDelivery(message.declaration, delivery, planned)
            elif planned.action == "refused" and planned.code and refused:
                refused -= 1
                yield PreparedDelivery(message.declaration, delivery, planned)
            if not (most or refused):
                return
