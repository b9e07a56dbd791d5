"""What a run tells while it runs: one line that is drawn over itself on a terminal, or a line now and then in a log."""

import contextlib
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import orjson

from runner.cli.output import Output
from runner.cli.progress_line import StatusLine
from runner.deliver.summary import Summary
from runner.errors import UsageMistake
from runner.intercom.rate_limit import RateLimiter
from runner.ledger.record import Record

_RATE_OVER = 10.0  # seconds that the rate is taken over: one window


class RunProgress:
    """Called with the summary after every round."""

    def __init__(self, screen: Output, pace: RateLimiter) -> None:
        self._drawn = StatusLine(screen)
        self._pace = pace
        self._done: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def __call__(self, done: Summary) -> None:
        """Tells how far the run is, unless it told so a moment ago."""
        now = time.monotonic()
        if not self._drawn.is_due(now):
            return
        self._done.append((now, done.tried))
        while len(self._done) > 2 and now - self._done[0][0] > _RATE_OVER:  # noqa: PLR2004  # a rate needs two
            self._done.popleft()
        self._drawn.update(self._line(done))

    def clear(self) -> None:
        """Takes the line off the terminal."""
        self._drawn.clear()

    def _line(self, done: Summary) -> str:
        (began, before), (now, after) = self._done[0], self._done[-1]
        rate = (after - before) / (now - began) if now > began else 0.0
        allowed = self._pace.per_second
        parts = [
            f"{done.tried:,} of {done.planned:,}",
            f"{rate:.0f} a second" + (f" of {allowed:.0f} allowed" if allowed and allowed < 10_000 else ""),  # noqa: PLR2004
            f"{len(done.refused):,} refused",
            f"{len(done.unknown):,} unknown",
        ]
        if self._pace.is_paused:
            parts.append("waiting for the window")
        elif rate:
            parts.append(f"{_duration(done.remaining / rate)} left")
        return ", ".join(parts)


class RecordLog:
    """Called with every record once it is durable: JSON lines without personal data, and with -v a line on stderr."""

    def __init__(self, screen: Output, path: Path | None) -> None:
        self._screen = screen
        self._handle: TextIO | None = None
        if path is not None:
            try:
                self._handle = path.open("a", encoding="utf-8", buffering=1)
            except OSError as error:
                raise UsageMistake(f"{path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.close()

    def __call__(self, record: Record) -> None:
        """Tells of a record."""
        # The ledger has the record already: a full disk or a closed terminal only costs the line about it.
        with contextlib.suppress(OSError):
            self._tell(record)

    def _tell(self, record: Record) -> None:
        if self._handle is not None:
            names = ("at", "status", "message", "revision", "to", "key", "attempt", "id", "code", "request_id")
            entry = {name: found for name in names if (found := getattr(record, name))}
            self._handle.write(orjson.dumps(entry).decode() + "\n")
        if self._screen.verbose and record.status != "claimed":
            request = f" request {record.request_id}" if record.request_id else ""
            self._screen.error(f"{record.status} {record.message} {record.to}{request}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
