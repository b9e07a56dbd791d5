"""Permits to start requests, drawn in advance from a budget that other runs use too.

They are drawn every tenth of a second, and never more than two tenths of a second need. So a run that dies takes few
permits with it, and they are lost only until the window ends. While the budget gives no answer, a run follows only
Intercom's headers, as a run does that shares no budget.
"""

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from runner.errors import MsgrunError
from runner.ledger.rate_budget import PermitRequest

if TYPE_CHECKING:
    from runner.intercom.rate_limit import RateLimiter


PERMIT_INTERVAL = 0.1  # seconds between two draws
_PERMITS_NEEDED_FOR = 1.0  # seconds after the last answer during which a request needs a permit
_JOIN_TIMEOUT = 2.0  # seconds for which the end of a run waits for the thread that draws


class Permits:
    """A run's permits for the current window. Times are passed in, in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._left = 0  # below 0 for requests that started without a permit, while no answer came
        self._started = 0
        self._responses = 0
        self._window = 0
        self._answered_at = -math.inf

    def start_window(self) -> None:
        """Starts another window. Permits of the previous window are not valid in it."""
        self._left = self._responses = 0
        self._window += 1

    def cap(self, room: int, now: float) -> int:
        """How many of `room` requests may start: those that have a permit.

        All of them if the last answer of the budget is too old.
        """
        return min(room, self._left) if now - self._answered_at < _PERMITS_NEEDED_FOR else room

    def use(self, count: int) -> None:
        """Counts requests as started. `count` is below 0 for requests that did not start after all."""
        self._left -= count
        self._started += count

    def count_response(self) -> None:
        """Counts a response from Intercom."""
        self._responses += 1

    def next_request(self) -> tuple[int, int, int, int]:
        """The number of the window, and the responses, returned and wanted permits for a PermitRequest.

        Responses and started requests are counted from 0 again.
        """
        wanted = 2 * max(0, self._started) + 1
        returned = self._left if self._left < 0 else max(0, self._left - wanted)
        responses = self._responses
        self._left -= returned
        self._started = self._responses = 0
        return self._window, responses, returned, wanted - self._left

    def grant(self, window: int, count: int, now: float) -> None:
        """Adds permits that were granted for the window with this number. They are dropped if it is over."""
        self._answered_at = now
        if window == self._window:
            self._left += count


@contextlib.contextmanager
def background_permits(limiter: "RateLimiter", draw: Callable[[PermitRequest], int] | None) -> Iterator[None]:
    """Draws permits in a thread until the context ends; does nothing if `draw` is None.

    Raises what the first draw raises. Later errors of msgrun are ignored.
    """
    if draw is None:
        yield
        return
    ended = threading.Event()
    limiter.request_permits(draw)
    thread = threading.Thread(target=_draw_until, args=(limiter, draw, ended), name="permits", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_JOIN_TIMEOUT)


def _draw_until(limiter: "RateLimiter", draw: Callable[[PermitRequest], int], ended: threading.Event) -> None:
    while not ended.wait(PERMIT_INTERVAL):
        with contextlib.suppress(MsgrunError):  # the limiter sees how old the last answer is
            limiter.request_permits(draw)
