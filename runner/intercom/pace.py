"""Intercom's rate limit: windows of some seconds, learned from the headers of every response."""

import email.utils
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

WINDOW = 10.0  # seconds; the documented length, used where headers are missing
_LONGEST_WAIT = 300.0  # seconds; a reset further away is a broken clock, not a window


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, handed in: the wall clock (UTC), a clock that never jumps (seconds), and sleeping (seconds)."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


class Pace:
    """Says when the next request may start: a share of the limit a window, and never more than a number a window."""

    def __init__(self, clock: Clock, share: float, most: int | None) -> None:
        self._clock = clock
        self._share = share
        self._most = most
        self._limit: int | None = None
        self._ends = 0.0
        self._used = 0

    def wait(self) -> None:
        """Sleeps until a request may start, and counts it."""
        now = self._clock.monotonic()
        if now >= self._ends:
            self._ends, self._used = now + WINDOW, 0
        allowed = self._allowed()
        if allowed is not None and self._used >= allowed:
            self._clock.sleep(self._ends - now)
            self._ends, self._used = self._clock.monotonic() + WINDOW, 0
        self._used += 1

    def learn(self, headers: dict[str, str]) -> None:
        """Takes limit, remaining and reset from a response; missing or broken headers change nothing."""
        limit, remaining = _number(headers.get("x-ratelimit-limit")), _number(headers.get("x-ratelimit-remaining"))
        until = self._until_reset(headers)
        if limit and limit > 0:
            self._limit = int(limit)
        if until is not None and 0 < until <= WINDOW:
            self._ends = self._clock.monotonic() + until
        if self._limit and remaining is not None:
            # What the company's other integrations took counts against the limit, not against our share.
            allowed = self._allowed() or 1
            self._used = max(self._used, allowed - int(remaining)) if remaining < allowed else self._used

    def throttled(self, headers: dict[str, str]) -> None:
        """Sleeps until the window of a 429 is over."""
        waits = [
            wait
            for wait in (self._retry_after(headers), self._until_reset(headers))
            if wait is not None and 0 < wait <= _LONGEST_WAIT
        ]
        self._clock.sleep(max(waits, default=WINDOW))
        self._ends, self._used = self._clock.monotonic() + WINDOW, 0

    def _allowed(self) -> int | None:
        bounds = [self._most] if self._most else []
        if self._limit:
            bounds.append(max(1, int(self._limit * self._share)))
        return min(bounds) if bounds else None

    def _retry_after(self, headers: dict[str, str]) -> float | None:
        """Seconds; the header holds them, or a date (RFC 9110, 10.2.3)."""
        at = _date(headers.get("retry-after"))
        return (at - self._sent(headers)).total_seconds() if at else _number(headers.get("retry-after"))

    def _until_reset(self, headers: dict[str, str]) -> float | None:
        reset = _number(headers.get("x-ratelimit-reset"))
        if reset is None:
            return None
        return reset - self._sent(headers).timestamp()

    def _sent(self, headers: dict[str, str]) -> datetime:
        """When a response was sent: its times are of the server's clock, so they are compared with its own Date."""
        return _date(headers.get("date")) or self._clock.now()


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
