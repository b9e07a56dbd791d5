"""Whole processes measured from outside: the clock, processor time and memory of a command and of its children."""

import contextlib
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PAUSE = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds of the clock, seconds of all processors, and what it printed."""

    wall: float
    cpu: float
    output: str


@dataclass(frozen=True)
class Peak:
    """MiB at most: of the largest process (resident), and of all of them, what they share counted once."""

    own: float
    all: float


@dataclass(frozen=True)
class Command:
    """A command to measure, and the exit codes that mean that it did its work."""

    words: Sequence[str]
    folder: Path
    codes: frozenset[int] = frozenset({0})

    def start(self, output: int) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MSGRUN_", "PYTHON"))}
        return subprocess.Popen(self.words, cwd=self.folder, stdout=output, stderr=output, env=environment)


def run(command: Command) -> Run:
    """Runs a command to its end; its children count. Ends the benchmark if it fails."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = command.start(output.fileno())
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        told = output.read().decode(errors="replace")
    if process.returncode not in command.codes:
        raise SystemExit(f"{' '.join(command.words)} exited with {process.returncode}:\n{told[-2000:]}")
    return Run(wall, used.ru_utime + used.ru_stime, told)


def peak(command: Command) -> Peak:
    """The memory of a command, looked at while it runs, in a run of its own: looking costs time. Linux."""
    own = everything = 0
    with tempfile.TemporaryFile() as output:
        process = command.start(output.fileno())
        while process.poll() is None:
            members = [process.pid, *_descendants(process.pid)]
            own = max(own, *(_kilobytes(Path(f"/proc/{one}/status"), "VmHWM:") for one in members))
            everything = max(everything, sum(_kilobytes(Path(f"/proc/{one}/smaps_rollup"), "Pss:") for one in members))
            time.sleep(_PAUSE)
    return Peak(own / 1024, everything / 1024)


def in_turn(commands: Mapping[str, Command], times: int) -> dict[str, list[Run]]:
    """Runs commands one after the other, and all of them again, so that whatever else the machine does is fair."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            found[name].append(run(command))
    return found


def ratio(ours: list[Run], theirs: list[Run], of: Callable[[Run], float]) -> float:
    """The median of the ratios, pair by pair."""
    return statistics.median(of(one) / of(other) for one, other in zip(ours, theirs, strict=True))


def typical(runs: list[Run], of: Callable[[Run], float]) -> float:
    """The median."""
    return statistics.median(map(of, runs))


def wall(run: Run) -> float:
    return run.wall


def cpu(run: Run) -> float:
    return run.cpu


def _descendants(process: int) -> list[int]:
    """The processes that a process has started, and those that these have started: the work is done there."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        return [one for child in children for one in (int(child), *_descendants(int(child)))]
    return []


def _kilobytes(path: Path, name: str) -> int:
    """A number of a file of /proc; 0 once its process has ended."""
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0
