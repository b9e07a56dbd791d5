"""A pool of worker processes yields what one process would; the loss of a worker is reported, not waited for."""

import os
import signal
import threading

import pytest

from runner.cli.worker_pool import ForkedWorkerPool, ProcessLost, create_worker_pool
from runner.declare.template.template import RenderMonitor
from runner.errors import GuardRefused


def numbers(turn, turns):
    yield from range(turn, 10, turns)


def test_what_a_crew_makes_comes_turn_by_turn():
    assert list(ForkedWorkerPool(3, RenderMonitor())(numbers)) == list(range(10))


def test_an_error_of_one_process_is_raised_with_its_hint():
    def work(turn, _):
        yield turn
        raise GuardRefused("no", "the way out")

    made = ForkedWorkerPool(2, RenderMonitor())(work)
    assert next(made) == 0
    with pytest.raises(GuardRefused) as caught:
        list(made)
    assert (caught.value.message, caught.value.hint) == ("no", "the way out")


def test_a_process_that_is_killed_is_missed():
    def work(turn, _):
        yield turn
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ProcessLost, match="killed"):
        list(ForkedWorkerPool(2, RenderMonitor())(work))


def test_who_has_enough_leaves_no_process_behind():
    def endless(_, __):
        while True:
            yield os.getpid()

    made = ForkedWorkerPool(2, RenderMonitor())(endless)
    processes = {next(made), next(made)}
    made.close()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_one_job_needs_no_crew(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # other tests of this process may have left some
    assert create_worker_pool(1, RenderMonitor()) is None
    assert isinstance(create_worker_pool(2, RenderMonitor()), ForkedWorkerPool)
