"""Several processes that share the rendering of a large audience: forked, so that they have all that this one has."""

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


_LENGTH = struct.Struct("!I")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ProcessLost(MsgrunError):
    """A process that rendered died, killed from outside or for lack of memory."""


class ForkedWorkerPool:
    """A crew of `jobs` processes. Each gets the same work and its turn, and hands over what it makes as a stream."""

    def __init__(self, jobs: int, watch: RenderMonitor) -> None:
        self._jobs = jobs
        self._watch = watch

    def __call__(self, work: Callable[[int, int], Iterator[T]]) -> Iterator[T]:
        """What the work yields in each process, turn by turn. Raises what it raises; ProcessLost."""
        members: list[tuple[int, BinaryIO]] = []
        try:
            for turn in range(self._jobs):
                members.append(self._forked(work, turn))  # noqa: PERF401  # what was started is ended, whatever happens
            working = [stream for _, stream in members]
            while working:
                for stream in list(working):
                    kind, value = _received(stream)
                    if kind == "error":
                        raise value
                    if kind == "end":
                        working.remove(stream)
                    else:
                        yield value
        finally:
            for number, stream in members:
                stream.close()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
                os.waitpid(number, 0)

    def _forked(self, work: Callable[[int, int], Iterator[T]], turn: int) -> tuple[int, BinaryIO]:
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        number = os.fork()
        if number:
            os.close(writing)
            return number, os.fdopen(reading, "rb")
        try:
            os.close(reading)
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, signal.SIG_DFL)  # the parent hears them, and ends its crew
            with os.fdopen(writing, "wb") as stream:
                self._work(work, turn, stream)
        finally:
            os._exit(0)  # nothing of the parent's is to be ended twice

    def _work(self, work: Callable[[int, int], Iterator[T]], turn: int, stream: BinaryIO) -> None:
        try:
            with limit_render_time(self._watch):
                for value in work(turn, self._jobs):
                    _send(stream, ("value", value))
            _send(stream, ("end", None))
        except BrokenPipeError:
            return  # the parent has what it needs
        except Exception as error:  # noqa: BLE001  # it is raised in the parent
            _send(stream, ("error", error))


def create_worker_pool(jobs: int | None, watch: RenderMonitor) -> ForkedWorkerPool | None:
    """The crew for so many jobs (by default one a core), or none where one process is as good."""
    if jobs is None:
        # Elsewhere than on Linux a system library may not survive a fork; who says --jobs takes that on.
        jobs = cores() if sys.platform == "linux" else 1
    return ForkedWorkerPool(jobs, watch) if jobs > 1 and hasattr(os, "fork") and threading.active_count() == 1 else None


def _send(stream: BinaryIO, message: tuple[str, Any]) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def _received(stream: BinaryIO) -> tuple[str, Any]:
    head = stream.read(_LENGTH.size)
    data = stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if not data:
        raise ProcessLost("a process that rendered was killed", "perhaps for lack of memory: try --jobs 1")
    found: tuple[str, Any] = pickle.loads(data)  # noqa: S301  # from our own child
    return found
