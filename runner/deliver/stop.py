"""What ends a run before its plan: a signal, a stop file, a deadline, a breaker, or what came back from Intercom."""

from collections.abc import Callable
from dataclasses import dataclass

from runner.clock import Clock
from runner.declare.settings import AbortConditions
from runner.deliver.summary import STOP_KINDS, StopReason, Summary

DRAIN_TIMEOUT = 5.0  # seconds for which a stopped run waits for what is on its way


_LONGEST_FLIGHT = 90.0  # seconds: connecting and reading each have their own bound below it


@dataclass(frozen=True, slots=True)
class StopConditions:
    """Asked before every POST: a signal's number (0 for none), whether there is a stop file, and the deadline.

    `deadline` is a time of the monotonic clock, in seconds.
    """

    signal: Callable[[], int]
    has_stop_file: Callable[[], bool]
    deadline: float | None = None

    def stop_reason(self, clock: Clock) -> StopReason | None:
        """Why nothing more may be started, if so."""
        if number := self.signal():
            return StopReason("signal", f"stopped by signal {number}", "run the same command again to go on", number)
        if self.has_stop_file():
            return StopReason("later", "stopped by the stop file .msgrun/stop", "remove it to go on")
        if self.deadline is not None and clock.monotonic() >= self.deadline:
            return StopReason("later", "the deadline has come", "run the same command again to go on")
        return None


class StopController:
    """The reason that holds in the summary, and how long what is on its way is waited for."""

    def __init__(self, summary: Summary, breakers: AbortConditions, clock: Clock) -> None:
        self._summary = summary
        self._breakers = breakers
        self._clock = clock
        self._drained_at = 0.0
        self._unknown_in_a_row = 0

    @property
    def is_drained(self) -> bool:
        """Whether a stopped run has waited long enough."""
        return self._clock.monotonic() >= self._drained_at

    def stop(self, stop: StopReason | None) -> None:
        """Starts nothing more, and waits for what is on its way: a while if somebody wants an end, else its time.

        Of several reasons the one holds whose exit code stands highest.
        """
        if stop is None:
            return
        held = self._summary.stop
        until = self._clock.monotonic() + (DRAIN_TIMEOUT if stop.kind in {"signal", "later"} else _LONGEST_FLIGHT)
        self._drained_at = min(self._drained_at, until) if held else until
        if held is None or STOP_KINDS.index(stop.kind) < STOP_KINDS.index(held.kind):
            self._summary.stop = stop

    def record_outcome(self, *, is_unknown: bool) -> None:
        """Hears of an outcome that the summary counts already, and stops if there were too many of its kind."""
        self._unknown_in_a_row = self._unknown_in_a_row + 1 if is_unknown else 0
        self.check_breakers()

    def check_breakers(self) -> None:
        """Stops if the outcomes so far say so."""
        summary, breakers = self._summary, self._breakers
        if self._unknown_in_a_row >= breakers.unknown:
            message = f"{self._unknown_in_a_row} unknown outcomes in a row"
            self.stop(StopReason("error", message, "see what Intercom says; abort_if.unknown sets how many stop a run"))
            return
        refused = len(summary.refused)
        if refused and summary.tried >= breakers.after and refused >= breakers.refused * summary.tried:
            message = f"{refused} of {summary.tried} deliveries were refused"
            self.stop(StopReason("error", message, "see the codes; abort_if.refused sets the share that stops a run"))
