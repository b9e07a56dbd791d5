"""A pool of threads that wait for the network, so that several requests are open at once. They decide nothing."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

MAX_THREADS = 64  # threads; more than the highest rate limit needs at the longest usual latency
POLL_INTERVAL = 0.2  # seconds after which a thread that waits for results looks at signals and the stop file again
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a job raised."""

    error: Exception


class ThreadPool(Generic[Result]):
    """Runs jobs in threads, and queues the results. It has as many threads as open jobs, up to a maximum.

    `collect` raises the error of a job. The threads are daemons: a job that hangs does not keep the process from
    ending. `busy` is the number of jobs whose results were not collected yet.
    """

    def __init__(self, max_threads: int) -> None:
        self._max_threads = max_threads
        self._jobs: queue.SimpleQueue[Callable[[], Result] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result | _Failure] = queue.SimpleQueue()
        self._threads = 0
        self.busy = 0

    @property
    def free(self) -> int:
        """The number of jobs that could start at once."""
        return self._max_threads - self.busy

    def start(self, job: Callable[[], Result]) -> None:
        """Runs a job in an idle thread, or in a new one."""
        self.busy += 1
        if self._threads < min(self.busy, self._max_threads):
            self._threads += 1
            threading.Thread(target=self._run_jobs, name=f"post-{self._threads}", daemon=True).start()
        self._jobs.put(job)

    def collect(self, seconds: float = POLL_INTERVAL) -> list[Result]:
        """Returns the results that are ready. Waits up to `seconds` for the first one.

        Raises what a job raised, once all results before it were returned.
        """
        results: list[Result] = []
        while True:
            try:
                result = self._results.get(timeout=seconds) if seconds > 0 else self._results.get_nowait()
            except queue.Empty:
                return results
            if isinstance(result, _Failure) and results:
                self._results.put(result)
                return results
            self.busy -= 1
            if isinstance(result, _Failure):
                raise result.error
            results.append(result)
            seconds = 0.0

    def close(self) -> None:
        """Lets idle threads end. A busy thread ends after its job."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _run_jobs(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                result: Result | _Failure = job()
            except Exception as error:  # noqa: BLE001  # it is raised in the thread that collects
                result = _Failure(error)
            self._results.put(result)
