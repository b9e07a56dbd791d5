"""Every recipient of a planned message, a line each, with what becomes of the delivery."""

from collections.abc import Iterator
from itertools import chain

from runner.declare.audience.recipient import Recipient
from runner.declare.audience.selection import FILTER_REASONS, Tally
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.keys_and_digests import delivery_key, label_recipient
from runner.plan.actions import REFUSED_BEFORE
from runner.plan.deliveries import PlannedDelivery, PlannedMessage
from runner.privacy import AnyText, reveal_or_mask
from runner.report.plan_text import SYMBOLS
from runner.report.terminal_text import one_line


def list_recipients(message: PlannedMessage, sends: int, salt: str, *, show_values: bool) -> Iterator[str]:
    """Yields a line for each recipient, in the order of the audience, with the symbol that the plan has.

    Those whom a filter or a list leaves out are among them. `sends` is the number of deliveries that this run sends:
    the first ones.
    """

    def format_row(symbol: str, name: AnyText, why: str) -> str:
        return one_line(f"{symbol} {reveal_or_mask(name, show_values=show_values)}{f'   {why}' if why else ''}")

    left_out: list[tuple[Recipient, str]] = []
    tally = Tally(on_left_out=lambda *recipient_and_reason: left_out.append(recipient_and_reason))
    planned = iter(message.deliveries)
    following = next(planned, None)
    declaration = message.declaration
    for delivery in chain(render_deliveries(declaration, salt, tally, skip_duplicate_check=True), [None]):
        for recipient, reason in left_out:  # those before the delivery
            name = _name_left_out(recipient, declaration, salt)
            yield format_row(SYMBOLS["excluded"], name, f"left out {FILTER_REASONS[reason]}")
        left_out.clear()
        if following and isinstance(delivery, Delivery) and delivery.key == following.key:
            sends -= following.action == "send"
            yield format_row(SYMBOLS[following.action], delivery.label, _describe(following, is_in_run=sends >= 0))
            following = next(planned, None)


def _name_left_out(recipient: Recipient, declaration: Declaration, salt: str) -> AnyText:
    value = recipient.render_identifier(recipient.merge_variables(declaration.variables))
    if not value:
        return declaration.audience.label(recipient.number)
    key = delivery_key(salt, declaration.name, declaration.revision, recipient.kind, value)
    return label_recipient(recipient.kind, value, key)


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
