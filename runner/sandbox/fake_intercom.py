"""The API that the sandbox offers: from a request to its answer, with the log, the rate limit and the trouble.

Source: INTERCOM.md of the project, after the public reference. The fake shares no code with the product, so a mistake
in one of them shows as a difference between the two.
"""

import itertools
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from runner.sandbox import message_rules
from runner.sandbox.answer import JSON_CONTENT_TYPE, Answer, ApiError, RouteResult, encode_json
from runner.sandbox.api_call import Call, read_call
from runner.sandbox.api_version import Version, read_version
from runner.sandbox.contacts import IDENTIFIER_KINDS, Contacts
from runner.sandbox.http_protocol import Request
from runner.sandbox.rate_limit import RateLimit, RateLimitStatus
from runner.sandbox.request_log import LogEntry, RequestLog
from runner.sandbox.routes import Routes
from runner.sandbox.trouble_kinds import TroubleKind, apply_trouble
from runner.sandbox.trouble_schedule import MESSAGES_ROUTE, Trouble


@dataclass(frozen=True, slots=True)
class _HandledCall:
    """A call that was handled: its version (None if a check failed before it was read), its trouble, its result."""

    version: Version | None
    kind: TroubleKind
    result: RouteResult


@dataclass(frozen=True, slots=True, eq=False)
class FakeIntercom:
    """Answers requests. Many threads may use it at the same time. `latency` is in seconds."""

    routes: Routes
    contacts: Contacts
    limit: RateLimit
    trouble: Trouble
    log: RequestLog
    latency: float
    _request_id_prefix: str = field(default_factory=lambda: secrets.token_hex(4))
    _call_numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def answer(self, request: Request) -> Answer:
        """Returns the answer to one request. The request is in the log before this returns."""
        call = read_call(request, f"{self._request_id_prefix}v{next(self._call_numbers):07x}", time.time())
        limit_status = self.limit.count_call(call.now)
        handled_call = self._handle(call, limit_status)
        headers = (("Content-Type", JSON_CONTENT_TYPE), ("X-Request-Id", call.request_id), *limit_status.headers())
        if handled_call.version is not None:
            headers += (("Intercom-Version", handled_call.version.name),)
        if handled_call.result.link:
            headers += (("Link", handled_call.result.link),)
        undisturbed = Answer(
            handled_call.result.status, encode_json(handled_call.result.document), headers, delay=self.latency
        )
        answer = apply_trouble(handled_call.kind, undisturbed, call)
        self._log_call(call, handled_call, answer)
        return answer

    def _handle(self, call: Call, limit_status: RateLimitStatus) -> _HandledCall:
        version, kind = None, TroubleKind()
        try:
            limit_status.raise_if_exceeded()
            call.require_token()
            version = read_version(call.headers.get("intercom-version"))
            kind = self._choose_trouble(call)
            call.require_json()
            result = self.routes.carry_out(call, version) if kind.executes_request else RouteResult(200, {})
        except ApiError as refusal:
            result = RouteResult(refusal.status, refusal.to_dict(call.request_id), link=refusal.link)
        return _HandledCall(version, kind, result)

    def _choose_trouble(self, call: Call) -> TroubleKind:
        """Returns what goes wrong with a call: as the trouble says, else by the nature of the recipient.

        The trouble knows the recipient by the identifiers in the request, and by those of the contact with that id.
        """
        recipient = call.json_object.get("to") if call.route == MESSAGES_ROUTE else None
        if not isinstance(recipient, dict):
            return self.trouble.choose(call.route)
        sent = [(kind, value) for kind in IDENTIFIER_KINDS if isinstance(value := recipient.get(kind), str)]
        contacts = [contact for identifier in sent for contact in self.contacts.find(*identifier, call.now)]
        stored = [value for contact in contacts for value in (contact.email, contact.external_id) if value]
        kind = self.trouble.choose(call.route, (*(value for _, value in sent), *stored))
        is_lost = kind == TroubleKind() and any(contact.loses_answers for contact in contacts)
        return TroubleKind("500_after") if is_lost else kind

    def _log_call(self, call: Call, handled_call: _HandledCall, answer: Answer) -> None:
        version = handled_call.version
        unknown_fields = (
            message_rules.find_unknown_fields(call.payload, version) if version and call.route == MESSAGES_ROUTE else ()
        )
        self.log.write(
            LogEntry(
                at=call.now,
                method=call.method,
                path=call.path,
                version=version.name if version else None,
                payload=call.payload,
                status=answer.status if answer.ending.is_answered else None,
                trouble=handled_call.kind.log_name,
                created=handled_call.result.created_id,
                unknown_fields=unknown_fields,
            ),
        )
