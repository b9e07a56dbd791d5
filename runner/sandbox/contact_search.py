"""`POST /contacts/search` and `GET /contacts` (reference, "Search for contacts" and "List all contacts", 2.14).

A contact that a query asks for by email, external_id or id exists from then on, unless the beginning of the identifier
says that there is none. Dates are compared by day, in the time zone of the workspace, which is UTC here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.sandbox.contact import Contact, ContactDocuments
from runner.sandbox.contacts import Contacts, IdentifierKind
from runner.sandbox.pagination import CONTACTS_PER_PAGE, read_list_page, read_search_page
from runner.sandbox.search_fields import CHOICE_OPERATORS, TEXT_OPERATORS, FieldType, SearchFields
from runner.sandbox.search_query import Query, find_equal_values, find_possible_values, matches, parse_query

_ATTRIBUTE_PREFIX = "custom_attributes."
_NAMES = {
    FieldType.STRING: "id role name avatar phone external_id language_override browser browser_language os segment_id"
    " location.country location.region location.city"
    " ios_app_version ios_device ios_app_device ios_os_version ios_app_name ios_sdk_version"
    " android_app_version android_device android_app_name android_sdk_version andoid_sdk_version",  # both spellings
    FieldType.ADDRESS: "email email_domain",
    FieldType.INTEGER: "owner_id",
    FieldType.BOOLEAN: "unsubscribed_from_emails marked_email_as_spam has_hard_bounced",
    FieldType.DATE: "created_at signed_up_at updated_at last_seen_at last_contacted_at last_replied_at"
    " last_email_opened_at last_email_clicked_at ios_last_seen_at android_last_seen_at",
    FieldType.TAG: "tag_id",
}
_FIELDS = SearchFields(
    types={name: field_type for field_type, names in _NAMES.items() for name in names.split()},
    operators={
        FieldType.STRING: TEXT_OPERATORS,
        FieldType.ADDRESS: TEXT_OPERATORS,
        FieldType.INTEGER: CHOICE_OPERATORS | {">", "<", ">=", "<="},
        FieldType.BOOLEAN: CHOICE_OPERATORS,
        FieldType.DATE: frozenset({"=", ">", "<"}),
        FieldType.TAG: frozenset({"=", "!="}),
        FieldType.ATTRIBUTE: TEXT_OPERATORS | {">", "<", ">=", "<="},
    },
    date_unit=86_400,
    attribute_prefix=_ATTRIBUTE_PREFIX,
)
_IDENTIFIERS: dict[str, IdentifierKind] = {"email": "email", "external_id": "user_id", "id": "id"}


@dataclass(frozen=True, slots=True, eq=False)
class ContactSearch:
    """Answers searches and lists."""

    contacts: Contacts
    documents: ContactDocuments

    def search(self, body: dict[str, object], now: float) -> dict[str, object]:
        """Returns one page of the contacts that match the query in `body`."""
        query = parse_query(body.get("query"), _FIELDS)
        page = read_search_page(body.get("pagination"), CONTACTS_PER_PAGE)
        found = [
            contact
            for contact in self._list_candidates(query, now)
            if matches(query, lambda field, contact=contact: self._read_field(contact, field))  # type: ignore[misc]
        ]
        return page.build_list(found, self.documents.build)

    def list_all(self, parameters: Mapping[str, str]) -> dict[str, object]:
        """Returns one page of the contacts that exist."""
        page = read_list_page(parameters, CONTACTS_PER_PAGE)
        return page.build_list(self.contacts.list_existing(), self.documents.build)

    def _list_candidates(self, query: Query, now: float) -> list[Contact]:
        for field, kind in _IDENTIFIERS.items():
            # A query that names its contacts must not go through all of them: clients look up tens of thousands.
            values = find_possible_values(query, field)
            if values is not None:
                return [contact for value in dict.fromkeys(values) for contact in self.contacts.find(kind, value, now)]
        queried = [
            contact
            for field, kind in _IDENTIFIERS.items()
            for value in find_equal_values(query, field)
            for contact in self.contacts.find(kind, value, now)
        ]
        return list({contact.id: contact for contact in (*queried, *self.contacts.list_existing())}.values())

    def _read_field(self, contact: Contact, field: str) -> object:
        if field.startswith(_ATTRIBUTE_PREFIX):
            return dict(contact.attributes).get(field.removeprefix(_ATTRIBUTE_PREFIX))
        return self.documents.get_field(contact, field)
