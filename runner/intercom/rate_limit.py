"""Intercom's rate limit: windows of ten seconds, learned from the headers of every response.

A budget is spent evenly over the first nine tenths of a window, so that a request that is still on its way when the
server's window ends is not counted in the next one, and the company's other integrations never meet a burst.
"""

import email.utils
import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from runner.clock import Clock
from runner.intercom.rate_permits import Permits
from runner.ledger.rate_budget import PermitRequest

WINDOW = 10.0  # seconds; the documented length, used where headers are missing


UNLIMITED = 1_000_000  # what may start at once where nothing says otherwise


_SPREAD = 0.9  # the part of a window over which its budget is spent; nothing starts after it


_SAME_WINDOW = 2.0  # seconds by which two ends of one window may seem to differ: both clocks count whole seconds


_LONGEST_WAIT = 300.0  # seconds; a reset further away is a broken clock, not a window


_LOOK_AGAIN = 0.05  # seconds


_MOST = 1_000_000_000  # a limit beyond it is none


class RateLimiter:
    """Says how many requests may start now. Safe to ask from several threads.

    `share` is the part of the limit that is ours, `most` a number a window that is never passed, whatever the limit.
    """

    def __init__(self, clock: Clock, share: float, most: int | None) -> None:
        self._clock = clock
        self._share = share
        self._most = most
        self._lock = threading.Lock()
        self._limit: int | None = None
        self._ends = 0.0  # when the current window ends, by the monotonic clock
        self._reset: float | None = None  # the same, by Intercom's clock
        self._began = 0.0  # since when it counts for us: its begin, or when we came in
        self._used = 0  # what we started in it
        self._remaining: int | None = None  # the least that the server said was left in it
        self._flying = 0  # what we started and heard nothing of yet
        self._ahead: float | None = None  # how far the server's clock is ahead of the monotonic one
        self._paused_until = 0.0
        self._heard = False
        self._permits = Permits()
        self.throttled_windows = 0  # windows in a row that ended a 429 without a send

    def acquire(self, most: int) -> int:
        """How many of `most` requests may start now; they count as started."""
        with self._lock:
            taken = max(0, min(most, self._permits.cap(self._room(), self._clock.monotonic())))
            self._used += taken
            self._flying += taken
            self._permits.use(taken)
            return taken

    def give_back(self, count: int) -> None:
        """So many of those taken did not start."""
        with self._lock:
            self._used -= count
            self._flying -= count
            self._permits.use(-count)

    def request_permits(self, draw: Callable[[PermitRequest], int]) -> None:
        """Draws permits from a budget that others share, once. Raises what `draw` raises."""
        with self._lock:
            self._roll(self._clock.monotonic())
            question, window = self._question()
        if question:
            granted = draw(question)
            with self._lock:
                self._permits.grant(window, granted, self._clock.monotonic())

    def wait(self) -> None:
        """Sleeps until one request may start, and counts it."""
        while not self.acquire(1):
            self._clock.sleep(_LOOK_AGAIN)

    @property
    def has_low_limit(self) -> bool:
        """Whether a limit is known that a few threads could reach, so that starting in ticks costs nothing."""
        budget = self._budget()
        return budget is not None and budget < 500 * WINDOW

    @property
    def per_second(self) -> float | None:
        """The allowed rate, if one is known."""
        budget = self._budget()
        return None if budget is None else budget / WINDOW

    @property
    def is_paused(self) -> bool:
        """Whether everybody waits for a window to end after a 429."""
        return self._clock.monotonic() < self._paused_until

    def learn(self, headers: dict[str, str]) -> None:
        """Takes limit, remaining and reset from a response; missing or broken headers change nothing.

        No response at all is told by no headers.
        """
        limit, remaining = _number(headers.get("x-ratelimit-limit")), _number(headers.get("x-ratelimit-remaining"))
        with self._lock:
            self._heard = True
            self._flying = max(0, self._flying - 1)
            self._permits.count_response()
            if limit and limit > 0:
                self._limit = min(int(limit), _MOST)
            ends = self._end_of(headers)
            now = self._clock.monotonic()
            if ends is not None and now < ends <= now + WINDOW + _SAME_WINDOW:
                if ends - self._ends >= _SAME_WINDOW:  # a later window than ours has begun
                    self._begin(max(now, ends - WINDOW))
                self._ends, self._reset = ends, _number(headers.get("x-ratelimit-reset"))
            if remaining is not None and now < self._ends and (ends is None or abs(ends - self._ends) < _SAME_WINDOW):
                self._remaining = int(remaining) if self._remaining is None else min(self._remaining, int(remaining))

    def pause(self, headers: dict[str, str]) -> None:
        """Lets nobody start until the window of a 429 is over."""
        with self._lock:
            now = self._clock.monotonic()
            if now >= self._paused_until:
                self.throttled_windows += 1
            retry_after, ends = self._retry_after(headers), self._end_of(headers)
            waits = [wait for wait in (retry_after, ends and ends - now) if wait and 0 < wait <= _LONGEST_WAIT]
            self._paused_until = max(self._paused_until, now + max(waits, default=WINDOW))

    def note_success(self) -> None:
        """A request made something: whatever windows were lost before, this one was not."""
        self.throttled_windows = 0

    def _room(self) -> int:
        now = self._clock.monotonic()
        if now < self._paused_until:
            return 0
        self._roll(now)
        budget = self._budget()
        if not self._heard:
            return 1 - self._used  # the first answer tells the limit; until then nobody runs into it
        if budget is None:
            return UNLIMITED
        if self.has_low_limit and now > self._ends - WINDOW * (1 - _SPREAD):
            return 0
        by_now = _spread(budget, now - self._began)
        # Others draw on the same limit. Whatever is on its way may not be in what the server said was left.
        left = UNLIMITED if self._remaining is None else self._remaining - self._flying
        return min(by_now - self._used, left)

    def _question(self) -> tuple[PermitRequest | None, int]:
        """What to ask for, if there is a limit at all, and the window that it is for."""
        budget, now, begins = self._budget(), self._clock.monotonic(), self._ends - WINDOW
        if budget is None:
            return None, 0
        window, landed, back, wanted = self._permits.next_request()
        heard = self._limit is not None and self._remaining is not None
        question = PermitRequest(
            reset=None if self._reset is None else int(self._reset),
            budget=budget,
            allowed_by_now=_spread(budget, now - begins),
            allowed_at_start=_spread(budget, self._began - begins) if self._began > begins else 0,
            limit=self._limit,
            used=min(_MOST, max(0, (self._limit or 0) - (self._remaining or 0))) if heard else 0,
            responses=landed,
            returned=back,
            wanted=wanted,
        )
        return question, window

    def _roll(self, now: float) -> None:
        """Begins the next window when one is over, of which nobody may have heard yet."""
        if now < self._ends:
            return
        if self._ends:
            whole = math.floor((now - self._ends) / WINDOW) + 1
            self._ends += whole * WINDOW
            self._reset = None if self._reset is None else self._reset + whole * WINDOW
        else:
            self._ends = now + WINDOW
        self._begin(self._ends - WINDOW)

    def _begin(self, began: float) -> None:
        self._began, self._used, self._remaining = began, 0, None
        self._permits.start_window()

    def _budget(self) -> int | None:
        bounds = [self._most] if self._most else []
        if self._limit:
            bounds.append(max(1, int(self._limit * self._share)))
        return min(bounds) if bounds else None

    def _end_of(self, headers: dict[str, str]) -> float | None:
        """When the window ends, by the monotonic clock.

        The reset is a time of the server's clock. Its Date cuts off the part of a second, so of all responses the one
        that seems furthest ahead tells best how the two clocks stand; one that falls far behind shows a clock set back.
        """
        reset = _number(headers.get("x-ratelimit-reset"))
        if reset is None:
            return None
        ahead = self._sent(headers).timestamp() - self._clock.monotonic()
        if self._ahead is None or ahead > self._ahead or ahead < self._ahead - _SAME_WINDOW:
            self._ahead = ahead
        return reset - self._ahead

    def _retry_after(self, headers: dict[str, str]) -> float | None:
        """Seconds; the header holds them, or a date (RFC 9110, 10.2.3)."""
        at = _date(headers.get("retry-after"))
        return (at - self._sent(headers)).total_seconds() if at else _number(headers.get("retry-after"))

    def _sent(self, headers: dict[str, str]) -> datetime:
        """When a response was sent: its times are of the server's clock, so they are compared with its own Date."""
        return _date(headers.get("date")) or self._clock.now()


def _spread(budget: int, seconds: float) -> int:
    """What of a budget may have started so many seconds into its window."""
    return math.ceil(budget * min(1.0, (seconds + _LOOK_AGAIN) / (WINDOW * _SPREAD)))


def _date(text: str | None) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
    return found.replace(tzinfo=found.tzinfo or UTC) if found else None


def _number(text: str | None) -> float | None:
    try:
        found = float(text) if text is not None else None
    except ValueError:
        return None
    # A header may say nan: whatever it says must not end a run between an answer and its outcome.
    return found if found is not None and math.isfinite(found) else None
