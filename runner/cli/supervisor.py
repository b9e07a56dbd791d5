"""Reads a project in a child process, and kills the child if the work on one file does not end. Linux only.

A process cannot limit its own time in C code (a comparison of nested lists, a regular expression, a parser), because no
signal handler runs during it. So validate, lint, render, preview, plan and doctor run in a child as a whole. They only
read and print, and can be killed at any moment. So does init, which writes each file at once and none twice.

apply is different: a process that is killed between a POST and its outcome leaves a delivery `unknown`. So the process
that sends is never watched. Before it reads anything, a child loads the same files and renders the same deliveries with
the same code. The child reads no ledger, prints nothing and stores nothing. Templates have no clock and no randomness,
so what ends in the child also ends in the process that sends. That costs an apply the time of one more plan, some 20
microseconds a recipient; sending one takes hundreds of times as long. accept, adopt and test-send do the same, and
forget searches the files there before it opens the ledger.

status, reconcile and resolve read the declarations only to name recipients. A child does that part and returns the
names. All other commands read msgrun.yaml and the ledger alone, whose readers have limits (docs/security.md).

On other systems than Linux, a system library may fail after a fork, and the signals and limits used here do not exist.
"""

import contextlib
import fcntl
import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import BinaryIO, NoReturn

from runner.current_work import CURRENT_WORK, WorkStatus
from runner.errors import Place, Problem, ProblemsFound, RunStopped

_SECONDS = 10.0  # without progress on one file or row, after which the child is killed
_MEMORY = 4 * 1024**3  # bytes of address space
_EXIT_PROBLEMS, _EXIT_INTERRUPTED = 1, 130
_EXIT_CHECKED = 99  # the exit code of a child after which the first process goes on; no command has it
_EXIT_NO_MEMORY = 98  # likewise the exit code of a child of `call` that got no more memory
_INTERVAL = 0.25  # seconds between two looks at the work
_INTERRUPT_INTERVALS = 8  # intervals that a child has to end after Ctrl-C
_TOO_SLOW = "too-slow"  # as in declare/template/language.py, which would import Jinja into the first process
_MEMORY_HINT = "split it, and look for ranges and repeated texts in its templates: one file gets 4 GiB"


class Supervisor:
    """Forks a child and watches it.

    `seconds` is how long the work on one file may make no progress, and `memory` how many bytes the child gets for it.
    `is_child` is true in the child. `failure` is why the child was killed, to be raised when the options are parsed.
    """

    def __init__(self, seconds: float = _SECONDS, memory: int = _MEMORY) -> None:
        self.is_child = False
        self.failure: ProblemsFound | RunStopped | None = None
        self._max_ticks = round(seconds / _INTERVAL)
        self._seconds = seconds
        self._memory = memory

    def start(self) -> None:
        """In the child, returns at once, and the command runs there. In this process, waits for the child.

        When the child has ended, this process exits with its exit code. It returns instead if the child called
        `end_check` or was killed. Raises KeyboardInterrupt after a Ctrl-C that the child did not report.
        """
        try:
            code = self._fork()
        except (ProblemsFound, RunStopped) as error:
            self.failure = error
        else:
            if code not in {None, _EXIT_CHECKED}:
                exit_at_once(code)

    def raise_failure(self) -> None:
        """Raises ProblemsFound or RunStopped if the child was killed."""
        if self.failure:
            raise self.failure

    def call(self, work: Callable[[], bytes]) -> bytes:
        """Returns what `work` returns in a child. This process goes on when the child has ended.

        Raises ProblemsFound or RunStopped if the child was killed or `work` failed, and KeyboardInterrupt.
        """
        with os.fdopen(os.memfd_create("result"), "w+b") as result:
            code = self._fork()
            if code is None:
                # Nothing is flushed: the first process has the same buffers, and prints them.
                os._exit(_write_result(work, result))
            if code == _EXIT_INTERRUPTED:
                raise KeyboardInterrupt
            if code == _EXIT_NO_MEMORY:
                raise out_of_memory_error(CURRENT_WORK.status())
            if code:
                raise RunStopped("a process of this command failed")
            result.seek(0)
            return result.read()

    def _fork(self) -> int | None:
        """Returns None in the child. In this process waits for the child, and returns its exit code.

        Raises ProblemsFound or RunStopped if the child was killed, and KeyboardInterrupt.
        """
        parent = os.getpid()
        reader, writer = os.pipe()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a parent that ignores it would get no exit code
        signals = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # `_wait` takes it with sigtimedwait
        child = os.fork()
        if not child:
            os.close(writer)
            kill_with_parent(reader)
            if os.getppid() != parent:
                os._exit(_EXIT_PROBLEMS)
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                signal.signal(signal.SIGINT, _interrupt_once)
            self._limit_memory()
            self.is_child = True
            return None
        try:
            return self._wait(child)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)
            os.close(reader)
            os.close(writer)

    def end_check(self) -> NoReturn:
        """Ends the child, so that the first process goes on with the command."""
        exit_at_once(_EXIT_CHECKED)

    def _wait(self, child: int) -> int:
        """Returns the exit code of the child. Kills it if its work does not go on.

        Raises ProblemsFound or RunStopped if the child was killed, and KeyboardInterrupt.
        """
        watch = _Watch()
        try:
            while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
                # Intervals are counted instead of looking at a clock: while the job is stopped (Ctrl-Z), none passes.
                if signal.sigtimedwait({signal.SIGCHLD}, _INTERVAL) is None and (
                    status := watch.find_stuck(self._max_ticks)
                ):
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    self._report_stuck(status)
        except KeyboardInterrupt:
            return _interrupt(child)
        code = os.waitstatus_to_exitcode(ended[1])
        if code < 0:
            raise lost_process_error(CURRENT_WORK.status(), -code)
        return code

    def _report_stuck(self, status: WorkStatus) -> NoReturn:
        if sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write("\r\033[K")  # clears the progress line that the child left
        message = f"this file takes longer than {self._seconds:g} seconds to read or to render"
        hint = "look for an expression without an end in its texts, filters and query; move a long list to a CSV file"
        raise ProblemsFound([Problem(_TOO_SLOW, Place(status.path), message, hint, recipient=status.recipient)])

    def _limit_memory(self) -> None:
        """Limits the address space of this process and its pool during the work on a file, so git is not limited."""
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = min([self._memory, *(value for value in (soft, hard) if value != resource.RLIM_INFINITY)])
        CURRENT_WORK.before_work = partial(resource.setrlimit, resource.RLIMIT_AS, (limit, hard))
        CURRENT_WORK.after_work = partial(resource.setrlimit, resource.RLIMIT_AS, (soft, hard))


class _Watch:
    """Looks at what the child and the processes of its pool are working on."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[WorkStatus, int]] = {}  # by slot: the last status, and how often it was the same

    def find_stuck(self, max_ticks: int) -> WorkStatus | None:
        """Returns the work that was the same the last `max_ticks` times; None if all goes on."""
        seen, self._seen = self._seen, {}
        for index in CURRENT_WORK.busy_slots():
            status = CURRENT_WORK.status(index)
            last, ticks = seen.get(index, (None, 0))
            self._seen[index] = status, ticks + 1 if status == last else 0
            if self._seen[index][1] >= max_ticks:
                return status
        return None


def _write_result(work: Callable[[], bytes], result: BinaryIO) -> int:
    """Writes what `work` returns to a file. Returns the exit code of the child that does it."""
    try:
        with CURRENT_WORK.on_file(""):  # so that `work` is also watched between two files
            result.write(work())
            result.flush()
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except MemoryError:
        return _EXIT_NO_MEMORY
    except Exception:  # noqa: BLE001  # the first process reports that it failed
        return _EXIT_PROBLEMS
    return 0


def exit_at_once(code: int) -> NoReturn:
    """Flushes the output and ends this process, without Python's own cleanup, which takes longer than the fork."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # the error was reported when it was printed to
            if stream is not None:  # a daemon may have none
                stream.flush()
    os._exit(code)


def kill_with_parent(pipe: int) -> None:
    """Makes the kernel kill this process once the other end of a pipe is closed, also while C code runs.

    prctl(PR_SET_PDEATHSIG) does the same, but `ctypes`, which could call it, takes 7 ms to import.
    """
    with contextlib.suppress(OSError):  # a kernel without it: C code then outlives a kill -9 of the parent
        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


def out_of_memory_error(status: WorkStatus) -> ProblemsFound | RunStopped:
    """Returns the error of a process that got no more memory, at the file that it was working on."""
    if not status.path:
        return RunStopped("there is not enough memory")
    message = "this file needs too much memory"
    return ProblemsFound(
        [Problem("too-much-memory", Place(status.path), message, _MEMORY_HINT, recipient=status.recipient)]
    )


def lost_process_error(status: WorkStatus, signal_number: int | None = None) -> ProblemsFound | RunStopped:
    """Returns the error of a process that another process or the kernel killed, at the file it was working on."""
    by = f" by signal {signal_number}" if signal_number else ""
    hint = "perhaps for lack of memory: try --jobs 1"
    if not status.path:
        return RunStopped(f"a process of this command was killed{by}", hint)
    message = f"the process that read or rendered this file was killed{by}"
    return ProblemsFound([Problem("process-killed", Place(status.path), message, hint, recipient=status.recipient)])


def _interrupt_once(_: int, __: FrameType | None) -> NoReturn:
    """Handles SIGINT in the child. On a terminal it comes twice: from the terminal, and from the first process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _interrupt(child: int) -> int:
    """Ends the child after Ctrl-C. Returns its exit code if it reported the Ctrl-C, else raises KeyboardInterrupt."""
    os.kill(child, signal.SIGINT)
    for _ in range(_INTERRUPT_INTERVALS):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            if os.waitstatus_to_exitcode(status) == _EXIT_INTERRUPTED:
                return _EXIT_INTERRUPTED
            raise KeyboardInterrupt
        signal.sigtimedwait({signal.SIGCHLD}, _INTERVAL)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise KeyboardInterrupt
