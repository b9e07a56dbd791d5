"""The lock that lets one process at a time write a lockfile."""

import fcntl
import os
import socket
from datetime import datetime
from pathlib import Path

from runner.clock import format_timestamp
from runner.errors import LedgerUnavailable


def lock_file(path: Path, command: str, now: datetime) -> int:
    """Locks the file, writes to it which process owns the lock, and returns the file descriptor to close.

    The lock ends with its process; the text in the file may stay. `now` is in UTC.
    Raises LedgerUnavailable if another process owns the lock, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(descriptor, 4096, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise LedgerUnavailable(f"the ledger is held by {owner or 'another process'}", "wait until it ends") from error
    description = f"msgrun {command}, process {os.getpid()} on {socket.gethostname()}, since {format_timestamp(now)}\n"
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, description.encode(), 0)
    except OSError as error:
        os.close(descriptor)
        raise LedgerUnavailable(f"{path} cannot be written: {error.strerror}") from error
    return descriptor
