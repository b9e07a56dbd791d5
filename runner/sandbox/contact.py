"""One contact, and the document that the API shows of it (reference, "Get a contact", 2.14)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

DEFAULT_CREATED_AT = 1401916877
# The sandbox has no value for these fields. Intercom shows them as null.
_UNKNOWN_FIELDS: dict[str, object] = dict.fromkeys(
    [
        "last_email_opened_at",
        "last_email_clicked_at",
        "language_override",
        "browser",
        "browser_version",
        "browser_language",
        "os",
        "avatar",
        "phone",
        "owner_id",
        *(
            f"{system}_{field}"
            for system in ("android", "ios")
            for field in ("app_name", "app_version", "device", "os_version", "sdk_version", "last_seen_at")
        ),
    ]
)


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. `is_role_known` is false for a bare id, which may be that of a user or of a lead.

    `segments`, `tags` and `companies` are ids; `subscriptions` are those that the contact chose or left itself. With
    `replies`, the contact answers every message. With `loses_answers`, its messages are made, and the answer is a 500.
    """

    id: str
    role: str = "user"
    email: str | None = None
    external_id: str | None = None
    name: str | None = None
    created_at: int = DEFAULT_CREATED_AT
    signed_up_at: int | None = None
    last_seen_at: int | None = None
    unsubscribed_from_emails: bool = False
    has_hard_bounced: bool = False
    marked_email_as_spam: bool = False
    is_role_known: bool = True
    replies: bool = False
    loses_answers: bool = False
    segments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    attributes: tuple[tuple[str, object], ...] = ()

    @property
    def email_domain(self) -> str | None:
        """The part of the email after the @."""
        return None if self.email is None else self.email.rpartition("@")[2]


@dataclass(frozen=True, slots=True, eq=False)
class ContactDocuments:
    """Makes the documents of contacts in one workspace.

    `last_contacted` and `last_replied` return the time of the last message to and from the contact with an id.
    """

    workspace_id: str
    last_contacted: Callable[[str], int | None]
    last_replied: Callable[[str], int | None]

    def get_field(self, contact: Contact, field: str) -> object:
        """Returns what a search compares: a value, a tuple of values, or None."""
        match field:
            case "segment_id":
                return contact.segments
            case "tag_id":
                return contact.tags
            case "last_contacted_at":
                return self.last_contacted(contact.id)
            case "last_replied_at":
                return self.last_replied(contact.id)
            case "updated_at":
                return contact.created_at
            case _:
                return getattr(contact, field, None)

    def build(self, contact: Contact) -> dict[str, object]:
        """Returns a contact as the API shows it. `email` is always a text: "" where there is none."""
        return {
            "type": "contact",
            "id": contact.id,
            "workspace_id": self.workspace_id,
            "external_id": contact.external_id,
            "role": contact.role,
            "email": contact.email or "",
            "email_domain": contact.email_domain or "",
            "name": contact.name,
            "has_hard_bounced": contact.has_hard_bounced,
            "marked_email_as_spam": contact.marked_email_as_spam,
            "unsubscribed_from_emails": contact.unsubscribed_from_emails,
            "created_at": contact.created_at,
            "updated_at": contact.created_at,
            "signed_up_at": contact.signed_up_at,
            "last_seen_at": contact.last_seen_at,
            "last_replied_at": self.last_replied(contact.id),
            "last_contacted_at": self.last_contacted(contact.id),
            **_UNKNOWN_FIELDS,
            "custom_attributes": dict(contact.attributes),
            "tags": _reference_list(contact, "tag", "tags", contact.tags),
            "notes": _reference_list(contact, "note", "notes", ()),
            "companies": _reference_list(contact, "company", "companies", contact.companies),
            "location": {"type": "location", "country": None, "region": None, "city": None},
            "social_profiles": {"type": "list", "data": []},
        }


def _reference_list(contact: Contact, item_type: str, collection: str, ids: Iterable[str]) -> dict[str, object]:
    data = [{"type": item_type, "id": item, "url": f"/{collection}/{item}"} for item in ids]
    return {
        "type": "list",
        "data": data,
        "url": f"/contacts/{contact.id}/{collection}",
        "total_count": len(data),
        "has_more": False,
    }
