"""Reads the contacts of an audience: of a segment, a tag or a company, or those that a search finds.

Source: reference, "Search for contacts", "List all segments", "List all tags", "Retrieve companies" and "List attached
contacts" (2.14). A list changes while its pages are read, so each contact counts once, and what the first and the last
page say of the total is kept.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from runner.declare.audience.recipient import Role
from runner.declare.audience.workspace_contacts import MAX_COMPRESSED, ContactGroup, ContactReading, pack_contacts
from runner.declare.similar_names import list_first, suggest_or_list
from runner.errors import MsgrunError, RunStopped
from runner.intercom.contact import parse_contact_id
from runner.intercom.identifiers import parse_id, parse_text
from runner.intercom.pages import AUDIENCE_TIME, read_pages
from runner.intercom.workspace import QueryRejected, Workspace

MAX_CONTACTS = 1_000_000  # of one audience
_MAX_PAGES = 20_000  # answers with many long attributes have smaller pages
_MAX_IDLE_PAGES = 10  # more of them are a list that never ends
Progress = Callable[[int, int | None], None]  # gets the number of contacts so far, and of all if Intercom says it


class GroupNotFound(MsgrunError):
    """The workspace has no such segment, tag or company, or several; or it does not take the search."""


def read_contacts(workspace: Workspace, group: ContactGroup, role: Role | None, progress: Progress) -> ContactReading:
    """Reads the contacts of a group that have the role; None means every role.

    Raises GroupNotFound, RunStopped.
    """
    reader = _Reader(role, progress)
    blocks, size = [], 0
    for block in pack_contacts(reader.read(_open_pages(workspace, group))):
        blocks.append(block)
        size += len(block)
        if size > MAX_COMPRESSED:
            raise RunStopped(f"{group.title} has more data than {MAX_COMPRESSED >> 20} MiB", "choose a smaller group")
    return ContactReading(
        tuple(blocks), reader.count, reader.repeated, reader.other_role, reader.first_total, reader.last_total
    )


@dataclass(slots=True)
class _Reader:
    """Reads pages of contacts, and counts."""

    role: Role | None
    progress: Progress
    count: int = 0
    repeated: int = 0
    other_role: int = 0
    first_total: int | None = None
    last_total: int | None = None
    _ids: set[str] = field(default_factory=set)

    def read(self, pages: Iterator[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Yields the contacts of all pages that have the role, each once. Raises RunStopped."""
        idle = 0  # pages in a row that brought no other contact
        for number, page in enumerate(pages):
            known = len(self._ids)
            total = page.get("total_count")
            self.last_total = total if isinstance(total, int) and not isinstance(total, bool) else None
            if number == 0:
                self.first_total = self.last_total
            for contact in page["data"]:
                if self._is_wanted(contact):
                    self.count += 1
                    yield contact
            if len(self._ids) > MAX_CONTACTS:
                raise RunStopped(f"an audience has more than {MAX_CONTACTS:,} contacts", "choose a smaller group")
            idle = idle + 1 if len(self._ids) == known else 0
            if idle == _MAX_IDLE_PAGES:
                raise RunStopped(f"{idle} pages in a row brought no other contact", "nothing was sent; try again later")
            self.progress(len(self._ids), self.last_total)

    def _is_wanted(self, contact: Mapping[str, Any]) -> bool:
        contact_id = parse_contact_id(contact)
        if contact_id in self._ids:
            self.repeated += 1
            return False
        self._ids.add(contact_id)
        if self.role and (contact.get("role") == "user") != (self.role == "user"):
            self.other_role += 1
            return False
        return True


def _open_pages(workspace: Workspace, group: ContactGroup) -> Iterator[dict[str, Any]]:
    """Yields the pages of a group's contacts. Raises GroupNotFound, RunStopped."""
    match group.kind:
        case "search":
            return _search(workspace, group)
        case "segment":
            query = _compare("segment_id", _find_named(group, workspace.read("GET", "/segments"), "segments"))
        case "tag":
            query = _compare("tag_id", _find_named(group, workspace.read("GET", "/tags"), "data"))
        case "company":
            path = f"/companies/{quote(_find_company(workspace, group.name), safe='')}/contacts"
            return _read_pages(workspace, path)
    return _read_pages(workspace, "/contacts/search", query)


def _read_pages(workspace: Workspace, path: str, query: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    time = workspace.limit_search(f"the audience of {path}", AUDIENCE_TIME)
    return read_pages(workspace.read, path, "data", query, _MAX_PAGES, time=time)


def _search(workspace: Workspace, group: ContactGroup) -> Iterator[dict[str, Any]]:
    try:
        yield from _read_pages(workspace, "/contacts/search", dict(group.query))
    except QueryRejected as error:
        raise GroupNotFound("Intercom does not take this search: " + error.message, error.hint) from error


def _compare(name: str, value: str) -> dict[str, Any]:
    return {"field": name, "operator": "=", "value": value}


def _find_named(group: ContactGroup, answer: Any, key: str) -> str:
    """Returns the id of the segment or tag with the group's name. Raises GroupNotFound, RunStopped."""
    listed = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise RunStopped(f"the list of {group.kind}s is not as documented")
    named = [
        (parse_text(item.get("name")).strip(), parse_id(item.get("id"))) for item in listed if isinstance(item, dict)
    ]
    ids = [item_id for name, item_id in named if name == group.name and item_id]
    if len(ids) == 1:
        return ids[0]
    if ids:
        message = f"{len(ids)} {group.kind}s of the workspace are named {group.name}: {list_first(ids)}"
        search = f'search: {{field: {group.kind}_id, operator: "=", value: {ids[0]}}}'
        raise GroupNotFound(message, f"choose one by its id: {search}")
    names = sorted({name for name, _ in named if name})
    raise GroupNotFound(f"the workspace has no {group.kind} named {group.name}", suggest_or_list(group.name, names))


def _find_company(workspace: Workspace, company_id: str) -> str:
    """Intercom's id of the company with an id of the workspace's own. Raises GroupNotFound, RunStopped."""
    path = f"/companies?{urlencode({'company_id': company_id})}"
    answer = workspace.read("GET", path, none_if={HTTPStatus.NOT_FOUND})
    company = answer if isinstance(answer, dict) else {}
    items = company["data"] if isinstance(company.get("data"), list) else [company]
    ids = {
        parse_id(item.get("id"))
        for item in items
        if isinstance(item, dict) and str(item.get("company_id", company_id)) == company_id
    } - {""}
    if len(ids) > 1:
        message = f"{len(ids)} companies have the company_id {company_id}: {list_first(sorted(ids))}"
        raise GroupNotFound(message, "give them different ids in Intercom")
    if not ids:
        hint = "it is your own id of the company, as your application sends it to Intercom, not its name"
        raise GroupNotFound(f"the workspace has no company with the company_id {company_id}", hint)
    return ids.pop()
