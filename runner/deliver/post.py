"""POSTs one delivery, and repeats the POST only if the answer proves that Intercom made no message."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

from runner.clock import Clock, next_retry_delay
from runner.declare.declaration import Declaration
from runner.deliver.attempt import Attempt, Outcome
from runner.deliver.summary import StopReason
from runner.errors import RunStopped
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.reply_meaning import (
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
from runner.intercom.transport import Reply, Transport
from runner.intercom.workspace import MAX_THROTTLED_WINDOWS, Workspace, describe_retry
from runner.ledger.record import Record
from runner.privacy import mark_private_values
from runner.shown_command import shown_command

UNREACHED_RETRY_TIME = 30.0  # seconds for which an unreachable server is tried again
NEW_CONTACT_AGE = 600.0  # seconds after its creation for which a contact may not be found yet
NEW_CONTACT_RETRY_TIME = 60.0  # seconds for which a delivery to such a contact is tried again


@dataclass(frozen=True, slots=True)
class PostResult:
    """The answer to the POST of an attempt.

    `answer` is None if nothing was POSTed, and `stop` says why. `is_new_contact` says that Intercom did not find the
    contact, and that the contact was created a short time ago.
    """

    attempt: Attempt
    answer: Answer | None
    headers: dict[str, str]
    is_new_contact: bool = False
    stop: StopReason | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Intercom made no message: the delivery is tried again after this many seconds."""

    seconds: float


class MessagePoster:
    """POSTs messages in one API version, and decides what the answers mean.

    `on_retry` is called at once when Intercom cannot be reached and a message is tried again.
    """

    def __init__(
        self,
        transport: Transport,
        workspace: Workspace,
        limiter: RateLimiter,
        clock: Clock,
        api_version: str,
        on_retry: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._workspace = workspace
        self._limiter = limiter
        self._clock = clock
        self._api_version = api_version
        self._on_retry = on_retry

    def post(self, attempt: Attempt, find_stop: Callable[[Declaration], StopReason | None]) -> PostResult:
        """POSTs once, and returns the answer. Runs in a thread of the pool, and never raises.

        `find_stop` is called immediately before the POST. If it returns a reason, nothing is POSTed.
        """
        if stop := find_stop(attempt.declaration):
            self._limiter.give_back(1)
            return PostResult(attempt, None, {}, stop=stop)
        answer, headers = self.post_body(attempt.body, attempt.claim.sender)
        is_new = isinstance(answer, Refused) and answer.is_not_found and self._is_contact_new(attempt.claim)
        return PostResult(attempt, answer, headers, is_new_contact=is_new)

    def post_body(self, body: dict[str, Any], sender: str) -> tuple[Answer, dict[str, str]]:
        """POSTs the JSON of a message once. Returns what the answer means, and its headers. Never raises.

        `sender` is the id of the admin in it. Where a 404 means that there is no such admin, the answer says so.
        """
        result = self._transport.exchange("POST", "/messages", body, self._api_version)
        headers = result.headers if isinstance(result, Reply) else {}
        self._limiter.learn(headers)
        answer = classify_reply(result, sender, self._workspace.access)
        if isinstance(answer, Refused) and answer.is_not_found and self._workspace.has_admin(sender) is False:
            message = "there is no such admin"
            answer = AccountDenied("admin_not_found", message, answer.request_id, no_admin_hint(sender))
        return answer, headers

    def decide_outcome(self, posted: PostResult) -> Outcome | Retry:
        """Returns the outcome that an answer proves, or that the delivery may be tried again."""
        answer, attempt = posted.answer, posted.attempt
        match answer:
            case None:
                return Outcome("released", stop=posted.stop)
            case Sent():
                self._limiter.note_success()
                detail = (
                    f"sent by admin {answer.other_owner}, not by {attempt.claim.sender}" if answer.other_owner else ""
                )
                return Outcome(
                    "sent", answer.id, request_id=answer.request_id, detail=detail, conversation=answer.conversation
                )
            case Refused():
                retry = self._plan_retry(attempt, "new", NEW_CONTACT_RETRY_TIME) if posted.is_new_contact else None
                return retry or Outcome("refused", "", answer.code, answer.request_id, answer.message)
            case Unknown():
                stop = None
                if answer.is_inbound:
                    hint = "from: must name an admin of this workspace. The recipient did not get this message"
                    stop = StopReason("error", answer.reason, hint)
                elif answer.is_fatal:
                    settle = shown_command("reconcile" if attempt.claim.is_searchable else "resolve")
                    hint = f"find out whether a proxy answered instead of Intercom; before the next apply: {settle}"
                    stop = StopReason("error", answer.reason, hint)
                return Outcome("unknown", "", answer.code, answer.request_id, detail=answer.reason, stop=stop)
            case AccountDenied():
                message = mark_private_values(answer.message, posted.attempt.values)
                stop = StopReason("error", f"Intercom said {answer.code}: " + message, answer.hint)
                return Outcome("released", code=answer.code, request_id=answer.request_id, stop=stop)
            case Throttled():
                return self._handle_throttling(posted)
            case Unreached():
                return self._handle_unreached(attempt, answer)
            case _:
                assert_never(answer)

    def _handle_throttling(self, posted: PostResult) -> Outcome | Retry:
        """Pauses all requests, and tries again. Stops the run after ten throttled windows in a row."""
        self._limiter.pause(posted.headers)
        if self._limiter.throttled_windows < MAX_THROTTLED_WINDOWS:
            return Retry(0.0)
        message = f"Intercom's rate limit refused every request in {MAX_THROTTLED_WINDOWS} windows in a row"
        return Outcome("released", stop=StopReason("later", message, "run the same command later"))

    def _handle_unreached(self, attempt: Attempt, answer: Unreached) -> Outcome | Retry:
        """Tries again, and reports that at once. Stops the run where no further try can succeed."""
        retry = None if answer.fix else self._plan_retry(attempt, "unreached", UNREACHED_RETRY_TIME)
        if retry:
            self._on_retry(describe_retry(answer.reason, UNREACHED_RETRY_TIME))
            return retry
        hint = answer.fix or "this delivery was not sent; run the same command again"
        return Outcome("released", stop=StopReason("error", f"Intercom cannot be reached: {answer.reason}", hint))

    def _plan_retry(self, attempt: Attempt, reason: str, seconds: float) -> Retry | None:
        """Returns another try, with a delay that doubles each time; None if the time for it is over.

        The time of `seconds` begins with the first failure for this reason.
        """
        now = self._clock.monotonic()
        if now + attempt.retry_delay > attempt.retry_deadlines.setdefault(reason, now + seconds):
            return None
        delay, attempt.retry_delay = attempt.retry_delay, next_retry_delay(attempt.retry_delay)
        return Retry(delay)

    def _is_contact_new(self, claim: Record) -> bool:
        """Returns whether the contact of a claim was created so recently that Intercom may not find it yet."""
        try:
            contact = self._workspace.contact(claim.contact) if claim.contact else None
        except RunStopped:
            return False  # the refusal must be recorded even if the contact cannot be read
        return contact is not None and self._clock.now().timestamp() - contact.created_at < NEW_CONTACT_AGE
