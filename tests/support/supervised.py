"""The command in a process of its own, with smaller limits on the work on one file than a user has."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.support.forked import run_forked
from tests.support.project import ROOT, Ran

_SCRIPT = """
import sys
from runner.cli import run
from runner.cli.supervisor import Supervisor, exit_at_once
from runner.declare.audience import duckdb_database

duckdb_database.MAX_SECONDS = float(sys.argv[3])
supervisor = Supervisor(float(sys.argv[1]), int(sys.argv[2]))
code = run(sys.argv[4:], supervisor)
exit_at_once(code)
"""
_BEFORE = """
import functools
from runner.cli import supervisor
from runner.declare.audience import duckdb_database

duckdb_database.MAX_SECONDS = {query_seconds}
supervisor.Supervisor = functools.partial(supervisor.Supervisor, {seconds}, {memory})
"""
SECONDS = 1.5
QUERY_SECONDS = 0.5
MEMORY = 1500 * 1024**2  # bytes


def program(seconds: float = SECONDS, memory: int = MEMORY, query_seconds: float = QUERY_SECONDS) -> list[str]:
    """The words that start `msgrun` with these limits, before its arguments."""
    return [sys.executable, "-c", _SCRIPT, str(seconds), str(memory), str(query_seconds)]


@contextlib.contextmanager
def start(
    folder: Path,
    *args: str,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    query_seconds: float = QUERY_SECONDS,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Starts `msgrun ARGS` in a folder, as the leader of a process group: a terminal signals the whole group.

    What is left of the group at the end of the block is killed.
    """
    process = subprocess.Popen(
        [*program(seconds, memory, query_seconds), "-C", str(folder), *args],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def run(
    folder: Path,
    *args: str,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    query_seconds: float = QUERY_SECONDS,
    env: Mapping[str, str] | None = None,
) -> Ran:
    """Runs `msgrun ARGS` in a folder to its end."""
    if memory == MEMORY:
        before = _BEFORE.format(seconds=seconds, memory=memory, query_seconds=query_seconds)
        return Ran(*run_forked(["-C", str(folder), *args], Path.cwd(), {**os.environ, **(env or {})}, before=before))
    # A fork has the memory of all modules from the start.
    with start(folder, *args, seconds=seconds, memory=memory, query_seconds=query_seconds, env=env) as process:
        out, err = process.communicate(timeout=120)
    return Ran(process.returncode, out, err)


def children(process: int) -> list[int]:
    """The processes that a process has forked and that have not ended."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in found if is_running(int(child))]


def stuck_child(process: subprocess.Popen[str]) -> int:
    """Waits until the one child of a process runs C code that does not come back, and returns it."""
    wait_until(lambda: children(process.pid))
    [child] = children(process.pid)
    wait_until(lambda: is_stuck(child))
    return child


def is_running(process: int) -> bool:
    """Whether there is a process with this id, and it is more than an entry that nobody asked for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits for a condition. Fails if it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_stuck(process: int) -> bool:
    """Whether a process runs C code that does not come back: a signal that Python should handle stays pending.

    It must have a handler for SIGVTALRM, as a process has that renders.
    """
    status = Path(f"/proc/{process}/status").read_text()
    handled = int(status.split("SigCgt:")[1].split()[0], 16)
    used = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return bool(handled & 1 << signal.SIGVTALRM - 1) and int(used[11]) > 0.3 * os.sysconf("SC_CLK_TCK")
