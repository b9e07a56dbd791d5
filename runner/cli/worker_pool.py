"""A pool of processes for rendering many recipients. They are forked, so that they have all the data of the parent."""

import contextlib
import os
import pickle
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TypeVar

from runner.cli.process import limit_render_time
from runner.declare.template.template import RenderMonitor
from runner.errors import MsgrunError

T = TypeVar("T")
_LENGTH = struct.Struct("!I")  # the size of a message in bytes, written before it


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ProcessLost(MsgrunError):
    """A process of the pool died: another process killed it, or the memory ran out."""


class ForkedWorkerPool:
    """A pool of `jobs` processes. Each gets the same work and its own index, and streams its results to the parent."""

    def __init__(self, jobs: int, monitor: RenderMonitor) -> None:
        self._jobs = jobs
        self._monitor = monitor

    def __call__(self, work: Callable[[int, int], Iterator[T]]) -> Iterator[T]:
        """Yields the results of `work(index, jobs)` of every process, one of each in turn, until all have ended.

        Raises the errors that the work raises, and ProcessLost. Kills the processes if the caller stops reading.
        """
        processes: list[tuple[int, BinaryIO]] = []
        try:
            for index in range(self._jobs):
                processes.append(self._fork(work, index))  # noqa: PERF401  # if a fork fails, those before it must be ended
            open_streams = [stream for _, stream in processes]
            while open_streams:
                for stream in list(open_streams):
                    kind, value = _receive(stream)
                    if kind == "error":
                        raise value
                    if kind == "end":
                        open_streams.remove(stream)
                    else:
                        yield value
        finally:
            for process_id, stream in processes:
                stream.close()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
                os.waitpid(process_id, 0)

    def _fork(self, work: Callable[[int, int], Iterator[T]], index: int) -> tuple[int, BinaryIO]:
        """Starts a process. Returns its process id, and the stream of its results."""
        read_end, write_end = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        process_id = os.fork()
        if process_id:
            os.close(write_end)
            return process_id, os.fdopen(read_end, "rb")
        try:
            os.close(read_end)
            for signal_number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(signal_number, signal.SIG_DFL)  # the parent handles them, and ends its pool
            with os.fdopen(write_end, "wb") as stream:
                self._run(work, index, stream)
        finally:
            os._exit(0)  # without the parent's cleanup, which would run a second time

    def _run(self, work: Callable[[int, int], Iterator[T]], index: int, stream: BinaryIO) -> None:
        try:
            with limit_render_time(self._monitor):
                for value in work(index, self._jobs):
                    _send(stream, ("value", value))
            _send(stream, ("end", None))
        except BrokenPipeError:
            return  # the parent stopped reading
        except Exception as error:  # noqa: BLE001  # it is raised in the parent
            _send(stream, ("error", error))


def create_worker_pool(jobs: int | None, monitor: RenderMonitor) -> ForkedWorkerPool | None:
    """Returns a pool of `jobs` processes (by default one a core); None if the work has to run in this process."""
    if jobs is None:
        # On other systems than Linux, a system library may fail after a fork. With --jobs the user accepts that.
        jobs = cores() if sys.platform == "linux" else 1
    return (
        ForkedWorkerPool(jobs, monitor) if jobs > 1 and hasattr(os, "fork") and threading.active_count() == 1 else None
    )


def _send(stream: BinaryIO, message: tuple[str, Any]) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def _receive(stream: BinaryIO) -> tuple[str, Any]:
    header = stream.read(_LENGTH.size)
    data = stream.read(_LENGTH.unpack(header)[0]) if len(header) == _LENGTH.size else b""
    if not data:
        raise ProcessLost("a process that rendered was killed", "perhaps for lack of memory: try --jobs 1")
    message: tuple[str, Any] = pickle.loads(data)  # noqa: S301  # sent by a process that this one forked
    return message
