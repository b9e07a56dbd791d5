"""The people of the sandbox: one contact for every identifier that it is asked for.

What an identifier (the part of an email before the @, a user_id, an id) begins with decides what its contact is like:

    missing        there is no such contact
    lead           a lead, all others are users
    twin           (email) two users share the address
    pair           (email) a user and a lead share it
    fresh          created when first asked for, and at first not to be sent to
    unsubscribed   takes no email

An id that is asked for is its own contact. The ids of the others are derived from the identifier, with the nature
of the contact in their first eight digits, so that they mean the same after a restart without being kept anywhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runner.sandbox.workspace import SEGMENTS, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterable

IdentifierKind = Literal["id", "user_id", "email"]

_LONG_AGO = 1401916877
_MISSING = "missing"
_NATURES = ("lead", "fresh", "unsubscribed")
_MARKS = {"user": "5e115e11", "lead": "1ead1ead", "fresh": "f4e5f4e5", "unsubscribed": "0ff00ff0"}
_SHARED = {"twin": ("user", "user"), "pair": ("user", "lead")}


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact; `settled` tells that its role is certain, which that of a bare id is not."""

    id: str
    role: str = "user"
    email: str | None = None
    external_id: str | None = None
    created_at: int = _LONG_AGO
    unsubscribed: bool = False
    is_role_known: bool = True
    segments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


class Contacts:
    """Finds contacts, and remembers those that were found by email or user_id.

    `fresh_seconds` is how long a fresh contact cannot be sent to; `population` is how many there are without asking.
    """

    def __init__(self, *, fresh_seconds: float = 2.0, population: int = 12) -> None:
        self._fresh_seconds = fresh_seconds
        self._known: dict[str, Contact] = {}
        self._first_asked: dict[str, float] = {}
        self._residents: dict[tuple[IdentifierKind, str | None], Contact] = {}
        for contact in map(_resident, range(1, population + 1)):
            self._remember(contact)
            self._residents |= {("email", contact.email): contact, ("user_id", contact.external_id): contact}

    def find(self, kind: IdentifierKind, value: str, now: float) -> tuple[Contact, ...]:
        """Find the contacts behind an identifier: none, one, or those that share an address."""
        if kind == "id":
            contact = self.get(value, now)
            return () if contact is None else (contact,)
        value = value.strip().lower() if kind == "email" else value
        name, at, domain = value.rpartition("@") if kind == "email" else (value, "@", "-")
        if not name or not at or not domain or name.startswith(_MISSING):
            return ()
        if (kind, value) in self._residents:
            return (self._residents[kind, value],)
        shared = next((_SHARED[word] for word in _SHARED if kind == "email" and name.startswith(word)), None)
        natures = shared or (_nature(name),)
        return tuple(self._invent(kind, value, nature, place, now) for place, nature in enumerate(natures))

    def get(self, contact_id: str, now: float) -> Contact | None:
        """Find a contact by its id; every id has one, but for those that begin with `missing`."""
        known = self._known.get(contact_id)
        if known is not None:
            return known
        if not contact_id or contact_id.lower().startswith(_MISSING):
            return None
        marked = next((nature for nature, mark in _MARKS.items() if contact_id.startswith(mark)), None)
        nature = marked or _nature(contact_id)
        return self._build(contact_id, nature, now, settled=marked is not None or nature != "user")

    def list_existing(self) -> Iterable[Contact]:
        """List the contacts that exist without being asked for by name, or were."""
        return list(self._known.values())

    def is_too_fresh(self, contact: Contact, now: float) -> bool:
        """Tell whether the contact was created too short a while ago to be sent to."""
        first = self._first_asked.get(contact.id)
        return first is not None and now - first < self._fresh_seconds

    def _invent(self, kind: IdentifierKind, value: str, nature: str, place: int, now: float) -> Contact:
        contact_id = _derive(kind, value, nature, place)
        email, external_id = (value, None) if kind == "email" else (None, value)
        return self._known.get(contact_id) or self._remember(
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
        settled: bool = True,
    ) -> Contact:
        fresh = nature == "fresh"
        return Contact(
            id=contact_id,
            role="lead" if nature == "lead" else "user",
            email=email,
            external_id=external_id,
            created_at=int(self._first_asked.setdefault(contact_id, now)) if fresh else _LONG_AGO,
            unsubscribed=nature == "unsubscribed",
            is_role_known=settled,
        )

    def _remember(self, contact: Contact) -> Contact:
        return self._known.setdefault(contact.id, contact)


def contact_to_dict(contact: Contact, last_contacted_at: int | None) -> dict[str, object]:
    """Write a contact as the reference shows it, "Get a contact" (2.14), the fields that matter for messages."""
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


def _nature(name: str) -> str:
    return next((nature for nature in _NATURES if name.lower().startswith(nature)), "user")


def _derive(kind: IdentifierKind, value: str, nature: str, place: int) -> str:
    digest = hashlib.sha256(f"{kind}:{value}:{place}".encode()).hexdigest()
    return _MARKS[nature] + digest[:16]


def _resident(number: int) -> Contact:
    email = f"resident-{number:02}@sandbox.example"
    return Contact(
        id=_derive("email", email, "user", 0),
        email=email,
        external_id=f"resident-{number:02}",
        segments=(tuple(SEGMENTS)[number % len(SEGMENTS)],),
        tags=tuple(TAGS)[:1] if number % 3 == 0 else (),
        attributes=(("plan", "pro" if number % 2 else "free"),),
    )
