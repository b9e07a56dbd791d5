"""Runs msgrun in forks of one process that has imported it, and kills a fork at a step that is seen from outside.

A fork saves the start of a Python, so a command can be killed at each of its steps. A step is: a file of the project is
created, emptied, replaced, removed, written to or synced; git pushes, fetches or moves a ref; a statement of SQL.

A kill before a step is also one after the step before it. A kill in its `half` leaves half of a write, or a git that
goes on by itself, as after kill -9 of its parent alone.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
GIT_STEPS = {"push", "fetch", "update-ref", "init"}  # the others write nothing, or objects that nothing refers to yet


class Forks:
    """The process that forks. One command at a time."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, __file__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def run(self, folder: Path, *args: str, die: str = "", **environment: str) -> tuple[int, str]:
        """Runs `msgrun ARGS` in a folder: its exit code (-9 if it was killed), and what it printed.

        `die` is NUMBER:WHERE, kill -9 at that step, `before` it or in its `half`.
        """
        assert self._server.stdin
        assert self._server.stdout
        with tempfile.NamedTemporaryFile("r") as out:
            job = {"folder": str(folder), "args": args, "die": die, "env": {**os.environ, **environment}}
            print(json.dumps(job | {"out": out.name}), file=self._server.stdin, flush=True)
            code = int(self._server.stdout.readline())
            return code, f"{' '.join(args)}\n{out.read()}"

    def close(self) -> None:
        self._server.communicate()


def _serve() -> None:
    from runner.cli import connection  # noqa: PLC0415  # the client's side needs none of it
    from runner.cli.commands import apply, plan, reconcile, resolve  # noqa: PLC0415
    from runner.cli.commands.lock import begin, export, import_, move  # noqa: PLC0415
    from runner.ledger.postgres import location  # noqa: PLC0415

    del connection, apply, plan, reconcile, resolve, begin, export, import_, move, location
    for line in sys.stdin:
        process = os.fork()
        if not process:
            _run(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def _run(job: dict[str, Any]) -> None:
    from runner.cli import run  # noqa: PLC0415

    code = 70
    try:
        out = os.open(job["out"], os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(out, descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.clear()
        os.environ.update(job["env"])
        os.chdir(job["folder"])
        if job["die"]:
            number, _, where = job["die"].partition(":")
            _Death(int(number), where, job["folder"]).prepare()
        code = run(job["args"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class _Death:
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
if __name__ == "__main__":
    _serve()
