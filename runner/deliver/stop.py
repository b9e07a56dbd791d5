"""What ends a run early: a signal, a hold, a deadline, too many bad outcomes, or an answer from Intercom."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, replace

from runner.clock import Clock
from runner.declare.declaration import Declaration
from runner.declare.hold_file import Hold
from runner.declare.sending_times import QuietHours
from runner.declare.settings import AbortConditions
from runner.deliver.summary import STOP_KINDS, StopReason, Summary
from runner.errors import MsgrunError

GO_ON = "run the same command again to go on"  # the hint of a stop after which nothing has to be fixed
AFTER_QUIET_HOURS = "apply sends the rest after that"
DRAIN_TIMEOUT = 5.0  # seconds for which a run that the user wants to end waits for open requests
_MAX_REQUEST_TIME = 90.0  # seconds; the time limits for connecting and reading are below it


@dataclass(frozen=True, slots=True)
class StopConditions:
    """Conditions that are checked before every POST.

    `signal` returns the number of a received signal, or 0. `hold` returns the file that holds everything, or None.
    `deadline` is a time of the monotonic clock, in seconds.
    """

    signal: Callable[[], int]
    hold: Callable[[], Hold | None]
    deadline: float | None = None
    quiet_hours: QuietHours | None = None

    def stop_reason(self, clock: Clock) -> StopReason | None:
        """Returns why nothing more may be started, or None. Quiet hours are apart: some messages ignore them."""
        if number := self.signal():
            return StopReason("signal", f"interrupted by {signal_name(number)}", GO_ON, number)
        if hold := self.hold():
            message = f"on hold by the file {hold.file}{f': {hold.reason}' if hold.reason else ''}"
            return StopReason("later", message, f"remove {hold.file} to go on")
        if self.deadline is not None and clock.monotonic() >= self.deadline:
            return StopReason("later", "the time of --deadline is over", GO_ON)
        return None

    def pause_reason(self, clock: Clock, *, is_urgent: bool) -> StopReason | None:
        """Returns why nothing of a plan may be sent, or None. `is_urgent`: a message of it ignores quiet hours."""
        return self.stop_reason(clock) or (None if is_urgent else self.quiet_reason(clock))

    def quiet_reason(self, clock: Clock) -> StopReason | None:
        """Returns why messages that do not ignore quiet hours are put off, or None."""
        if self.quiet_hours and (end := self.quiet_hours.find_end(clock.now())):
            message = f"quiet hours until {end:%Y-%m-%d %H:%M} ({self.quiet_hours.timezone})"
            return StopReason("later", message, AFTER_QUIET_HOURS)
        return None


class StopRequested(MsgrunError):
    """A stop condition holds before anything was claimed."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.message, reason.hint)
        self.reason = reason


def signal_name(number: int) -> str:
    """Returns how a person knows a signal: Ctrl-C, or its name, as SIGTERM."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


class StopController:
    """Sets the reason to stop in the summary, and decides how long a stopped run waits for open requests."""

    def __init__(
        self, summary: Summary, conditions: StopConditions, abort_conditions: AbortConditions, clock: Clock
    ) -> None:
        self.summary = summary
        self._conditions = conditions
        self._abort_conditions = abort_conditions
        self._clock = clock
        self._drain_deadline = 0.0
        self._unknown_in_a_row = 0
        self._put_off: StopReason | None = None  # why some messages were put off, while others were sent
        self._abort: StopReason | None = None  # why abort_if stopped the run
        self._tried_at_abort = 0

    def find_reason(self, declaration: Declaration, *, has_valid_claims: bool) -> StopReason | None:
        """Returns why a delivery must not be POSTed now; None if it may be. Called by any thread."""
        if declaration.is_expired(self._clock.now()):
            message = f"{declaration.name} expired while it was sent"
            return StopReason("expired", message, "set a later expires: if the rest should still be sent")
        if not has_valid_claims:
            message = "this run lost contact with the ledger for so long that another run may settle its claims"
            return StopReason("ledger", message, GO_ON)
        if stop := self._conditions.stop_reason(self._clock):
            return stop
        quiet = self._find_quiet_reason(declaration)
        return replace(quiet, kind="quiet") if quiet else None

    def puts_off(self, declaration: Declaration) -> bool:
        """Returns whether a message is put off now. Notes why, for the end of the run."""
        reason = self._find_quiet_reason(declaration)
        self._put_off = reason or self._put_off
        return reason is not None

    @property
    def is_drained(self) -> bool:
        """Whether a stopped run has waited long enough."""
        return self._clock.monotonic() >= self._drain_deadline

    def stop(self, reason: StopReason | None) -> None:
        """Stops the run: nothing more is started, and the run waits for open requests.

        It waits 5 seconds after a signal, a hold, the deadline, or ten windows in a row over the rate limit. Else
        it waits 90 seconds, which is longer than a request may take. With several reasons, the wait ends at the
        earliest of these times. The summary keeps the reason whose exit code stands highest in the table of exit codes.
        """
        if reason is None:
            return
        current = self.summary.stop
        deadline = self._clock.monotonic() + (
            DRAIN_TIMEOUT if reason.kind in {"signal", "later"} else _MAX_REQUEST_TIME
        )
        self._drain_deadline = min(self._drain_deadline, deadline) if current else deadline
        if current is None or STOP_KINDS.index(reason.kind) < STOP_KINDS.index(current.kind):
            self.summary.stop = reason

    def check_conditions(self) -> None:
        """Stops the run if a condition holds now."""
        self.stop(self._conditions.stop_reason(self._clock))

    def note_put_off(self, reason: StopReason) -> None:
        """Notes that a delivery was given up in quiet hours right before its POST, for the end of the run."""
        self._put_off = replace(reason, kind="later")

    def finish(self) -> None:
        """Completes the reason to stop, once the run is over.

        abort_if, or the time, is no reason if it came too late to keep anything back; else abort_if says how many
        requests were under way when it came. That messages were put off is a reason too.
        """
        summary, stop = self.summary, self.summary.stop
        if stop and not summary.remaining and (stop is self._abort or stop.kind == "later"):
            summary.stop = None
        elif stop and stop is self._abort and (more := summary.tried - self._tried_at_abort):
            summary.stop = replace(stop, message=f"{stop.message}, with {more:,} more under way")
        self.stop(self._put_off)

    def record_outcome(self, *, is_unknown: bool) -> None:
        """Records an outcome that the summary has counted already, and checks abort_if."""
        self._unknown_in_a_row = self._unknown_in_a_row + 1 if is_unknown else 0
        self.check_abort_conditions()

    def check_abort_conditions(self) -> None:
        """Stops the run if too many outcomes in a row are unknown, or too large a share is refused."""
        if self._abort is None and (reason := self._find_abort_reason()):
            self._abort = reason
            self._tried_at_abort = self.summary.tried
            self.stop(reason)

    def _find_abort_reason(self) -> StopReason | None:
        summary, limits = self.summary, self._abort_conditions
        if self._unknown_in_a_row >= limits.unknown:
            hint = "find the reason before you send the rest; abort_if.unknown in msgrun.yaml sets this limit"
            return StopReason("error", f"{self._unknown_in_a_row} unknown in a row", hint)
        refused = len(summary.refused)
        if refused and summary.tried >= limits.after and refused >= limits.refused * summary.tried:
            message = f"{refused} of {summary.tried} deliveries were refused"
            return StopReason("error", message, "see the codes; abort_if.refused sets the share that stops a run")
        return None

    def _find_quiet_reason(self, declaration: Declaration) -> StopReason | None:
        return None if declaration.ignores_quiet_hours else self._conditions.quiet_reason(self._clock)
