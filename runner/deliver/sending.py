"""One delivery on the wire: POST, and again only where the answer proves that nothing was made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from runner.deliver.summary import Stop
from runner.errors import RunStopped
from runner.intercom import Reply, Transport
from runner.intercom.answer import Answer, Denied, Refused, Sent, Throttled, Unknown, Unreached, meaning
from runner.intercom.pace import Clock, Pace
from runner.intercom.workspace import MOST_WINDOWS, Workspace
from runner.ledger.record import Record

UNREACHED_FOR = 30.0  # seconds for which an unreachable server is tried again
FRESH = 600.0  # seconds after its creation for which a contact may not be found yet
FRESH_FOR = 60.0  # seconds for which a delivery to such a contact is tried again


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back. `said` is what Intercom or the network told; `stop` ends the run."""

    status: Literal["sent", "refused", "unknown", "released"]
    id: str = ""
    code: str = ""
    request_id: str = ""
    said: str = ""
    stop: Stop | None = None


class Sender:
    """POSTs messages in one API version."""

    def __init__(self, transport: Transport, workspace: Workspace, pace: Pace, clock: Clock, api_version: str) -> None:
        self._transport = transport
        self._workspace = workspace
        self._pace = pace
        self._clock = clock
        self._api_version = api_version
        self._windows = 0

    def send(self, body: dict[str, Any], claim: Record, halted: Callable[[], Stop | None]) -> Outcome:
        """The outcome of one claimed delivery. `halted` is asked immediately before every POST."""
        tries = _Tries(self._clock)
        while True:
            self._pace.wait()
            if stop := halted():
                return Outcome("released", stop=stop)
            result = self._transport.exchange("POST", "/messages", body, self._api_version)
            headers = result.headers if isinstance(result, Reply) else {}
            self._pace.learn(headers)
            outcome = self._outcome(meaning(result, claim.sender), claim, headers, tries)
            if outcome:
                return outcome

    def _outcome(self, answer: Answer, claim: Record, headers: dict[str, str], tries: "_Tries") -> Outcome | None:
        """What an answer settles; None, after a pause, where it proves that nothing was made and a try may follow."""
        match answer:
            case Sent():
                self._windows = 0
                said = f"sent by admin {answer.other_owner}, not by {claim.sender}" if answer.other_owner else ""
                return Outcome("sent", answer.id, request_id=answer.request_id, said=said)
            case Refused():
                if answer.not_found and self._is_fresh(claim) and tries.again("fresh", FRESH_FOR):
                    return None
                return Outcome("refused", code=answer.code, request_id=answer.request_id, said=answer.message)
            case Unknown():
                return self._unknown(answer)
            case Denied():
                stop = Stop("error", f"Intercom said {answer.code}: {answer.message}", "check the token and its plan")
                return Outcome("released", code=answer.code, request_id=answer.request_id, stop=stop)
            case Throttled():
                self._windows += 1
                if self._windows >= MOST_WINDOWS:
                    message = "the rate limit left no room for ten windows in a row"
                    return Outcome("released", stop=Stop("later", message, "run the same command later"))
                self._pace.throttled(headers)
            case Unreached():
                if not tries.again("unreached", UNREACHED_FOR):
                    stop = Stop("error", f"Intercom cannot be reached: {answer.reason}", "nothing was sent by this try")
                    return Outcome("released", stop=stop)
            case _:
                assert_never(answer)
        return None

    def _unknown(self, answer: Unknown) -> Outcome:
        stop = None
        if answer.alarm:
            stop = Stop("error", answer.reason, "from must be an admin of the workspace; nobody got this message")
        return Outcome("unknown", request_id=answer.request_id, said=answer.reason, stop=stop)

    def _is_fresh(self, claim: Record) -> bool:
        try:
            contact = self._workspace.contact(claim.contact) if claim.contact else None
        except RunStopped:
            return False  # the message was refused, whatever becomes of this question: that must be written down
        return contact is not None and self._clock.now().timestamp() - contact.created_at < FRESH


class _Tries:
    """Sleeps between tries with back-off, for a bounded time a reason."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._delay = 0.5

    def again(self, reason: str, seconds: float) -> bool:
        """Sleeps and says yes, or says no once the time since the first failure of this kind is over."""
        now = self._clock.monotonic()
        until = self._until.setdefault(reason, now + seconds)
        if now + self._delay > until:
            return False
        self._clock.sleep(self._delay)
        self._delay = min(self._delay * 2, 5.0)
        return True
