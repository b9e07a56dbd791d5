"""Searching conversations: which admin's message opened one with a contact, and when.

Source: reference 2.14, "Search conversations" (groups of up to 15, two levels deep).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from runner.intercom.workspace import SEARCH_BATCH, Workspace

# Dates are compared by day, in the workspace's time zone: a day less finds all of a day, wherever that is.
_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class ConversationQuery:
    """What to search for: conversations with a contact, opened by an admin, since a time in Unix seconds."""

    contact: str
    author: str
    since: float


@dataclass(frozen=True, slots=True)
class OpeningMessage:
    """The message that opened a conversation: `id` is the message's own, `at` is in Unix seconds.

    Intercom wraps texts in tags, so compare them as readers see them.
    """

    id: str
    contacts: tuple[str, ...]
    author: str
    subject: str
    body: str
    created_at: float


class Conversations:
    """The conversations of a workspace. The search index lags behind by seconds, now and then by minutes."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def search(self, wanted: Iterable[ConversationQuery]) -> Iterator[OpeningMessage]:
        """What opened the conversations that fit any of those wanted, perhaps more than once. Raises RunStopped."""
        terms = [_term(one) for one in dict.fromkeys(wanted)]
        for start in range(0, len(terms), SEARCH_BATCH):
            batch = terms[start : start + SEARCH_BATCH]
            query = batch[0] if len(batch) == 1 else {"operator": "OR", "value": batch}
            for item in self._workspace.search_items("/conversations/search", query, "conversations"):
                if opening := _opening(item):
                    yield opening


def _term(wanted: ConversationQuery) -> dict[str, Any]:
    conditions = (
        ("contact_ids", "=", wanted.contact),
        ("source.author.id", "=", wanted.author),
        ("created_at", ">", str(int(wanted.since) - _A_DAY)),
    )
    return {
        "operator": "AND",
        "value": [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions],
    }


def _opening(value: dict[str, Any]) -> OpeningMessage | None:
    """What opened a conversation, or nothing where it does not say: such a one proves nothing."""
    source, at = _object(value.get("source")), value.get("created_at")
    found, author = source.get("id"), _object(source.get("author")).get("id")
    contacts = _object(value.get("contacts")).get("contacts")
    if not found or not author or not isinstance(at, int | float) or not isinstance(contacts, list):
        return None
    ids = tuple(str(contact["id"]) for contact in contacts if isinstance(contact, dict) and contact.get("id"))
    texts = str(source.get("subject") or ""), str(source.get("body") or "")
    return OpeningMessage(str(found), ids, str(author), *texts, created_at=float(at))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
