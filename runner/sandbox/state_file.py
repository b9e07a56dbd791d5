"""The state of a sandbox on disk: JSON lines that a later run with the same file reads.

Each document is appended in one write before its answer is sent, so that a killed sandbox never forgets what a client
knows of. A line is a message, or has the key `part`, for a part of a conversation.
"""

import json
import os
import threading
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from runner.sandbox.answer import encode_json


class StateFile:
    """Reads the documents of earlier runs, and appends to them. Without a path it keeps nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._path = path
        self._is_closed = False
        self._file: FileIO | None = None
        self._offset = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _end_torn_line(path)
            self._file = _open_private(path)
            self._offset = path.stat().st_size

    def read(self) -> Iterator[dict[str, object]]:
        """Yields the documents in the file. Torn lines are skipped."""
        if self._path is None:
            return
        yield from _parse_lines(self._path.read_bytes())

    def read_added(self) -> list[dict[str, object]]:
        """Returns the documents that any sandbox, this one included, appended since the last call."""
        if self._path is None:
            return []
        with self._lock:
            try:
                with self._path.open("rb") as file:
                    file.seek(self._offset)
                    content = file.read()
            except FileNotFoundError:  # `sandbox --reset` deletes it
                return []
            content = content[: content.rfind(b"\n") + 1]  # the rest of the last line is yet to come
            self._offset += len(content)
        return list(_parse_lines(content))

    def append(self, value: object, key: str | None = None) -> None:
        """Writes the fields of a dataclass, if there is a file: as a line, or as `key` of one.

        Raises ConnectionAbortedError if the file is closed.
        """
        with self._lock:
            if self._is_closed:
                # The client sees a lost connection, which is true: nothing was created.
                raise ConnectionAbortedError("the sandbox is closed")
            if self._file is not None:
                self._file.write(encode_json({key: value} if key else value) + b"\n")

    def close(self) -> None:
        """Closes the file. Nothing can be appended after that."""
        with self._lock:
            self._is_closed = True
            if self._file is not None:
                self._file.close()


def _parse_lines(content: bytes) -> Iterator[dict[str, object]]:
    for line in content.splitlines():
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            yield document


def _end_torn_line(path: Path) -> None:
    """Ends the last line. Otherwise the next document would be appended to a torn one, and lost with it."""
    content = path.read_bytes() if path.exists() else b""
    if content and not content.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")


def _open_private(path: Path) -> FileIO:
    """Opens the file for appending. Only its owner may read it, because it contains addresses."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)  # os.open sets the mode of a new file only
    return FileIO(descriptor, "ab")
