"""Appends lines to files: one write for each file, then an fsync of all files at the same time."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from runner.atomic_write import sync_folder
from runner.errors import LedgerUnavailable


class ClaimsUncertain(LedgerUnavailable):
    """An append failed, and a file may still have its claims. Their deliveries must not be POSTed."""


def append_lines(paths: Sequence[Path], outcomes: bytes, claims: bytes = b"") -> None:
    """Appends lines to every file, and makes them durable before it returns.

    `outcomes` are the lines that stay true if the append fails. If a file fails, the other files keep the outcomes, and
    the claims are removed from all files: no run acts on them, and each would count as unknown for ever.
    Raises LedgerUnavailable, or its subclass ClaimsUncertain if a file may still have claims.
    """
    if not outcomes and not claims:
        return
    appends = [_Append(path, outcomes, claims) for path in paths]
    try:
        for append in appends:
            append.write()
        _run_concurrently([append.sync for append in appends])
        failed = [append for append in appends if append.error]
        if failed:
            are_removed = [append.remove_claims() for append in appends]
            error_class = LedgerUnavailable if all(are_removed) or not claims else ClaimsUncertain
            raise error_class(failed[0].message) from failed[0].error
    finally:
        for append in appends:
            append.close()


class _Append:
    """One append to one file, which starts on a fresh line. `error` is why it failed; None if it did not."""

    def __init__(self, path: Path, outcomes: bytes, claims: bytes) -> None:
        self._path = path
        self._outcomes = outcomes
        self._claims = claims
        self._descriptor = -1
        self._is_new = False
        self._start = self._written = 0
        self.error: OSError | None = None

    @property
    def message(self) -> str:
        """What failed, for a message to the user."""
        return f"{self._path} cannot be written: {self.error.strerror if self.error else ''}"

    def write(self) -> None:
        """Writes the lines, but does not make them durable."""
        try:
            self._open()
            data = self._outcomes + self._claims
            while self._written < len(data):  # one write, unless the disk gets full or there are over 2 GiB
                self._written += os.write(self._descriptor, data[self._written :])
        except OSError as error:
            self.error = error

    def sync(self) -> None:
        """Makes the lines durable. Does nothing if the write failed."""
        if self.error:
            return
        try:
            os.fsync(self._descriptor)
            if self._is_new:
                sync_folder(self._path.parent)
        except OSError as error:
            self.error = error

    def remove_claims(self) -> bool:
        """Removes the claims and a torn line. Returns whether the file certainly has none of the claims."""
        kept_size = self._outcomes.rfind(b"\n", 0, self._written) + 1
        if self._written == kept_size:
            return True
        try:
            if os.fstat(self._descriptor).st_size != self._start + self._written:
                return False  # another process appended lines after these
            os.ftruncate(self._descriptor, self._start + kept_size)
            os.fsync(self._descriptor)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Closes the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _open(self) -> None:
        # Every append opens the file again: git replaces it when it switches branches, and what is written to the
        # unlinked file would be lost.
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


def _run_concurrently(jobs: Sequence[Callable[[], None]]) -> None:
    """Runs jobs that wait for a disk at the same time: the first in this thread, each other one in its own."""
    threads = [threading.Thread(target=job, daemon=True) for job in jobs[1:]]
    for thread in threads:
        thread.start()
    jobs[0]()
    for thread in threads:
        thread.join()
