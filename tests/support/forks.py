"""Kills a fork of msgrun (forked.py) at a step that is seen from outside.

A step is: a file of the project is created, emptied, replaced, removed, written to or synced; git pushes, fetches or
moves a ref; a statement of SQL.

A kill before a step is also one after the step before it. A kill in its `half` leaves half of a write, or a git that
goes on by itself, as after kill -9 of its parent alone.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.support.forked import Forked

# The command is killed itself, and no child of it that reads the project.
_UNWATCHED = "from runner.cli import supervisor\nsupervisor.Supervisor = lambda: None\n"
GIT_STEPS = {"push", "fetch", "update-ref", "init"}  # the others write nothing, or objects that nothing refers to yet


def run_unwatched(folder: Path, *args: str, die: str = "", **environment: str) -> tuple[int, str]:
    """Runs `msgrun ARGS` in a folder: its exit code (-9 if it was killed), and what it printed.

    `die` is NUMBER:WHERE, kill -9 at that step, `before` it or in its `half`.
    """
    before = _UNWATCHED
    if die:
        number, _, where = die.partition(":")
        before += f"from tests.support.forks import Death\nDeath({int(number)}, {where!r}, {str(folder)!r}).prepare()\n"
    with tempfile.TemporaryFile("w+") as out:
        code = Forked(args, out, {**os.environ, **environment}, folder=folder, before=before).wait()
        out.seek(0)
        return code, f"{' '.join(args)}\n{out.read()}"


class Death:
    """Counts the steps of this process below a folder, and kills it at one of them."""

    def __init__(self, number: int, where: str, folder: str) -> None:
        self._left = number
        self._is_half = where == "half"
        self._folder = folder

    def prepare(self) -> None:
        import psycopg  # noqa: PLC0415

        os.write = self._wrap(os.write, lambda descriptor, data: real_write(descriptor, bytes(data)[: len(data) // 2]))
        subprocess.run = self._wrap_git(subprocess.run)
        if self._is_half:
            return
        os.fsync = self._wrap(os.fsync)
        for name in ("execute", "copy"):
            setattr(psycopg.Cursor, name, self._wrap(getattr(psycopg.Cursor, name)))
        sys.addaudithook(self._hear)

    def _step(self, half: Callable[[], Any]) -> None:
        self._left -= 1
        if self._left == 0:
            if self._is_half:
                half()
            os.kill(os.getpid(), signal.SIGKILL)

    def _wrap(self, real: Callable[..., Any], half: Callable[..., Any] = lambda *_: None) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._step(lambda: half(*args))
            return real(*args, **kwargs)

        return call

    def _wrap_git(self, real: Callable[..., Any]) -> Any:
        def call(command: list[str], **kwargs: Any) -> Any:
            if command[0] == "git" and GIT_STEPS & set(command):
                self._step(lambda: _start(command, kwargs))
            return real(command, **kwargs)

        return call

    def _hear(self, event: str, values: tuple[Any, ...]) -> None:
        creates = event == "open" and values[2] & (os.O_CREAT | os.O_TRUNC)
        if (creates or event in {"os.rename", "os.remove"}) and str(values[0]).startswith(self._folder):
            self._step(lambda: None)


def _start(command: list[str], options: Mapping[str, Any]) -> None:
    known = {name: options[name] for name in ("cwd", "env") if name in options}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **known
    )
    assert process.stdin
    process.stdin.write(options.get("input") or b"")
    process.stdin.close()


real_write = os.write
