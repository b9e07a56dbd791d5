"""What stops a run or puts it off: signals, the deadline, a file that holds everything, and quiet hours."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Self

from runner.cli.context import Context
from runner.clock import Clock
from runner.declare.hold_file import STOP_FILE, Hold, read_hold
from runner.deliver.stop import StopConditions
from runner.deliver.summary import StopReason
from runner.managed_path import managed_path
from runner.privacy import AnyText
from runner.report.notices import list_notices


def make_stop_conditions(
    context: Context, received: Callable[[], int] = lambda: 0, deadline: float | None = None
) -> StopConditions:
    """Returns what is checked before every POST. `received` returns the number of the first signal, 0 if none.

    `deadline` is a time of the monotonic clock.
    """
    return StopConditions(received, find_hold_reader(context), deadline, context.quiet_hours)


def find_hold_reader(context: Context) -> Callable[[], Hold | None]:
    """Returns a function that returns the file that holds everything, if there is one.

    Raises GuardRefused if the file of this machine is a link, or behind one.
    """
    managed_path(context.tree.root, STOP_FILE)
    return partial(read_hold, context.tree.root)


def find_pause(context: Context, *, is_urgent: bool = False) -> StopReason | None:
    """Returns why a run would send nothing now, or None. `is_urgent` is as in `Plan`."""
    clock = Clock(now=lambda: context.now, monotonic=time.monotonic, sleep=time.sleep)
    return make_stop_conditions(context).pause_reason(clock, is_urgent=is_urgent)


class Signals:
    """Handles SIGINT, SIGTERM and SIGHUP in a `with` block. `number` is the first signal received, 0 if none.

    The first signal asks the run to stop cleanly. The next one ends the process at once. The handler calls `report`
    with the number of the signal, and whether it is the first one. It must take no lock.
    """

    report: Callable[[int, bool], None]

    def __init__(self) -> None:
        self.number = 0
        self.report = lambda _, __: None
        self._previous_handlers: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._previous_handlers[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal() returned

    def _handle(self, number: int, _: FrameType | None) -> None:
        is_first = not self.number
        self.number = self.number or number
        try:
            self.report(number, is_first)
        finally:
            if not is_first:
                # Every claim is durable already: attempts without an outcome are unknown from now on, as after kill -9.
                os._exit(128 + number)


def current_notices(context: Context) -> list[AnyText]:
    """Returns the notices: what is redirected, on hold or quiet. Raises GuardRefused."""
    settings = context.settings._replace(quiet_hours=context.quiet_hours)
    return list_notices(settings, find_hold_reader(context)())
