"""What a standard stream is, and the line at the bottom of a terminal that is redrawn while a command works."""

import contextlib
import os
import stat
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

_DEFAULT_COLUMNS = 80  # where a terminal does not say how wide it is
_ERASE = (
    "\r\033[J"  # ECMA-48: to the start of the line, and erase all from there, also what a narrower terminal wrapped
)


def terminal_columns() -> int:
    """Returns the width of the terminal on stderr. It is asked each time, because a person may resize the window."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _DEFAULT_COLUMNS
    except (OSError, ValueError, AttributeError):
        return _DEFAULT_COLUMNS


class LiveLine:
    """A line on stderr, drawn in place. Several threads may print above it.

    The cursor waits at the start of the line. So what the terminal echoes, as ^C, takes no room, and a terminal that
    wraps the line because it became narrower leaves the cursor where erasing must begin.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._text = ""

    def draw(self, text: str) -> None:
        """Draws a text in place of the last one. It must be shorter than the terminal is wide."""
        with self._lock:
            self._text = text
            self._write(f"\r{text}\033[J\r")

    def clear(self) -> None:
        """Removes the line."""
        with self._lock:
            if self._text:
                self._write(_ERASE)
            self._text = ""

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """Takes the line off the terminal while something else is printed, and draws it below that."""
        with self._lock:
            text = self._text
            if text:
                self._write(_ERASE)
            try:
                yield
            finally:
                if text:
                    self.draw(text)

    def _write(self, text: str) -> None:
        # A closed terminal must not end a run between a response and its outcome.
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


LIVE_LINE = LiveLine()  # a process has one stderr


def is_file(stream: TextIO | None) -> bool:
    """Returns whether a stream is redirected to a file. A job may still print that file later."""
    try:
        return stream is not None and stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def has_unicode(stream: TextIO) -> bool:
    """Returns whether a stream takes all characters."""
    return stream.encoding.lower().startswith("utf")


def is_terminal(stream: TextIO | None) -> bool:
    """Returns whether a standard stream is a terminal. A daemon may have no stream at all."""
    return stream is not None and stream.isatty()
