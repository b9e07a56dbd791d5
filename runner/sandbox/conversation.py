"""The document of a conversation that an admin-initiated message opened (reference, "Get a conversation", 2.14).

Intercom wraps texts in `<p>`, and so does the sandbox. Other versions: reference, "The conversation model"; description
2.16.
"""

from collections.abc import Sequence

from runner.sandbox.api_version import Version
from runner.sandbox.contact import Contact
from runner.sandbox.conversation_parts import Part
from runner.sandbox.message_store import Message
from runner.sandbox.workspace import Admin

_OLD_NAMES = {"source": "conversation_message", "first_contact_reply": "customer_first_reply"}  # up to version 2.5


def build_conversation(message: Message, contact: Contact, admin: Admin, parts: Sequence[Part]) -> dict[str, object]:
    """Returns a conversation as in a list, which shows no parts. `parts` are oldest first."""
    return {
        "type": "conversation",
        "id": message.conversation,
        "title": None,
        "created_at": int(message.at),
        "updated_at": int(parts[-1].at if parts else message.at),
        "waiting_since": int(parts[0].at) if parts else None,
        "snoozed_until": None,
        "source": _build_source(message, admin),
        "contacts": {
            "type": "contact.list",
            "contacts": [{"type": "contact", "id": contact.id, "external_id": contact.external_id}],
        },
        "first_contact_reply": _build_first_reply(message, parts),
        "admin_assignee_id": None,
        "team_assignee_id": None,
        "open": True,
        "state": "open",
        "read": False,
        "tags": {"type": "tag.list", "tags": []},
        "priority": "not_priority",
        "sla_applied": None,
        "statistics": _build_statistics(parts),
        "conversation_rating": None,
        "teammates": None,
        "custom_attributes": {},
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": False},
        "ai_agent": None,
        "ai_agent_participated": False,
    }


def build_part(part: Part, author: dict[str, object]) -> dict[str, object]:
    """Returns one part of a conversation, with the document of its author."""
    return {
        "type": "conversation_part",
        "id": part.id,
        "part_type": part.part_type,
        "body": wrap_in_p(part.body) if part.body else None,
        "created_at": int(part.at),
        "updated_at": int(part.at),
        "notified_at": int(part.at),
        "assigned_to": None,
        "author": author,
        "attachments": [],
        "external_id": None,
        "redacted": False,
    }


def build_author(author_type: str, author_id: str, name: str | None, email: str | None) -> dict[str, object]:
    """Returns the author of a message or a part. `email` is missing where there is none."""
    document: dict[str, object] = {"type": author_type, "id": author_id, "name": name, "from_ai_agent": False}
    return document if not email else {**document, "email": email}


def wrap_in_p(text: str) -> str:
    """Returns a text as a paragraph; as it is, if it is empty or one already."""
    return text if not text or text.startswith("<p>") else f"<p>{text}</p>"


def get_source_type(message: Message) -> str:
    """Returns `source.type`."""
    return "email" if message.payload.get("message_type") == "email" else "conversation"


def get_author_id(message: Message) -> str:
    """Returns the id of the admin who sent the message."""
    sender = message.payload["from"]
    return str(sender["id"]) if isinstance(sender, dict) else ""


def _build_source(message: Message, admin: Admin) -> dict[str, object]:
    return {
        "type": get_source_type(message),
        "id": message.id,
        "delivered_as": "admin_initiated",
        "subject": wrap_in_p(str(message.payload.get("subject") or "")),
        "body": wrap_in_p(str(message.payload["body"])),
        "author": build_author("admin", admin.id, admin.name, admin.email),
        "attachments": [],
        "url": None,
        "redacted": False,
    }


def _build_first_reply(message: Message, parts: Sequence[Part]) -> dict[str, object] | None:
    if not parts:
        return None
    return {"created_at": int(parts[0].at), "type": get_source_type(message), "url": None}


def _build_statistics(parts: Sequence[Part]) -> dict[str, object] | None:
    """Returns the statistics; None as long as the conversation has no part. Clients must handle that."""
    if not parts:
        return None
    return {
        "type": "conversation_statistics",
        "count_reopens": 0,
        "count_assignments": 0,
        "count_conversation_parts": len(parts),
        "first_contact_reply_at": int(parts[0].at),
        "last_contact_reply_at": int(parts[-1].at),
    }


def shape_conversation(
    document: dict[str, object], message: Message, contact: Contact, version: Version
) -> dict[str, object]:
    """Returns the document of a conversation in a version.

    From 2.16 on it has the recipients of an email, up to 2.5 the older names of two fields.
    """
    source = document["source"]
    if version.is_at_least(2, 16) and isinstance(source, dict) and source["type"] == "email":
        document = {**document, "source": {**source, "recipients": _list_recipients(message, contact)}}
    if not version.is_at_least(2, 6):
        document = {_OLD_NAMES.get(name, name): value for name, value in document.items()}
    return document


def _list_recipients(message: Message, contact: Contact) -> list[dict[str, object]]:
    """Returns to whom an email went. `drop_reason` is null unless it was not delivered."""
    reason = "user_bounced" if contact.has_hard_bounced else "user_suppressed" if contact.marked_email_as_spam else None
    return [{"type": "to", "email": contact.email or f"{message.contact}@sandbox.example", "drop_reason": reason}]
