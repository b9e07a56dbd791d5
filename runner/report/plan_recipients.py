"""Every recipient of a planned message, a line each, with what becomes of the delivery."""

from collections.abc import Iterator

from runner.declare.delivery import Delivery, render_deliveries
from runner.plan.actions import REFUSED_BEFORE
from runner.plan.deliveries import PlannedDelivery, PlannedMessage
from runner.privacy import reveal_or_mask
from runner.report.plan_text import SYMBOLS
from runner.report.terminal_text import one_line


def list_recipients(message: PlannedMessage, sends: int, salt: str, *, show_values: bool) -> Iterator[str]:
    """Yields a line for each recipient, in the order of the audience, with the symbol that the plan has.

    `sends` is the number of deliveries that this run sends: the first ones.
    """
    rendered = (item for item in render_deliveries(message.declaration, salt) if isinstance(item, Delivery))
    for delivery, planned in zip(rendered, message.deliveries, strict=False):
        sends -= planned.action == "send"
        name = reveal_or_mask(delivery.label, show_values=show_values)
        why = _describe(planned, is_in_run=sends >= 0)
        yield one_line(f"{SYMBOLS[planned.action]} {name}{f'   {why}' if why else ''}")


def _describe(planned: PlannedDelivery, *, is_in_run: bool) -> str:
    match planned.action:
        case "send":
            return planned.reason if is_in_run else "not in this run"
        case "sent":
            return "already sent"
        case "refused" | "excluded":
            return f"{planned.action}: {planned.reason.removeprefix(REFUSED_BEFORE)}"
        case _:
            return planned.reason
