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

    def __init__(self, output: Output, planned: int) -> None:
        super().__init__(output, _SHOW_AFTER)
        self._planned = planned

    def __call__(self, checked: int) -> None:
        """Shows the progress, unless the last update was a moment ago."""
        if self.is_due():
            progress = Progress(checked, self._planned, rate=checked / (time.monotonic() - self._began))
            line = partial(progress_text.format_terminal_line, progress, unicode=has_unicode(sys.stderr))
            self.update(
                f"checking recipients in Intercom: {checked:,} of {self._planned:,}",
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
