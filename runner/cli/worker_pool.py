"""A pool of processes for rendering many recipients. They are forked, so that they have all the data of the parent."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from runner.cli.render_time_limit import limit_render_time
from runner.cli.supervisor import kill_with_parent, lost_process_error, out_of_memory_error
from runner.current_work import CURRENT_WORK, MAX_WORKERS
from runner.errors import RunStopped

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

T = TypeVar("T")


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ForkedWorkerPool:
    """A pool of `jobs` processes. Each gets the same work and its own index, and streams its results to the parent."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def __call__(self, work: Callable[[int, int], Iterator[T]]) -> Iterator[T]:
        """Yields the results of `work(index, jobs)` of every process, one of each in turn, until all have ended.

        Raises the errors that the work raises, RunStopped if a process cannot start, and the errors of
        `lost_process_error` and `out_of_memory_error`. Kills the processes if the caller stops reading.
        """
        from multiprocessing import get_context  # noqa: PLC0415  # takes 10 ms, which only a plan of a large audience needs

        fork = get_context("fork")
        processes: list[ForkProcess] = []
        receivers: list[Connection] = []
        try:
            for index in range(self._jobs):
                try:
                    receiver, sender = fork.Pipe(duplex=False)
                    receivers.append(receiver)
                    with sender:  # closed after the start, so that the end of the process is the end of the stream
                        process = fork.Process(target=self._run, args=(work, index, sender, receivers), daemon=True)
                        process.start()
                except OSError as error:
                    raise RunStopped(f"no process can be started: {error.strerror}", "try --jobs 1") from error
                processes.append(process)
            open_streams = dict(enumerate(receivers, 1))
            while open_streams:
                for slot, stream in list(open_streams.items()):
                    kind, value = _receive(stream, slot)
                    if kind == "error":
                        raise value
                    if kind == "end":
                        del open_streams[slot]
                    else:
                        yield value
        finally:
            for receiver in receivers:
                receiver.close()
            for slot, process in enumerate(processes, 1):
                process.kill()
                process.join()
                process.close()
                CURRENT_WORK.clear_slot(slot)

    def _run(
        self, work: Callable[[int, int], Iterator[T]], index: int, sender: "Connection", receivers: "list[Connection]"
    ) -> None:
        """Runs in a process of the pool: sends what the work yields."""
        from multiprocessing import parent_process  # noqa: PLC0415  # as above

        CURRENT_WORK.use_slot(index + 1)
        if sys.platform == "linux" and (parent := parent_process()):
            kill_with_parent(parent.sentinel)
        for receiver in receivers:  # else a process whose parent has ended would wait for ever for a reader
            receiver.close()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, signal.SIG_DFL)  # the parent handles them, and ends its pool
        try:
            with limit_render_time():
                for value in work(index, self._jobs):
                    with CURRENT_WORK.waiting():
                        sender.send(("value", value))
            sender.send(("end", None))
        except BrokenPipeError:
            return  # the parent stopped reading
        except Exception as error:  # noqa: BLE001  # it is raised in the parent
            sender.send(("error", error))


def create_worker_pool(jobs: int | None) -> ForkedWorkerPool | None:
    """Returns a pool of `jobs` processes (by default one a core); None if the work has to run in this process."""
    if jobs is None:
        # On other systems than Linux, a system library may fail after a fork. With --jobs the user accepts that.
        jobs = cores() if sys.platform == "linux" else 1
    jobs = min(jobs, MAX_WORKERS)
    return ForkedWorkerPool(jobs) if jobs > 1 and hasattr(os, "fork") and threading.active_count() == 1 else None


def _receive(stream: "Connection", slot: int) -> tuple[str, Any]:
    try:
        with CURRENT_WORK.waiting():
            message: tuple[str, Any] = stream.recv()
    except (EOFError, OSError) as error:
        raise lost_process_error(CURRENT_WORK.status(slot)) from error
    if isinstance(message[1], MemoryError):
        raise out_of_memory_error(CURRENT_WORK.status(slot)) from message[1]
    return message
