"""A line of progress on stderr: redrawn on a terminal, or a new line every 10 seconds in a log."""

import contextlib
import sys
import time

import click

from runner.characters import show_on_one_line
from runner.cli.output import Output, is_terminal

_LOG_INTERVAL = 10.0  # seconds between two lines in a log
_TERMINAL_INTERVAL = 0.1  # seconds between two updates on a terminal
_SHOW_AFTER = 2.0  # seconds of planning before progress is shown


class StatusLine:
    """The line of progress on stderr. With --quiet nothing is printed."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._on_terminal = is_terminal(sys.stderr)
        self._interval = _TERMINAL_INTERVAL if self._on_terminal else _LOG_INTERVAL
        self._last_update = time.monotonic()

    def is_due(self, now: float) -> bool:
        """Returns whether it is time for the next update; if so, counts `now` as the time of that update.

        `now` is a time of the monotonic clock.
        """
        if self._output.quiet or now - self._last_update < self._interval:
            return False
        self._last_update = now
        return True

    def update(self, text: str) -> None:
        """Prints a text, over the last one on a terminal."""
        text = show_on_one_line(text)
        self._write(f"\r\033[K{text}" if self._on_terminal else f"{text}\n")

    def clear(self) -> None:
        """Removes the line from the terminal."""
        if self._on_terminal and not self._output.quiet:
            self._write("\r\033[K")

    def _write(self, text: str) -> None:
        # A closed terminal or a broken pipe must not end a run between a response and its outcome.
        with contextlib.suppress(OSError):
            click.echo(text, err=True, nl=False)


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
