"""The companies of the sandbox (reference, "List all companies", "List attached contacts", 2.14)."""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.sandbox.answer import ApiError
from runner.sandbox.contact import DEFAULT_CREATED_AT, Contact, ContactDocuments
from runner.sandbox.contacts import Contacts
from runner.sandbox.pagination import COMPANIES_PER_PAGE, CONTACTS_PER_PAGE, encode_cursor, parse_cursor, read_list_page

_SCROLL_SIZE = 100


@dataclass(frozen=True, slots=True, eq=False)
class Companies:
    """Shows companies, their contacts, and the companies of a contact."""

    workspace_id: str
    contacts: Contacts
    documents: ContactDocuments
    companies: Mapping[str, tuple[str, str]]

    def list_all(self, query: Mapping[str, str]) -> dict[str, object]:
        """Returns the document of GET /companies and POST /companies/list.

        `company_id` or `name` asks for one company. Raises ApiError 404 if there is none. No company has a segment or
        a tag.
        """
        companies = list(self.companies)
        for key, index in (("company_id", 0), ("name", 1)):
            if key in query:
                companies = [company for company in companies if self.companies[company][index] == query[key]]
                if not companies:
                    raise _build_not_found()
        if "segment_id" in query or "tag_id" in query:
            companies = []
        return read_list_page(query, COMPANIES_PER_PAGE).build_list(companies, self._to_dict)

    def scroll(self, query: Mapping[str, str]) -> dict[str, object]:
        """Returns the document of GET /companies/scroll.

        After the last company, `data` is empty and `scroll_param` missing: with it the Node SDK would go on for ever.
        """
        start = parse_cursor(query.get("scroll_param"))
        companies = list(self.companies)[start : start + _SCROLL_SIZE]
        data = [self._to_dict(company) for company in companies]
        document: dict[str, object] = {"type": "list", "data": data, "pages": None, "total_count": None}
        return {**document, "scroll_param": encode_cursor(start + len(data))} if data else document

    def show(self, company: str) -> dict[str, object]:
        """Returns the document of GET /companies/{id}. Raises ApiError 404 for an unknown id."""
        self._require(company)
        return self._to_dict(company)

    def list_contacts(self, company: str, query: Mapping[str, str], now: float) -> dict[str, object]:
        """Returns the document of GET /companies/{id}/contacts. Raises ApiError 404 for an unknown id."""
        self._require(company)
        page = read_list_page(query, CONTACTS_PER_PAGE)
        return page.build_list(self._list_members(company), lambda contact: self.documents.build(contact, now))

    def list_segments(self, company: str) -> dict[str, object]:
        """Returns the document of GET /companies/{id}/segments. Raises ApiError 404 for an unknown id."""
        self._require(company)
        return {"type": "list", "data": []}

    def list_companies_of(self, contact: Contact, query: Mapping[str, str]) -> dict[str, object]:
        """Returns the document of GET /contacts/{id}/companies.

        The items are under two keys: `companies` is that of the description's schema, which the official SDKs read, and
        `data` that of its example. `next` is an address, not a cursor.
        """
        page = read_list_page(query, CONTACTS_PER_PAGE)
        document, total = page.build_list(contact.companies, self._to_dict), len(contact.companies)
        pages = {**page.describe(total), "next": None}
        if page.start + page.size < total:
            pages["next"] = f"/contacts/{contact.id}/companies?page={page.number + 1}&per_page={page.size}"
        return {**document, "companies": document["data"], "pages": pages}

    def _require(self, company: str) -> None:
        if company not in self.companies:
            raise _build_not_found()

    def _list_members(self, company: str) -> list[Contact]:
        return [contact for contact in self.contacts.list_existing() if company in contact.companies]

    def _to_dict(self, company: str) -> dict[str, object]:
        company_id, name = self.companies[company]
        return {
            "type": "company",
            "id": company,
            "company_id": company_id,
            "app_id": self.workspace_id,
            "name": name,
            "remote_created_at": DEFAULT_CREATED_AT,
            "created_at": DEFAULT_CREATED_AT,
            "updated_at": DEFAULT_CREATED_AT,
            "monthly_spend": 0,
            "session_count": 0,
            "user_count": len(self._list_members(company)),
            "plan": {},
            "custom_attributes": {},
            "tags": {"type": "tag.list", "tags": []},
            "segments": {"type": "segment.list", "segments": []},
        }


def _build_not_found() -> ApiError:
    return ApiError(404, "company_not_found", "Company Not Found")
