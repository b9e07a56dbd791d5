"""Reads from Intercom which deliveries were replied to or dropped. Only one with a conversation shows that."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Literal, get_args

from runner.clock import format_timestamp
from runner.intercom.conversations import Conversations, MessageConversation
from runner.intercom.workspace import SEARCH_BATCH
from runner.ledger.key_state import State

# `no reply`: there is a conversation, without a reply of the contact. `no conversation`: none is there yet. `unknown`:
# the ledger has no id to look for.
OnlineStatus = Literal["replied", "dropped", "no reply", "no conversation", "unknown"]
ONLINE_STATUSES: tuple[OnlineStatus, ...] = get_args(OnlineStatus)
_REPORTED: tuple[OnlineStatus, ...] = ("replied", "dropped")  # what is listed, a line each


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
class OnlineStatuses:
    """Counts by message, as (name, revision), and the deliveries that have a conversation, by key."""

    counts: dict[tuple[str, int], Counter[OnlineStatus]] = field(default_factory=dict)
    deliveries: dict[str, SentDelivery] = field(default_factory=dict)

    def add(self, message: str, revision: int, delivery: SentDelivery) -> None:
        """Counts a delivery of a revision of a message."""
        self.counts.setdefault((message, revision), Counter())[delivery.status] += 1
        if delivery.conversation:
            self.deliveries[delivery.key] = delivery

    @property
    def totals(self) -> Counter[OnlineStatus]:
        """The counts of all messages together."""
        return sum(self.counts.values(), Counter[OnlineStatus]())

    def listed(self) -> list[SentDelivery]:
        """Returns the deliveries that were replied to or dropped, the dropped ones first, then the latest reply."""
        reported = [delivery for delivery in self.deliveries.values() if delivery.status in _REPORTED]
        return sorted(reported, key=_sort_key)


def look_up_statuses(
    conversations: Conversations, states: Iterable[State], old_version: str, on_progress: Callable[[int], None]
) -> OnlineStatuses:
    """Returns the online status of the deliveries with these states, all of which are sent.

    `old_version` is the API version of messages if it is 2.5 or earlier, else empty: then the contact's conversations
    are read, one request a contact or more. `on_progress` is called with the number of deliveries that were looked up.
    Raises RunStopped.
    """
    statuses = OnlineStatuses()
    number = 0
    remaining = iter(states)
    while batch := list(islice(remaining, SEARCH_BATCH)):
        by_message: dict[str, MessageConversation] = {}
        for conversation in _read_conversations(conversations, batch, old_version):
            by_message.setdefault(conversation.message, conversation)
        for state in batch:
            delivery = _classify(state, by_message, needs_contact=bool(old_version))
            statuses.add(state.record.message, state.record.revision, delivery)
        number += len(batch)
        on_progress(number)
    return statuses


def _read_conversations(
    conversations: Conversations, batch: list[State], old_version: str
) -> Iterator[MessageConversation]:
    if not old_version:
        yield from conversations.of_messages(list(dict.fromkeys(_list_ids(batch))))
        return
    for contact in dict.fromkeys(filter(None, (state.record.known_contact for state in batch))):
        yield from conversations.of_contact(contact, old_version)


def _list_ids(batch: Iterable[State]) -> Iterator[str]:
    return (record.id for state in batch for record in state.sent_records if record.id)


def _classify(state: State, by_message: dict[str, MessageConversation], *, needs_contact: bool) -> SentDelivery:
    ids = list(_list_ids([state]))
    if not ids or (needs_contact and not state.record.known_contact):
        return SentDelivery(state.record.key, "unknown")
    # A delivery that was sent twice has two conversations: one with a reply or a drop reason comes first.
    conversations = [by_message[message] for message in ids if message in by_message]
    if not conversations:
        return SentDelivery(state.record.key, "no conversation")
    decisive = (each for each in conversations if each.drop_reason or each.replied_at is not None)
    conversation = next(decisive, conversations[0])
    if conversation.replied_at is not None:
        return SentDelivery(state.record.key, "replied", conversation)
    return SentDelivery(state.record.key, "dropped" if conversation.drop_reason else "no reply", conversation)


def _sort_key(delivery: SentDelivery) -> tuple[bool, float, str]:
    replied_at = delivery.conversation.replied_at if delivery.conversation else None
    return delivery.status != "dropped", -(replied_at or 0.0), delivery.key
