"""The time limit of a render: a timer of CPU time that interrupts nothing but a render."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from runner.declare.template.render_monitor import MAX_SECONDS, RenderMonitor, RenderTimeout

_CHECK_INTERVAL = 0.25  # seconds of the process's own CPU time between two checks
RENDER_MONITOR = RenderMonitor()  # of all renders of this process


@contextlib.contextmanager
def limit_render_time() -> Iterator[None]:
    """Raises RenderTimeout in a render that took MAX_SECONDS of this process's CPU time.

    The signal handler runs in the main thread, between two of its steps. It raises only if `is_rendering` is set, so it
    never interrupts anything but a render.
    """
    last_count, ticks, monitor = -1, 0, RENDER_MONITOR

    def check(_: int, __: FrameType | None) -> None:
        nonlocal last_count, ticks
        ticks = ticks + 1 if monitor.is_rendering and monitor.render_count == last_count else 0
        last_count = monitor.render_count
        if monitor.is_rendering and ticks * _CHECK_INTERVAL >= MAX_SECONDS:
            ticks = 0
            raise RenderTimeout

    previous_handler = signal.signal(signal.SIGVTALRM, check)
    signal.setitimer(signal.ITIMER_VIRTUAL, _CHECK_INTERVAL, _CHECK_INTERVAL)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous_handler)
