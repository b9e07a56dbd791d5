"""A command on a real pseudo-terminal, and what a person sees on it."""

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.forked import Forked
from tests.support.project import ROOT

# A shell gives its job the terminal. Only then does Ctrl-C become a signal.
_TAKE_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
_PIECE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|[\r\n]|[^\x1b]", re.DOTALL)
CTRL_C = "\x03"
ERASED = "\r\x1b[K"  # what takes off a line of progress
_NOT_INHERITED = frozenset({"NO_COLOR", "COLUMNS", "CI"})


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}


class Terminal:
    """`msgrun ARGS` in a folder, or another program, on a terminal of its own."""

    def __init__(
        self,
        folder: Path,
        *args: str,
        columns: int = 100,
        environ: Mapping[str, str] | None = None,
        program: Sequence[str] = (),
    ) -> None:
        self._columns = columns
        self._ours, theirs = pty.openpty()
        self.resize(columns)
        env = {**_inherited(), "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **(environ or {})}
        self._process: Forked | subprocess.Popen[bytes]
        if program:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"{_TAKE_TERMINAL}; os.execv(sys.argv[1], sys.argv[1:])", *program, *args],
                cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=env,
            )  # fmt: skip
        else:
            before = f"import os; os.setsid(); {_TAKE_TERMINAL}"
            self._process = Forked(args, theirs, env, folder=folder, stdin=theirs, before=before)
        os.close(theirs)
        self._bytes = b""
        self._seen = 0

    def resize(self, columns: int) -> None:
        self._columns = columns
        termios.tcsetwinsize(self._ours, (50, columns))

    def wait_for(self, text: str, seconds: float = 30) -> None:
        """Reads until a text comes that no earlier call has found."""
        deadline = time.monotonic() + seconds
        while (found := self.raw.find(text, self._seen)) < 0:
            is_open = time.monotonic() < deadline and self._read(0.1)
            assert is_open, f"{text!r} did not come:\n{self.screen}"
        self._seen = found + len(text)

    def type(self, text: str) -> None:
        if text == CTRL_C:
            time.sleep(0.1)  # Python sees a signal between the print of a question and its read after that read alone
        os.write(self._ours, text.encode())

    def answer(self, question: str, answer: str) -> None:
        self.wait_for(question)
        self.type(f"{answer}\n")

    def finish(self) -> int:
        """Returns the exit code."""
        deadline = time.monotonic() + 60
        while self._read(0.1):
            assert time.monotonic() < deadline, self.screen
        os.close(self._ours)
        return self._process.wait(timeout=30)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            with contextlib.suppress(OSError):
                os.close(self._ours)

    @property
    def raw(self) -> str:
        """What the command printed so far, as it came."""
        return self._bytes.decode(errors="ignore")  # the last character may not be whole yet

    @property
    def screen(self) -> str:
        """What is on the screen now, without colours."""
        return "\n".join(displayed(self.raw, self._columns))

    def _read(self, seconds: float) -> bool:
        """Reads what there is. Returns whether the command still has the terminal."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux: no process has the other end any more
            return False
        self._bytes += data
        return bool(data)


def displayed(raw: str, columns: int) -> Sequence[str]:
    """The lines that a terminal shows after it got `raw`: text, line ends, and the sequences that msgrun writes."""
    lines, row, column = [""], 0, 0
    for piece in _PIECE.finditer(raw):
        text = piece[0]
        if text == "\r":
            column = 0
        elif text == "\n":
            row += 1
        elif piece[2] == "J":
            lines[row:] = [lines[row][:column]]
        elif piece[2] == "K":
            lines[row] = lines[row][:column]
        elif piece[2] == "C":  # readline moves the cursor so
            column += int(piece[1] or 1)
        elif not piece[2]:
            if column == columns:
                row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + 1 :]
            column += 1
        else:
            assert piece[2] == "m", f"the sequence {text!r} is not known"
        lines += [""] * (row + 1 - len(lines))
    return [line.rstrip() for line in lines]


def run_on_terminal(folder: Path, *args: str, columns: int, term: str = "xterm-256color") -> str:
    """Runs the command in the folder. Returns what it wrote on a terminal with so many columns, but for progress."""
    terminal = Terminal(folder, *args, columns=columns, environ={"TERM": term})
    terminal.finish()
    return terminal.raw.replace("\r\n", "\n").replace(ERASED, "")
