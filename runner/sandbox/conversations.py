"""Conversations that admin-initiated messages opened (reference, "Search conversations", 2.14).

Only a message with `create_conversation_without_contact_reply` opens one. A search finds a conversation `search_lag`
seconds after it was opened; reading a single conversation works at once. Intercom wraps texts in `<p>`, and so does the
sandbox.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.sandbox.answer import ApiError
from runner.sandbox.pagination import paginate
from runner.sandbox.search_query import find_possible_values, matches, parse_query

if TYPE_CHECKING:
    from runner.sandbox.message_store import Message, MessageStore

_DATE_FIELDS = frozenset({"created_at", "updated_at"})
_FIELDS = _DATE_FIELDS | {
    "id",
    "contact_ids",
    "source.id",
    "source.type",
    "source.delivered_as",
    "source.author.id",
    "source.author.type",
    "source.body",
}


class Conversations:
    """Searches and reads the conversations of a store. `search_lag` is in seconds."""

    def __init__(self, store: MessageStore, search_lag: float = 0.0) -> None:
        self._store = store
        self._search_lag = search_lag

    def search(self, body: dict[str, object], now: float) -> dict[str, object]:
        """Returns one page of the conversations that match the query in `body`, newest first."""
        query = parse_query(body.get("query"), _FIELDS.__contains__)
        # A search for one contact's conversations must not go through those of all contacts.
        candidates = self._store.find_opening_messages(find_possible_values(query, "contact_ids"))
        documents = [
            _conversation_to_dict(message)
            for message in reversed(candidates)
            if now - message.at >= self._search_lag
            and matches(query, lambda field, message=message: _read_field(message, field), _normalize)  # type: ignore[misc]
        ]
        return paginate(documents, body.get("pagination"), list_type="conversation.list", items_key="conversations")

    def show(self, conversation: str) -> dict[str, object]:
        """Returns the document of GET /conversations/{id}. Raises ApiError 404 for an unknown id."""
        message = self._store.find_opening_message(conversation)
        if message is None:
            raise ApiError(404, "not_found", "Resource Not Found")
        return _conversation_to_dict(message)


def _conversation_to_dict(message: Message) -> dict[str, object]:
    created_at = int(message.at)
    return {
        "type": "conversation",
        "id": message.conversation,
        "created_at": created_at,
        "updated_at": created_at,
        "source": {
            "type": "email" if message.payload.get("message_type") == "email" else "conversation",
            "id": message.id,
            "delivered_as": "admin_initiated",
            "subject": _wrap_in_p(str(message.payload.get("subject") or "")),
            "body": _wrap_in_p(str(message.payload["body"])),
            "author": {"type": "admin", "id": _get_author_id(message)},
            "attachments": [],
        },
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": message.contact}]},
        "open": True,
        "state": "open",
        "read": False,
    }


def _read_field(message: Message, field: str) -> object:
    document = _conversation_to_dict(message)
    match field:
        case "contact_ids":
            return [message.contact]
        case "source.body":
            # As single words, because Intercom's search matches single words only.
            return re.findall(r"\w+", re.sub(r"<[^>]*>", " ", str(message.payload["body"])))
        case "source.author.id":
            return _get_author_id(message)
        case "source.author.type":
            return "admin"
        case _:
            parent = document["source"] if field.startswith("source.") else document
            return parent[field.removeprefix("source.")] if isinstance(parent, dict) else None


def _get_author_id(message: Message) -> str:
    sender = message.payload["from"]
    return str(sender["id"]) if isinstance(sender, dict) else ""


def _normalize(field: str, value: object) -> object:
    if field not in _DATE_FIELDS:
        return str(value)
    try:
        return int(str(value))
    except ValueError as error:
        raise ApiError(400, "parameter_invalid", f"{field} takes Unix seconds") from error


def _wrap_in_p(text: str) -> str:
    return text if not text or text.startswith("<p>") else f"<p>{text}</p>"
