"""The JSON of POST /messages in each API version. Source: Intercom API reference, versions 1.0 to 2.17."""

from typing import Any

from runner.declare.declaration import CONVERSATION_FLAG
from runner.declare.keys_and_digests import Payload
from runner.declare.settings import version_number
from runner.intercom.contact import Contact

_LOOKED_UP_SINCE = (2, 6)
_INTEGER_SENDER_SINCE = (2, 7)
_MAX_DIGITS = 18  # of an integer that every JSON parser reads; no admin's id is longer, and a longer one stays a string


def needs_lookup(payload: Payload, api_version: str) -> bool:
    """Returns whether the recipient's contact must be looked up before the POST.

    Since version 2.6, a message is sent to an id, never to an address.
    """
    return version_number(api_version) >= _LOOKED_UP_SINCE and "id" not in payload["to"]


def build_body(
    payload: Payload, api_version: str, contact: Contact | None = None, *, sender_id: str = ""
) -> dict[str, Any]:
    """Returns the JSON to POST.

    `sender_id` is the admin's id. Since version 2.6, `contact`, the result of the lookup, becomes the recipient.
    Without them, sender and recipient are as declared.
    """
    version = version_number(api_version)
    body = {**payload, "from": dict(payload["from"]), "to": dict(payload["to"])}
    if sender_id:
        body["from"] = {"type": "admin", "id": sender_id}
    admin_id = body["from"].get("id")
    if version >= _INTEGER_SENDER_SINCE and admin_id and len(admin_id) <= _MAX_DIGITS:
        body["from"]["id"] = int(admin_id)
    if version >= _LOOKED_UP_SINCE:
        if contact is not None:
            body["to"] = {"type": contact.role, "id": contact.id}
        elif body["to"]["type"] == "contact":
            body["to"]["type"] = "lead"
    else:
        body.pop(CONVERSATION_FLAG, None)
    return body
