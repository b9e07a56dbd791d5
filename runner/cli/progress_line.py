"""A line of progress on stderr: redrawn on a terminal, or a new line every 10 seconds in a log."""

import sys
import time
from collections.abc import Callable
from functools import partial

from runner.cli.live_line import terminal_columns
from runner.cli.output import Output
from runner.cli.streams import has_unicode
from runner.report import progress_text
from runner.report.progress_text import Progress

_LOG_INTERVAL = 10.0  # seconds between two lines in a log
_TERMINAL_INTERVAL = 0.1  # seconds between two updates on a terminal
_SHOW_AFTER = 2.0  # seconds of planning before progress is shown
_CHECKING = "checking "


class StatusLine:
    """The line of progress on stderr. With --quiet nothing is printed."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._interval = _TERMINAL_INTERVAL if output.can_redraw else _LOG_INTERVAL
        self._last_update = time.monotonic()

    def is_due(self, now: float) -> bool:
        """Returns whether it is time for the next update; if so, counts `now` as the time of that update.

        `now` is a time of the monotonic clock.
        """
        if self._output.quiet or now - self._last_update < self._interval:
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


class CheckProgress:
    """Shows how many of the recipients of a plan were checked in Intercom, if that takes more than 2 seconds."""

    def __init__(self, output: Output, planned: int) -> None:
        self._status_line = StatusLine(output)
        self._planned = planned
        self._began = time.monotonic()

    def __call__(self, checked: int) -> None:
        """Shows the progress, unless the last update was a moment ago."""
        now = time.monotonic()
        if now - self._began > _SHOW_AFTER and self._status_line.is_due(now):
            progress = Progress(checked, self._planned, rate=checked / (now - self._began))
            line = partial(progress_text.format_terminal_line, progress, unicode=has_unicode(sys.stderr))
            self._status_line.update(
                f"checking recipients in Intercom: {checked:,} of {self._planned:,}",
                lambda columns: f"{_CHECKING}{line(columns - len(_CHECKING))}",
            )

    def clear(self) -> None:
        """Removes the line from the terminal."""
        self._status_line.clear()


class PlanningProgress:
    """Shows the progress of planning. Called with a message's name and how many deliveries it has so far."""

    def __init__(self, output: Output) -> None:
        self._status_line = StatusLine(output)
        self._began = time.monotonic()

    def __call__(self, name: str, count: int) -> None:
        """Shows the progress, if planning takes more than 2 seconds and the last update was not a moment ago."""
        now = time.monotonic()
        if now - self._began > _SHOW_AFTER and self._status_line.is_due(now):
            self._status_line.update(f"planning {name}: {count:,} recipients")

    def clear(self) -> None:
        """Removes the line from the terminal."""
        self._status_line.clear()
