"""The contacts of the sandbox: one for every identifier that a client asks for.

What an identifier (the part of an email before the @, a user_id, an id) begins with decides what its contact is like:

    missing        there is no such contact
    lead           a lead; all others are users
    twin           (email) two users share the address
    pair           (email) a user and a lead share it
    fresh          created when a client first asks for it; cannot be sent to for some seconds
    unsubscribed   takes no email
    bounced        has_hard_bounced
    spam           marked_email_as_spam
    noemail        (user_id, id) has no email; all others have one
    merged         (id) was merged into another contact; by email or user_id there is no such contact
    replies        replies to every message
    lost           gets its messages, but the answer to the client is a 500

A client that asks for an id gets a contact with that id. The ids of all other contacts are derived from the identifier.
Their first eight digits stand for the nature of the contact, so an id means the same after a restart without being
stored.
"""

import hashlib
import threading
from typing import Literal

from runner.sandbox.answer import ApiError
from runner.sandbox.contact import DEFAULT_CREATED_AT, Contact
from runner.sandbox.groups import Groups, list_resident_fields, make_groups

IdentifierKind = Literal["id", "user_id", "email"]
IDENTIFIER_KINDS: tuple[IdentifierKind, ...] = ("id", "user_id", "email")

_MISSING_PREFIX = "missing"
_MERGED_PREFIX = "merged"
_ID_PREFIXES = {
    "user": "5e115e11",
    "lead": "1ead1ead",
    "fresh": "f4e5f4e5",
    "unsubscribed": "0ff00ff0",
    "bounced": "b04cb04c",
    "spam": "5ba45ba4",
    "noemail": "40e40e40",
    "replies": "4e914e91",
    "lost": "10571057",
}
_NATURES_BY_ID_PREFIX = {prefix: nature for nature, prefix in _ID_PREFIXES.items()}
_NATURES = tuple(nature for nature in _ID_PREFIXES if nature != "user")
_PREFIX_LENGTH = 8
_SHARED_ADDRESSES = {"twin": ("user", "user"), "pair": ("user", "lead")}


class Contacts:
    """Finds contacts, and remembers those that were added, or found by email or user_id.

    `fresh_seconds` is how long a fresh contact cannot be sent to. `population` is the number of contacts that exist
    from the start.
    """

    def __init__(self, *, fresh_seconds: float = 2.0, population: int = 12, groups: Groups | None = None) -> None:
        self._lock = threading.Lock()
        self._fresh_seconds = fresh_seconds
        self._contacts_by_id: dict[str, Contact] = {}
        self._first_asked_at: dict[str, float] = {}
        self._by_identifier: dict[tuple[IdentifierKind, str], tuple[Contact, ...]] = {}
        for fields in list_resident_fields(population, groups or make_groups()):
            self.add(Contact(id=_derive_id("email", str(fields["email"]), "user", 0), **fields))  # type: ignore[arg-type]

    def find(self, kind: IdentifierKind, value: str, now: float) -> tuple[Contact, ...]:
        """Returns the contacts with an identifier: none, one, or all that share an address."""
        if kind == "id":
            contact = self.get(value, now)
            return () if contact is None else (contact,)
        value = normalize_email(value) if kind == "email" else value
        known = self._by_identifier.get((kind, value))
        if known is not None:
            return known
        name, separator, domain = value.rpartition("@") if kind == "email" else (value, "@", "-")
        if not name or not separator or not domain or name.startswith((_MISSING_PREFIX, _MERGED_PREFIX)):
            return ()
        shared_natures = next(
            (_SHARED_ADDRESSES[word] for word in _SHARED_ADDRESSES if kind == "email" and name.startswith(word)), None
        )
        natures = shared_natures or (_read_nature(name),)
        with self._lock:
            contacts = tuple(
                self._get_or_create(kind, value, nature, index, now) for index, nature in enumerate(natures)
            )
            return self._by_identifier.setdefault((kind, value), contacts)

    def get(self, contact_id: str, now: float) -> Contact | None:
        """Returns the contact with an id. Every id has one, except those that begin with `missing` or `merged`."""
        contact = self._contacts_by_id.get(contact_id)
        if contact is not None:
            return contact
        if not contact_id or contact_id.lower().startswith((_MISSING_PREFIX, _MERGED_PREFIX)):
            return None
        prefix_nature = _NATURES_BY_ID_PREFIX.get(contact_id[:_PREFIX_LENGTH])
        nature = prefix_nature or _read_nature(contact_id)
        return self._build(
            contact_id,
            nature,
            now,
            email=_invent_email(contact_id, nature),
            is_role_known=prefix_nature is not None or nature != "user",
        )

    def require(self, contact_id: str, now: float, *, shows_merges: bool = False) -> Contact:
        """Returns the contact with an id. Raises ApiError 404 if there is none.

        Of one that was merged, raises ApiError 410 with a link if `shows_merges`, else 404 too.
        """
        contact = self.get(contact_id, now)
        if contact is None and shows_merges and contact_id.lower().startswith(_MERGED_PREFIX):
            link = f'</contacts/{_derive_id("id", contact_id, "user", 0)}>; rel="canonical"'
            raise ApiError(410, "contact_merged", "The contact was merged into another one", link=link)
        if contact is None:
            raise ApiError(404, "not_found", "User Not Found")
        return contact

    def require_user(self, external_id: str, now: float) -> Contact:
        """Returns the user with an external id; a lead is not found by it. Raises ApiError 404 if there is none."""
        for contact in self.find("user_id", external_id, now):
            if contact.role == "user":
                return contact
        raise ApiError(404, "not_found", "User Not Found")

    def add(self, contact: Contact) -> None:
        """Adds a contact, which is then found by its id, email and external id."""
        self._contacts_by_id[contact.id] = contact
        identifiers: list[tuple[IdentifierKind, str | None]] = [
            ("email", contact.email and normalize_email(contact.email)),
            ("user_id", contact.external_id),
        ]
        for kind, value in identifiers:
            if value:
                self._by_identifier[kind, value] = (*self._by_identifier.get((kind, value), ()), contact)

    def list_existing(self) -> list[Contact]:
        """Returns the contacts that exist from the start, were added, or were asked for by email or user_id."""
        return list(self._contacts_by_id.values())

    def is_too_fresh(self, contact: Contact, now: float) -> bool:
        """Returns whether the contact was created too recently to be sent to."""
        first_asked_at = self._first_asked_at.get(contact.id)
        return first_asked_at is not None and now - first_asked_at < self._fresh_seconds

    def _get_or_create(self, kind: IdentifierKind, value: str, nature: str, index: int, now: float) -> Contact:
        contact_id = _derive_id(kind, value, nature, index)
        email, external_id = (value, None) if kind == "email" else (_invent_email(contact_id, nature), value)
        return self._contacts_by_id.get(contact_id) or self._contacts_by_id.setdefault(
            contact_id, self._build(contact_id, nature, now, email=email, external_id=external_id)
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
            created_at=int(self._first_asked_at.setdefault(contact_id, now)) if is_fresh else DEFAULT_CREATED_AT,
            unsubscribed_from_emails=nature == "unsubscribed",
            has_hard_bounced=nature == "bounced",
            marked_email_as_spam=nature == "spam",
            replies=nature == "replies",
            loses_answers=nature == "lost",
            is_role_known=is_role_known,
        )


def _invent_email(contact_id: str, nature: str) -> str | None:
    """Returns the address of a contact that a client knows by another identifier; None if it has none."""
    return None if nature == "noemail" else f"{contact_id.lower()}@contacts.sandbox.example"


def normalize_email(email: str) -> str:
    """Returns an email as contacts are found by it."""
    return email.strip().lower()


def _read_nature(name: str) -> str:
    return next((nature for nature in _NATURES if name.lower().startswith(nature)), "user")


def _derive_id(kind: IdentifierKind, value: str, nature: str, index: int) -> str:
    digest = hashlib.sha256(f"{kind}:{value}:{index}".encode()).hexdigest()
    return _ID_PREFIXES[nature] + digest[:16]
