"""Time: a clock that is handed in, the text of a time, and ids that sort by time."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Functions for time, handed in: the time (UTC), a clock that is never set back (seconds), sleep (seconds)."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


FIRST_RETRY_DELAY = 0.5  # seconds between the first two tries of a request
_MAX_RETRY_DELAY = 5.0  # seconds


def next_retry_delay(delay: float) -> float:
    """Returns the pause before the try after the next one, in seconds: it doubles, up to five seconds."""
    return min(2 * delay, _MAX_RETRY_DELAY)


_YEARS = range(1970, 3000)  # of records: a period can be added to any time in them
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_run_id() -> str:
    """Returns a new ULID: 48 bits of milliseconds and 80 random bits. Ids of runs sort by time and never collide."""
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def time_of_run(run: str) -> str:
    """Returns the time at which an id of `new_run_id` was made, as records have it; empty for any other id."""
    if len(run) != 26 or not set(run) <= set(_CROCKFORD) or run[0] > "7":  # noqa: PLR2004  # characters of a ULID
        return ""
    number = 0
    for character in run[:10]:
        number = number << 5 | _CROCKFORD.index(character)
    try:
        return format_timestamp(datetime.fromtimestamp(number / 1000, UTC))
    except (ValueError, OverflowError):
        return ""


def format_timestamp(moment: datetime) -> str:
    """Returns a time in UTC as records have it, e.g. 2026-11-22T10:00:00Z."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def parse_timestamp(text: str) -> datetime | None:
    """Returns the time that a record has, in UTC; None if it has none, or one that no record can have."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.year not in _YEARS:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
