"""What contacts are grouped by: segments, tags and companies.

Shapes as in the reference, "List all segments", "List all tags", "List all companies" and "List attached contacts"
(2.14).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.sandbox.answer import ApiError
from runner.sandbox.contact import DEFAULT_CREATED_AT, ContactDocuments
from runner.sandbox.contacts import Contacts
from runner.sandbox.groups import Groups
from runner.sandbox.pagination import COMPANIES_PER_PAGE, CONTACTS_PER_PAGE, read_list_page


@dataclass(frozen=True, slots=True, eq=False)
class ContactGroups:
    """Shows the groups, and the contacts of a company. Those of a segment or a tag are found by a search."""

    workspace_id: str
    contacts: Contacts
    documents: ContactDocuments
    groups: Groups

    def list_segments(self) -> dict[str, object]:
        """Returns the document of GET /segments."""
        segments = [
            {
                "type": "segment",
                "id": segment,
                "name": name,
                "created_at": DEFAULT_CREATED_AT,
                "updated_at": DEFAULT_CREATED_AT,
                "person_type": "user",
            }
            for segment, name in self.groups.segments.items()
        ]
        return {"type": "segment.list", "segments": segments}

    def list_tags(self) -> dict[str, object]:
        """Returns the document of GET /tags."""
        data = [{"type": "tag", "id": tag, "name": name} for tag, name in self.groups.tags.items()]
        return {"type": "list", "data": data}

    def list_companies(self, query: Mapping[str, str]) -> dict[str, object]:
        """Returns the document of GET /companies. `company_id` asks for one: raises ApiError 404 if there is none."""
        companies = list(self.groups.companies)
        if "company_id" in query:
            companies = [company for company in companies if self.groups.companies[company][0] == query["company_id"]]
            if not companies:
                raise _build_company_not_found()
        return read_list_page(query, COMPANIES_PER_PAGE).build_list(companies, self._company_to_dict)

    def list_company_contacts(self, company: str, query: Mapping[str, str]) -> dict[str, object]:
        """Returns the document of GET /companies/{id}/contacts. Raises ApiError 404 for an unknown id."""
        if company not in self.groups.companies:
            raise _build_company_not_found()
        members = [contact for contact in self.contacts.list_existing() if company in contact.companies]
        return read_list_page(query, CONTACTS_PER_PAGE).build_list(members, self.documents.build)

    def _company_to_dict(self, company: str) -> dict[str, object]:
        company_id, name = self.groups.companies[company]
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
            "user_count": sum(company in contact.companies for contact in self.contacts.list_existing()),
            "plan": {},
            "custom_attributes": {},
            "tags": {"type": "tag.list", "tags": []},
            "segments": {"type": "segment.list", "segments": []},
        }


def _build_company_not_found() -> ApiError:
    return ApiError(404, "company_not_found", "Company Not Found")
