"""What the standard streams are: a terminal, a file, or neither."""

import os
import stat
from typing import TextIO


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
