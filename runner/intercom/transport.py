"""One request to Intercom's HTTP API, and its reply or the lack of one."""

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
    the response is larger than it may be. `fix` says what the user has to change, where another try would fail in the
    same way; else it is empty.
    """

    reason: str
    has_sent_bytes: bool
    is_too_large: bool = False
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the token and the host come from, for hints to name.

    `token_variable` is the environment variable that holds the token. `host` is asked. `region` is the one that chose
    the host; empty if INTERCOM_BASE_URL did.
    """

    token_variable: str = "INTERCOM_ACCESS_TOKEN"  # noqa: S105  # the name of a variable, not a token
    host: str = "api.intercom.io"
    region: str = "us"

    @property
    def hint(self) -> str:
        """What to compare where the token is not accepted."""
        if self.region:
            asked = f"region {self.region} ({self.host}) was asked: compare region: in msgrun.yaml with the workspace's"
        else:
            asked = f"{self.host} was asked: compare INTERCOM_BASE_URL with the workspace's region"
        return f"copy {self.token_variable} again; {asked}"


class Transport(Protocol):
    """Sends one request to the server and returns the response."""

    def exchange(self, method: str, path: str, body: Any, version: str) -> Reply | NoReply:
        """Sends `body` once, in the API version `version`: as JSON, or no body if it is None.

        Never raises for network errors: they are returned as NoReply.
        """
        ...
