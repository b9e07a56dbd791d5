"""A contact, as far as msgrun reads it. What names a person (name, phone, location) is not read at all."""

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


def parse_contact(value: dict[str, Any]) -> Contact:
    """Returns a contact of Intercom's JSON. Raises RunStopped if it has no id."""
    created, contact_id = value.get("created_at"), parse_id(value.get("id"))
    if not contact_id:
        raise RunStopped("Intercom shows a contact without an id, or with one of an unknown form")
    email = parse_text(value.get("email"))
    # A mark of another form than documented counts as set: who may have unsubscribed gets nothing.
    faults = {fault for field, fault in _FAULTS_BY_FIELD.items() if value.get(field) not in (None, False)}
    return Contact(
        id=contact_id,
        role="lead" if value.get("role") == "lead" else "user",
        email=email,
        external_id=parse_text(value.get("external_id")),
        created_at=created if isinstance(created, int) else 0,
        faults=frozenset(faults if email.strip() else faults | {"no_email"}),
    )
