"""`POST /contacts`: from a payload to the contact that is created (reference, "Create contact", 2.14)."""

from runner.sandbox.answer import raise_parameter_invalid
from runner.sandbox.contact import Contact
from runner.sandbox.contacts import Contacts, normalize_email

_ROLES = ("user", "lead")
_TEXTS = ("external_id", "name", "phone")
_INTEGERS = ("owner_id", "signed_up_at", "last_seen_at")


def create_contact(contacts: Contacts, payload: dict[str, object], now: float) -> Contact:
    """Creates and returns a contact. Raises ApiError 400 for an invalid payload, 409 if there is such a contact."""
    if not any(payload.get(key) for key in ("email", "external_id", "role")):
        raise_parameter_invalid("email, external_id or role is required")
    fields: dict[str, object] = {
        "role": _read_role(payload),
        "email": _read_email(payload),
        "unsubscribed_from_emails": _read_flag(payload),
        "attributes": _read_attributes(payload),
    }
    for name in _TEXTS:
        fields[name] = _read(payload, name, str, "a string")
    for name in _INTEGERS:
        fields[name] = _read(payload, name, int, "an integer")
    return contacts.create(fields, now)


def _read_role(payload: dict[str, object]) -> str:
    role = payload.get("role") or "user"
    if not isinstance(role, str) or role not in _ROLES:
        raise_parameter_invalid("role must be user or lead", "role")
    return role


def _read_email(payload: dict[str, object]) -> str | None:
    email = _read(payload, "email", str, "a string")
    if not isinstance(email, str) or not email:
        return None
    name, at, domain = normalize_email(email).rpartition("@")
    if not (name and at and domain):
        raise_parameter_invalid("email is not an address", "email")
    return normalize_email(email)


def _read_flag(payload: dict[str, object]) -> object:
    return _read(payload, "unsubscribed_from_emails", bool, "a boolean")


def _read_attributes(payload: dict[str, object]) -> tuple[tuple[str, object], ...]:
    attributes = payload.get("custom_attributes") or {}
    if not isinstance(attributes, dict) or any(isinstance(value, (dict, list)) for value in attributes.values()):
        raise_parameter_invalid("custom_attributes is an object of single values", "custom_attributes")
    return tuple(attributes.items())


def _read(payload: dict[str, object], name: str, expected: type, description: str) -> object:
    value = payload.get(name)
    if value is not None and (not isinstance(value, expected) or (expected is int and isinstance(value, bool))):
        raise_parameter_invalid(f"{name} must be {description}", name)
    return value
