"""One delivery on the wire: POST, and again only where the answer proves that nothing was made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from runner.clock import Clock
from runner.declare.declaration import Declaration
from runner.deliver.summary import Stop
from runner.errors import RunStopped
from runner.intercom import Reply, Transport
from runner.intercom.answer import (
    Answer,
    Denied,
    Refused,
    Sent,
    Throttled,
    Unknown,
    Unreached,
    meaning,
    no_admin_hint,
)
from runner.intercom.rate_limit import Pace
from runner.intercom.workspace import MOST_WINDOWS, Workspace
from runner.ledger.record import Record
from runner.privacy import mark_private_values

UNREACHED_FOR = 30.0  # seconds for which an unreachable server is tried again


FRESH = 600.0  # seconds after its creation for which a contact may not be found yet


FRESH_FOR = 60.0  # seconds for which a delivery to such a contact is tried again


_FIRST_DELAY, _LONGEST_DELAY = 0.5, 5.0  # seconds between two tries


@dataclass(slots=True, eq=False)
class Flight:
    """A claimed delivery on its way: what is POSTed, whose values it holds, and how long it has been tried again."""

    claim: Record
    body: dict[str, Any]
    declaration: Declaration
    values: tuple[Any, ...]
    until: dict[str, float] = field(default_factory=dict)
    delay: float = _FIRST_DELAY


@dataclass(frozen=True, slots=True)
class Posted:
    """What came back for a flight. `halt`: it was not POSTed. `is_fresh`: the contact that was not found is new."""

    flight: Flight
    answer: Answer | None
    headers: dict[str, str]
    is_fresh: bool = False
    halt: Stop | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery. `said` is what Intercom or the network told; `stop` ends the run."""

    status: Literal["sent", "refused", "unknown", "released"]
    id: str = ""
    code: str = ""
    request_id: str = ""
    said: str = ""
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Nothing was made: try again after some seconds."""

    seconds: float


class Sender:
    """POSTs messages in one API version, and judges what comes back."""

    def __init__(self, transport: Transport, workspace: Workspace, pace: Pace, clock: Clock, api_version: str) -> None:
        self._transport = transport
        self._workspace = workspace
        self._pace = pace
        self._clock = clock
        self._api_version = api_version

    def post(self, flight: Flight, halted: Callable[[Declaration], Stop | None]) -> Posted:
        """POSTs once. `halted` is asked immediately before. Runs in a lane, and never raises."""
        if halt := halted(flight.declaration):
            self._pace.give_back(1)
            return Posted(flight, None, {}, halt=halt)
        result = self._transport.exchange("POST", "/messages", flight.body, self._api_version)
        headers = result.headers if isinstance(result, Reply) else {}
        self._pace.learn(headers)
        answer = meaning(result, flight.claim.sender)
        fresh = False
        if isinstance(answer, Refused) and answer.not_found:
            if self._workspace.has_admin(flight.claim.sender) is False:
                hint = no_admin_hint(flight.claim.sender)
                answer = Denied("admin_not_found", "there is no such admin", answer.request_id, hint)
            else:
                fresh = self._is_fresh(flight.claim)
        return Posted(flight, answer, headers, is_fresh=fresh)

    def judged(self, posted: Posted) -> Outcome | Again:
        """What an answer settles, or that it may be tried again."""
        answer, flight = posted.answer, posted.flight
        match answer:
            case None:
                return Outcome("released", stop=posted.halt)
            case Sent():
                self._pace.sent()
                said = f"sent by admin {answer.other_owner}, not by {flight.claim.sender}" if answer.other_owner else ""
                return Outcome("sent", answer.id, request_id=answer.request_id, said=said)
            case Refused():
                again = self._again(flight, "fresh", FRESH_FOR) if posted.is_fresh else None
                return again or Outcome("refused", "", answer.code, answer.request_id, answer.message)
            case Unknown():
                stop = None
                if answer.alarm:
                    hint = "from must be an admin of the workspace; nobody got this message"
                    stop = Stop("error", answer.reason, hint)
                elif answer.stops:
                    hint = "find out who answered so before the next apply; msgrun reconcile looks for what was made"
                    stop = Stop("error", answer.reason, hint)
                return Outcome("unknown", request_id=answer.request_id, said=answer.reason, stop=stop)
            case Denied():
                said = mark_private_values(answer.message, posted.flight.values)
                stop = Stop("error", f"Intercom said {answer.code}: {said}", answer.hint)
                return Outcome("released", code=answer.code, request_id=answer.request_id, stop=stop)
            case Throttled():
                return self._throttled(posted)
            case Unreached():
                stop = Stop("error", f"Intercom cannot be reached: {answer.reason}", "nothing was sent by this try")
                return self._again(flight, "unreached", UNREACHED_FOR) or Outcome("released", stop=stop)
            case _:
                assert_never(answer)

    def _throttled(self, posted: Posted) -> Outcome | Again:
        self._pace.throttled(posted.headers)
        if self._pace.windows_lost < MOST_WINDOWS:
            return Again(0.0)
        message = "the rate limit left no room for ten windows in a row"
        return Outcome("released", stop=Stop("later", message, "run the same command later"))

    def _again(self, flight: Flight, reason: str, seconds: float) -> Again | None:
        """Another try with back-off, unless the time since the first failure of this kind is over."""
        now = self._clock.monotonic()
        if now + flight.delay > flight.until.setdefault(reason, now + seconds):
            return None
        delay, flight.delay = flight.delay, min(flight.delay * 2, _LONGEST_DELAY)
        return Again(delay)

    def _is_fresh(self, claim: Record) -> bool:
        try:
            contact = self._workspace.contact(claim.contact) if claim.contact else None
        except RunStopped:
            return False  # the message was refused, whatever becomes of this question: that must be written down
        return contact is not None and self._clock.now().timestamp() - contact.created_at < FRESH
