"""The API that the sandbox plays: from a request to its answer, with the log, the rate limit and the trouble.

Facts: INTERCOM.md of the project, after the public reference. It shares no code with the product, so that the two
can disagree.
"""

from __future__ import annotations

import itertools
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.sandbox import message_rules
from runner.sandbox.answer import JSON_CONTENT_TYPE, Answer, ApiError, RouteResult, encode_json
from runner.sandbox.api_call import read_call
from runner.sandbox.api_version import Version, read_version
from runner.sandbox.contact_search import ContactSearch
from runner.sandbox.contacts import Contacts, contact_to_dict
from runner.sandbox.conversations import Conversations
from runner.sandbox.messages import Messages
from runner.sandbox.rate_limit import WINDOW, RateLimit, RateLimitStatus
from runner.sandbox.request_log import LogEntry
from runner.sandbox.trouble_kinds import TroubleKind, apply_trouble
from runner.sandbox.trouble_schedule import MESSAGES_ROUTE
from runner.sandbox.workspace import SANDBOX_WORKSPACE_ID, Workspace

if TYPE_CHECKING:
    from runner.sandbox.api_call import Call
    from runner.sandbox.http_protocol import Request
    from runner.sandbox.message_store import MessageStore
    from runner.sandbox.request_log import RequestLog
    from runner.sandbox.trouble_schedule import Trouble


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What can be set; times in seconds, the rate limit in calls a window."""

    workspace: str = SANDBOX_WORKSPACE_ID
    rate_limit: int = 1000
    window: float = WINDOW
    latency: float = 0.0
    fresh_seconds: float = 2.0
    search_lag: float = 0.0
    accept_any_admin: bool = True
    population: int = 12


@dataclass(frozen=True, slots=True)
class _Course:
    """How a call went: the version once it is known, the trouble that struck, and what came of it."""

    version: Version | None
    kind: TroubleKind
    result: RouteResult


class FakeIntercom:
    """Answers requests, from many threads at once."""

    def __init__(self, options: SandboxOptions, store: MessageStore, log: RequestLog, trouble: Trouble) -> None:
        self._latency = options.latency
        self._log = log
        self._trouble = trouble
        self._limit = RateLimit(options.rate_limit, options.window)
        self._store = store
        self._contacts = Contacts(fresh_seconds=options.fresh_seconds, population=options.population)
        self._contact_search = ContactSearch(self._contacts, store.last_contacted)
        self._conversations = Conversations(store, options.search_lag)
        self._workspace = Workspace(options.workspace, accept_any_admin=options.accept_any_admin)
        self._messages = Messages(store, self._contacts, self._workspace)
        self._lists = {
            "me": self._workspace.show_me,
            "admins": self._workspace.list_admins,
            "segments": self._workspace.list_segments,
            "tags": self._workspace.list_tags,
            "subscription_types": self._workspace.list_subscription_types,
        }
        self._series = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def answer(self, request: Request) -> Answer:
        """Answer one request; the log has it before this returns."""
        call = read_call(request, f"{self._series}v{next(self._numbers):07x}", time.time())
        allowance = self._limit.count_call(call.now)
        course = self._follow(call, allowance)
        headers = (("Content-Type", JSON_CONTENT_TYPE), ("X-Request-Id", call.request_id), *allowance.headers())
        if course.version is not None:
            headers += (("Intercom-Version", course.version.name),)
        right = Answer(course.result.status, encode_json(course.result.document), headers, delay=self._latency)
        answer = apply_trouble(course.kind, right, call)
        self._note(call, course, answer)
        return answer

    def _follow(self, call: Call, allowance: RateLimitStatus) -> _Course:
        version, kind = None, TroubleKind()
        try:
            allowance.raise_if_exceeded()
            call.require_token()
            version = read_version(call.headers.get("intercom-version"))
            kind = self._trouble.choose(call.route, self._names(call))
            call.require_json()
            result = self._route(call, version) if kind.executes_request else RouteResult(200, {})
        except ApiError as refusal:
            result = RouteResult(refusal.status, refusal.to_dict(call.request_id))
        return _Course(version, kind, result)

    def _route(self, call: Call, version: Version) -> RouteResult:
        match call.method, *call.path.strip("/").split("/"):
            case "POST", "messages":
                return self._messages.send(call.json_object, version, call.now)
            case "POST", "contacts", "search":
                return RouteResult(200, self._contact_search.search(call.json_object, call.now))
            case "POST", "conversations", "search":
                return RouteResult(200, self._conversations.search(call.json_object, call.now))
            case "GET", name if name in self._lists:
                return RouteResult(200, self._lists[name]())
            case "GET", place, thing_id:
                return RouteResult(200, self._show(place, thing_id, call.now))
            case _:
                raise _nowhere()

    def _show(self, place: str, thing_id: str, now: float) -> dict[str, object]:
        match place:
            case "admins":
                return self._workspace.show_admin(thing_id)
            case "conversations":
                return self._conversations.show(thing_id)
            case "contacts":
                contact = self._contacts.get(thing_id, now)
                if contact is None:
                    raise ApiError(404, "not_found", "User Not Found")
                return contact_to_dict(contact, self._store.last_contacted(contact.id))
            case _:
                raise _nowhere()

    def _names(self, call: Call) -> tuple[str, ...]:
        """List the identifiers of the recipient: those on the wire, and those that it was found by."""
        recipient = call.json_object.get("to") if call.route == MESSAGES_ROUTE else None
        if not isinstance(recipient, dict):
            return ()
        sent = [value for key in ("id", "user_id", "email") if isinstance(value := recipient.get(key), str)]
        contact = self._contacts.get(sent[0], call.now) if sent and "id" in recipient else None
        found = [] if contact is None else [value for value in (contact.email, contact.external_id) if value]
        return (*sent, *found)

    def _note(self, call: Call, course: _Course, answer: Answer) -> None:
        version = course.version
        strange = (
            message_rules.find_unknown_fields(call.payload, version) if version and call.route == MESSAGES_ROUTE else ()
        )
        self._log.write(
            LogEntry(
                at=call.now,
                method=call.method,
                path=call.path,
                version=version.name if version else None,
                payload=call.payload,
                status=answer.status if answer.ending.is_answered else None,
                trouble=course.kind.log_name,
                created=course.result.created_id,
                unknown_fields=strange,
            ),
        )


def _nowhere() -> ApiError:
    return ApiError(404, "not_found", "The requested resource was not found")
