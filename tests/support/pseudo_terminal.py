"""A terminal of a given size, in which a command runs and whose output is kept as it was written."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

from tests.support.project import ROOT

ERASED = "\r\x1b[K"  # what takes off a line of progress


def run_on_terminal(folder: Path, *args: str, columns: int, term: str = "xterm-256color") -> str:
    """Runs the command in the folder. Returns what it wrote on a terminal with so many columns, but for progress."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "CI"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "-C", str(folder), *args],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**environment, "TERM": term, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while True:
        try:
            written += os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
    os.close(ours)
    process.wait(timeout=60)
    return written.decode().replace("\r\n", "\n").replace(ERASED, "")
