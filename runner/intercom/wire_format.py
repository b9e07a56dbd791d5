"""The wire format of POST /messages in each API version. Source: Intercom API reference, versions 1.0 to 2.17."""

from dataclasses import dataclass
from typing import Any

from runner.declare.declaration import CONVERSATION_FLAG
from runner.declare.identity import Payload
from runner.declare.settings import version_number

LOOKED_UP_SINCE = (2, 6)


INTEGER_SENDER_SINCE = (2, 7)


_MOST_DIGITS = 18  # of an integer in JSON that everybody can read; no admin's id is longer, and a longer one stays text


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as Intercom knows it: `role` is user or lead; `created_at` in Unix seconds, 0 if unknown."""

    id: str
    role: str
    email: str = ""
    external_id: str = ""
    created_at: int = 0


def needs_lookup(payload: Payload, api_version: str) -> bool:
    """Whether the recipient must be found first: since 2.6 a message goes to an id, never to an address."""
    return version_number(api_version) >= LOOKED_UP_SINCE and "id" not in payload["to"]


def build_body(payload: Payload, api_version: str, contact: Contact | None = None) -> dict[str, Any]:
    """The JSON to POST. A recipient that has to be looked up goes to the `contact`; without one, as declared."""
    version = version_number(api_version)
    sent = {**payload, "from": dict(payload["from"]), "to": dict(payload["to"])}
    if version >= INTEGER_SENDER_SINCE and len(sent["from"]["id"]) <= _MOST_DIGITS:
        sent["from"]["id"] = int(sent["from"]["id"])
    if version >= LOOKED_UP_SINCE:
        if contact is not None:
            sent["to"] = {"type": contact.role, "id": contact.id}
        elif sent["to"]["type"] == "contact":
            sent["to"]["type"] = "lead"
    else:
        sent.pop(CONVERSATION_FLAG, None)
    return sent
