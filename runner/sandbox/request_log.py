"""What the sandbox received, in memory and, where a file is named, as JSON lines.

An entry is written before its answer leaves, so that whatever a client knows, the log knows too.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from runner.sandbox.answer import encode_json

if TYPE_CHECKING:
    from pathlib import Path


_KEPT = 100_000  # entries in memory; the file has them all


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request: `at` in Unix seconds, `status` None where no answer was given, `created` a message id."""

    at: float
    method: str
    path: str
    version: str | None
    payload: object
    status: int | None
    trouble: str | None
    created: str | None
    unknown_fields: tuple[str, ...]


class RequestLog:
    """Entries, oldest first."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._entries: deque[LogEntry] = deque(maxlen=_KEPT)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._file = None if path is None else path.open("ab", buffering=0)

    def write(self, entry: LogEntry) -> None:
        """Add an entry, in one write, so that lines of two threads never mix."""
        with self._lock:
            self._entries.append(entry)
            if self._file is not None and not self._file.closed:
                self._file.write(encode_json(asdict(entry)) + b"\n")

    def entries(self) -> list[dict[str, object]]:
        """List the entries in memory, the newest hundred thousand, as documents."""
        with self._lock:
            return [asdict(entry) for entry in self._entries]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
