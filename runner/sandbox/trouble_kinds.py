"""The kinds of trouble: how each changes an answer, and whether the request is carried out all the same.

Each kind stands for a fault that clients of Intercom, or of any HTTP service behind a load balancer, have met.
"""

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from runner.sandbox.answer import Answer, ApiError, Ending, encode_json
from runner.sandbox.api_call import Call
from runner.sandbox.messages import build_user_message

_REFUSALS = {
    "500_before": (500, "server_error", "Something went wrong"),
    "400": (400, "parameter_invalid", "undefined method for nil"),
    "401": (401, "unauthorized", "Access Token Invalid"),
    "403": (403, "forbidden", "You do not have access to this resource"),
    "403_plan": (403, "api_plan_restricted", "Active subscription needed."),
    "404": (404, "not_found", "User Not Found"),
    "408": (408, "request_timeout", "The request took too long"),
    "409": (409, "conflict", "Multiple existing users match this email address"),
    "410": (410, "contact_merged", "The contact was merged into another one"),
    "422": (422, "parameter_not_found", "No subject supplied for email message"),
    "429": (429, "rate_limit_exceeded", "Exceeded rate limit of this app"),
    "429_bare": (429, "rate_limit_exceeded", "Exceeded rate limit of this app"),
    "503_retry_after": (503, "service_unavailable", "Try again later"),
}
_NOT_EXECUTED = {*_REFUSALS, "502_html", "drop_before", "reset_before", "user_message", "redirect"}
_SLOW = re.compile(r"slow:(\d+(?:\.\d+)?)")


class SettingError(ValueError):
    """The trouble that a test or the command line sets is invalid."""


@dataclass(frozen=True, slots=True)
class TroubleKind:
    """One kind of trouble, by its name. `ok` means none."""

    name: str = "ok"

    @property
    def executes_request(self) -> bool:
        """Whether the request is carried out."""
        return self.name not in _NOT_EXECUTED

    @property
    def log_name(self) -> str | None:
        """The name as it is logged; None if there is no trouble."""
        return None if self.name == "ok" else self.name


def read_trouble_kind(text: object) -> TroubleKind:
    """Returns the kind with this name. Raises SettingError, which lists the kinds, if there is none."""
    if text == "slow":
        raise SettingError("slow needs its seconds: next=slow:2, or share=slow:2:1 for all answers")
    if not isinstance(text, str) or (text not in TROUBLE_KINDS[:-1] and not _SLOW.fullmatch(text)):
        raise SettingError(f"{text!r} is not a kind of trouble; the kinds are {', '.join(TROUBLE_KINDS)}")
    return TroubleKind(text)


def apply_trouble(kind: TroubleKind, answer: Answer, call: Call) -> Answer:
    """Returns the answer as the trouble changes it."""
    slow_match = _SLOW.fullmatch(kind.name)
    if slow_match:
        return replace(answer, delay=answer.delay + float(slow_match[1]))
    if kind.name in _REFUSALS:
        return _refuse(kind.name, answer, call)
    return _CHANGES[kind.name](answer, call)


def _refuse(name: str, answer: Answer, call: Call) -> Answer:
    status, code, message = _REFUSALS[name]
    refused = replace(answer, status=status, body=encode_json(ApiError(status, code, message).to_dict(call.request_id)))
    match name:
        case "429":
            refused = refused.with_header("X-RateLimit-Remaining", "0")
            return refused.with_header("X-RateLimit-Reset", str(int(call.now) + 1))
        case "429_bare":
            return refused.without_headers("X-RateLimit-")
        case "503_retry_after":
            return refused.with_header("Retry-After", "1")
        case _:
            return refused


def _answer_with_html_page(answer: Answer, _: Call) -> Answer:
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return replace(answer, status=502, body=page).with_header("Content-Type", "text/html")


def _redirect(answer: Answer, call: Call) -> Answer:
    # To the same path with the same method: a client that follows it sends again, and the store and the log show it.
    return replace(answer, status=307, body=b"").with_header("Location", call.path)


def _answer_as_inbound(answer: Answer, call: Call) -> Answer:
    payload = call.payload if isinstance(call.payload, dict) else {}
    return replace(answer, status=200, body=encode_json(build_user_message(payload, call.now)))


def _edit_document(answer: Answer, change: Callable[[dict[str, object]], object]) -> Answer:
    document = json.loads(answer.body)
    if answer.status == 200 and isinstance(document, dict):  # noqa: PLR2004 - it is the status itself
        change(document)
    return replace(answer, body=encode_json(document))


def _swap_owner(answer: Answer, _: Call) -> Answer:
    def swap(document: dict[str, object]) -> None:
        owner = document.get("owner")
        if isinstance(owner, dict):
            owner["id"] = str(int(owner["id"]) + 1)

    return _edit_document(answer, swap)


def _compress(answer: Answer, _: Call) -> Answer:
    return replace(answer, body=gzip.compress(answer.body)).with_header("Content-Encoding", "gzip")


_CHANGES: dict[str, Callable[[Answer, Call], Answer]] = {
    "ok": lambda answer, _: answer,
    "500_after": lambda answer, call: _refuse("500_before", answer, call),
    "502_html": _answer_with_html_page,
    "redirect": _redirect,
    "user_message": _answer_as_inbound,
    "drop_before": lambda answer, _: replace(answer, ending=Ending.DROP),
    "drop_after": lambda answer, _: replace(answer, ending=Ending.DROP),
    "reset_before": lambda answer, _: replace(answer, ending=Ending.RESET),
    "reset_after": lambda answer, _: replace(answer, ending=Ending.RESET),
    "cut_body": lambda answer, _: replace(answer, ending=Ending.CUT),
    "cut_json": lambda answer, _: replace(answer, body=answer.body[: len(answer.body) // 2]),
    "empty_200": lambda answer, _: replace(answer, status=200, body=b""),
    "204": lambda answer, _: replace(answer, status=204, body=b""),
    "wrong_content_type": lambda answer, _: answer.with_header("Content-Type", "text/plain"),
    "no_id": lambda answer, _: _edit_document(answer, lambda document: document.pop("id", None)),
    "other_owner": _swap_owner,
    "no_rate_headers": lambda answer, _: answer.without_headers("X-RateLimit-"),
    "close": lambda answer, _: replace(answer, ending=Ending.CLOSE),
    "gzip": _compress,
}
TROUBLE_KINDS = (*sorted({*_REFUSALS, *_CHANGES}), "slow:SECONDS")
