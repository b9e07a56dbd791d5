"""What puts a run off: signals and the deadline, the stop file, the file HOLD and quiet hours."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from runner.cli.context import Context
from runner.clock import Clock
from runner.declare.hold_file import read_hold
from runner.declare.settings import Settings
from runner.deliver.stop import StopConditions
from runner.deliver.summary import StopReason
from runner.privacy import AnyText
from runner.report.notices import list_notices


def make_stop_conditions(
    context: Context, signal: Callable[[], int] = lambda: 0, deadline: float | None = None
) -> StopConditions:
    """Returns what is checked before every POST. `deadline` is a time of the monotonic clock."""
    hold = partial(read_hold, context.tree.root)
    return StopConditions(signal, context.stop_file.exists, deadline, hold, _find_settings(context).quiet_hours)


def find_pause(context: Context) -> StopReason | None:
    """Returns why a run would send nothing now, or None."""
    clock = Clock(now=lambda: context.now, monotonic=time.monotonic, sleep=time.sleep)
    return make_stop_conditions(context).stop_reason(clock)


def current_notices(context: Context) -> list[AnyText]:
    """Returns what stands above a plan of this environment."""
    return list_notices(_find_settings(context), read_hold(context.tree.root))


def _find_settings(context: Context) -> Settings:
    """Returns the settings. The sandbox has no quiet hours: what is sent to it wakes no person."""
    return replace(context.settings, quiet_hours=None) if context.options.sandbox else context.settings
