"""The rules of `POST /messages`, of both its dialects, held to more strictly than the real thing does.

Facts: reference 1.x ("Admin-initiated messages") and "Create a message" 2.0 to 2.17; the message texts of the
errors are those that are documented. Up to version 2.5 `to` may be a contact or a user by several identifiers,
since 2.6 it is a user or a lead by id. Intercom itself overlooks unknown fields: they are told, not refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.sandbox.answer import ApiError, raise_parameter_invalid

if TYPE_CHECKING:
    from runner.sandbox.api_version import Version
    from runner.sandbox.contacts import IdentifierKind


_LEAD_SINCE = (2, 6)


_NUMBER_SINCE = (2, 7)


_GROUPS_SINCE = (2, 14)


_FLAG = "create_conversation_without_contact_reply"


_TEMPLATES = ("plain", "personal")


_LEGACY: dict[str, tuple[IdentifierKind, ...]] = {"user": ("id", "user_id", "email"), "contact": ("id", "user_id")}


_CURRENT: dict[str, tuple[IdentifierKind, ...]] = {"user": ("id",), "lead": ("id",)}


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """A payload that holds to the rules, before anybody asked whether its admin and its contact exist."""

    message_type: str
    subject: str | None
    body: str
    template: str | None
    admin_id: str
    to_type: str
    to_kind: IdentifierKind
    to_value: str
    opens_conversation: bool


def is_inbound(payload: dict[str, object]) -> bool:
    """Tell whether the sender is a contact: then it is an inbound conversation, which nobody receives."""
    sender = payload.get("from")
    return isinstance(sender, dict) and sender.get("type") in ("user", "lead", "contact")


def validate_payload(payload: dict[str, object], version: Version) -> MessageRequest:
    """Hold a payload to the rules of its version; the first that it breaks is raised."""
    if "created_at" in payload:
        raise_parameter_invalid("created_at is not accepted", "created_at")
    if version.is_at_least(*_GROUPS_SINCE):
        for field in ("cc", "bcc"):
            if field in payload:
                raise_parameter_invalid(f"{field} is not accepted", field)
    message_type = _check_type(payload.get("message_type"), version)
    body = payload.get("body")
    if not isinstance(body, str) or not body.strip():
        raise_parameter_invalid("Body is required", "body")
    email = message_type == "email"
    kind, value = _check_to(payload.get("to"), version)
    recipient = payload["to"]
    return MessageRequest(
        message_type=message_type,
        subject=_check_subject(payload) if email else None,
        body=body,
        template=_check_template(payload, email=email),
        admin_id=_check_from(payload.get("from"), version),
        to_type=str(recipient["type"]) if isinstance(recipient, dict) else "",
        to_kind=kind,
        to_value=value,
        opens_conversation=_check_flag(payload, version),
    )


def find_unknown_fields(payload: object, version: Version) -> tuple[str, ...]:
    """List the fields that this version does not know, those of `from` and `to` with a dot."""
    if not isinstance(payload, dict):
        return ()
    known = {"message_type", "subject", "body", "template", "from", "to", "created_at"}
    known |= {_FLAG} if version.is_at_least(*_LEAD_SINCE) else set()
    known |= {"cc", "bcc"} if version.is_at_least(*_GROUPS_SINCE) else set()
    ways = {kind for kinds in _dialect(version).values() for kind in kinds}
    inner = (("from", {"type", "id"}), ("to", {"type", *ways}))
    nested = [
        f"{place}.{key}"
        for place, keys in inner
        if isinstance(payload.get(place), dict)
        for key in payload[place]
        if key not in keys
    ]
    return tuple(sorted([key for key in payload if key not in known] + nested))


def _dialect(version: Version) -> dict[str, tuple[IdentifierKind, ...]]:
    return _CURRENT if version.is_at_least(*_LEAD_SINCE) else _LEGACY


def _check_type(given: object, version: Version) -> str:
    if given == "in_app" and version.is_at_least(*_NUMBER_SINCE):
        return "inapp"
    if given not in ("inapp", "email"):
        raise_parameter_invalid("message_type is invalid", "message_type")
    return str(given)


def _check_subject(payload: dict[str, object]) -> str:
    subject = payload.get("subject")
    if not isinstance(subject, str) or not subject.strip():
        raise ApiError(422, "parameter_not_found", "No subject supplied for email message", "subject")
    return subject


def _check_template(payload: dict[str, object], *, email: bool) -> str | None:
    if not email:
        if "template" in payload:
            raise_parameter_invalid("template is only valid for email", "template")
        return None
    template = payload.get("template", "plain")
    if template not in _TEMPLATES:
        raise_parameter_invalid("template must be plain or personal", "template")
    return str(template)


def _check_from(sender: object, version: Version) -> str:
    if not isinstance(sender, dict):
        raise_parameter_invalid("from is required", "from")
    if sender.get("type") != "admin":
        raise_parameter_invalid("from.type must be admin", "from.type")
    admin_id = sender.get("id")
    number = isinstance(admin_id, int) and not isinstance(admin_id, bool)
    digits = isinstance(admin_id, str) and admin_id.isascii() and admin_id.isdigit()
    if not digits and not (number and version.is_at_least(*_NUMBER_SINCE)):
        wanted = "an integer" if version.is_at_least(*_NUMBER_SINCE) else "a string of digits"
        raise_parameter_invalid(f"from.id must be {wanted}", "from.id")
    return str(admin_id)


def _check_to(recipient: object, version: Version) -> tuple[IdentifierKind, str]:
    if not isinstance(recipient, dict):
        raise_parameter_invalid("to must be one contact" if recipient else "to is required", "to")
    kinds = _dialect(version)
    to_type = recipient.get("type")
    if not isinstance(to_type, str) or to_type not in kinds:
        raise_parameter_invalid(f"to.type must be one of {', '.join(kinds)}", "to.type")
    if to_type == "contact" and "email" in recipient:
        # A lead is not found by email, in any version.
        raise ApiError(404, "not_found", "User Not Found")
    ways: list[IdentifierKind] = [kind for kind in kinds[to_type] if kind in recipient]
    if len(ways) != 1:
        raise_parameter_invalid(f"to needs one of {', '.join(kinds[to_type])}", "to")
    value = recipient[ways[0]]
    if not isinstance(value, str) or not value.strip():
        raise_parameter_invalid(f"to.{ways[0]} must be a string", f"to.{ways[0]}")
    return ways[0], value


def _check_flag(payload: dict[str, object], version: Version) -> bool:
    flag = payload.get(_FLAG, False)
    if not version.is_at_least(*_LEAD_SINCE):
        return False
    if not isinstance(flag, bool):
        raise_parameter_invalid(f"{_FLAG} must be a boolean", _FLAG)
    return flag
