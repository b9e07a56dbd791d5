"""The answers of the sandbox: status, headers and body, how the connection ends, and the documented error body."""

import json
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import NoReturn

import orjson

JSON_CONTENT_TYPE = "application/json; charset=utf-8"


class Ending(Enum):
    """What happens to the connection when an answer is due."""

    KEEP = "answered, kept open"
    CLOSE = "answered, then closed without a word of warning"
    CUT = "half of the body is sent, then closed"
    DROP = "closed without an answer"
    RESET = "reset without an answer"

    @property
    def is_answered(self) -> bool:
        """Whether the client receives a status."""
        return self not in (Ending.DROP, Ending.RESET)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `delay` is in seconds: the request is carried out, then the answer waits that long."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    ending: Ending = Ending.KEEP
    delay: float = 0.0

    def with_header(self, name: str, value: str) -> "Answer":
        """Returns the answer with this header, in place of those with the same name."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))

    def without_headers(self, prefix: str) -> "Answer":
        """Returns the answer without the headers whose names begin with `prefix`."""
        kept = tuple(pair for pair in self.headers if not pair[0].lower().startswith(prefix.lower()))
        return replace(self, headers=kept)


@dataclass(frozen=True, slots=True)
class RouteResult:
    """The result of a route: a status, a JSON document, and the id of the message that was created, if any.

    `link` is the header Link; empty without one.
    """

    status: int
    document: object
    created_id: str | None = None
    link: str = ""


class ApiError(Exception):
    """A 4xx answer. The code that checks a rule raises it; FakeIntercom makes the answer, with the request id."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None, link: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.link = link  # the header Link, or empty

    def to_dict(self, request_id: str) -> dict[str, object]:
        """Returns the `error.list` that Intercom documents for all of its endpoints."""
        error = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        return {"type": "error.list", "request_id": request_id, "errors": [error]}


def raise_parameter_invalid(message: str, field: str | None = None) -> NoReturn:
    """Refuses a request for what it contains: raises ApiError 400 `parameter_invalid`."""
    raise ApiError(400, "parameter_invalid", message, field)


def encode_json(document: object) -> bytes:
    """Returns a document, with dataclasses as objects, as compact UTF-8 JSON.

    A lone surrogate, which UTF-8 cannot encode, is written as a JSON escape.
    """
    try:
        return orjson.dumps(document)  # a contact takes a tenth of the time that it takes in the standard library
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        pass
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=asdict).encode(
        "utf-8", "backslashreplace"
    )
