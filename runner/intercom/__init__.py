"""Intercom's API: one exchange over HTTP, what an answer means, the dialects of its versions, and its rate limit."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server: its status, its headers (names in lower case) and its body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NoReply:
    """No answer: why, and whether a byte of the request may have left this machine."""

    reason: str
    has_sent_bytes: bool


class Transport(Protocol):
    """Carries one request to the server and its answer back."""

    def exchange(self, method: str, path: str, body: Any, version: str) -> Reply | NoReply:
        """Sends `body` (JSON, or nothing if it is None) once, in an API version. Never raises for the network."""
        ...
