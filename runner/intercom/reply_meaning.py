"""Classifies the reply to POST /messages: the message was sent, refused, not sent at all, or the outcome is unknown.

Intercom's API has no idempotency key. So every reply that does not prove that no message was created is unknown.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from runner.intercom.identifiers import parse_id, parse_label, parse_text
from runner.intercom.transport import Access, NoReply, Reply

_DEFAULT_ACCESS = Access()
# Intercom documents these codes without a status. With a 4xx they do not prove that no message was created.
_INCONCLUSIVE_CODES = {"server_error", "request_timeout", "service_unavailable"}
NO_ANSWER, UNEXPECTED_ANSWER, INBOUND = "no_answer", "unexpected_answer", "user_message"  # codes of Unknown
PERMISSION_HINT = "give the app this permission: Developer Hub, your app, Authentication, Edit"
_SCOPE_WORDS = re.compile(r"\b(scopes?|permissions?)\b", re.IGNORECASE)
_RECIPIENT_WORDS = re.compile(r"\b(users?|contacts?|leads?|recipients?|unsubscrib\w*)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sent:
    """The message exists.

    `id` is the message's id. `other_owner` is the admin who owns it, if that is not the sender. `conversation` is the
    id of the conversation that it opened, where the reply has it: later schemas do, the reference does not.
    """

    id: str
    request_id: str
    other_owner: str = ""
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Intercom refused this delivery, so no message was created.

    `is_not_found`: the status was 404. The reason may only be that the contact is new.
    """

    code: str
    message: str
    request_id: str
    is_not_found: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message may have been created.

    `code` names the reason in the ledger. `is_inbound`: it was created, but as a message from the contact instead of to
    the contact. `is_fatal`: further deliveries would have the same outcome.
    """

    reason: str
    code: str
    request_id: str = ""
    is_inbound: bool = False
    is_fatal: bool = False


@dataclass(frozen=True, slots=True)
class AccountDenied:
    """No message was created, and none can be: the error is about the account, not the recipient.

    `hint` says what to fix.
    """

    code: str
    message: str
    request_id: str
    hint: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """No message was created, because the rate limit was exceeded."""

    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Unreached:
    """No message was created, because no byte of the request left this machine.

    `fix` says what the user has to change, where another try would fail in the same way; else it is empty.
    """

    reason: str
    fix: str


Answer = Sent | Refused | Unknown | AccountDenied | Throttled | Unreached


def classify_reply(result: Reply | NoReply, sender: str, access: Access = _DEFAULT_ACCESS) -> Answer:
    """Returns what a reply means for a message that was POSTed from the admin `sender`."""
    if isinstance(result, NoReply):
        return Unknown(result.reason, NO_ANSWER) if result.has_sent_bytes else Unreached(result.reason, result.fix)
    if result.status == HTTPStatus.OK:
        return _classify_success(result, sender)
    if result.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(parse_error(result)[2])
    if 400 <= result.status < 500:  # noqa: PLR2004  # 400 to 499 are the client errors of HTTP
        return _classify_client_error(result, sender, access)
    code, _, request_id = parse_error(result)  # 5xx, and any status that Intercom does not document
    return Unknown(f"HTTP status {result.status}", code, request_id)


def _classify_client_error(reply: Reply, sender: str, access: Access) -> Answer:
    """Returns the meaning of a 4xx reply.

    The conditions are tested from top to bottom; the first that is true decides.
    """
    code, message, request_id = parse_error(reply)
    if reply.status == HTTPStatus.REQUEST_TIMEOUT or code in _INCONCLUSIVE_CODES or not _is_intercom_error(reply):
        origin = "" if _is_intercom_error(reply) else ", and not Intercom's own answer: a proxy or a firewall between?"
        return Unknown(f"HTTP status {reply.status}{origin}", code, request_id, is_fatal=True)
    if hint := account_hint(reply, access, sender):
        return AccountDenied(code, message, request_id, hint)
    if reply.status == HTTPStatus.FORBIDDEN and not _RECIPIENT_WORDS.search(message):
        reason = f"HTTP status 403, {code}: neither about the account nor about the recipient"
        return Unknown(reason, code, request_id, is_fatal=True)
    return Refused(code, message, request_id, is_not_found=reply.status == HTTPStatus.NOT_FOUND)


def account_hint(reply: Reply, access: Access, sender: str = "") -> str:
    """Returns what to fix if an error is about the account.

    Empty if it is about something else, or if the body is not an error object of Intercom's.
    """
    code, message, _ = parse_error(reply)
    match reply.status:
        case _ if not _is_intercom_error(reply):
            return ""
        case 400 if code == "intercom_version_invalid":
            return "api_version in msgrun.yaml: 2.14 is the one that is tried most"
        case 404 if code == "admin_not_found":
            return no_admin_hint(sender)
        case 401 | 403 if _SCOPE_WORDS.search(message) or code in {"token_unauthorized", "missing_authorization"}:
            return PERMISSION_HINT
        case 403 if code == "api_plan_restricted":
            return "the workspace's plan has no access to this: ask its owner, or choose another plan"
        case 401:
            return access.hint
        case 403 if code.startswith("token_"):
            name = access.token_variable
            return f"the token is blocked or revoked: make a new one in the Developer Hub, and set {name}"
        case _:
            return ""


def no_admin_hint(sender: str) -> str:
    """Returns what to fix if Intercom does not know the admin of `from:`."""
    return f"from: names admin {sender or 'of another workspace'}: take the id of one of this workspace's admins"


def _is_intercom_error(reply: Reply) -> bool:
    """Returns whether the body is one of Intercom's error objects, and not, for example, a proxy's error page."""
    value = _parse_json(reply.body)
    if not isinstance(value, dict):
        return False
    errors = value.get("errors")
    is_list = isinstance(errors, list) and bool(errors) and isinstance(errors[0], dict)
    return is_list or (value.get("type") == "error" and isinstance(value.get("code") or value.get("message"), str))


def parse_error(reply: Reply) -> tuple[str, str, str]:
    """Code, message and request id of an error.

    Undocumented shapes and codes are accepted. Without a code it is `http_STATUS`; a missing message or request id is
    an empty string.
    """
    value = _parse_json(reply.body)
    request_id = _read_request_id(reply)
    code, message = f"http_{reply.status}", ""
    if isinstance(value, dict):
        request_id = parse_label(value.get("request_id")) or request_id
        errors = value.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else value
        code = parse_label(first.get("code")) or code
        message = parse_text(first.get("message")) or parse_text(first.get("field"))
    return code, message, request_id


def _classify_success(reply: Reply, sender: str) -> Answer:
    """Returns the meaning of a 200 reply. Anything but the documented object does not prove that the message exists."""
    value = _parse_json(reply.body)
    request_id = _read_request_id(reply)
    if not isinstance(value, dict):
        return Unknown("a 200 that is not the documented object", UNEXPECTED_ANSWER, request_id)
    if value.get("type") == "user_message":
        return Unknown(
            "Intercom made an inbound conversation instead of a message", INBOUND, request_id, is_inbound=True
        )
    message_id = parse_id(value.get("id"))
    if value.get("type") != "admin_message" or not message_id:
        return Unknown("a 200 that is not the documented object", UNEXPECTED_ANSWER, request_id)
    owner = value.get("owner")
    owner_id = parse_id(owner.get("id")) if isinstance(owner, dict) else ""
    other_owner = owner_id if owner_id != sender else ""
    return Sent(message_id, request_id, other_owner, parse_id(value.get("conversation_id")))


def _read_request_id(reply: Reply) -> str:
    return parse_label(reply.headers.get("x-request-id"))


def _parse_json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
