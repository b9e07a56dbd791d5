"""What an answer to POST /messages means: the table of what is sent, refused, unknown, or never happened.

There is no idempotency key in this API, so everything that does not prove that nothing was made is unknown.
"""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from runner.intercom import NoReply, Reply

# Codes and request ids go into the ledger, where no address may be, whatever an answer holds in their place.
_NAME = re.compile(r"[A-Za-z0-9_.:/+=-]{1,128}")
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TIMEOUT, _TOO_MANY = 200, 401, 403, 404, 408, 429


@dataclass(frozen=True, slots=True)
class Sent:
    """The message exists: its id, and its owner if that is not the sender."""

    id: str
    request_id: str
    other_owner: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Intercom said no to this delivery. `not_found`: perhaps only because the contact is new."""

    code: str
    message: str
    request_id: str
    not_found: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been made. `alarm`: it was, and went the wrong way."""

    reason: str
    request_id: str = ""
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing was made, and nothing will be: it is about the token or the workspace's plan."""

    code: str
    message: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Nothing was made: over the rate limit."""

    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Unreached:
    """Nothing was made: no byte of the request left."""

    reason: str


Answer = Sent | Refused | Unknown | Denied | Throttled | Unreached


def meaning(result: Reply | NoReply, sender: str) -> Answer:
    """What became of a message that was POSTed from admin `sender`."""
    if isinstance(result, NoReply):
        return Unknown(result.reason) if result.may_have_left else Unreached(result.reason)
    if result.status == _OK:
        return _made(result, sender)
    if result.status == _TOO_MANY:
        return Throttled(fault(result)[2])
    if 400 <= result.status < 500 and result.status != _TIMEOUT:  # noqa: PLR2004  # the range of client errors
        code, message, request_id = fault(result)
        if result.status == _UNAUTHORIZED or (result.status == _FORBIDDEN and code == "api_plan_restricted"):
            return Denied(code, message, request_id)
        return Refused(code, message, request_id, not_found=result.status == _NOT_FOUND)
    return Unknown(f"HTTP status {result.status}", fault(result)[2])


def fault(reply: Reply) -> tuple[str, str, str]:
    """Code, message and request id of an error, read leniently: other shapes and other codes may come."""
    value = _json(reply.body)
    request_id = _request_id(reply)
    code, message = f"http_{reply.status}", ""
    if isinstance(value, dict):
        request_id = _name(value.get("request_id")) or request_id
        errors = value.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else value
        code = _name(first.get("code")) or code
        message = str(first.get("message") or first.get("field") or "")
    return code, message, request_id


def _made(reply: Reply, sender: str) -> Answer:
    value = _json(reply.body)
    request_id = _request_id(reply)
    if not isinstance(value, dict):
        return Unknown("a 200 that is not the documented object", request_id)
    if value.get("type") == "user_message":
        return Unknown("Intercom made an inbound conversation instead of a message", request_id, alarm=True)
    made = value.get("id")
    if value.get("type") != "admin_message" or not isinstance(made, str | int) or isinstance(made, bool) or made == "":
        return Unknown("a 200 that is not the documented object", request_id)
    owner = value.get("owner")
    owner_id = str(owner.get("id") or sender) if isinstance(owner, dict) else sender
    return Sent(str(made), request_id, owner_id if owner_id != sender else "")


def _request_id(reply: Reply) -> str:
    return _name(reply.headers.get("x-request-id"))


def _name(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and _NAME.fullmatch(str(value)) else ""


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
