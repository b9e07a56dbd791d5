"""Ends renders that do not end, and hears signals: both are about the process, so they are at home here."""

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Self

from runner.declare.template.language import MAX_SECONDS, RenderTimeout
from runner.declare.template.template import RenderMonitor

_MMAP_THRESHOLD = -3  # of <malloc.h>


_TICK = 0.25  # seconds of processor time


@contextlib.contextmanager
def limit_render_time(watch: RenderMonitor) -> Iterator[None]:
    """Raises RenderTooLong into a render that took MAX_SECONDS of this process's own time.

    The handler runs between two steps of the main thread and looks at `active` there, so it never hits anything else.
    """
    seen, ticks = -1, 0

    def tick(_: int, __: FrameType | None) -> None:
        nonlocal seen, ticks
        ticks = ticks + 1 if watch.is_rendering and watch.render_count == seen else 0
        seen = watch.render_count
        if watch.is_rendering and ticks * _TICK >= MAX_SECONDS:
            ticks = 0
            raise RenderTimeout

    before = signal.signal(signal.SIGVTALRM, tick)
    signal.setitimer(signal.ITIMER_VIRTUAL, _TICK, _TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def set_malloc_threshold() -> None:
    """Lets large blocks of memory go back to the system when they are freed, also after others were.

    glibc raises the size from which it does so with every block that it gets back (mallopt(3), M_MMAP_THRESHOLD), so
    that what grew step by step would leave holes as large as itself. Where there is no glibc, nothing happens.
    """
    import ctypes  # noqa: PLC0415  # for large audiences alone

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 20)


class Signals:
    """Hears SIGINT, SIGTERM and SIGHUP while entered: the first asks for an orderly end, the next ends at once."""

    def __init__(self) -> None:
        self.number = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave back

    def _hear(self, number: int, _: FrameType | None) -> None:
        if self.number:
            # Every claim is on disk already; what is in flight is unknown from now on, as after kill -9.
            os._exit(128 + number)
        self.number = number
