"""The rate limit: strict windows of ten seconds, aligned to the clock (reference, "Rate Limiting").

Limits are in calls a window; 1,000 calls a minute show as 167 in such a window.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from runner.sandbox.answer import ApiError

WINDOW = 10.0


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """What one call was told: `reset` in Unix seconds, `exceeded` if the call is one too many."""

    limit: int
    remaining: int
    reset: int
    is_exceeded: bool = False

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Write the three documented headers."""
        return (
            ("X-RateLimit-Limit", str(self.limit)),
            ("X-RateLimit-Remaining", str(self.remaining)),
            ("X-RateLimit-Reset", str(self.reset)),
        )

    def raise_if_exceeded(self) -> None:
        """Refuse the call that is one too many."""
        if self.is_exceeded:
            raise ApiError(429, "rate_limit_exceeded", "Exceeded rate limit of this app")


class RateLimit:
    """Counts the calls of the window that the clock is in; a refused call is not counted."""

    def __init__(self, limit: int, window: float = WINDOW) -> None:
        self._limit = limit
        self._window = window
        self._lock = threading.Lock()
        self._index = -1
        self._used = 0

    def count_call(self, now: float) -> RateLimitStatus:
        """Count one call at that Unix time."""
        index = int(now // self._window)
        with self._lock:
            # Never back: a thread that read the clock just before the window's end must not open the old one again.
            if index > self._index:
                self._index, self._used = index, 0
            exceeded = self._used >= self._limit
            self._used += not exceeded
            remaining = self._limit - self._used
            reset = math.ceil((self._index + 1) * self._window)
        return RateLimitStatus(self._limit, remaining, reset, exceeded)
