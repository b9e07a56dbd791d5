"""The rules of `POST /messages`, for both of its dialects. The sandbox is stricter than Intercom.

Source: reference 1.x ("Admin-initiated messages") and "Create a message" 2.0 to 2.17. The texts of the errors are the
documented ones. Up to version 2.5, `to` may be a contact or a user, by several identifiers. Since 2.6, it is a user or
a lead, by id. Intercom ignores unknown fields: the sandbox writes them to its log, and does not refuse them.
"""

from dataclasses import dataclass

from runner.sandbox.answer import ApiError, raise_parameter_invalid
from runner.sandbox.api_version import Version
from runner.sandbox.contacts import IdentifierKind

_LEADS_SINCE = (2, 6)
_NUMERIC_ID_SINCE = (2, 7)  # also the first version that accepts in_app
_CC_SINCE = (2, 14)
_CONVERSATION_FLAG = "create_conversation_without_contact_reply"
_TEMPLATES = ("plain", "personal")
_LEGACY_RECIPIENTS: dict[str, tuple[IdentifierKind, ...]] = {
    "user": ("id", "user_id", "email"),
    "contact": ("id", "user_id"),
}
_CURRENT_RECIPIENTS: dict[str, tuple[IdentifierKind, ...]] = {"user": ("id",), "lead": ("id",)}


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """A payload that follows the rules. Whether its admin and its contact exist has not been checked."""

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
    """Returns whether the sender is a contact.

    Intercom then makes an inbound conversation of the message, and no recipient gets it.
    """
    sender = payload.get("from")
    return isinstance(sender, dict) and sender.get("type") in ("user", "lead", "contact")


def validate_payload(payload: dict[str, object], version: Version) -> MessageRequest:
    """Returns the payload as a MessageRequest. Raises ApiError for the first rule of its version that it breaks."""
    if "created_at" in payload:
        raise_parameter_invalid("created_at is not accepted", "created_at")
    if version.is_at_least(*_CC_SINCE):
        for field in ("cc", "bcc"):
            if field in payload:
                raise_parameter_invalid(f"{field} is not accepted", field)
    message_type = _check_type(payload.get("message_type"), version)
    body = payload.get("body")
    if not isinstance(body, str) or not body.strip():
        raise_parameter_invalid("Body is required", "body")
    is_email = message_type == "email"
    kind, value = _check_to(payload.get("to"), version)
    recipient = payload["to"]
    return MessageRequest(
        message_type=message_type,
        subject=_check_subject(payload) if is_email else None,
        body=body,
        template=_check_template(payload, is_email=is_email),
        admin_id=_check_from(payload.get("from"), version),
        to_type=str(recipient["type"]) if isinstance(recipient, dict) else "",
        to_kind=kind,
        to_value=value,
        opens_conversation=_check_flag(payload, version),
    )


def find_unknown_fields(payload: object, version: Version) -> tuple[str, ...]:
    """Returns the fields that this version does not define, sorted. Those of `from` and `to` have a dot."""
    if not isinstance(payload, dict):
        return ()
    known = {"message_type", "subject", "body", "template", "from", "to", "created_at"}
    known |= {_CONVERSATION_FLAG} if version.is_at_least(*_LEADS_SINCE) else set()
    known |= {"cc", "bcc"} if version.is_at_least(*_CC_SINCE) else set()
    identifiers = {kind for kinds in _get_recipient_kinds(version).values() for kind in kinds}
    known_nested = (("from", {"type", "id"}), ("to", {"type", *identifiers}))
    nested = [
        f"{parent}.{key}"
        for parent, keys in known_nested
        if isinstance(payload.get(parent), dict)
        for key in payload[parent]
        if key not in keys
    ]
    return tuple(sorted([key for key in payload if key not in known] + nested))


def _get_recipient_kinds(version: Version) -> dict[str, tuple[IdentifierKind, ...]]:
    return _CURRENT_RECIPIENTS if version.is_at_least(*_LEADS_SINCE) else _LEGACY_RECIPIENTS


def _check_type(message_type: object, version: Version) -> str:
    if message_type == "in_app" and version.is_at_least(*_NUMERIC_ID_SINCE):
        return "inapp"
    if message_type not in ("inapp", "email"):
        raise_parameter_invalid("message_type is invalid", "message_type")
    return str(message_type)


def _check_subject(payload: dict[str, object]) -> str:
    subject = payload.get("subject")
    if not isinstance(subject, str) or not subject.strip():
        raise ApiError(422, "parameter_not_found", "No subject supplied for email message", "subject")
    return subject


def _check_template(payload: dict[str, object], *, is_email: bool) -> str | None:
    if not is_email:
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
    is_integer = isinstance(admin_id, int) and not isinstance(admin_id, bool)
    is_digits = isinstance(admin_id, str) and admin_id.isascii() and admin_id.isdigit()
    if not is_digits and not (is_integer and version.is_at_least(*_NUMERIC_ID_SINCE)):
        expected = "an integer" if version.is_at_least(*_NUMERIC_ID_SINCE) else "a string of digits"
        raise_parameter_invalid(f"from.id must be {expected}", "from.id")
    return str(admin_id)


def _check_to(recipient: object, version: Version) -> tuple[IdentifierKind, str]:
    if not isinstance(recipient, dict):
        raise_parameter_invalid("to must be one contact" if recipient else "to is required", "to")
    kinds_by_type = _get_recipient_kinds(version)
    to_type = recipient.get("type")
    if not isinstance(to_type, str) or to_type not in kinds_by_type:
        raise_parameter_invalid(f"to.type must be one of {', '.join(kinds_by_type)}", "to.type")
    if to_type == "contact" and "email" in recipient:
        # No version of the API finds a lead by email.
        raise ApiError(404, "not_found", "User Not Found")
    identifiers: list[IdentifierKind] = [kind for kind in kinds_by_type[to_type] if kind in recipient]
    if len(identifiers) != 1:
        raise_parameter_invalid(f"to needs one of {', '.join(kinds_by_type[to_type])}", "to")
    value = recipient[identifiers[0]]
    if not isinstance(value, str) or not value.strip():
        raise_parameter_invalid(f"to.{identifiers[0]} must be a string", f"to.{identifiers[0]}")
    return identifiers[0], value


def _check_flag(payload: dict[str, object], version: Version) -> bool:
    flag = payload.get(_CONVERSATION_FLAG, False)
    if not version.is_at_least(*_LEADS_SINCE):
        return False
    if not isinstance(flag, bool):
        raise_parameter_invalid(f"{_CONVERSATION_FLAG} must be a boolean", _CONVERSATION_FLAG)
    return flag
