"""Signals: the first one stops a run cleanly, the second one ends the process at once."""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Self


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
