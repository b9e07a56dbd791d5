"""Files of lines that only grow: an append is one write a file, and the fsyncs of all files at once."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from runner.errors import LedgerUnavailable


class ClaimsUncertain(LedgerUnavailable):
    """An append failed, and claims of it may stand in a file all the same. What they claim must not be POSTed."""


def append_lines(paths: Sequence[Path], outcomes: bytes, claims: bytes = b"") -> None:
    """Makes lines durable in every file before it returns. `outcomes` is whatever stays true if the append fails.

    If a file fails, the others keep the outcomes, and the claims are cut off everywhere: nobody acts on them, and an
    open claim would seem unknown for ever. Raises LedgerUnavailable; ClaimsLeft if that is not certain.
    """
    if not outcomes and not claims:
        return
    appends = [_Append(path, outcomes, claims) for path in paths]
    try:
        for one in appends:
            one.write()
        _at_once([one.sync for one in appends])
        failed = [one for one in appends if one.error]
        if failed:
            are_back = [one.take_back() for one in appends]
            kind = LedgerUnavailable if all(are_back) or not claims else ClaimsUncertain
            raise kind(failed[0].told) from failed[0].error
    finally:
        for one in appends:
            one.close()


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Append:
    """One append to one file. It starts on a fresh line. `error` is why it failed."""

    def __init__(self, path: Path, outcomes: bytes, claims: bytes) -> None:
        self._path = path
        self._outcomes = outcomes
        self._claims = claims
        self._descriptor = -1
        self._is_new = False
        self._start = self._written = 0
        self.error: OSError | None = None

    @property
    def told(self) -> str:
        """What failed, for people."""
        return f"{self._path} cannot be written: {self.error.strerror if self.error else ''}"

    def write(self) -> None:
        """Hands the lines to the kernel."""
        try:
            self._open()
            data = self._outcomes + self._claims
            while self._written < len(data):  # one write, but for the last of a disk, or more than 2 GiB
                self._written += os.write(self._descriptor, data[self._written :])
        except OSError as error:
            self.error = error

    def sync(self) -> None:
        """Makes them durable."""
        if self.error:
            return
        try:
            os.fsync(self._descriptor)
            if self._is_new:
                sync_folder(self._path.parent)
        except OSError as error:
            self.error = error

    def take_back(self) -> bool:
        """Cuts off the claims and a torn line; whether it is certain that no claim stands here."""
        whole = self._outcomes.rfind(b"\n", 0, self._written) + 1
        if self._written == whole:
            return True
        try:
            if os.fstat(self._descriptor).st_size != self._start + self._written:
                return False  # somebody else's lines follow
            os.ftruncate(self._descriptor, self._start + whole)
            os.fsync(self._descriptor)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Lets go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _open(self) -> None:
        # For every append anew: git replaces the file when it switches branches, and what was written to the file
        # that it unlinked would be lost with it.
        flags = os.O_RDWR | os.O_APPEND
        try:
            self._descriptor = os.open(self._path, flags)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, flags | os.O_CREAT, 0o644)
            self._is_new = True
        self._start = os.fstat(self._descriptor).st_size
        if self._start and os.pread(self._descriptor, 1, self._start - 1) != b"\n":
            self._outcomes = b"\n" + self._outcomes


def _at_once(jobs: Sequence[Callable[[], None]]) -> None:
    """Runs jobs that wait for a disk, the first here and each other in a thread."""
    threads = [threading.Thread(target=job, daemon=True) for job in jobs[1:]]
    for thread in threads:
        thread.start()
    jobs[0]()
    for thread in threads:
        thread.join()
