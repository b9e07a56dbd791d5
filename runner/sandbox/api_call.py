"""A call of the API: a request whose body has been read, with the number and the time that it was given."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.sandbox.answer import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.sandbox.http_protocol import Request


_EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `now` in Unix seconds, `payload` the JSON of the body, or its text where it is no JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    payload: object
    is_json: bool
    request_id: str
    now: float

    @property
    def route(self) -> str:
        """Name what is called, as `POST /messages`."""
        return f"{self.method} {self.path}"

    @property
    def json_object(self) -> dict[str, object]:
        """Give the payload where it is an object, else an empty one, which no route accepts."""
        return self.payload if isinstance(self.payload, dict) else {}

    def require_token(self) -> None:
        """Refuse a call without a token; any token will do, but for the one that is called `expired`."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or token.strip() == _EXPIRED:
            raise ApiError(401, "unauthorized", "Access Token Invalid")

    def require_json(self) -> None:
        """Refuse a body that is not JSON."""
        if not self.is_json:
            raise ApiError(400, "bad_request", "The body is no JSON")


def read_call(request: Request, request_id: str, now: float) -> Call:
    """Read the body of a request."""
    payload: object = None
    readable = True
    if request.body:
        try:
            payload = json.loads(request.body)
        except (ValueError, RecursionError):
            payload, readable = request.body.decode("utf-8", "replace"), False
    return Call(request.method, request.path, request.headers, payload, readable, request_id, now)
