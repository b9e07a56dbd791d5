"""Conversations that admin-initiated messages opened (reference, "Search conversations", 2.14).

Only a message with `create_conversation_without_contact_reply` opens one. The search index lags behind by `search_lag`
seconds; reading one conversation does not. Intercom wraps texts in `<p>`, and so does this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.sandbox.answer import ApiError
from runner.sandbox.pagination import paginate
from runner.sandbox.search_query import find_possible_values, matches, parse_query

if TYPE_CHECKING:
    from runner.sandbox.message_store import Message, MessageStore

_DATES = frozenset({"created_at", "updated_at"})
_FIELDS = _DATES | {
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
    """Searches and reads the conversations of a store."""

    def __init__(self, store: MessageStore, search_lag: float = 0.0) -> None:
        self._store = store
        self._search_lag = search_lag

    def search(self, body: dict[str, object], now: float) -> dict[str, object]:
        """Answer one search with one page, newest first."""
        query = parse_query(body.get("query"), _FIELDS.__contains__)
        # With many conversations a search for one contact's must not look at all of them.
        opened = self._store.find_opening_messages(find_possible_values(query, "contact_ids"))
        found = [
            _write(message)
            for message in reversed(opened)
            if now - message.at >= self._search_lag
            and matches(query, lambda field, message=message: _read(message, field), _norm)  # type: ignore[misc]
        ]
        return paginate(found, body.get("pagination"), list_type="conversation.list", items_key="conversations")

    def show(self, conversation: str) -> dict[str, object]:
        """Answer GET /conversations/{id}."""
        message = self._store.find_opening_message(conversation)
        if message is None:
            raise ApiError(404, "not_found", "Resource Not Found")
        return _write(message)


def _write(message: Message) -> dict[str, object]:
    at = int(message.at)
    return {
        "type": "conversation",
        "id": message.conversation,
        "created_at": at,
        "updated_at": at,
        "source": {
            "type": "email" if message.payload.get("message_type") == "email" else "conversation",
            "id": message.id,
            "delivered_as": "admin_initiated",
            "subject": _wrap(str(message.payload.get("subject") or "")),
            "body": _wrap(str(message.payload["body"])),
            "author": {"type": "admin", "id": _author(message)},
            "attachments": [],
        },
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": message.contact}]},
        "open": True,
        "state": "open",
        "read": False,
    }


def _read(message: Message, field: str) -> object:
    document = _write(message)
    match field:
        case "contact_ids":
            return [message.contact]
        case "source.body":
            # As one word at a time, because the real search matches single words only.
            return re.findall(r"\w+", re.sub(r"<[^>]*>", " ", str(message.payload["body"])))
        case "source.author.id":
            return _author(message)
        case "source.author.type":
            return "admin"
        case _:
            place = document["source"] if field.startswith("source.") else document
            return place[field.removeprefix("source.")] if isinstance(place, dict) else None


def _author(message: Message) -> str:
    sender = message.payload["from"]
    return str(sender["id"]) if isinstance(sender, dict) else ""


def _norm(field: str, value: object) -> object:
    if field not in _DATES:
        return str(value)
    try:
        return int(str(value))
    except ValueError as error:
        raise ApiError(400, "parameter_invalid", f"{field} takes Unix seconds") from error


def _wrap(text: str) -> str:
    return text if not text or text.startswith("<p>") else f"<p>{text}</p>"
