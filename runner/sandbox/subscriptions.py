"""The subscription types of the workspace, and which of them contacts chose or left.

As JSON, for PUT /_sandbox/subscriptions:

    {"types": [{"name": "Newsletter", "consent_type": "opt_in", "state": "live", "id": "82"}],
     "choices": {"ann@example.com": ["Newsletter"]}}

`types` replaces all types; without it they stay as they are. `state` and `id` may be left out. A key of `choices` is an
email, an external id or an id; its value lists the types that the contact opted in to, or out of, by name or id.
Shapes as in the reference, "List subscription types" and "List subscriptions for a contact" (2.14).
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from runner.sandbox.answer import SettingError, refuse_unknown_keys
from runner.sandbox.contact import Contact

_CONSENT_TYPES = ("opt_out", "opt_in")
_STATES = ("live", "draft", "archived")


@dataclass(frozen=True, slots=True)
class SubscriptionType:
    """What contacts subscribe to: by default, or only if they opt in."""

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
    """The types and the choices. Many threads may use and change them at the same time.

    `named` are the names of types that there are beside those from the start, each with the consent type opt_out.
    """

    def __init__(self, named: Iterable[str] = ()) -> None:
        known_names = {item.name for item in TYPES}
        others = (name for name in dict.fromkeys(named) if name not in known_names)
        self._types = (*TYPES, *(SubscriptionType(_derive_id(name), name, "opt_out") for name in others))
        self._choices: dict[str, tuple[str, ...]] = {}

    def replace(self, document: Mapping[str, object]) -> None:
        """Replaces types and choices by a JSON document. Raises SettingError if the document is invalid."""
        refuse_unknown_keys(document, {"types", "choices"})
        types = _parse_types(document["types"]) if "types" in document else self._types
        choices = _parse_choices(document.get("choices", {}))
        known = {word for item in types for word in (item.id, item.name)}
        if missing := sorted({word for words in choices.values() for word in words} - known):
            raise SettingError(f"there is no type {missing[0]}")
        self._types, self._choices = types, choices

    def show(self) -> dict[str, object]:
        """Returns types and choices as a document that `replace` takes."""
        return {"types": list(map(asdict, self._types)), "choices": self._choices}

    def list_types(self) -> dict[str, object]:
        """Returns the document of GET /subscription_types."""
        return _list(self._types)

    def list_chosen(self, contact: Contact) -> dict[str, object]:
        """Returns the document of GET /contacts/{id}/subscriptions: what the contact itself chose or left."""
        names = (contact.id, contact.email, contact.external_id)
        chosen = {*contact.subscriptions, *(word for name in names if name for word in self._choices.get(name, ()))}
        return _list(item for item in self._types if item.id in chosen or item.name in chosen)


def _list(types: Iterable[SubscriptionType]) -> dict[str, object]:
    return {"type": "list", "data": [item.to_dict() for item in types]}


def _derive_id(name: str) -> str:
    return str(2_000_000 + zlib.crc32(name.encode()))


def _parse_types(value: object) -> tuple[SubscriptionType, ...]:
    if not isinstance(value, list):
        raise SettingError("types is a list")
    return tuple(map(_parse_type, value))


def _parse_type(value: object) -> SubscriptionType:
    fields = value if isinstance(value, dict) else {}
    name, state = fields.get("name"), fields.get("state", "live")
    consent_type, type_id = fields.get("consent_type"), fields.get("id", _derive_id(str(name)))
    if not (isinstance(name, str) and name.strip() and isinstance(type_id, str)):
        raise SettingError("a type has a name, and may have an id; both are texts")
    if consent_type not in _CONSENT_TYPES or state not in _STATES:
        choices = f"consent_type {' or '.join(_CONSENT_TYPES)}, state {', '.join(_STATES)}"
        raise SettingError(f"type {name}: {choices}")
    return SubscriptionType(type_id, name, str(consent_type), str(state))


def _parse_choices(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict) or not all(
        isinstance(words, list) and all(isinstance(word, str) for word in words) for words in value.values()
    ):
        raise SettingError("choices are lists of types by contact")
    return {name: tuple(words) for name, words in value.items()}
