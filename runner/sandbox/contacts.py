"""The contacts of the sandbox: one for every identifier that a client asks for.

What an identifier (the part of an email before the @, a user_id, an id) begins with decides what its contact is like:

    missing        there is no such contact
    lead           a lead; all others are users
    twin           (email) two users share the address
    pair           (email) a user and a lead share it
    fresh          created when a client first asks for it; cannot be sent to for some seconds
    unsubscribed   takes no email

A client that asks for an id gets a contact with that id. The ids of all other contacts are derived from the identifier.
Their first eight digits stand for the nature of the contact, so an id means the same after a restart without being
stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runner.sandbox.workspace import SEGMENTS, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterable

IdentifierKind = Literal["id", "user_id", "email"]

_DEFAULT_CREATED_AT = 1401916877
_MISSING_PREFIX = "missing"
_NATURES = ("lead", "fresh", "unsubscribed")
_ID_PREFIXES = {"user": "5e115e11", "lead": "1ead1ead", "fresh": "f4e5f4e5", "unsubscribed": "0ff00ff0"}
_SHARED_ADDRESSES = {"twin": ("user", "user"), "pair": ("user", "lead")}


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. `is_role_known` is false for a bare id, which may be that of a user or of a lead."""

    id: str
    role: str = "user"
    email: str | None = None
    external_id: str | None = None
    created_at: int = _DEFAULT_CREATED_AT
    unsubscribed: bool = False
    is_role_known: bool = True
    segments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


class Contacts:
    """Finds contacts, and remembers those that were found by email or user_id.

    `fresh_seconds` is how long a fresh contact cannot be sent to. `population` is the number of contacts that exist
    from the start.
    """

    def __init__(self, *, fresh_seconds: float = 2.0, population: int = 12) -> None:
        self._fresh_seconds = fresh_seconds
        self._contacts_by_id: dict[str, Contact] = {}
        self._first_asked_at: dict[str, float] = {}
        self._residents_by_identifier: dict[tuple[IdentifierKind, str | None], Contact] = {}
        for contact in map(_build_resident, range(1, population + 1)):
            self._remember(contact)
            self._residents_by_identifier |= {
                ("email", contact.email): contact,
                ("user_id", contact.external_id): contact,
            }

    def find(self, kind: IdentifierKind, value: str, now: float) -> tuple[Contact, ...]:
        """Returns the contacts with an identifier: none, one, or all that share an address."""
        if kind == "id":
            contact = self.get(value, now)
            return () if contact is None else (contact,)
        value = value.strip().lower() if kind == "email" else value
        name, separator, domain = value.rpartition("@") if kind == "email" else (value, "@", "-")
        if not name or not separator or not domain or name.startswith(_MISSING_PREFIX):
            return ()
        if (kind, value) in self._residents_by_identifier:
            return (self._residents_by_identifier[kind, value],)
        shared_natures = next(
            (_SHARED_ADDRESSES[word] for word in _SHARED_ADDRESSES if kind == "email" and name.startswith(word)), None
        )
        natures = shared_natures or (_read_nature(name),)
        return tuple(self._get_or_create(kind, value, nature, index, now) for index, nature in enumerate(natures))

    def get(self, contact_id: str, now: float) -> Contact | None:
        """Returns the contact with an id. Every id has one, except those that begin with `missing`."""
        contact = self._contacts_by_id.get(contact_id)
        if contact is not None:
            return contact
        if not contact_id or contact_id.lower().startswith(_MISSING_PREFIX):
            return None
        prefix_nature = next((nature for nature, prefix in _ID_PREFIXES.items() if contact_id.startswith(prefix)), None)
        nature = prefix_nature or _read_nature(contact_id)
        return self._build(contact_id, nature, now, is_role_known=prefix_nature is not None or nature != "user")

    def list_existing(self) -> Iterable[Contact]:
        """Returns the contacts that exist from the start, and those that were asked for by email or user_id."""
        return list(self._contacts_by_id.values())

    def is_too_fresh(self, contact: Contact, now: float) -> bool:
        """Returns whether the contact was created too recently to be sent to."""
        first_asked_at = self._first_asked_at.get(contact.id)
        return first_asked_at is not None and now - first_asked_at < self._fresh_seconds

    def _get_or_create(self, kind: IdentifierKind, value: str, nature: str, index: int, now: float) -> Contact:
        contact_id = _derive_id(kind, value, nature, index)
        email, external_id = (value, None) if kind == "email" else (None, value)
        return self._contacts_by_id.get(contact_id) or self._remember(
            self._build(contact_id, nature, now, email=email, external_id=external_id),
        )

    def _build(
        self,
        contact_id: str,
        nature: str,
        now: float,
        *,
        email: str | None = None,
        external_id: str | None = None,
        is_role_known: bool = True,
    ) -> Contact:
        is_fresh = nature == "fresh"
        return Contact(
            id=contact_id,
            role="lead" if nature == "lead" else "user",
            email=email,
            external_id=external_id,
            created_at=int(self._first_asked_at.setdefault(contact_id, now)) if is_fresh else _DEFAULT_CREATED_AT,
            unsubscribed=nature == "unsubscribed",
            is_role_known=is_role_known,
        )

    def _remember(self, contact: Contact) -> Contact:
        return self._contacts_by_id.setdefault(contact.id, contact)


def contact_to_dict(contact: Contact, last_contacted_at: int | None) -> dict[str, object]:
    """Returns a contact as in the reference, "Get a contact" (2.14), with the fields that matter for messages."""
    return {
        "type": "contact",
        "id": contact.id,
        "role": contact.role,
        "external_id": contact.external_id,
        "email": contact.email,
        "name": None,
        "unsubscribed_from_emails": contact.unsubscribed,
        "has_hard_bounced": False,
        "marked_email_as_spam": False,
        "created_at": contact.created_at,
        "last_contacted_at": last_contacted_at,
        "custom_attributes": dict(contact.attributes),
    }


def _read_nature(name: str) -> str:
    return next((nature for nature in _NATURES if name.lower().startswith(nature)), "user")


def _derive_id(kind: IdentifierKind, value: str, nature: str, index: int) -> str:
    digest = hashlib.sha256(f"{kind}:{value}:{index}".encode()).hexdigest()
    return _ID_PREFIXES[nature] + digest[:16]


def _build_resident(number: int) -> Contact:
    email = f"resident-{number:02}@sandbox.example"
    return Contact(
        id=_derive_id("email", email, "user", 0),
        email=email,
        external_id=f"resident-{number:02}",
        segments=(tuple(SEGMENTS)[number % len(SEGMENTS)],),
        tags=tuple(TAGS)[:1] if number % 3 == 0 else (),
        attributes=(("plan", "pro" if number % 2 else "free"),),
    )
