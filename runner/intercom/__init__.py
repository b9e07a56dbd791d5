"""Types for Intercom's HTTP API: one request, and its reply or the lack of one.

The modules of this package hold the HTTP client, the meaning of replies, the request format of each API version, what
is read from a workspace, and the rate limit.
"""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """A response from the server: its status, its headers (names in lower case) and its body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NoReply:
    """No response came, or one that cannot be read.

    `reason` says why. `has_sent_bytes` says whether a byte of the request may have left this machine. `is_too_large`:
    the response is larger than it may be.
    """

    reason: str
    has_sent_bytes: bool
    is_too_large: bool = False


class Transport(Protocol):
    """Sends one request to the server and returns the response."""

    def exchange(self, method: str, path: str, body: Any, version: str) -> Reply | NoReply:
        """Sends `body` once, in the API version `version`: as JSON, or no body if it is None.

        Never raises for network errors: they are returned as NoReply.
        """
        ...
