"""One delivery on the wire: POST, and again only where the answer proves that nothing was made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from runner.clock import Clock
from runner.declare.declaration import Declaration
from runner.deliver.summary import StopReason
from runner.errors import RunStopped
from runner.intercom import Reply, Transport
from runner.intercom.answer import (
    AccountDenied,
    Answer,
    Refused,
    Sent,
    Throttled,
    Unknown,
    Unreached,
    classify_reply,
    no_admin_hint,
)
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.workspace import MAX_THROTTLED_WINDOWS, Workspace
from runner.ledger.record import Record
from runner.privacy import mark_private_values

UNREACHED_RETRY_TIME = 30.0  # seconds for which an unreachable server is tried again


NEW_CONTACT_AGE = 600.0  # seconds after its creation for which a contact may not be found yet


NEW_CONTACT_RETRY_TIME = 60.0  # seconds for which a delivery to such a contact is tried again


_FIRST_DELAY, _LONGEST_DELAY = 0.5, 5.0  # seconds between two tries


@dataclass(slots=True, eq=False)
class Attempt:
    """A claimed delivery on its way: what is POSTed, whose values it holds, and how long it has been tried again."""

    claim: Record
    body: dict[str, Any]
    declaration: Declaration
    values: tuple[Any, ...]
    retry_deadlines: dict[str, float] = field(default_factory=dict)
    retry_delay: float = _FIRST_DELAY


@dataclass(frozen=True, slots=True)
class PostResult:
    """What came back for a flight. `halt`: it was not POSTed. `is_fresh`: the contact that was not found is new."""

    attempt: Attempt
    answer: Answer | None
    headers: dict[str, str]
    is_new_contact: bool = False
    stop: StopReason | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery. `said` is what Intercom or the network told; `stop` ends the run."""

    status: Literal["sent", "refused", "unknown", "released"]
    id: str = ""
    code: str = ""
    request_id: str = ""
    detail: str = ""
    stop: StopReason | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Nothing was made: try again after some seconds."""

    seconds: float


class MessagePoster:
    """POSTs messages in one API version, and judges what comes back."""

    def __init__(
        self, transport: Transport, workspace: Workspace, pace: RateLimiter, clock: Clock, api_version: str
    ) -> None:
        self._transport = transport
        self._workspace = workspace
        self._pace = pace
        self._clock = clock
        self._api_version = api_version

    def post(self, flight: Attempt, halted: Callable[[Declaration], StopReason | None]) -> PostResult:
        """POSTs once. `halted` is asked immediately before. Runs in a lane, and never raises."""
        if halt := halted(flight.declaration):
            self._pace.give_back(1)
            return PostResult(flight, None, {}, stop=halt)
        result = self._transport.exchange("POST", "/messages", flight.body, self._api_version)
        headers = result.headers if isinstance(result, Reply) else {}
        self._pace.learn(headers)
        answer = classify_reply(result, flight.claim.sender)
        fresh = False
        if isinstance(answer, Refused) and answer.is_not_found:
            if self._workspace.has_admin(flight.claim.sender) is False:
                hint = no_admin_hint(flight.claim.sender)
                answer = AccountDenied("admin_not_found", "there is no such admin", answer.request_id, hint)
            else:
                fresh = self._is_fresh(flight.claim)
        return PostResult(flight, answer, headers, is_new_contact=fresh)

    def decide_outcome(self, posted: PostResult) -> Outcome | Retry:
        """What an answer settles, or that it may be tried again."""
        answer, flight = posted.answer, posted.attempt
        match answer:
            case None:
                return Outcome("released", stop=posted.stop)
            case Sent():
                self._pace.note_success()
                said = f"sent by admin {answer.other_owner}, not by {flight.claim.sender}" if answer.other_owner else ""
                return Outcome("sent", answer.id, request_id=answer.request_id, detail=said)
            case Refused():
                again = self._again(flight, "fresh", NEW_CONTACT_RETRY_TIME) if posted.is_new_contact else None
                return again or Outcome("refused", "", answer.code, answer.request_id, answer.message)
            case Unknown():
                stop = None
                if answer.is_inbound:
                    hint = "from must be an admin of the workspace; nobody got this message"
                    stop = StopReason("error", answer.reason, hint)
                elif answer.is_fatal:
                    hint = "find out who answered so before the next apply; msgrun reconcile looks for what was made"
                    stop = StopReason("error", answer.reason, hint)
                return Outcome("unknown", request_id=answer.request_id, detail=answer.reason, stop=stop)
            case AccountDenied():
                said = mark_private_values(answer.message, posted.attempt.values)
                stop = StopReason("error", f"Intercom said {answer.code}: {said}", answer.hint)
                return Outcome("released", code=answer.code, request_id=answer.request_id, stop=stop)
            case Throttled():
                return self._throttled(posted)
            case Unreached():
                stop = StopReason(
                    "error", f"Intercom cannot be reached: {answer.reason}", "nothing was sent by this try"
                )
                return self._again(flight, "unreached", UNREACHED_RETRY_TIME) or Outcome("released", stop=stop)
            case _:
                assert_never(answer)

    def _throttled(self, posted: PostResult) -> Outcome | Retry:
        self._pace.pause(posted.headers)
        if self._pace.throttled_windows < MAX_THROTTLED_WINDOWS:
            return Retry(0.0)
        message = "the rate limit left no room for ten windows in a row"
        return Outcome("released", stop=StopReason("later", message, "run the same command later"))

    def _again(self, flight: Attempt, reason: str, seconds: float) -> Retry | None:
        """Another try with back-off, unless the time since the first failure of this kind is over."""
        now = self._clock.monotonic()
        if now + flight.retry_delay > flight.retry_deadlines.setdefault(reason, now + seconds):
            return None
        delay, flight.retry_delay = flight.retry_delay, min(flight.retry_delay * 2, _LONGEST_DELAY)
        return Retry(delay)

    def _is_fresh(self, claim: Record) -> bool:
        try:
            contact = self._workspace.contact(claim.contact) if claim.contact else None
        except RunStopped:
            return False  # the message was refused, whatever becomes of this question: that must be written down
        return contact is not None and self._clock.now().timestamp() - contact.created_at < NEW_CONTACT_AGE
