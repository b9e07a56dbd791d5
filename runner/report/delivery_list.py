"""Deliveries that a person has to look at, grouped by equal reasons instead of repeating them."""

from collections.abc import Iterable
from dataclasses import dataclass

from runner.ledger.record import Record
from runner.privacy import AnyText, reveal_or_mask
from runner.report.layout import GAP, flow
from runner.report.plain_text import MAX_LISTED
from runner.report.recipients import Recipients
from runner.report.terminal_text import one_line, style


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A delivery in a list: its record, the reason why it is there, and what else is known of it."""

    record: Record
    reason: AnyText
    details: tuple[str, ...] = ()


def format_delivery_list(
    status: str,
    colour: str,
    items: Iterable[ListedDelivery],
    recipients: Recipients,
    width: int,
    *,
    show_values: bool,
    links: bool,
) -> list[str]:
    """Returns lines: for each reason how many deliveries have it, then the recipients by name, at most 20 of all.

    `width` is in columns, 0 for no limit. `links`: with the link to each contact in Intercom, where it is known.
    """

    def name(item: ListedDelivery) -> str:
        return reveal_or_mask(recipients.name(item.record), show_values=show_values)

    groups: dict[str, list[ListedDelivery]] = {}
    for item in items:
        groups.setdefault(reveal_or_mask(item.reason, show_values=show_values), []).append(item)
    lines: list[str] = []
    listed = 0
    largest_first = sorted(groups.items(), key=lambda group: -len(group[1]))
    for reason, members in largest_first[:MAX_LISTED]:
        lines.append(one_line(f"  {style(f'{len(members):,} {status}', colour)}: {reason or 'no reason is known'}"))
        shown = sorted(members, key=name)[: max(1, MAX_LISTED - listed)]
        listed += len(shown)
        for item in shown:
            parts = [name(item), item.record.message, *item.details]
            lines.append(_format_delivery(parts, recipients.contact_url(item.record) if links else "", width))
        if len(members) > len(shown):
            lines.append(f"    and {len(members) - len(shown):,} more")
    if hidden := sum(len(members) for _, members in largest_first[MAX_LISTED:]):
        lines.append(f"  and {hidden:,} more {status}, for other reasons")
    return lines


def _format_delivery(parts: Iterable[str], url: str, width: int) -> str:
    """Returns a recipient and what is known of the delivery, and the link to the contact on a line of its own."""
    first, *others = (one_line(part) for part in parts if part)
    text = flow([f"    {first}", *others], width, indent="      ", separator=GAP)
    return f"{text}\n      {style(one_line(url), 'dim')}" if url else text
