"""Every recipient of a planned message, a line each, with what becomes of the delivery."""

from collections.abc import Iterator
from dataclasses import replace

from runner.declare.audience.selection import Selection
from runner.declare.delivery import render_deliveries
from runner.errors import Problem
from runner.plan.actions import REFUSED_BEFORE
from runner.plan.deliveries import PlannedDelivery, PlannedMessage
from runner.privacy import reveal_or_mask
from runner.report.plan_text import SYMBOLS
from runner.report.problem_text import explain_left_out
from runner.report.terminal_text import one_line


def list_recipients(message: PlannedMessage, sends: int, salt: str, *, show_values: bool) -> Iterator[str]:
    """Yields a line for each recipient, in the order of the audience, with the symbol that the plan has.

    Those whom a filter or a list leaves out are among them. `sends` is the number of deliveries that this run sends:
    the first ones.
    """
    planned = iter(message.deliveries)
    following = next(planned, None)
    everybody = replace(message.declaration, selection=Selection())
    for delivery in render_deliveries(everybody, salt, skip_duplicate_check=True):
        if isinstance(delivery, Problem):
            continue
        symbol, why = SYMBOLS["excluded"], ""
        if following and delivery.key == following.key:
            sends -= following.action == "send"
            symbol, why = SYMBOLS[following.action], _describe(following, is_in_run=sends >= 0)
            following = next(planned, None)
        elif any(message.left_out.values()):
            why = explain_left_out(message.left_out)
        name = reveal_or_mask(delivery.label, show_values=show_values)
        yield one_line(f"{symbol} {name}{f'   {why}' if why else ''}")


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
