"""A pool of worker processes yields what one process would; the loss of a worker is reported, not waited for."""

import errno
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from runner.cli.worker_pool import ForkedWorkerPool, create_worker_pool
from runner.current_work import CURRENT_WORK, MAX_WORKERS
from runner.errors import GuardRefused, ProblemsFound, RunStopped
from tests.support.project import ROOT
from tests.support.supervised import is_running


def numbers(turn, turns):
    yield from range(turn, 10, turns)


def test_the_results_of_all_processes_come_in_turn():
    assert list(ForkedWorkerPool(3)(numbers)) == list(range(10))


def test_an_error_of_one_process_is_raised_with_its_hint():
    def work(turn, _):
        yield turn
        raise GuardRefused("no", "the way out")

    made = ForkedWorkerPool(2)(work)
    assert next(made) == 0
    with pytest.raises(GuardRefused) as caught:
        list(made)
    assert (caught.value.message, caught.value.hint) == ("no", "the way out")


def test_a_process_that_is_killed_is_an_error_and_not_the_end_of_its_results():
    def work(turn, _):
        yield turn
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(RunStopped, match="killed"):
        list(ForkedWorkerPool(2)(work))


@pytest.mark.parametrize(
    ("end", "code"),
    [(lambda: os.kill(os.getpid(), signal.SIGKILL), "process-killed"), (lambda: b"x" * (1 << 60), "too-much-memory")],
)
def test_the_file_is_named_on_which_a_process_ended(end, code):
    def work(turn, _):
        with CURRENT_WORK.on_file(f"messages/{turn}.yaml"):
            yield turn
            if turn:
                end()

    with pytest.raises(ProblemsFound) as caught:
        list(ForkedWorkerPool(2)(work))
    [problem] = caught.value.problems
    assert (problem.code, problem.place.path) == (code, "messages/1.yaml")
    assert not CURRENT_WORK.status(2).is_working, "else the command would be ended for a process that is gone"


def test_a_process_that_cannot_start_leaves_no_pipe_and_no_process_behind(monkeypatch):
    start, processes = ForkProcess.start, []

    def start_once(process):
        if processes:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        start(process)
        processes.append(process.pid)

    monkeypatch.setattr(ForkProcess, "start", start_once)
    gc.collect()  # what other tests left open would be closed in between
    before = set(Path("/dev/fd").iterdir())
    with pytest.raises(RunStopped, match="no process can be started") as caught:
        list(ForkedWorkerPool(3)(numbers))
    assert set(Path("/dev/fd").iterdir()) <= before
    del caught  # until here its frames refer to the pipes, so only the pool can have closed them
    with pytest.raises(ProcessLookupError):
        os.kill(processes[0], 0)


def test_a_caller_that_stops_reading_leaves_no_process_behind():
    def endless(_, __):
        while True:
            yield os.getpid()

    made = ForkedWorkerPool(2)(endless)
    processes = {next(made), next(made)}
    made.close()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


ENDLESS = """
import os
from runner.cli.worker_pool import ForkedWorkerPool

def endless(_, __):
    while True:
        yield os.getpid()

for process in ForkedWorkerPool(3)(endless):
    print(process, flush=True)
"""


def test_processes_end_when_their_parent_is_killed():
    with subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, cwd=ROOT, text=True) as parent:
        assert parent.stdout
        processes = {int(parent.stdout.readline()) for _ in range(3)}
        parent.kill()
    assert len(processes) == 3
    deadline = time.monotonic() + 10
    while any(is_running(process) for process in processes):
        assert time.monotonic() < deadline, processes
        time.sleep(0.05)


def test_one_job_needs_no_pool(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # other tests of this process may have left some
    assert create_worker_pool(1) is None
    assert isinstance(create_worker_pool(2), ForkedWorkerPool)


def test_a_pool_has_no_more_processes_than_slots_for_their_work(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    pool = create_worker_pool(10_000)
    assert pool is not None
    assert next(pool(lambda _, jobs: iter([jobs]))) == MAX_WORKERS
