"""Runs commands on hostile projects in one process that may use so much processor time and memory, and no more.

Processor time is measured, because other programs on the machine do not change it.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.project import ROOT, run_in_process

MAX_SECONDS = 4  # of processor time for one command, a slow machine included; most take a tenth of a second
LIMIT_SECONDS = 16  # of processor time, after which a command that would never end is killed
MAX_MEMORY = 3 << 30  # bytes of address space


@dataclass(frozen=True, slots=True)
class BoundedRun:
    """The exit code of a command, what it printed, and its processor time in seconds."""

    code: int
    printed: str
    seconds: float


def run_bounded(projects: Sequence[tuple[Path, str]]) -> list[BoundedRun]:
    """Runs one command in each project, in order. Raises CalledProcessError if they use too much time or memory."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("INTERCOM_", "MSGRUN_"))}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.bounded_runs"],
        cwd=ROOT, env={**environment, "CI": "true"}, check=True, capture_output=True, text=True,
        input=json.dumps([[str(folder), command] for folder, command in projects]),
    )  # fmt: skip
    return [BoundedRun(*entry) for entry in json.loads(done.stdout)]


def _main() -> None:
    projects = json.load(sys.stdin)
    if sys.platform == "linux":  # macOS reserves more address space than it uses
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    runs = []
    for folder, command in projects:
        # The limit counts from the start of the process: it ends a command that would never end.
        limit = int(time.process_time()) + 1 + LIMIT_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        began = time.process_time()
        ran = run_in_process(command.split(), Path(folder), os.environ)
        runs.append((ran.code, ran.out + ran.err, time.process_time() - began))
    json.dump(runs, sys.stdout)


if __name__ == "__main__":
    _main()
