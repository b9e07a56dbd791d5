"""Runs msgrun in forks of one process that has imported it: a tenth of a start of Python, which is most of a command.

A fork is a process of its own in all else: it has its environment, files and exit code, can be killed, and races with
others. What a test says about the start itself, or about what Python's own variables do, needs a real start.
"""

import atexit
import contextlib
import gc
import importlib
import marshal
import os
import pkgutil
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parent.parent.parent
SUPPORT = Path(__file__).parent
# What most commands import where they use it. DuckDB takes more address space than a completion may have.
LAZY = ("jinja2", "jsonschema_rs", "orjson", "requests", "yaml")
LEFT_OUT = ("runner.sandbox", "runner.__main__")


class Forked:
    """A command that runs, with the methods of subprocess.Popen that tests use.

    `out` is where it prints both its streams: an open file, or subprocess.PIPE for what `communicate` returns. No file
    of it may grow beyond `most` bytes. `before` is Python that the fork runs before the command, to break itself.
    """

    def __init__(
        self, args: Sequence[str], out: IO[Any] | int, env: Mapping[str, str], *,
        folder: Path | None = None, err: IO[Any] | int | None = None, stdin: IO[Any] | int | None = None,
        most: int = 0, before: str = "",
    ) -> None:  # fmt: skip
        self.returncode: int | None = None
        self._out: IO[str] | None = None
        job = {
            "args": list(args), "env": dict(env), "folder": str(folder or Path.cwd()), "most": most, "before": before,
        }  # fmt: skip
        with contextlib.ExitStack() as opened:
            if out == subprocess.PIPE:
                reader, out = os.pipe()
                opened.callback(os.close, out)
                self._out = os.fdopen(reader)
            given = stdin or opened.enter_context(open(os.devnull))  # noqa: PTH123
            numbers = [stream if isinstance(stream, int) else stream.fileno() for stream in (given, out, err or out)]
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(server_path())
            socket.send_fds(self._socket, [marshal.dumps(job)], numbers)
        self._socket.shutdown(socket.SHUT_WR)
        self._answers = self._socket.makefile()
        self.pid = int(self._answers.readline())

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._socket], [], [], 0)[0]:
            return self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._socket], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("msgrun", timeout or 0)
            self.returncode = int(self._answers.readline())
            self._answers.close()
            self._socket.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """What it printed to a pipe, until its end."""
        printed = ""
        if self._out and not self._out.closed:
            with self._out:
                printed = self._out.read()
        self.wait(timeout)
        return printed, None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


Process = subprocess.Popen[bytes] | Forked


def run_forked(
    args: Sequence[str], folder: Path, env: Mapping[str, str], *, timeout: float = 120, before: str = ""
) -> tuple[int, str, str]:
    """Runs `msgrun ARGS` in a folder. Returns its exit code and what it printed to stdout and stderr."""
    with contextlib.ExitStack() as opened:
        out, err = (opened.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(2))
        process = Forked(args, out, env, folder=folder, err=err, before=before)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        for stream in (out, err):
            stream.seek(0)
        return code, out.read(), err.read()


def program() -> str:
    """The shell's words that run msgrun in a fork, with the shell's environment, folder and streams."""
    return f"{sys.executable} -I -S {SUPPORT / 'forked_client.py'} {server_path()}"


def install(folder: Path) -> Path:
    """Makes a folder for the PATH, with a `msgrun` that runs in a fork."""
    folder.mkdir()
    command = folder / "msgrun"
    command.write_text(f'#!/bin/sh\nexec {program()} "$@"\n')
    command.chmod(0o755)
    return folder


@cache
def server_path() -> str:
    """The socket of the process that forks, which starts when it is first needed, and ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="msgrun-forked-"))
    path = folder / "socket"
    server = subprocess.Popen(
        [sys.executable, __file__, str(path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    atexit.register(_end, server, folder)  # also if it is not ready
    assert server.stdout
    assert server.stdout.readline() == "ready\n"
    return str(path)


def _end(server: subprocess.Popen[str], folder: Path) -> None:
    server.communicate()  # closes its stdin, at the end of which it ends
    shutil.rmtree(folder)


def _serve() -> None:
    """Forks for each connection. Returns in a fork that is to run a command."""
    import runner  # noqa: PLC0415  # the tests' side needs none of it

    for module in pkgutil.walk_packages(runner.__path__, "runner."):
        if not module.name.startswith(LEFT_OUT):
            importlib.import_module(module.name)
    for name in LAZY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                os._exit(0)
            connection, _ = listener.accept()
            if not os.fork():
                break
            connection.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    _watch(connection)


def _watch(connection: socket.socket) -> None:
    """Forks once more. Waits for that fork and reports its number and its exit code; returns in the fork."""
    data, numbers, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while more := connection.recv(1 << 20):
        data += more
    process = os.fork()
    if process:
        for number in (0, 1, *numbers):
            os.close(number)
        with contextlib.suppress(OSError):  # the test is over
            connection.sendall(b"%d\n" % process)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            connection.sendall(b"%d\n" % code)
        os._exit(0)
    connection.close()
    _become(marshal.loads(data), numbers)


def _become(job: dict[str, Any], numbers: Sequence[int]) -> None:
    """Takes on the folder, environment, streams and limits of a command."""
    for stream, number in enumerate(numbers):
        os.dup2(number, stream)
        os.close(number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(stream, mode, encoding="utf-8", errors=errors, closefd=False, buffering=-1)  # noqa: SIM115
        for stream, mode, errors in ((0, "r", "strict"), (1, "w", "strict"), (2, "w", "backslashreplace"))
    )
    sys.stderr.reconfigure(line_buffering=True)
    os.environ.clear()
    os.environ.update(job["env"])
    time.tzset()
    os.chdir(job["folder"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if job["most"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["most"], job["most"]))
    sys.argv = ["msgrun", *job["args"]]
    sys.path.remove(str(SUPPORT))
    exec(job["before"], {})


def _run() -> None:
    """Runs the command, and ends as Python does, but without taking its modules apart: that takes 0.3 s."""
    from runner.__main__ import main  # noqa: PLC0415  # likewise

    gc.unfreeze()
    code: Any = 0
    try:
        main()
    except SystemExit as error:
        code = error.code or 0
    except BaseException:  # noqa: BLE001  # as Python does
        code = 1
        with contextlib.suppress(OSError):
            traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
    _run()
