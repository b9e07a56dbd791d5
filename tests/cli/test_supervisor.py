"""A watched command is as one that is not: exit codes, signals, pipes; and its child never outlives it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import supervised
from tests.support.project import ROOT, SEED, Folder
from tests.support.proof import one_of, proofs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a child is watched on Linux alone")

NESTED = "{% set ns = namespace(a=[]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}"
STUCK = SEED.replace("body: Ponies", f'body: "{NESTED}{NESTED.replace("ns", "other")}{{{{ ns.a == other.a }}}}" #')
SLOW_ROWS = """\
name: a
message_type: inapp
body: "{% for i in range(STEPS) %}{% for j in range(2) %}{% endfor %}{% endfor %}Ponies"
from: {type: admin, id: "1"}
to: {csv: ../people.csv, type: user, id: "{{ n }}"}
"""


def slow_project(folder: Folder, rows: int, steps: int = 9999) -> None:
    """A project whose rows take about 40 ms of a processor each, or more with more steps."""
    folder.write("people.csv", "n\n" + "".join(f"{number}\n" for number in range(rows)))
    folder.message(SLOW_ROWS.replace("STEPS", str(steps)))


@contextlib.contextmanager
def start_stuck(folder: Folder) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Starts a command whose child runs C code without an end, and yields it and the child."""
    folder.message(STUCK)
    with supervised.start(folder.path, "validate", seconds=600) as process:
        yield process, supervised.stuck_child(process)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["plan", "--detailed-exitcode"], 2), (["--sandbox", "apply", "--yes"], 0), (["apply"], 5),
        *proofs([
            (["validate"], 0), (["plan", "--no-such-option"], 64), (["render", "none"], 64), (["apply", "--help"], 0),
            (["status"], 0), ([], 64),
        ]),
    ],
)  # fmt: skip
def test_an_exit_code_is_that_of_the_command(folder: Folder, args: list[str], code: int) -> None:
    folder.message(SEED)
    assert supervised.run(folder.path, *args).code == code


@pytest.mark.parametrize("command", one_of("apply", "validate", "lint"))
def test_a_problem_ends_a_watched_command_with_1(folder: Folder, command: str) -> None:
    folder.message(SEED.replace("subject: Hey", "subjekt: Hey"))
    assert supervised.run(folder.path, command).code == 1


@pytest.mark.parametrize(
    "args", [["plan"], ["apply"], *proofs([["validate"], ["render", "seed"], ["lint"], ["apply", "--help"]])]
)
def test_what_is_printed_is_what_a_command_prints_that_is_not_watched(folder: Folder, args: list[str]) -> None:
    folder.message(SEED)
    ran = supervised.run(folder.path, *args)
    alone = folder.run(*args)
    printed = (ran.out, ran.err.replace(f"msgrun -C {folder.path} ", "msgrun "))
    assert printed == (alone.out, alone.err.replace("root [OPTIONS]", "msgrun [OPTIONS]"))


def test_a_run_that_goes_on_is_not_ended_however_long_it_takes(folder: Folder) -> None:
    slow_project(folder, rows=60)
    began = time.monotonic()
    ran = supervised.run(folder.path, "validate", seconds=1)
    assert (ran.code, ran.out) == (0, "1 message to 60 recipients: no problems\n")
    assert time.monotonic() - began > 1, "the rows are too quick for a test"


@pytest.mark.proof
@pytest.mark.table
def test_a_run_of_more_than_10_seconds_is_not_ended(folder: Folder) -> None:
    slow_project(folder, rows=60, steps=99_999)
    began = time.monotonic()
    command = [sys.executable, "-m", "runner", "-C", str(folder.path), "plan"]
    ran = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert (ran.returncode, b"60 to send" in ran.stdout) == (0, True)
    assert time.monotonic() - began > 10, "the rows are too quick for a test"


def test_a_reader_that_waits_is_waited_for(folder: Folder) -> None:
    folder.write("people.csv", "n\n" + "".join(f"{number}\n" for number in range(3000)))
    folder.message(SLOW_ROWS.replace("STEPS", "1"))
    with supervised.start(folder.path, "render", "a", seconds=0.5) as process:
        time.sleep(2)
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out.count("\n")) == (0, 3000)


def test_a_job_that_is_stopped_is_not_ended_when_it_goes_on(folder: Folder) -> None:
    slow_project(folder, rows=40)
    with supervised.start(folder.path, "validate", seconds=1) as process:
        supervised.stuck_child(process)
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(2)
        os.killpg(process.pid, signal.SIGCONT)
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "1 message to 40 recipients: no problems\n")


@pytest.mark.parametrize("of_group", [True, False], ids=["as a terminal", "to the process"])
def test_ctrl_c_ends_a_command_that_python_could_not_end(folder: Folder, *, of_group: bool) -> None:
    with start_stuck(folder) as (process, child):
        (os.killpg if of_group else os.kill)(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (130, "", "\nInterrupted by Ctrl-C.\n")
        assert not supervised.is_running(child)


@pytest.mark.parametrize("of_group", [True, False], ids=["as a terminal", "to the process"])
@pytest.mark.parametrize("command", [["plan"], ["--sandbox", "apply", "--yes"], *proofs([["validate"]])])
def test_ctrl_c_is_reported_once(folder: Folder, command: list[str], *, of_group: bool) -> None:
    slow_project(folder, rows=9999)
    with supervised.start(folder.path, *command) as process:
        child = supervised.stuck_child(process)
        (os.killpg if of_group else os.kill)(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        rest = "" if command == ["validate"] else " Nothing was sent."
        assert (process.returncode, out, err) == (130, "", f"\nInterrupted by Ctrl-C.{rest}\n")
        assert not supervised.is_running(child)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_child_ends_with_its_parent(folder: Folder, number: signal.Signals) -> None:
    with start_stuck(folder) as (process, child):
        process.send_signal(number)
        process.communicate(timeout=20)
        assert process.returncode == -number  # 143 in a shell, for SIGTERM
        supervised.wait_until(lambda: not supervised.is_running(child), 10)


def test_a_pool_ends_with_the_first_process(folder: Folder) -> None:
    folder.write("people.csv", "n,more\n" + "".join(f"{number},{'x' * 400}\n" for number in range(3000)))
    folder.message(
        SLOW_ROWS.replace("STEPS", "1").replace(
            'body: "', f'body: "{NESTED}{NESTED.replace("ns", "other")}{{% if ns.a == other.a %}}{{% endif %}}'
        )
    )
    with supervised.start(folder.path, "--jobs", "2", "plan", seconds=600) as process:
        workers: list[int] = []
        while len(workers) < 2:
            workers = [worker for child in supervised.children(process.pid) for worker in supervised.children(child)]
        supervised.wait_until(lambda: all(map(supervised.is_stuck, workers)))
        process.kill()
        process.communicate(timeout=20)
        supervised.wait_until(lambda: not any(map(supervised.is_running, workers)), 10)


def test_a_child_that_is_killed_is_reported_with_its_file(folder: Folder) -> None:
    with start_stuck(folder) as (process, child):
        os.kill(child, signal.SIGKILL)
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 1
        assert out == (
            "messages/message.yaml:1:1: error: the process that read or rendered this file was killed by signal 9"
            " [process-killed]\n  hint: perhaps for lack of memory: try --jobs 1\n"
        )


def test_a_closed_stdout_is_no_bug(folder: Folder) -> None:
    folder.message(SEED)
    command = [sys.executable, "-m", "runner", "-C", str(folder.path), "validate"]
    script = f"exec {' '.join(command)} >&-"
    ran = subprocess.run(
        ["sh", "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_only_work_has_a_limit_of_memory(tmp_path: Path) -> None:
    script = """
import resource
from runner.cli.supervisor import Supervisor
from runner.current_work import CURRENT_WORK

def limit():
    return resource.getrlimit(resource.RLIMIT_AS)[0]

supervisor = Supervisor()
supervisor.start()
assert supervisor.is_child
before = limit()
with CURRENT_WORK.on_file("a"):
    print(limit() // 1024**3, before == resource.RLIM_INFINITY, flush=True)
assert limit() == before
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stderr == ""
    assert ran.stdout == "4 True\n"
