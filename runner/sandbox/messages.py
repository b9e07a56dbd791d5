"""`POST /messages`: from a payload to the message that is sent (reference, "Create a message").

The answer is the documented `admin_message`. Its `owner` is the admin of `from`.
"""

from dataclasses import dataclass

from runner.sandbox import message_rules
from runner.sandbox.answer import ApiError, RouteResult
from runner.sandbox.api_version import Version
from runner.sandbox.contact import Contact
from runner.sandbox.contacts import Contacts
from runner.sandbox.conversation_parts import ConversationParts
from runner.sandbox.message_rules import MessageRequest
from runner.sandbox.message_store import Message, MessageStore
from runner.sandbox.workspace import Admin, Workspace

_REPLY = "Thanks, got it."  # of a contact that replies to every message


@dataclass(frozen=True, slots=True, eq=False)
class Messages:
    """Creates messages from payloads, or refuses them."""

    store: MessageStore
    parts: ConversationParts
    contacts: Contacts
    workspace: Workspace

    def send(self, payload: dict[str, object], version: Version, now: float) -> RouteResult:
        """Checks a payload, creates and stores its message, and returns the answer. Raises ApiError for a refusal.

        A contact that replies opens the conversation with the reply, if the message does not open it.
        """
        if message_rules.is_inbound(payload):
            return RouteResult(200, build_user_message(payload, now))
        request = message_rules.validate_payload(payload, version)
        admin = self.workspace.find_admin(request.admin_id)
        if admin is None:
            raise ApiError(404, "not_found", "Resource Not Found")
        contact = self._find_recipient(request, now)
        if request.message_type == "email" and contact.unsubscribed_from_emails:
            raise ApiError(403, "forbidden", "User has unsubscribed from emails")
        is_open = request.opens_conversation or contact.replies
        message = self.store.create(now, contact, version.name, payload, conversation_at=now if is_open else None)
        if contact.replies and message.conversation is not None:
            self.parts.create(
                message.conversation,
                now,
                part_type="comment" if request.opens_conversation else "open",
                author_type=contact.role,
                author_id=contact.id,
                body=_REPLY,
            )
        return RouteResult(200, _admin_message_to_dict(message, request, admin), created_id=message.id)

    def _find_recipient(self, request: MessageRequest, now: float) -> Contact:
        """Returns the one contact that the request is addressed to. Raises ApiError if there is none, or several."""
        candidates = self.contacts.find(request.to_kind, request.to_value, now)
        if request.to_type == "user":
            # A bare id may be that of a user or of a lead. A known role must be the one that is addressed (inferred).
            candidates = tuple(contact for contact in candidates if contact.role == "user" or not contact.is_role_known)
        elif request.to_type == "lead":
            candidates = tuple(contact for contact in candidates if contact.role == "lead" or not contact.is_role_known)
        if len(candidates) > 1:
            raise ApiError(409, "conflict", "Several users match this email: use an id")
        if not candidates or self.contacts.is_too_fresh(candidates[0], now):
            raise ApiError(404, "not_found", "User Not Found")
        return candidates[0]


def build_user_message(payload: dict[str, object], now: float) -> dict[str, object]:
    """Returns the answer to a message from a contact: it became an inbound conversation."""
    return {
        "type": "user_message",
        "id": f"9{int(now * 1000)}",
        "created_at": int(now),
        "body": payload.get("body"),
        "message_type": "inapp",
    }


def _admin_message_to_dict(message: Message, request: MessageRequest, admin: Admin) -> dict[str, object]:
    document: dict[str, object] = {
        "type": "admin_message",
        "id": message.id,
        "created_at": int(message.at),
        "message_type": request.message_type,
        "body": request.body,
        "owner": admin.to_owner_dict(),
    }
    if request.message_type == "email":
        document |= {"subject": request.subject, "template": request.template}
    return document
