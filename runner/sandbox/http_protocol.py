"""HTTP/1.1 for the sandbox: reads requests from a socket and encodes answers (RFC 9112, the part that clients use).

The server of the standard library is not used: it reads headers with the email parser, which alone would cost half of
the time of a request.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from runner.sandbox.answer import Answer

_MAX_HEAD_BYTES = 64 * 1024
_MAX_BODY_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_BODYLESS_STATUSES = (204, 304)
_ALLOWED_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class MalformedRequestError(Exception):
    """The bytes are not a valid request. The connection cannot be used after them."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case; `query` is what follows the `?`."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    keep_alive: bool = True
    query: str = ""


class RequestReader:
    """Reads requests one after the other from one connection. Keeps bytes of the next request for the next call."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def read(self) -> Request | None:
        """Returns the next request; None if the client has closed the connection.

        Raises MalformedRequestError.
        """
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise MalformedRequestError("the head of the request is too long")
            if not self._receive():
                return None
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        method, target, protocol, headers = _parse_head(head.decode("latin-1"))
        length = _parse_length(headers)
        if headers.get("expect", "").lower() == "100-continue":
            # Without this, curl waits a second before it sends a larger body.
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._buffer) < length:
            if not self._receive():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        if _parse_host_name(headers.get("host", "localhost")) not in _ALLOWED_HOSTS:
            # A web page whose own host name resolves to 127.0.0.1 (DNS rebinding) must get no answer.
            raise MalformedRequestError("this host is not the sandbox's")
        connection_option = headers.get("connection", "keep-alive" if protocol == "HTTP/1.1" else "close")
        path, _, query = target.partition("?")
        return Request(method, path, headers, body, keep_alive=connection_option.lower() != "close", query=query)

    def _receive(self) -> bool:
        chunk = self._connection.recv(_CHUNK_BYTES)
        self._buffer += chunk
        return bool(chunk)


def _parse_head(head: str) -> tuple[str, str, str, dict[str, str]]:
    request_line, *lines = head.split("\r\n")
    words = request_line.split(" ")
    if len(words) != len(("method", "target", "protocol")) or not words[2].startswith("HTTP/1."):
        raise MalformedRequestError("the first line is not that of an HTTP/1.1 request")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedRequestError("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    return words[0], words[1], words[2], headers


def _parse_host_name(host: str) -> str:
    """Returns the name in a Host header, without its port, in lower case."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _parse_length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise MalformedRequestError("chunked requests are not read here: send a Content-Length")
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()) or int(text) > _MAX_BODY_BYTES:
        raise MalformedRequestError("the Content-Length is not a number, or too large")
    return int(text)


def encode_answer(answer: Answer, *, keep_alive: bool) -> bytes:
    """Returns an answer as the bytes of one send, so that a client never gets a head without its body."""
    reason = HTTPStatus(answer.status).phrase
    lines = [f"HTTP/1.1 {answer.status} {reason}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.status not in _BODYLESS_STATUSES:
        lines.append(f"Content-Length: {len(answer.body)}")
    if not keep_alive:
        lines.append("Connection: close")
    body = b"" if answer.status in _BODYLESS_STATUSES else answer.body
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body
