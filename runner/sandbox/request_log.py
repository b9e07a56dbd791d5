"""The requests that the sandbox received: in memory and, if there is a file, as JSON lines.

An entry is written before its answer is sent, so the log has every request whose answer a client has seen.
"""

import threading
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.sandbox.answer import encode_json

_MAX_IN_MEMORY = 100_000  # entries; the file has all of them


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request. `at` is in Unix seconds. `status` is None if no answer was sent.

    `created` is the id of the message that the request created, if any.
    """

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
    """Log entries, oldest first.

    `received` is the number of requests, `troubled` of those among them that met trouble.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self.received = self.troubled = 0
        self._entries: deque[LogEntry] = deque(maxlen=_MAX_IN_MEMORY)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._file = None if path is None else path.open("ab", buffering=0)

    def write(self, entry: LogEntry) -> None:
        """Adds an entry, in one write, so that the lines of two threads never mix."""
        with self._lock:
            self._entries.append(entry)
            self.received += 1
            self.troubled += entry.trouble is not None
            if self._file is not None and not self._file.closed:
                self._file.write(encode_json(entry) + b"\n")

    def entries(self) -> list[dict[str, object]]:
        """Returns the entries in memory, the newest 100,000, as documents."""
        with self._lock:
            return [asdict(entry) for entry in self._entries]

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
