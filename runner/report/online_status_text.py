"""The online status of deliveries, as text and for JSON: replied, dropped, or nothing that Intercom shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from runner.deliver.online_status import ONLINE_STATUSES, OnlineStatus, OnlineStatuses, SentDelivery
from runner.ledger.record import Record
from runner.report.delivery_list import ListedDelivery
from runner.report.json_output import OnlineJson
from runner.report.layout import fitted_table, wrap
from runner.report.status_text import format_time
from runner.report.terminal_text import one_line, style

_COLOURS: Mapping[OnlineStatus, str | None] = {"replied": "green", "dropped": "red"}
_HEADS = {"unknown": "not known"}
_NO_CONVERSATION = (
    "{number} without a conversation: no reply so far, and Intercom does not show whether it was delivered. A"
    " conversation begins with the contact's reply{flag}. The newest may be missing for some minutes, and one that"
    " became a ticket needs the scope Read tickets."
)
_FLAG = ", or at once with create_conversation_without_contact_reply: true"
_OLD = "Intercom shows what it dropped only where api_version is 2.6 or later."
_UNKNOWN = "{number} not known: the ledger has no message id to look for{contact}."
_NO_CONTACT = ", or no contact, by which api_version 2.5 and earlier find a conversation"


def format_messages(statuses: OnlineStatuses, width: int, *, is_old: bool) -> str:
    """Returns a table of what became of each message, and what cannot be known. `is_old`: API version up to 2.5."""
    if not statuses.counts:
        return "Nothing was sent yet, so there is no conversation to look for."
    heads = ("message", "revision", "sent", *(_HEADS.get(status, status) for status in ONLINE_STATUSES))
    rows = [
        [one_line(style(name, "bold")), str(revision), f"{counts.total():,}", *map(str, _cells(counts))]
        for (name, revision), counts in sorted(statuses.counts.items())
    ]
    numbers = frozenset(heads[1:])
    lines = fitted_table(heads, rows, width, right=numbers, named=numbers)
    notes = []
    if number := statuses.totals["no conversation"]:
        notes.append(_NO_CONVERSATION.format(number=f"{number:,}", flag="" if is_old else _FLAG))
    if number := statuses.totals["unknown"]:
        notes.append(_UNKNOWN.format(number=f"{number:,}", contact=_NO_CONTACT if is_old else ""))
    if is_old:
        notes.append(_OLD)
    return "\n".join([*lines, *(f"\n{wrap(note, width)}" for note in notes)])


def list_deliveries(listed: Sequence[tuple[SentDelivery, Record]], *, with_conversations: bool) -> list[ListedDelivery]:
    """Returns the deliveries that were replied to, with the time of the first reply, or dropped, with the reason."""
    items = []
    for delivery, record in listed:
        item = delivery.conversation
        number = f"conversation {item.conversation}" if item and item.conversation and with_conversations else ""
        details = (format_time(delivery.replied_at), number)
        items.append(ListedDelivery(record, delivery.status, item.drop_reason if item else "", details))
    return items


def to_online_json(statuses: OnlineStatuses) -> OnlineJson:
    """Returns what became of deliveries, for the JSON of status."""
    return OnlineJson(
        _counts_to_dict(statuses.totals),
        {message: _counts_to_dict(counts) for message, counts in statuses.counts.items()},
        {key: _delivery_to_dict(delivery) for key, delivery in statuses.deliveries.items()},
    )


def _counts_to_dict(counts: Mapping[OnlineStatus, int]) -> dict[str, int]:
    return {status.replace(" ", "_"): counts.get(status, 0) for status in ONLINE_STATUSES}


def _delivery_to_dict(delivery: SentDelivery) -> dict[str, Any]:
    item = delivery.conversation
    value = {"status": delivery.status.replace(" ", "_"), "conversation": item.conversation if item else ""}
    at, reason = delivery.replied_at, item.drop_reason if item else ""
    return {**value, **({"replied_at": at} if at else {}), **({"drop_reason": reason} if reason else {})}


def _cells(counts: Counter[OnlineStatus]) -> list[str]:
    return [style(f"{counts[status]:,}", _COLOURS.get(status)) if counts[status] else "" for status in ONLINE_STATUSES]
