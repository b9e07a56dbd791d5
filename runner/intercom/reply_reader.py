"""Reads a reply within limits of size and time, whatever the server sends.

The limits hold for what is read, not for what the headers announce: a body may be compressed, sent in chunks without
end, or one byte a second, and so may the headers.
"""

import io
import socket
import time
import zlib
from typing import Any, BinaryIO

from urllib3.response import BaseHTTPResponse

MAX_BODY = 1 << 20  # bytes, decoded
_GZIP = 16 + zlib.MAX_WBITS  # tells zlib to expect the header and the checksum of gzip
MAX_OVERHEAD = 1 << 18  # bytes, as received: the headers, and the frames of chunks


class UnreadableReply(Exception):
    """The body of a reply cannot be read. The message says why, as what is said of the answer."""


class ReplyTooLarge(UnreadableReply):
    """The reply is larger than it may be."""

    def __init__(self) -> None:
        super().__init__("is too large")


class BoundedSocket:
    """Stands in for a connection's socket where http.client reads one reply from it.

    `timeout` is how long the whole reply may take, in seconds. `max_body` is the most bytes of its body.
    """

    def __init__(self, sock: socket.socket, timeout: float, max_body: int) -> None:
        self._socket = sock
        self._timeout = timeout
        self._max_body = max_body

    def makefile(self, _mode: str) -> BinaryIO:
        """Returns the file that http.client reads the reply from."""
        return io.BufferedReader(_BoundedFile(self._socket, self._timeout, self._max_body))


class _BoundedFile(io.RawIOBase):
    """The bytes of one reply. Reading raises TimeoutError at the deadline, and ReplyTooLarge beyond the limit."""

    def __init__(self, sock: socket.socket, timeout: float, max_body: int) -> None:
        self._socket = sock
        self._file = sock.makefile("rb", buffering=0)
        self._deadline = time.monotonic() + timeout
        self._remaining_bytes = max_body + MAX_OVERHEAD
        self._is_first = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        # The socket has its whole timeout already. So the first read, often the only one, needs no further system call.
        if not self._is_first:
            seconds = self._deadline - time.monotonic()
            if seconds <= 0:
                raise TimeoutError("the reply took too long")
            self._socket.settimeout(seconds)
        self._is_first = False
        count: int | None = self._file.readinto(buffer)
        self._remaining_bytes -= count or 0
        if self._remaining_bytes < 0:
            raise ReplyTooLarge
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def read_body(response: BaseHTTPResponse, limit: int) -> bytes:
    """Returns the decoded body, of at most `limit` bytes. Raises UnreadableReply, and the errors of urllib3."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip"}:
        raise UnreadableReply("is compressed in a way that was not asked for")
    # BoundedSocket limits how much that is. The last read, of nothing, raises an error if the body is cut off.
    body = b"".join(iter(lambda: response.read(limit + 1), b""))
    if encoding == "gzip" and len(body) <= limit:
        body = _decompress(body, limit + 1)
    if len(body) > limit:
        raise ReplyTooLarge
    return body


def _decompress(data: bytes, limit: int) -> bytes:
    """Returns up to `limit` bytes of the decoded data: no more than that, as 1 MiB received may be 1 GiB decoded."""
    decoder = zlib.decompressobj(wbits=_GZIP)
    try:
        body = decoder.decompress(data, limit)
    except zlib.error as error:
        raise UnreadableReply("is not compressed as it says") from error
    if len(body) < limit and not decoder.eof:
        raise UnreadableReply("is cut off")
    if decoder.unused_data:
        raise UnreadableReply("goes on after its end")
    return body
