"""The subscription types of the workspace, and which of them contacts chose or left.

Shapes as in the reference, "List subscription types" and "List subscriptions for a contact" (2.14).
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.sandbox.contact import Contact


@dataclass(frozen=True, slots=True)
class SubscriptionType:
    """What contacts subscribe to: by default (opt_out), or only if they opt in. `state`: live, draft or archived."""

    id: str
    name: str
    consent_type: str
    state: str = "live"

    def to_dict(self) -> dict[str, object]:
        """Returns the type as the API shows it."""
        translation = {"name": self.name, "description": self.name, "locale": "en"}
        return {
            "type": "subscription",
            "id": self.id,
            "state": self.state,
            "consent_type": self.consent_type,
            "content_types": ["email"],
            "default_translation": translation,
            "translations": [translation],
        }


TYPES = (SubscriptionType("81", "Announcements", "opt_out"), SubscriptionType("82", "Newsletter", "opt_in"))


class Subscriptions:
    """The types and the choices. A test may replace both.

    `choices` are the names of the types that a contact opted in to, or out of, by its email, external id or id; those
    of the residents are in `Contact.subscriptions`. `named` are the names of types that there are beside those from the
    start, each with the consent type opt_out.
    """

    def __init__(self, named: Iterable[str] = ()) -> None:
        known_names = {item.name for item in TYPES}
        others = (name for name in dict.fromkeys(named) if name not in known_names)
        self.types = (*TYPES, *(SubscriptionType(_derive_id(name), name, "opt_out") for name in others))
        self.choices: Mapping[str, Sequence[str]] = {}

    def list_types(self) -> dict[str, object]:
        """Returns the document of GET /subscription_types."""
        return _list(self.types)

    def list_chosen(self, contact: Contact) -> dict[str, object]:
        """Returns the document of GET /contacts/{id}/subscriptions: what the contact itself chose or left."""
        names = (contact.id, contact.email, contact.external_id)
        chosen = {name for identifier in names if identifier for name in self.choices.get(identifier, ())}
        return _list(item for item in self.types if item.id in contact.subscriptions or item.name in chosen)


def _list(types: Iterable[SubscriptionType]) -> dict[str, object]:
    return {"type": "list", "data": [item.to_dict() for item in types]}


def _derive_id(name: str) -> str:
    return str(2_000_000 + zlib.crc32(name.encode()))
