"""`POST /contacts/search`: finds the contacts that match a query (reference, "Search for contacts", 2.14).

A contact that a query asks for by email, external_id or id exists from then on, unless the beginning of the identifier
says that there is none. Dates are compared by day, in the time zone of the workspace, which is UTC here.
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

_DAY_SECONDS = 86_400
_DATE_FIELDS = frozenset({"created_at", "last_contacted_at"})
_FIELDS = _DATE_FIELDS | {
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
_ATTRIBUTE_PREFIX = "custom_attributes."
_IDENTIFIERS: dict[str, IdentifierKind] = {"email": "email", "external_id": "user_id", "id": "id"}


class ContactSearch:
    """Answers searches. `last_contacted` returns the time of the last message to the contact with an id."""

    def __init__(self, contacts: Contacts, last_contacted: Callable[[str], int | None]) -> None:
        self._contacts = contacts
        self._last_contacted = last_contacted

    def search(self, body: dict[str, object], now: float) -> dict[str, object]:
        """Returns one page of the contacts that match the query in `body`."""
        query = parse_query(body.get("query"), _is_search_field)
        documents = [
            self._to_dict(contact)
            for contact in self._list_candidates(query, now)
            if matches(query, lambda field, contact=contact: self._read_field(contact, field), _normalize)  # type: ignore[misc]
        ]
        return paginate(documents, body.get("pagination"), list_type="list", items_key="data")

    def _list_candidates(self, query: Query, now: float) -> list[Contact]:
        for field, kind in _IDENTIFIERS.items():
            # A query that names its contacts must not go through all of them: clients look up tens of thousands.
            values = find_possible_values(query, field)
            if values is not None:
                return [contact for value in dict.fromkeys(values) for contact in self._contacts.find(kind, value, now)]
        queried = [
            contact
            for field, kind in _IDENTIFIERS.items()
            for value in find_equal_values(query, field)
            for contact in self._contacts.find(kind, value, now)
        ]
        return list({contact.id: contact for contact in (*queried, *self._contacts.list_existing())}.values())

    def _read_field(self, contact: Contact, field: str) -> object:
        if field.startswith(_ATTRIBUTE_PREFIX):
            return dict(contact.attributes).get(field.removeprefix(_ATTRIBUTE_PREFIX))
        match field:
            case "segment_id":
                return contact.segments
            case "tag_id":
                return contact.tags
            case _:
                return self._to_dict(contact)[field]

    def _to_dict(self, contact: Contact) -> dict[str, object]:
        return contact_to_dict(contact, self._last_contacted(contact.id))


def _is_search_field(field: str) -> bool:
    return field in _FIELDS or field.startswith(_ATTRIBUTE_PREFIX)


def _normalize(field: str, value: object) -> object:
    if value is None:
        return None
    if field in _DATE_FIELDS:
        try:
            return int(str(value)) // _DAY_SECONDS
        except ValueError as error:
            raise ApiError(400, "parameter_invalid", f"{field} takes Unix seconds") from error
    return str(value).casefold() if field == "email" else str(value)
