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
from runner.sandbox.answer import JSON, Answer, Refusal, Result, encode
from runner.sandbox.api_call import read_call
from runner.sandbox.api_version import Version, read_version
from runner.sandbox.contact_search import ContactSearch
from runner.sandbox.contacts import Contacts, write_contact
from runner.sandbox.conversations import Conversations
from runner.sandbox.messages import Messages
from runner.sandbox.rate_limit import WINDOW, Allowance, RateLimit
from runner.sandbox.request_log import Entry
from runner.sandbox.trouble_kinds import Disturbance, disturb
from runner.sandbox.trouble_schedule import MESSAGES
from runner.sandbox.workspace import WORKSPACE, Workspace

if TYPE_CHECKING:
    from runner.sandbox.api_call import Call
    from runner.sandbox.http_protocol import Request
    from runner.sandbox.message_store import Store
    from runner.sandbox.request_log import Log
    from runner.sandbox.trouble_schedule import Trouble


@dataclass(frozen=True, slots=True)
class Options:
    """What can be set; times in seconds, the rate limit in calls a window."""

    workspace: str = WORKSPACE
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
    kind: Disturbance
    result: Result


class Intercom:
    """Answers requests, from many threads at once."""

    def __init__(self, options: Options, store: Store, log: Log, trouble: Trouble) -> None:
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
        allowance = self._limit.take(call.now)
        course = self._follow(call, allowance)
        headers = (("Content-Type", JSON), ("X-Request-Id", call.request_id), *allowance.headers())
        if course.version is not None:
            headers += (("Intercom-Version", course.version.name),)
        right = Answer(course.result.status, encode(course.result.document), headers, delay=self._latency)
        answer = disturb(course.kind, right, call)
        self._note(call, course, answer)
        return answer

    def _follow(self, call: Call, allowance: Allowance) -> _Course:
        version, kind = None, Disturbance()
        try:
            allowance.require()
            call.authorize()
            version = read_version(call.headers.get("intercom-version"))
            kind = self._trouble.choose(call.route, self._names(call))
            call.require_json()
            result = self._route(call, version) if kind.makes else Result(200, {})
        except Refusal as refusal:
            result = Result(refusal.status, refusal.document(call.request_id))
        return _Course(version, kind, result)

    def _route(self, call: Call, version: Version) -> Result:
        match call.method, *call.path.strip("/").split("/"):
            case "POST", "messages":
                return self._messages.send(call.body, version, call.now)
            case "POST", "contacts", "search":
                return Result(200, self._contact_search.search(call.body, call.now))
            case "POST", "conversations", "search":
                return Result(200, self._conversations.search(call.body, call.now))
            case "GET", name if name in self._lists:
                return Result(200, self._lists[name]())
            case "GET", place, thing_id:
                return Result(200, self._show(place, thing_id, call.now))
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
                    raise Refusal(404, "not_found", "User Not Found")
                return write_contact(contact, self._store.last_contacted(contact.id))
            case _:
                raise _nowhere()

    def _names(self, call: Call) -> tuple[str, ...]:
        """List the identifiers of the recipient: those on the wire, and those that it was found by."""
        recipient = call.body.get("to") if call.route == MESSAGES else None
        if not isinstance(recipient, dict):
            return ()
        sent = [value for key in ("id", "user_id", "email") if isinstance(value := recipient.get(key), str)]
        contact = self._contacts.get(sent[0], call.now) if sent and "id" in recipient else None
        found = [] if contact is None else [value for value in (contact.email, contact.external_id) if value]
        return (*sent, *found)

    def _note(self, call: Call, course: _Course, answer: Answer) -> None:
        version = course.version
        strange = message_rules.unknown_fields(call.payload, version) if version and call.route == MESSAGES else ()
        self._log.write(
            Entry(
                at=call.now,
                method=call.method,
                path=call.path,
                version=version.name if version else None,
                payload=call.payload,
                status=answer.status if answer.ending.answers else None,
                trouble=course.kind.told,
                created=course.result.created,
                unknown_fields=strange,
            ),
        )


def _nowhere() -> Refusal:
    return Refusal(404, "not_found", "The requested resource was not found")
