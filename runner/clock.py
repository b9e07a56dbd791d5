"""Time: a clock that is handed in, the text of a time, and ids that sort by time."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, handed in: the wall clock (UTC), a clock that never jumps (seconds), and sleeping (seconds)."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_run_id() -> str:
    """A new ULID: 48 bits of milliseconds and 80 random ones, so that ids of runs sort by time and never meet."""
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def format_timestamp(moment: datetime) -> str:
    """A time as records have it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
