"""One line about what goes on: drawn over itself on a terminal, or written now and then into a log."""

import contextlib
import sys
import time

import click

from runner.cli.output import Output, is_terminal

_EVERY = 10.0  # seconds between two lines in a log


_DRAWN_EVERY = 0.1  # seconds between two drawings on a terminal


_LONG = 2.0  # seconds of planning before it is worth a word


class StatusLine:
    """The line, on stderr. With --quiet there is none."""

    def __init__(self, screen: Output) -> None:
        self._screen = screen
        self._on_terminal = is_terminal(sys.stderr)
        self._every = _DRAWN_EVERY if self._on_terminal else _EVERY
        self._told = time.monotonic()

    def is_due(self, now: float) -> bool:
        """Whether the last one is old enough at a time of the monotonic clock; if so, this is when it was told."""
        if self._screen.quiet or now - self._told < self._every:
            return False
        self._told = now
        return True

    def update(self, words: str) -> None:
        """Shows the words."""
        self._say(f"\r\033[K{words}" if self._on_terminal else f"{words}\n")

    def clear(self) -> None:
        """Takes the line off the terminal."""
        if self._on_terminal and not self._screen.quiet:
            self._say("\r\033[K")

    def _say(self, words: str) -> None:
        # A terminal that was closed, or a pipe that broke, must not end a run between an answer and its outcome.
        with contextlib.suppress(OSError):
            click.echo(words, err=True, nl=False)


class PlanningProgress:
    """Called while a message is planned, with its name and how many deliveries it has by now."""

    def __init__(self, screen: Output) -> None:
        self._line = StatusLine(screen)
        self._began = time.monotonic()

    def __call__(self, name: str, count: int) -> None:
        """Tells how far planning is, if it takes long and was not told a moment ago."""
        now = time.monotonic()
        if now - self._began > _LONG and self._line.is_due(now):
            self._line.update(f"planning {name}: {count:,} recipients")

    def clear(self) -> None:
        """Takes the line off the terminal."""
        self._line.clear()
