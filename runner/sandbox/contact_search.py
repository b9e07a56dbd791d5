"""`POST /contacts/search`: which contacts match a query (reference, "Search for contacts", 2.14).

Everyone whom the query asks for by email, external_id or id exists from then on, unless its name says otherwise.
Dates are compared by day, in the workspace's time zone, which is UTC here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.sandbox.answer import ApiError
from runner.sandbox.contacts import Contact, Contacts, contact_to_dict
from runner.sandbox.pagination import paginate
from runner.sandbox.search_query import Query, find_equal_values, find_possible_values, matches, parse_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.sandbox.contacts import IdentifierKind

_DAY = 86_400
_DATES = frozenset({"created_at", "last_contacted_at"})
_FIELDS = _DATES | {
    "id",
    "role",
    "email",
    "external_id",
    "unsubscribed_from_emails",
    "has_hard_bounced",
    "marked_email_as_spam",
    "segment_id",
    "tag_id",
}
_ATTRIBUTE = "custom_attributes."
_IDENTIFIERS: dict[str, IdentifierKind] = {"email": "email", "external_id": "user_id", "id": "id"}


class ContactSearch:
    """Answers searches; `last_contacted` gives the time of a contact's last message, by its id."""

    def __init__(self, contacts: Contacts, last_contacted: Callable[[str], int | None]) -> None:
        self._contacts = contacts
        self._last_contacted = last_contacted

    def search(self, body: dict[str, object], now: float) -> dict[str, object]:
        """Answer one search with one page."""
        query = parse_query(body.get("query"), _knows)
        found = [
            self._write(contact)
            for contact in self._candidates(query, now)
            if matches(query, lambda field, contact=contact: self._read(contact, field), _norm)  # type: ignore[misc]
        ]
        return paginate(found, body.get("pagination"), list_type="list", items_key="data")

    def _candidates(self, query: Query, now: float) -> list[Contact]:
        for field, kind in _IDENTIFIERS.items():
            # Not everybody is looked at where only few can match: look-ups come by the ten thousand.
            values = find_possible_values(query, field)
            if values is not None:
                return [contact for value in dict.fromkeys(values) for contact in self._contacts.find(kind, value, now)]
        asked = [
            contact
            for field, kind in _IDENTIFIERS.items()
            for value in find_equal_values(query, field)
            for contact in self._contacts.find(kind, value, now)
        ]
        return list({contact.id: contact for contact in (*asked, *self._contacts.list_existing())}.values())

    def _read(self, contact: Contact, field: str) -> object:
        if field.startswith(_ATTRIBUTE):
            return dict(contact.attributes).get(field.removeprefix(_ATTRIBUTE))
        match field:
            case "segment_id":
                return contact.segments
            case "tag_id":
                return contact.tags
            case _:
                return self._write(contact)[field]

    def _write(self, contact: Contact) -> dict[str, object]:
        return contact_to_dict(contact, self._last_contacted(contact.id))


def _knows(field: str) -> bool:
    return field in _FIELDS or field.startswith(_ATTRIBUTE)


def _norm(field: str, value: object) -> object:
    if value is None:
        return None
    if field in _DATES:
        try:
            return int(str(value)) // _DAY
        except ValueError as error:
            raise ApiError(400, "parameter_invalid", f"{field} takes Unix seconds") from error
    return str(value).casefold() if field == "email" else str(value)
