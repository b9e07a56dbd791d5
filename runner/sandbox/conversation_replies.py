"""`POST /conversations/{id}/reply`: a contact or an admin replies, or an admin writes a note.

Source: reference, "Reply to a conversation" (2.14).
"""

import re
from dataclasses import dataclass

from runner.sandbox.answer import ApiError, raise_parameter_invalid
from runner.sandbox.contact import Contact
from runner.sandbox.contacts import Contacts, IdentifierKind
from runner.sandbox.conversation_parts import ConversationParts
from runner.sandbox.conversations import Conversations
from runner.sandbox.message_store import Message
from runner.sandbox.workspace import Workspace

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CONTACT_KEYS: dict[str, IdentifierKind] = {"intercom_user_id": "id", "user_id": "user_id", "email": "email"}
_ADMIN_MESSAGE_TYPES = ("comment", "note", "quick_reply")


@dataclass(frozen=True, slots=True, eq=False)
class ConversationReplies:
    """Adds replies to conversations."""

    conversations: Conversations
    parts: ConversationParts
    contacts: Contacts
    workspace: Workspace

    def reply(self, conversation: str, payload: dict[str, object], now: float) -> dict[str, object]:
        """Adds a reply, and returns the conversation with its parts. Raises ApiError if the payload is invalid."""
        message = self._find_message(conversation, payload, now)
        message_type = payload.get("message_type")
        is_quick_reply = message_type == "quick_reply"
        body = _read_options(payload) if is_quick_reply else read_body(payload)
        match payload.get("type"):
            case "admin" if message_type in _ADMIN_MESSAGE_TYPES:
                part_type, author_type, author_id = str(message_type), "admin", self._read_admin(payload)
                body = "" if is_quick_reply else body  # the options are shown, and no text
            case "user" if message_type == "comment" or is_quick_reply:
                part_type = "comment"
                author_type, author_id = self._read_contact(payload, message, now)
            case "admin" | "user":
                raise_parameter_invalid("message_type is invalid", "message_type")
            case _:
                raise_parameter_invalid("type must be admin or user", "type")
        number = message.conversation or ""
        self.parts.create(number, now, part_type=part_type, author_type=author_type, author_id=author_id, body=body)
        return self.conversations.show(number, now)

    def _find_message(self, conversation: str, payload: dict[str, object], now: float) -> Message:
        """Returns the message that opened the conversation. `last` is the newest one of the contact that replies."""
        if conversation != "last":
            return self.conversations.require(conversation, now)
        contacts = [contact.id for contact in self._list_contacts(payload, now)]
        return self.conversations.require_last(contacts, now)

    def _read_admin(self, payload: dict[str, object]) -> str:
        admin = self.workspace.find_admin(str(payload.get("admin_id", "")))
        if admin is None:
            raise ApiError(404, "admin_not_found", "Admin not found")
        return admin.id

    def _read_contact(self, payload: dict[str, object], message: Message, now: float) -> tuple[str, str]:
        """Returns the role and the id of the contact, who must be the one that got the message."""
        for contact in self._list_contacts(payload, now):
            if contact.id == message.contact:
                return contact.role, contact.id
        raise ApiError(404, "not_found", "User Not Found")

    def _list_contacts(self, payload: dict[str, object], now: float) -> tuple[Contact, ...]:
        key = next((key for key in _CONTACT_KEYS if isinstance(payload.get(key), str)), None)
        if key is None:
            raise_parameter_invalid(f"a contact replies by {', '.join(_CONTACT_KEYS)}")
        return self.contacts.find(_CONTACT_KEYS[key], str(payload[key]), now)


def read_body(payload: dict[str, object]) -> str:
    """Returns the text of a reply or a note. Raises ApiError if there is none."""
    body = payload.get("body")
    if not isinstance(body, str) or not body.strip():
        raise_parameter_invalid("Body is required", "body")
    return body


def _read_options(payload: dict[str, object]) -> str:
    """Returns the text of the first option of a quick reply: a contact chooses it, an admin offers it with the others.

    Raises ApiError if there is none, or if one has no text or no UUID.
    """
    options = payload.get("reply_options")
    if not isinstance(options, list) or not options:
        raise_parameter_invalid("reply_options are required", "reply_options")
    for option in options:
        text, uuid = (option.get("text"), option.get("uuid")) if isinstance(option, dict) else (None, None)
        if not isinstance(text, str) or not text.strip() or not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
            raise_parameter_invalid("an option has a text and a uuid", "reply_options")
    return str(options[0]["text"])
