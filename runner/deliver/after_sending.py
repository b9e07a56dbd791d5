"""Reads from Intercom which messages were replied to or dropped. Only a message with a conversation shows that."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

from runner.clock import format_timestamp
from runner.intercom.conversations import Conversations, MessageConversation
from runner.intercom.workspace import SEARCH_BATCH
from runner.ledger.key_state import State

# `no reply`: there is a conversation, without a reply of the contact. `no conversation`: none is there yet. `unknown`:
# the ledger has no id to look for.
OnlineStatus = Literal["replied", "dropped", "no reply", "no conversation", "unknown"]
ONLINE_STATUSES: tuple[OnlineStatus, ...] = ("replied", "dropped", "no reply", "no conversation", "unknown")
REPORTED: tuple[OnlineStatus, ...] = ("replied", "dropped")  # what is listed, a line each


@dataclass(frozen=True, slots=True)
class SentDelivery:
    """A delivery that was sent, by its key. `conversation` is what Intercom shows; None if there is none."""

    key: str
    status: OnlineStatus
    conversation: MessageConversation | None = None

    @property
    def replied_at(self) -> str:
        """When the contact first replied, as records have times; empty if it did not, or the time is not known."""
        at = self.conversation.replied_at if self.conversation else None
        try:
            return format_timestamp(datetime.fromtimestamp(at, UTC)) if at else ""
        except (ValueError, OverflowError, OSError):  # Intercom's answer is not trusted to hold a time that exists
            return ""


@dataclass(slots=True)
class AfterSending:
    """What became of each message, as (name, revision), and of the deliveries that have a conversation, by key."""

    counts: dict[tuple[str, int], Counter[OnlineStatus]] = field(default_factory=dict)
    deliveries: dict[str, SentDelivery] = field(default_factory=dict)

    def add(self, message: str, revision: int, delivery: SentDelivery) -> None:
        """Counts a delivery of a revision of a message."""
        self.counts.setdefault((message, revision), Counter())[delivery.status] += 1
        if delivery.conversation:
            self.deliveries[delivery.key] = delivery

    @property
    def totals(self) -> Counter[OnlineStatus]:
        """What became of all messages."""
        return sum(self.counts.values(), Counter[OnlineStatus]())

    def listed(self) -> list[SentDelivery]:
        """Returns the deliveries that were replied to or dropped, the dropped ones first, then the latest reply."""
        reported = [delivery for delivery in self.deliveries.values() if delivery.status in REPORTED]
        return sorted(reported, key=_sort_key)


def look_up_sent(
    conversations: Conversations, states: Iterable[State], old_version: str, on_progress: Callable[[int], None]
) -> AfterSending:
    """Returns what became of the deliveries with these states, all of which are sent.

    `old_version` is the API version of messages if it is 2.5 or earlier, else empty: then the contact's conversations
    are read, one request a contact or more. `on_progress` is called with the number of deliveries that were looked up.
    Raises RunStopped.
    """
    after = AfterSending()
    number = 0
    remaining = iter(states)
    while batch := list(islice(remaining, SEARCH_BATCH)):
        if old_version:
            items = _find_by_contact(conversations, batch, old_version)
        else:
            items = conversations.of_messages(list(dict.fromkeys(_list_ids(batch))))
        by_message: dict[str, MessageConversation] = {}
        for item in items:
            by_message.setdefault(item.message, item)
        for state in batch:
            delivery = _classify(state, by_message, needs_contact=bool(old_version))
            after.add(state.record.message, state.record.revision, delivery)
        number += len(batch)
        on_progress(number)
    return after


def _find_by_contact(conversations: Conversations, batch: list[State], version: str) -> Iterator[MessageConversation]:
    for contact in dict.fromkeys(filter(None, (state.record.known_contact for state in batch))):
        yield from conversations.of_contact(contact, version)


def _list_ids(batch: Iterable[State]) -> Iterator[str]:
    return (record.id for state in batch for record in state.sent_records if record.id)


def _classify(state: State, by_message: dict[str, MessageConversation], *, needs_contact: bool) -> SentDelivery:
    ids = list(_list_ids([state]))
    if not ids or (needs_contact and not state.record.known_contact):
        return SentDelivery(state.record.key, "unknown")
    # A delivery that was sent twice has two messages: what was replied to or dropped is what counts.
    found = [by_message[one] for one in ids if one in by_message]
    if not found:
        return SentDelivery(state.record.key, "no conversation")
    item = next((one for one in found if one.drop_reason or one.replied_at is not None), found[0])
    if item.replied_at is not None:
        return SentDelivery(state.record.key, "replied", item)
    return SentDelivery(state.record.key, "dropped" if item.drop_reason else "no reply", item)


def _sort_key(delivery: SentDelivery) -> tuple[bool, float, str]:
    replied_at = delivery.conversation.replied_at if delivery.conversation else None
    return delivery.status != "dropped", -(replied_at or 0.0), delivery.key
