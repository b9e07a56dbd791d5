"""What puts a run off: signals and the deadline, the stop file, the file HOLD and quiet hours."""

import time
from collections.abc import Callable
from functools import partial

from runner.cli.context import Context
from runner.clock import Clock
from runner.declare.hold_file import read_hold
from runner.deliver.stop import StopConditions
from runner.deliver.summary import StopReason


def make_stop_conditions(
    context: Context, signal: Callable[[], int] = lambda: 0, deadline: float | None = None
) -> StopConditions:
    """Returns what is checked before every POST. `deadline` is a time of the monotonic clock."""
    hold = partial(read_hold, context.tree.root)
    return StopConditions(signal, context.stop_file.exists, deadline, hold, context.quiet_hours)


def find_pause(context: Context, *, is_urgent: bool = False) -> StopReason | None:
    """Returns why a run would send nothing now, or None. `is_urgent` is as in `Plan`."""
    clock = Clock(now=lambda: context.now, monotonic=time.monotonic, sleep=time.sleep)
    return make_stop_conditions(context).pause_reason(clock, is_urgent=is_urgent)
