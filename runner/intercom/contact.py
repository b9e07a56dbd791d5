"""A contact, as far as msgrun reads it. What names a person (name, phone, location) is not read at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.errors import RunStopped
from runner.intercom.identifiers import parse_id, parse_text

_FAULTS_BY_FIELD = {
    "archived": "archived",
    "blocked": "archived",
    "unsubscribed_from_emails": "unsubscribed",
    "has_hard_bounced": "bounced",
    "marked_email_as_spam": "spam",
}


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as Intercom knows it. `role` is user or lead; `created_at` is in Unix seconds, 0 if unknown.

    `email` and `external_id` tell which of the searched values the contact has; they are never stored. `faults` are
    some of CONTACT_FAULTS.
    """

    id: str
    role: str
    email: str = ""
    external_id: str = ""
    created_at: int = 0
    faults: frozenset[str] = frozenset()


def parse_contact_id(value: Mapping[str, Any]) -> str:
    """Returns the id of a contact in Intercom's JSON. Raises RunStopped if it has none."""
    if contact_id := parse_id(value.get("id")):
        return contact_id
    raise RunStopped("Intercom shows a contact without an id, or with one of an unknown form")


def parse_contact(value: Mapping[str, Any]) -> Contact:
    """Returns a contact of Intercom's JSON. Raises RunStopped if it has no id."""
    created = value.get("created_at")
    email = parse_text(value.get("email"))
    # A mark of another form than documented counts as set: who may have unsubscribed gets nothing.
    faults = {fault for field, fault in _FAULTS_BY_FIELD.items() if value.get(field) not in (None, False)}
    return Contact(
        id=parse_contact_id(value),
        role="lead" if value.get("role") == "lead" else "user",
        email=email,
        external_id=parse_text(value.get("external_id")),
        created_at=created if isinstance(created, int) else 0,
        faults=frozenset(faults if email.strip() else faults | {"no_email"}),
    )
