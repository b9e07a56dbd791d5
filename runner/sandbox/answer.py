"""What the sandbox gives back: an answer, how the connection ends after it, and the documented error body."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum
from typing import NoReturn

JSON_CONTENT_TYPE = "application/json; charset=utf-8"


class Ending(Enum):
    """What happens to the connection once an answer is due."""

    KEEP = "answered, kept open"
    CLOSE = "answered, then closed without a word of warning"
    CUT = "half of the body is sent, then closed"
    DROP = "closed without an answer"
    RESET = "reset without an answer"

    @property
    def is_answered(self) -> bool:
        """Tell whether a status reaches the client."""
        return self not in (Ending.DROP, Ending.RESET)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; `delay` is in seconds, between what was made and the answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    ending: Ending = Ending.KEEP
    delay: float = 0.0

    def with_header(self, name: str, value: str) -> Answer:
        """Give the same answer with one header set, in place of one of that name."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))

    def without_headers(self, prefix: str) -> Answer:
        """Give the same answer without the headers whose names begin so."""
        kept = tuple(pair for pair in self.headers if not pair[0].lower().startswith(prefix.lower()))
        return replace(self, headers=kept)


@dataclass(frozen=True, slots=True)
class RouteResult:
    """What a route came to: a status, a JSON document, and the id of the message that it made, if any."""

    status: int
    document: object
    created_id: str | None = None


class ApiError(Exception):
    """An answer of the 4xx kind, raised where the rule is and written where the request id is known."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field

    def to_dict(self, request_id: str) -> dict[str, object]:
        """Build the `error.list` that Intercom documents for all of its endpoints."""
        error = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        return {"type": "error.list", "request_id": request_id, "errors": [error]}


def raise_parameter_invalid(message: str, field: str | None = None) -> NoReturn:
    """Refuse a request for what it says: 400 `parameter_invalid`."""
    raise ApiError(400, "parameter_invalid", message, field)


def encode_json(document: object) -> bytes:
    """Write a document as compact UTF-8 JSON; half a surrogate pair, which UTF-8 cannot hold, stays an escape."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
