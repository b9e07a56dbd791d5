"""Asks Intercom once for each thing, and learns from the headers: the version used, the rate limit, the clock."""

from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson

from runner.clock import Clock
from runner.intercom.pages import READ_VERSION
from runner.intercom.rate_limit import parse_date
from runner.intercom.transport import NoReply, Reply, Transport


@dataclass(slots=True)
class RateLimitView:
    """The rate limit in the window of the last reply: its size, what is left, and the replies to this process in it."""

    limit: int
    remaining: int
    reset: int
    own_requests: int

    @property
    def used_by_others(self) -> int:
        """The requests of other programs in this window so far."""
        return max(0, self.limit - self.remaining - self.own_requests)


@dataclass(slots=True, eq=False)
class Probe:
    """Sends requests that only read, each once, without a retry.

    `clock_difference` is by how many seconds this machine's clock is ahead of Intercom's: the smallest that a reply
    showed, to half a second. None if no reply had a date.
    """

    transport: Transport
    clock: Clock
    rate_limit: RateLimitView | None = None
    clock_difference: float | None = None
    _own_requests: dict[int, int] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, version: str = READ_VERSION) -> Reply | NoReply:
        """Returns the reply to one request."""
        before = self.clock.now()
        result = self.transport.exchange(method, path, body, version)
        if isinstance(result, Reply):
            self._learn_rate_limit(result.headers)
            self._learn_clock(result.headers, before, self.clock.now())
        return result

    def _learn_rate_limit(self, headers: dict[str, str]) -> None:
        values = [headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
        if not all(value.isascii() and value.isdecimal() and len(value) < 16 for value in values):  # noqa: PLR2004  # digits
            return
        limit, remaining, reset = map(int, values)
        self._own_requests[reset] = self._own_requests.get(reset, 0) + 1
        self.rate_limit = RateLimitView(limit, remaining, reset, self._own_requests[reset])

    def _learn_clock(self, headers: dict[str, str], before: datetime, after: datetime) -> None:
        """The date was written between the two moments, and has no fractions of a second."""
        date = parse_date(headers.get("date"))
        if date is None:
            return
        earliest, latest = before.timestamp() - date.timestamp() - 1, after.timestamp() - date.timestamp()
        difference = 0.0 if earliest <= 0 <= latest else earliest if earliest > 0 else latest
        if self.clock_difference is None or abs(difference) < abs(self.clock_difference):
            self.clock_difference = difference


def parse_object(reply: Reply | NoReply) -> dict[str, Any] | None:
    """Returns the JSON object of a reply with status 200; None for everything else."""
    if not isinstance(reply, Reply) or reply.status != HTTPStatus.OK:
        return None
    try:
        value = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
