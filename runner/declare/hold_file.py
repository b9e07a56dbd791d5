"""The file HOLD at the root of a project: as long as it exists, nothing is sent."""

import os
from pathlib import Path

HOLD_FILE = "HOLD"
_MAX_READ = 4096  # bytes
_MAX_REASON = 200  # characters


def read_hold(root: Path) -> str | None:
    """Returns the first line of the file as the reason, without characters that cannot be seen. None without a file.

    The reason is empty if the file has none, or cannot be read. A link holds too, and is not followed: it may name a
    file outside of the project. Called before every POST.
    """
    try:
        descriptor = os.open(f"{root}/{HOLD_FILE}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
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
