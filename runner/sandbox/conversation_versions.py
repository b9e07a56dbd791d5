"""A conversation as other versions than 2.14 show it (reference, "The conversation model"; description 2.16)."""

from runner.sandbox.api_version import Version
from runner.sandbox.contact import Contact
from runner.sandbox.message_store import Message

_OLD_NAMES = {"source": "conversation_message", "first_contact_reply": "customer_first_reply"}


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
