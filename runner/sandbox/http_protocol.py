"""HTTP/1.1 as the sandbox speaks it: one request off a socket, one answer as bytes (RFC 9112, the part clients use).

Written by hand because the standard library's server reads headers with the email parser,
which alone would cost half of the time of a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from runner.sandbox.answer import Answer


_MOST_HEAD = 64 * 1024


_MOST_BODY = 16 * 1024 * 1024


_CHUNK = 64 * 1024


_BODYLESS = (204, 304)


_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class MalformedRequestError(Exception):
    """Bytes that are not a request; the connection cannot be used after them."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case, the path without its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    keep_alive: bool = True


class RequestReader:
    """Requests, one after the other, off one connection; what was read too far waits for the next one."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def read(self) -> Request | None:
        """Read one whole request, or None where the other side has gone."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _MOST_HEAD:
                raise MalformedRequestError("the head of the request is too long")
            if not self._more():
                return None
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        method, target, protocol, headers = _parse_head(head.decode("latin-1"))
        length = _length(headers)
        if headers.get("expect", "").lower() == "100-continue":
            # curl holds back a larger body for a second, waiting for this.
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._buffer) < length:
            if not self._more():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        if _host_name(headers.get("host", "localhost")) not in _HOSTS:
            # A web page that makes its own name lead here must get no answer.
            raise MalformedRequestError("this host is not the sandbox's")
        wish = headers.get("connection", "keep-alive" if protocol == "HTTP/1.1" else "close")
        return Request(method, target.partition("?")[0], headers, body, keep_alive=wish.lower() != "close")

    def _more(self) -> bool:
        chunk = self._connection.recv(_CHUNK)
        self._buffer += chunk
        return bool(chunk)


def _parse_head(head: str) -> tuple[str, str, str, dict[str, str]]:
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != len(("method", "target", "protocol")) or not words[2].startswith("HTTP/1."):
        raise MalformedRequestError("the first line is not that of an HTTP/1.1 request")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedRequestError("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    return words[0], words[1], words[2], headers


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise MalformedRequestError("chunked requests are not read here: send a Content-Length")
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()) or int(text) > _MOST_BODY:
        raise MalformedRequestError("the Content-Length is no number, or too large")
    return int(text)


def encode_answer(answer: Answer, *, keep_alive: bool) -> bytes:
    """Write an answer as the bytes of one send, so that a client is never left with a head and no body."""
    reason = HTTPStatus(answer.status).phrase
    lines = [f"HTTP/1.1 {answer.status} {reason}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.status not in _BODYLESS:
        lines.append(f"Content-Length: {len(answer.body)}")
    if not keep_alive:
        lines.append("Connection: close")
    body = b"" if answer.status in _BODYLESS else answer.body
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body
