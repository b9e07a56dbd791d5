"""The files that hold everything: as long as one of them exists, nothing is sent.

HOLD at the root of a project is committed, and `.msgrun/stop` is of one machine.
"""

import os
from pathlib import Path
from typing import NamedTuple

HOLD_FILE = "HOLD"
STOP_FILE = ".msgrun/stop"
_MAX_READ = 4096  # bytes
_MAX_REASON = 200  # characters


class Hold(NamedTuple):
    """A file that holds, by its path from the project's root, and its first line, without what cannot be seen."""

    file: str
    reason: str


def read_hold(root: Path) -> Hold | None:
    """Returns the file that holds now. None without one.

    Its reason is empty if the file has none, or cannot be read. A link holds too, and is not followed: it may name a
    file outside of the project. Called before every POST.
    """
    for file in STOP_FILE, HOLD_FILE:
        reason = _read_reason(f"{root}/{file}")
        if reason is not None:
            return Hold(file, reason)
    return None


def _read_reason(path: str) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return ""
    try:
        line = os.read(descriptor, _MAX_READ).partition(b"\n")[0].decode("utf-8", "replace")
    except OSError:  # a folder
        return ""
    finally:
        os.close(descriptor)
    return "".join(character for character in line if character.isprintable()).strip()[:_MAX_REASON]
