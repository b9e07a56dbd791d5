"""The rate limit: strict windows of ten seconds, aligned to the clock (reference, "Rate Limiting").

Limits are in calls a window. A limit of 1,000 calls a minute is 167 calls in such a window.
"""

import math
import threading
from dataclasses import dataclass

from runner.sandbox.answer import ApiError

WINDOW = 10.0


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """The rate limit after a call. `reset` is in Unix seconds; `is_exceeded`: the call is over the limit."""

    limit: int
    remaining: int
    reset: int
    is_exceeded: bool = False

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Returns the three documented headers."""
        return (
            ("X-RateLimit-Limit", str(self.limit)),
            ("X-RateLimit-Remaining", str(self.remaining)),
            ("X-RateLimit-Reset", str(self.reset)),
        )

    def raise_if_exceeded(self) -> None:
        """Raises ApiError 429 if the call is over the limit."""
        if self.is_exceeded:
            raise ApiError(429, "rate_limit_exceeded", "Exceeded rate limit of this app")


class RateLimit:
    """Counts the calls of the current window. A refused call is not counted. `window` is in seconds."""

    def __init__(self, limit: int, window: float = WINDOW) -> None:
        self._limit = limit
        self._window = window
        self._lock = threading.Lock()
        self._window_index = -1
        self._call_count = 0

    def count_call(self, now: float) -> RateLimitStatus:
        """Counts one call at a time in Unix seconds, and returns the state of the limit."""
        window_index = int(now // self._window)
        with self._lock:
            # Never an earlier window: a thread that read the clock just before the end of one must not open it again.
            if window_index > self._window_index:
                self._window_index, self._call_count = window_index, 0
            is_exceeded = self._call_count >= self._limit
            self._call_count += not is_exceeded
            remaining = self._limit - self._call_count
            reset = math.ceil((self._window_index + 1) * self._window)
        return RateLimitStatus(self._limit, remaining, reset, is_exceeded)
