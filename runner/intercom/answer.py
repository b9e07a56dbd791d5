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
_OK, _FORBIDDEN, _NOT_FOUND, _TIMEOUT, _TOO_MANY = 200, 403, 404, 408, 429
# Codes that Intercom documents without their status: with a 4xx they prove nothing.
_PROVING_NOTHING = {"server_error", "request_timeout", "service_unavailable"}
_SCOPE = re.compile(r"\b(scopes?|permissions?)\b", re.IGNORECASE)
_RECIPIENT = re.compile(r"\b(users?|contacts?|leads?|recipients?|unsubscrib\w*)\b", re.IGNORECASE)


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
    is_not_found: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been made. `alarm`: it was, and went the wrong way. `stops`: further ones would fare the same."""

    reason: str
    request_id: str = ""
    is_inbound: bool = False
    is_fatal: bool = False


@dataclass(frozen=True, slots=True)
class AccountDenied:
    """Nothing was made, and nothing will be: it is about the account, not the recipient. `hint`: what to fix."""

    code: str
    message: str
    request_id: str
    hint: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Nothing was made: over the rate limit."""

    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Unreached:
    """Nothing was made: no byte of the request left."""

    reason: str


Answer = Sent | Refused | Unknown | AccountDenied | Throttled | Unreached


def classify_reply(result: Reply | NoReply, sender: str) -> Answer:
    """What became of a message that was POSTed from admin `sender`."""
    if isinstance(result, NoReply):
        return Unknown(result.reason) if result.has_sent_bytes else Unreached(result.reason)
    if result.status == _OK:
        return _made(result, sender)
    if result.status == _TOO_MANY:
        return Throttled(parse_error(result)[2])
    if 400 <= result.status < 500:  # noqa: PLR2004  # the range of client errors
        return _declined(result, sender)
    return Unknown(f"HTTP status {result.status}", parse_error(result)[2])


def _declined(reply: Reply, sender: str) -> Answer:
    """What a 4xx means; the first row that fits, from the top."""
    code, message, request_id = parse_error(reply)
    if reply.status == _TIMEOUT or code in _PROVING_NOTHING or not _is_error(reply):
        whose = "" if _is_error(reply) else ", and not Intercom's own answer: a proxy or a firewall between?"
        return Unknown(f"HTTP status {reply.status}{whose}", request_id, is_fatal=True)
    if hint := account_hint(reply, sender):
        return AccountDenied(code, message, request_id, hint)
    if reply.status == _FORBIDDEN and not _RECIPIENT.search(message):
        reason = f"HTTP status 403, {code}: neither about the account nor about the recipient"
        return Unknown(reason, request_id, is_fatal=True)
    return Refused(code, message, request_id, is_not_found=reply.status == _NOT_FOUND)


def account_hint(reply: Reply, sender: str = "") -> str:
    """What to fix where an error is about the account; empty where it is not, or is no error of Intercom's."""
    code, message, _ = parse_error(reply)
    match reply.status:
        case _ if not _is_error(reply):
            return ""
        case 400 if code == "intercom_version_invalid":
            return "api_version in msgrun.yaml: 2.14 is the one that is tried most"
        case 404 if code == "admin_not_found":
            return no_admin_hint(sender)
        case 401 | 403 if _SCOPE.search(message) or code in {"token_unauthorized", "missing_authorization"}:
            return "give the app this permission: Developer Hub, your app, Authentication, Edit"
        case 403 if code == "api_plan_restricted":
            return "the workspace's plan has no access to this: ask its owner, or choose another plan"
        case 401:
            return "copy INTERCOM_ACCESS_TOKEN again, and compare region: in msgrun.yaml with the workspace's"
        case 403 if code.startswith("token_"):
            return "the token is blocked or revoked: make a new one in the Developer Hub, and set INTERCOM_ACCESS_TOKEN"
        case _:
            return ""


def no_admin_hint(sender: str) -> str:
    """What to fix where Intercom knows no such admin."""
    return f"from: names admin {sender or 'of another workspace'}: take the id of one of this workspace's admins"


def _is_error(reply: Reply) -> bool:
    """Whether a body is one of Intercom's error objects, and not the page of a proxy."""
    value = _json(reply.body)
    if not isinstance(value, dict):
        return False
    errors = value.get("errors")
    is_list = isinstance(errors, list) and bool(errors) and isinstance(errors[0], dict)
    return is_list or (value.get("type") == "error" and isinstance(value.get("code") or value.get("message"), str))


def parse_error(reply: Reply) -> tuple[str, str, str]:
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
        return Unknown("Intercom made an inbound conversation instead of a message", request_id, is_inbound=True)
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
