"""The line of progress, redrawn on a terminal or a new line every 10 seconds in a log; and a run's log of records."""

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TextIO

import orjson

from runner.cli.output import Output
from runner.cli.terminal import has_unicode, terminal_columns
from runner.deliver.summary import Summary
from runner.errors import UsageMistake
from runner.intercom.rate_limit import RateLimiter
from runner.ledger.record import Record
from runner.report import progress_text
from runner.report.progress_text import Progress
from runner.report.terminal_text import one_line

_LOG_INTERVAL = 10.0  # seconds between two lines in a log
_TERMINAL_INTERVAL = 0.1  # seconds between two updates on a terminal
_SHOW_AFTER = 2.0  # seconds of planning before progress is shown
_CHECKING = "checking "
_RATE_WINDOW = 10.0  # seconds over which the rate is averaged: one window of Intercom's rate limit


class StatusLine:
    """The line of progress on stderr. With --quiet nothing is printed, and nothing in the first `delay` seconds."""

    def __init__(self, output: Output, delay: float = 0.0) -> None:
        self._output = output
        self._interval = _TERMINAL_INTERVAL if output.can_redraw else _LOG_INTERVAL
        self._began = self._last_update = time.monotonic()
        self._delay = delay

    def is_due(self) -> bool:
        """Returns whether it is time for the next update; if so, the time until the one after it begins."""
        now = time.monotonic()
        if self._output.quiet or now - self._began <= self._delay or now - self._last_update < self._interval:
            return False
        self._last_update = now
        return True

    def update(self, text: str, fit: Callable[[int], str] | None = None) -> None:
        """Shows the progress. In a log it is `text`; on a terminal what `fit` makes of the number of columns."""
        if self._output.can_redraw:
            columns = terminal_columns() - 1  # a full line would move the cursor to the next one
            text = fit(columns) if fit else text[:columns]
        self._output.progress(text)

    def show(self, text: str) -> None:
        """Shows a text at once: on a terminal in the line of progress, in a log as a note."""
        if self._output.can_redraw and not self._output.quiet:
            self.update(text)
        else:
            self._output.note(text)

    def clear(self) -> None:
        """Removes the line from the terminal."""
        self._output.clear_progress()


class CheckProgress(StatusLine):
    """Shows how many of the recipients of a plan were checked in Intercom, if that takes more than 2 seconds."""

    def __init__(self, output: Output, planned: int, limiter: RateLimiter) -> None:
        super().__init__(output, _SHOW_AFTER)
        self._planned = planned
        self._limiter = limiter
        self._checked = 0

    def count(self, checked: int) -> None:
        """Takes how many were checked so far, and shows it."""
        self._checked = checked
        self.show_current()

    def show_current(self) -> None:
        """Shows the progress, and what it waits for, unless the last update was a moment ago."""
        if self.is_due():
            rate, pause = self._checked / (time.monotonic() - self._began), self._limiter.pause_left
            progress = Progress(self._checked, self._planned, rate=rate, pause=pause)
            line = partial(progress_text.format_terminal_line, progress, unicode=has_unicode(sys.stderr))
            self.update(
                f"checking recipients in Intercom: {progress_text.format_check(progress)}",
                lambda columns: f"{_CHECKING}{line(columns - len(_CHECKING))}",
            )


class PlanningProgress(StatusLine):
    """Shows the progress of planning, if that takes more than 2 seconds."""

    def __init__(self, output: Output) -> None:
        super().__init__(output, _SHOW_AFTER)

    def __call__(self, name: str, count: int) -> None:
        """Shows how many deliveries a message has so far, unless the last update was a moment ago."""
        if self.is_due():
            self.update(f"planning {name}: {count:,} recipients")


class RunProgress(StatusLine):
    """Shows the progress of a run. The run calls it with its summary after every round."""

    def __init__(self, output: Output, limiter: RateLimiter) -> None:
        super().__init__(output)
        self._limiter = limiter
        self._samples: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def __call__(self, summary: Summary) -> None:
        """Shows the progress, unless the last update was a moment ago."""
        if not self.is_due():
            return
        now = time.monotonic()
        self._samples.append((now, summary.tried))
        while len(self._samples) > 2 and now - self._samples[0][0] > _RATE_WINDOW:  # noqa: PLR2004  # a rate needs two points
            self._samples.popleft()
        progress = self._measure(summary)
        self.update(
            progress_text.format_log_line(progress),
            partial(progress_text.format_terminal_line, progress, unicode=has_unicode(sys.stderr)),
        )

    def _measure(self, summary: Summary) -> Progress:
        """Returns how far the run is. The rate is that of the last seconds."""
        (began, before), (now, after) = self._samples[0], self._samples[-1]
        rate = (after - before) / (now - began) if now > began else 0.0
        if allowed := self._limiter.per_second:
            rate = min(rate, allowed)  # at the beginning of a window, a run is faster than it can be over all of it
        return Progress(
            done=summary.tried,
            planned=summary.planned,
            refused=len(summary.refused),
            unknown=len(summary.unknown),
            rate=rate,
            allowed=allowed or 0.0,
            seconds_left=summary.remaining / rate if rate else 0.0,
            pause=self._limiter.pause_left,
            in_flight=summary.in_flight,
            is_stopping=summary.stop is not None,
        )


class RecordLog:
    """Logs every record. The run calls it once a record is durable.

    Writes JSON lines without personal data to the log file, if there is one. With -v prints a line to stderr.
    """

    def __init__(self, output: Output, handle: TextIO | None) -> None:
        self._output = output
        self._handle = handle

    def __call__(self, record: Record) -> None:
        """Logs a record. A full disk or a closed terminal does not stop the run: the ledger has the record already."""
        with contextlib.suppress(OSError):
            if self._handle is not None:
                names = ("at", "status", "message", "revision", "to", "key", "attempt", "id", "code", "request_id")
                entry = {name: value for name in names if (value := getattr(record, name))}
                self._handle.write(orjson.dumps(entry).decode() + "\n")
            if self._output.verbose and record.status != "claimed":
                request = f" request {record.request_id}" if record.request_id else ""
                self._output.error(one_line(f"{record.status} {record.message} {record.to}{request}"))


@contextlib.contextmanager
def open_record_log(output: Output, path: Path | None) -> Iterator[RecordLog]:
    """Yields a log of records, with a log file if there is a path. Raises UsageMistake if that cannot be written."""
    try:
        handle = path.open("a", encoding="utf-8", buffering=1) if path else None
    except OSError as error:
        raise UsageMistake(f"{path} cannot be written: {error.strerror}") from error
    try:
        yield RecordLog(output, handle)
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):
                handle.close()
