"""Permits to start requests, drawn ahead from a budget that other runs draw on as well.

They are drawn every tenth of a second, and not more than two tenths need: a run that dies takes few with it, and its
loss ends with the window. Where no answer comes, a run goes by Intercom's headers alone, as one without company does.
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


_FRESH = 1.0  # seconds after the last answer for which permits are needed at all


_END = 2.0  # seconds for which the end waits for an answer


class Permits:
    """What a run holds of a window's budget. It knows no time but what it is told (seconds, monotonic)."""

    def __init__(self) -> None:
        self._left = 0  # less than 0: started without one, while no answer came
        self._started = 0
        self._landed = 0
        self._window = 0
        self._answered = -math.inf

    def start_window(self) -> None:
        """Another window: permits of the last one are worth nothing in it."""
        self._left = self._landed = 0
        self._window += 1

    def cap(self, room: int, now: float) -> int:
        """How many of so many that may start have a permit."""
        return min(room, self._left) if now - self._answered < _FRESH else room

    def use(self, count: int) -> None:
        """So many have started; less than 0 if they did not after all."""
        self._left -= count
        self._started += count

    def count_response(self) -> None:
        """A response came in."""
        self._landed += 1

    def next_request(self) -> tuple[int, int, int, int]:
        """The window that is asked for, and of a Draw: landed, back, wanted. Counts anew from here."""
        wanted = 2 * max(0, self._started) + 1
        back = self._left if self._left < 0 else max(0, self._left - wanted)
        landed = self._landed
        self._left -= back
        self._started = self._landed = 0
        return self._window, landed, back, wanted - self._left

    def grant(self, window: int, count: int, now: float) -> None:
        """Takes in so many permits for the window that was asked for."""
        self._answered = now
        if window == self._window:
            self._left += count


@contextlib.contextmanager
def background_permits(pace: "RateLimiter", draw: Callable[[PermitRequest], int] | None) -> Iterator[None]:
    """Draws permits in a thread as long as the context lasts. Raises what the first draw raises."""
    if draw is None:
        yield
        return
    ended = threading.Event()
    pace.request_permits(draw)
    thread = threading.Thread(target=_keep_drawing, args=(pace, draw, ended), name="permits", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_END)


def _keep_drawing(pace: "RateLimiter", draw: Callable[[PermitRequest], int], ended: threading.Event) -> None:
    while not ended.wait(PERMIT_INTERVAL):
        with contextlib.suppress(MsgrunError):  # the pace sees how old the last answer is
            pace.request_permits(draw)
