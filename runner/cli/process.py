"""What affects the whole process: the time limit of a render, signals, and how memory is returned."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Self

from runner.declare.template.language import MAX_SECONDS, RenderTimeout
from runner.declare.template.template import RenderMonitor

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of <malloc.h>
_CHECK_INTERVAL = 0.25  # seconds of the process's own CPU time between two checks


@contextlib.contextmanager
def limit_render_time(monitor: RenderMonitor) -> Iterator[None]:
    """Raises RenderTimeout in a render that took MAX_SECONDS of this process's CPU time.

    The signal handler runs in the main thread, between two of its steps. It raises only if `is_rendering` is set, so it
    never interrupts anything but a render.
    """
    last_count, ticks = -1, 0

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


def set_malloc_threshold() -> None:
    """Makes glibc return freed blocks of 1 MiB or more to the system, whatever was freed before.

    By default glibc raises that size with every such block that is freed (mallopt(3), M_MMAP_THRESHOLD). A table that
    grew step by step would then leave freed memory of its own size in the process. Without glibc this does nothing.
    """
    import ctypes  # noqa: PLC0415  # plan and apply alone need it

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 20)


class Signals:
    """Handles SIGINT, SIGTERM and SIGHUP in a `with` block. `number` is the first signal received, 0 if none.

    The first signal asks the run to stop cleanly. The next one ends the process at once. The handler calls `report`
    with the number of the signal, and whether it is the first one. It must take no lock.
    """

    def __init__(self) -> None:
        self.number = 0
        self.report: Callable[[int, bool], None] = lambda _, __: None
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
