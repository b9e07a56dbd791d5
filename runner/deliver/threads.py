"""Threads that wait for the network, so that several requests are on their way at once. They decide nothing."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

MAX_THREADS = 64  # threads; at the longest usual latency more than the highest rate limit needs


Result = TypeVar("Result")


class ThreadPool(Generic[Result]):
    """Runs jobs in threads, as many as there are jobs up to a maximum, and queues what they return.

    A job must not raise. The threads die with the process: a job that hangs never keeps a run from ending.
    """

    def __init__(self, most: int = MAX_THREADS) -> None:
        self._most = most
        self._jobs: queue.SimpleQueue[Callable[[], Result] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._threads = 0
        self.busy = 0

    @property
    def free(self) -> int:
        """How many more jobs would start at once."""
        return self._most - self.busy

    def start(self, job: Callable[[], Result]) -> None:
        """Runs a job in a thread; a new one if none is idle."""
        self.busy += 1
        if self._threads < min(self.busy, self._most):
            self._threads += 1
            threading.Thread(target=self._work, name=f"lane-{self._threads}", daemon=True).start()
        self._jobs.put(job)

    def collect(self, seconds: float) -> list[Result]:
        """What has come back: waits up to `seconds` for the first, and takes whatever else is there."""
        found: list[Result] = []
        try:
            found.append(self._results.get(timeout=seconds) if seconds > 0 else self._results.get_nowait())
            while True:
                found.append(self._results.get_nowait())
        except queue.Empty:
            self.busy -= len(found)
            return found

    def close(self) -> None:
        """Lets idle threads end; busy ones end after their job."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._results.put(job())
