"""Intercom's rate limit: windows of ten seconds, learned from the headers of every response.

A budget is spent evenly over the first nine tenths of a window. So a request that is still under way when the server's
window ends is not counted in the next one, and the company's other integrations never meet a burst of requests.
"""

import email.utils
import math
import threading
from datetime import UTC, datetime

from runner.clock import Clock

WINDOW = 10.0  # seconds; the documented length, used where headers are missing
UNLIMITED = 1_000_000  # requests that may start at once if no limit is known
_SPENDING_PART = 0.9  # of a window: its budget is spent in this part; below 500 a second, no request starts after it
_WINDOW_TOLERANCE = 2.0  # seconds by which two computed ends of one window may differ: both clocks count whole seconds
_MAX_WAIT = 300.0  # seconds; a reset that is further away is the error of a clock
_POLL_INTERVAL = 0.05  # seconds between two checks whether a request may start
_MAX_OTHERS = 8.0  # times the requests of this run: more runs than that are not estimated
_MAX_LIMIT = 1_000_000_000  # requests; a higher limit is as good as none


class RateLimiter:
    """Decides how many requests may start now. Several threads may use it.

    `share` is the part of Intercom's limit, from 0 to 1, that all programs may use together before this run holds back.
    `max_per_window` is the maximum of requests in a window, whatever the limit is; None means that there is none.
    """

    def __init__(self, clock: Clock, share: float, max_per_window: int | None) -> None:
        self._clock = clock
        self._share = share
        self._max_per_window = max_per_window
        self._lock = threading.Lock()
        self._limit: int | None = None
        self._window_end = 0.0  # when the current window ends, by the monotonic clock
        self._joined_at = 0.0  # when this run joined the window: at its start, or later
        self._used = 0  # requests that this run started in it
        self._remaining: int | None = None  # the lowest number that the server reported as remaining in it
        self._pending = 0  # requests that this run started and that have not ended
        self._clock_offset: float | None = None  # seconds from the monotonic clock to the server's clock
        self._paused_until = 0.0
        self._has_result = False
        self.throttled_windows = 0  # windows in a row with a 429 and without a message sent

    def acquire(self, most: int) -> int:
        """Returns how many of `most` requests may start now, and counts them as started."""
        with self._lock:
            granted = max(0, min(most, self._count_startable()))
            self._used += granted
            self._pending += granted
            return granted

    def give_back(self, count: int) -> None:
        """Takes back the count of requests that were counted as started and did not start."""
        with self._lock:
            self._used = max(0, self._used - count)  # below 0 if the window ended meanwhile
            self._pending = max(0, self._pending - count)

    def wait(self) -> None:
        """Sleeps until one request may start, and counts it as started."""
        while not self.acquire(1):
            self._clock.sleep(_POLL_INTERVAL)

    @property
    def has_low_limit(self) -> bool:
        """Whether a limit is known that is below 500 requests a second.

        A few threads can reach such a limit, so starting requests in ticks costs nothing.
        """
        budget = self._compute_budget()
        return budget is not None and budget < 500 * WINDOW

    @property
    def per_second(self) -> float | None:
        """The allowed requests a second; None if no limit is known."""
        budget = self._compute_budget()
        return None if budget is None else budget / WINDOW

    @property
    def pause_left(self) -> float:
        """Seconds until a window with a 429 ends, before which no request may start; 0 if requests may start."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    def learn(self, headers: dict[str, str]) -> None:
        """Reads limit, remaining and reset from the headers of a response. Missing or broken headers change nothing.

        Call it without headers for a request that got no response.
        """
        limit = _parse_number(headers.get("x-ratelimit-limit"))
        remaining = _parse_number(headers.get("x-ratelimit-remaining"))
        with self._lock:
            self._has_result = True
            self._pending = max(0, self._pending - 1)
            if limit and limit > 0:
                self._limit = min(int(limit), _MAX_LIMIT)
            window_end = self._find_window_end(headers)
            now = self._clock.monotonic()
            if window_end is not None and now < window_end <= now + WINDOW + _WINDOW_TOLERANCE:
                if window_end - self._window_end >= _WINDOW_TOLERANCE:  # a later window than the current one has begun
                    self._start_window(max(now, window_end - WINDOW))
                self._window_end = window_end
            if (
                remaining is not None
                and now < self._window_end
                and (window_end is None or abs(window_end - self._window_end) < _WINDOW_TOLERANCE)
            ):
                self._remaining = int(remaining) if self._remaining is None else min(self._remaining, int(remaining))

    def pause(self, headers: dict[str, str]) -> None:
        """Lets no request start until the window of a 429 is over. `headers` are those of the 429."""
        with self._lock:
            now = self._clock.monotonic()
            if now >= self._paused_until:
                self.throttled_windows += 1
            retry_after, window_end = self._parse_retry_after(headers), self._find_window_end(headers)
            waits = [wait for wait in (retry_after, window_end and window_end - now) if wait and 0 < wait <= _MAX_WAIT]
            self._paused_until = max(self._paused_until, now + max(waits, default=WINDOW))

    def note_success(self) -> None:
        """Ends the row of windows with a 429, because a message was sent."""
        self.throttled_windows = 0

    def _count_startable(self) -> int:
        """Returns how many requests may start now; 0 or less if none may."""
        now = self._clock.monotonic()
        if now < self._paused_until:
            return 0
        self._roll_window(now)
        budget = self._compute_budget()
        if not self._has_result:
            return 1 - self._used  # the first response brings the limit; until then, one request is enough
        if budget is None:
            return UNLIMITED
        if self.has_low_limit and now > self._window_end - WINDOW * (1 - _SPENDING_PART):
            return 0
        own = _compute_allowance(budget, now - self._joined_at) - self._used
        if self._remaining is None or self._limit is None:
            return own
        # Other runs and programs use the same limit. What the server reported does not include what is on its way to
        # it: the pending requests of this run, and in proportion those of others.
        used_by_all = self._limit - self._remaining
        others = used_by_all / max(1, self._used - self._pending)
        used_by_all += math.ceil(self._pending * min(max(1.0, others), _MAX_OTHERS))
        shared = _compute_allowance(int(self._limit * self._share), now - self._window_end + WINDOW) - used_by_all
        at_least = int(now - self._joined_at) - self._used  # one a second, even if others use more than the share
        return min(own, self._remaining - self._pending, max(shared, at_least))

    def _roll_window(self, now: float) -> None:
        """Starts the next window if the current one is over, even if no response of it has come yet."""
        if now < self._window_end:
            return
        if self._window_end:
            passed = math.floor((now - self._window_end) / WINDOW) + 1
            self._window_end += passed * WINDOW
        else:
            self._window_end = now + WINDOW
        self._start_window(self._window_end - WINDOW)

    def _start_window(self, joined_at: float) -> None:
        self._joined_at, self._used, self._remaining = joined_at, 0, None

    def _compute_budget(self) -> int | None:
        """Returns the requests that this run may start in a window; None if no limit is known."""
        bounds = [self._max_per_window] if self._max_per_window else []
        if self._limit:
            bounds.append(max(1, int(self._limit * self._share)))
        return min(bounds) if bounds else None

    def _find_window_end(self, headers: dict[str, str]) -> float | None:
        """When the window ends, by the monotonic clock; None if no header says it.

        The reset is a time of the server's clock. The Date header cuts off fractions of a second. So the response by
        which the server's clock is furthest ahead gives the best offset between the two clocks. A response by which it
        is far behind shows that a clock was set back.
        """
        reset = _parse_number(headers.get("x-ratelimit-reset"))
        if reset is None:
            return None
        offset = self._read_date(headers).timestamp() - self._clock.monotonic()
        if self._clock_offset is None or offset > self._clock_offset or offset < self._clock_offset - _WINDOW_TOLERANCE:
            self._clock_offset = offset
        return reset - self._clock_offset

    def _parse_retry_after(self, headers: dict[str, str]) -> float | None:
        """Returns the seconds to wait by Retry-After, a number or a date (RFC 9110, 10.2.3); None without it."""
        moment = parse_date(headers.get("retry-after"))
        return (
            (moment - self._read_date(headers)).total_seconds() if moment else _parse_number(headers.get("retry-after"))
        )

    def _read_date(self, headers: dict[str, str]) -> datetime:
        """When a response was sent, by its Date header; without one, the time now.

        Times in headers are of the server's clock, so they are compared with this one.
        """
        return parse_date(headers.get("date")) or self._clock.now()


def _compute_allowance(budget: int, seconds: float) -> int:
    """Returns how many requests of a budget may have started so many seconds after the start of its window."""
    return math.ceil(budget * min(1.0, (seconds + _POLL_INTERVAL) / (WINDOW * _SPENDING_PART)))


def parse_date(text: str | None) -> datetime | None:
    """Returns the moment of a header such as Date; None if it is none."""
    try:
        moment = email.utils.parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _parse_number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    # A header may be "nan" or "inf", which int() refuses. An error here would end the run after a POST and before its
    # outcome is recorded.
    return value if value is not None and math.isfinite(value) else None
