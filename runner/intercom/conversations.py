"""Searches conversations: which message of an admin opened one, with which contact, and when.

Source: Intercom API reference 2.14, "Search conversations" (groups of up to 15 conditions, two levels deep).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from runner.intercom.identifiers import parse_id
from runner.intercom.lookups import SEARCH_BATCH, Workspace

# Seconds. Intercom compares dates by day, in the workspace's time zone, perhaps from the next day on. And a day has 25
# hours once a year. So only a search that starts two days earlier finds all.
_TWO_DAYS = 2 * 86_400


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


class Conversations:
    """The conversations of a workspace. Intercom's search index lags behind by seconds, sometimes by minutes."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def search(self, queries: Iterable[ConversationQuery]) -> Iterator[OpeningMessage]:
        """The messages that opened the conversations that match any of the queries.

        A message may be yielded more than once. Raises RunStopped.
        """
        terms = [_build_term(wanted) for wanted in dict.fromkeys(queries)]
        for start in range(0, len(terms), SEARCH_BATCH):
            batch = terms[start : start + SEARCH_BATCH]
            query = batch[0] if len(batch) == 1 else {"operator": "OR", "value": batch}
            for item in self._workspace.search_items("/conversations/search", query, "conversations"):
                if opening := _parse_opening(item):
                    yield opening


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
    """The message that opened a conversation. None if a field is missing: such a conversation proves nothing."""
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
