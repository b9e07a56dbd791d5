"""Searches conversations: which message of an admin opened one, with which contact, and what became of it.

Source: Intercom API reference 2.14, "Search conversations" (groups of up to 15 conditions, two levels deep).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from runner.intercom.identifiers import parse_id, parse_label
from runner.intercom.pages import MAX_PAGES, READ_VERSION, any_of, parse_page
from runner.intercom.workspace import SEARCH_BATCH, Workspace

# Seconds. Intercom compares dates by day, in the workspace's time zone, perhaps from the next day on. And a day has 25
# hours once a year. So only a search that starts two days earlier finds all.
_TWO_DAYS = 2 * 86_400
_DROPS_SHOWN_SINCE = "2.16"  # the first API version that says why an email was not delivered
_LISTED_PER_PAGE = 60  # the most that a list has in versions up to 2.5
_UNNAMED_REASON = "other"  # for a drop_reason of an unknown form


@dataclass(frozen=True, slots=True)
class ConversationQuery:
    """The search for conversations with a contact that an admin opened since a time, in Unix seconds."""

    contact: str
    author: str
    since: float


@dataclass(frozen=True, slots=True)
class OpeningMessage:
    """The message that opened a conversation.

    `id` is the id of the message, and `conversation` that of the conversation, empty if it is missing. `created_at` is
    in Unix seconds. Intercom wraps `subject` and `body` in tags, so compare them as a reader sees them.
    """

    id: str
    contacts: tuple[str, ...]
    author: str
    subject: str
    body: str
    created_at: float
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class MessageConversation:
    """The conversation of a message, and what it shows of it.

    `replied_at` is when the contact first replied, in Unix seconds; 0 if it replied and the time is missing, None if it
    did not. `drop_reason` is why Intercom did not deliver an email, empty if no reason is shown.
    """

    message: str
    conversation: str
    replied_at: float | None
    drop_reason: str = ""


class Conversations:
    """The conversations of a workspace. Intercom's search index lags behind by seconds, sometimes by minutes."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def search(self, queries: Iterable[ConversationQuery]) -> Iterator[OpeningMessage]:
        """Yields the messages that opened the conversations that match any of the queries.

        A message may be yielded more than once. Raises RunStopped.
        """
        terms = [_build_term(wanted) for wanted in dict.fromkeys(queries)]
        for start in range(0, len(terms), SEARCH_BATCH):
            batch = terms[start : start + SEARCH_BATCH]
            for item in self._workspace.search_items("/conversations/search", any_of(batch), "conversations"):
                if opening := _parse_opening(item):
                    yield opening

    def of_messages(self, ids: Sequence[str]) -> Iterator[MessageConversation]:
        """Yields the conversations of the messages with these ids, of those that have one. Raises RunStopped."""
        for start in range(0, len(ids), SEARCH_BATCH):
            batch = ids[start : start + SEARCH_BATCH]
            # Only what is needed is kept: the objects of all pages may take gigabytes.
            conversations = list(map(_parse_conversation, self._find_by_source(batch, _DROPS_SHOWN_SINCE)))
            names: dict[str, str] = {}
            if not all(each.message for each in conversations):  # from 2.16 on, source.id may be null
                names = dict(map(_parse_source, self._find_by_source(batch, READ_VERSION)))
            for each in conversations:
                message = each.message or names.get(each.conversation, "")
                if message in batch:
                    yield replace(each, message=message)

    def of_contact(self, contact: str, version: str) -> Iterator[MessageConversation]:
        """Yields the conversations of a contact, in an API version up to 2.5. Raises RunStopped."""
        for item in self._list_of_contact(contact, version):
            conversation, message = _parse_source(item)
            if message:
                yield MessageConversation(message, conversation, _parse_reply_time(item))

    def _list_of_contact(self, contact: str, version: str) -> Iterator[dict[str, Any]]:
        path = f"/conversations?type=user&intercom_user_id={quote(contact, safe='')}&per_page={_LISTED_PER_PAGE}"
        time = self._workspace.limit_search("GET /conversations")
        for number in range(1, MAX_PAGES + 1):
            page = self._workspace.read("GET", f"{path}&page={number}", version=version, time=time)
            yield from parse_page(page, "conversations", "GET /conversations")
            total = _dict_or_empty(page.get("pages")).get("total_pages")
            if not isinstance(total, int) or number >= total:
                return
            time.check()

    def _find_by_source(self, ids: Sequence[str], version: str) -> Iterator[dict[str, Any]]:
        terms = [{"field": "source.id", "operator": "=", "value": value} for value in ids]
        return self._workspace.search_items("/conversations/search", any_of(terms), "conversations", version=version)


def _parse_conversation(item: dict[str, Any]) -> MessageConversation:
    conversation, message = _parse_source(item)
    return MessageConversation(message, conversation, _parse_reply_time(item), _parse_drop_reason(item))


def _parse_source(item: dict[str, Any]) -> tuple[str, str]:
    """Returns the ids of a conversation and of the message that opened it; each is empty if it is missing."""
    source = _dict_or_empty(item.get("source") or item.get("conversation_message"))  # the latter up to version 2.5
    return parse_id(item.get("id")), parse_id(source.get("id"))


def _parse_reply_time(item: dict[str, Any]) -> float | None:
    """When the contact first replied: see MessageConversation."""
    fields = ("first_contact_reply", "customer_first_reply")  # the latter in versions up to 2.5
    first = next((item[name] for name in fields if item.get(name) is not None), None)
    last = _dict_or_empty(item.get("statistics")).get("last_contact_reply_at")
    if first is None and last is None:
        return None
    times = (_dict_or_empty(first).get("created_at"), last)
    return next((float(time) for time in times if isinstance(time, int | float)), 0.0)


def _parse_drop_reason(item: dict[str, Any]) -> str:
    recipients = _dict_or_empty(item.get("source")).get("recipients")
    reasons = [
        reason
        for recipient in (recipients if isinstance(recipients, list) else ())
        if (reason := _dict_or_empty(recipient).get("drop_reason"))
    ]
    return parse_label(reasons[0]) or _UNNAMED_REASON if reasons else ""


def _build_term(wanted: ConversationQuery) -> dict[str, Any]:
    conditions = (
        ("contact_ids", "=", wanted.contact),
        ("source.author.id", "=", wanted.author),
        ("created_at", ">", str(int(wanted.since) - _TWO_DAYS)),
    )
    return {
        "operator": "AND",
        "value": [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions],
    }


def _parse_opening(value: dict[str, Any]) -> OpeningMessage | None:
    """Returns the message that opened a conversation.

    None if a field is missing: such a conversation proves nothing.
    """
    source, created_at = _dict_or_empty(value.get("source")), value.get("created_at")
    message_id, author = parse_id(source.get("id")), parse_id(_dict_or_empty(source.get("author")).get("id"))
    contacts = _dict_or_empty(value.get("contacts")).get("contacts")
    if not message_id or not author or not isinstance(created_at, int | float) or not isinstance(contacts, list):
        return None
    ids = tuple(parse_id(contact.get("id")) for contact in contacts if isinstance(contact, dict))
    subject, body = (text if isinstance(text := source.get(name), str) else "" for name in ("subject", "body"))
    return OpeningMessage(
        message_id, tuple(filter(None, ids)), author, subject, body, float(created_at), parse_id(value.get("id"))
    )


def _dict_or_empty(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
