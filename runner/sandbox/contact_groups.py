"""What contacts are grouped by: segments and tags.

Shapes as in the reference, "List all segments" and "List all tags" (2.14).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.sandbox.answer import ApiError
from runner.sandbox.contact import DEFAULT_CREATED_AT, Contact
from runner.sandbox.contacts import Contacts
from runner.sandbox.groups import Groups


@dataclass(frozen=True, slots=True, eq=False)
class ContactGroups:
    """Shows the groups themselves, and those of a contact."""

    contacts: Contacts
    groups: Groups

    def list_segments(self, query: Mapping[str, str]) -> dict[str, object]:
        """Returns the document of GET /segments. With `include_count=true`, each has the number of its members."""
        segments = [self._segment_to_dict(segment) for segment in self.groups.segments]
        if query.get("include_count") == "true":
            members = [segment for contact in self.contacts.list_existing() for segment in contact.segments]
            segments = [{**segment, "count": members.count(str(segment["id"]))} for segment in segments]
        return {"type": "segment.list", "segments": segments}

    def show_segment(self, segment: str) -> dict[str, object]:
        """Returns the document of GET /segments/{id}. Raises ApiError 404 for an unknown id."""
        _require(segment, self.groups.segments)
        return self._segment_to_dict(segment)

    def list_tags(self) -> dict[str, object]:
        """Returns the document of GET /tags."""
        return _list(map(self._tag_to_dict, self.groups.tags))

    def show_tag(self, tag: str) -> dict[str, object]:
        """Returns the document of GET /tags/{id}. Raises ApiError 404 for an unknown id."""
        _require(tag, self.groups.tags)
        return self._tag_to_dict(tag)

    def list_segments_of(self, contact: Contact) -> dict[str, object]:
        """Returns the document of GET /contacts/{id}/segments."""
        return _list(map(self._segment_to_dict, contact.segments))

    def list_tags_of(self, contact: Contact) -> dict[str, object]:
        """Returns the document of GET /contacts/{id}/tags."""
        return _list({**self._tag_to_dict(tag), "applied_at": DEFAULT_CREATED_AT} for tag in contact.tags)

    def _segment_to_dict(self, segment: str) -> dict[str, object]:
        return {
            "type": "segment",
            "id": segment,
            "name": self.groups.segments[segment],
            "created_at": DEFAULT_CREATED_AT,
            "updated_at": DEFAULT_CREATED_AT,
            "person_type": "user",
        }

    def _tag_to_dict(self, tag: str) -> dict[str, object]:
        return {"type": "tag", "id": tag, "name": self.groups.tags[tag]}


def _require(item: str, known: Iterable[str]) -> None:
    if item not in known:
        raise ApiError(404, "not_found", "Resource Not Found")


def _list(data: Iterable[dict[str, object]]) -> dict[str, object]:
    return {"type": "list", "data": list(data)}
