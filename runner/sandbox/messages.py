"""`POST /messages`: from a payload to the message that goes out (reference, "Create a message").

The answer is the documented `admin_message`; its `owner` is the admin of `from`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.sandbox import message_rules
from runner.sandbox.answer import ApiError, RouteResult

if TYPE_CHECKING:
    from runner.sandbox.api_version import Version
    from runner.sandbox.contacts import Contact, Contacts
    from runner.sandbox.message_rules import MessageRequest
    from runner.sandbox.message_store import Message, MessageStore
    from runner.sandbox.workspace import Admin, Workspace


class Messages:
    """Makes messages out of payloads, or refuses to."""

    def __init__(self, store: MessageStore, contacts: Contacts, workspace: Workspace) -> None:
        self._store = store
        self._contacts = contacts
        self._workspace = workspace

    def send(self, payload: dict[str, object], version: Version, now: float) -> RouteResult:
        """Send one message: checked, made and kept."""
        if message_rules.is_inbound(payload):
            return RouteResult(200, build_user_message(payload, now))
        order = message_rules.validate_payload(payload, version)
        admin = self._workspace.find_admin(order.admin_id)
        if admin is None:
            raise ApiError(404, "not_found", "Resource Not Found")
        contact = self._addressee(order, now)
        if order.message_type == "email" and contact.unsubscribed:
            raise ApiError(403, "forbidden", "User has unsubscribed from emails")
        made = self._store.create(now, contact.id, version.name, payload, opens_conversation=order.opens_conversation)
        return RouteResult(200, _write(made, order, admin), created_id=made.id)

    def _addressee(self, order: MessageRequest, now: float) -> Contact:
        found = self._contacts.find(order.to_kind, order.to_value, now)
        if order.to_type == "user":
            # A bare id can be anybody's; a role that is certain must be the one that is addressed (inferred).
            found = tuple(contact for contact in found if contact.role == "user" or not contact.is_role_known)
        elif order.to_type == "lead":
            found = tuple(contact for contact in found if contact.role == "lead" or not contact.is_role_known)
        if len(found) > 1:
            raise ApiError(409, "conflict", "Several users match this email: use an id")
        if not found or self._contacts.is_too_fresh(found[0], now):
            raise ApiError(404, "not_found", "User Not Found")
        return found[0]


def build_user_message(payload: dict[str, object], now: float) -> dict[str, object]:
    """Write the answer to a message that went the wrong way: it became an inbound conversation."""
    return {
        "type": "user_message",
        "id": f"9{int(now * 1000)}",
        "created_at": int(now),
        "body": payload.get("body"),
        "message_type": "inapp",
    }


def _write(made: Message, order: MessageRequest, admin: Admin) -> dict[str, object]:
    document: dict[str, object] = {
        "type": "admin_message",
        "id": made.id,
        "created_at": int(made.at),
        "message_type": order.message_type,
        "body": order.body,
        "owner": admin.to_owner_dict(),
    }
    if order.message_type == "email":
        document |= {"subject": order.subject, "template": order.template}
    return document
