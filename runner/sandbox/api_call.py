"""A call of the API: a request with its body parsed, its request id and its time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote

from runner.sandbox.answer import ApiError
from runner.sandbox.http_protocol import Request

_EXPIRED = "expired"
_NO_QUERY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `now` is in Unix seconds.

    `path` is as sent, `segments` are its decoded parts. `query` has the parameters after the `?`. `payload` is the JSON
    of the body, or its text if it is not JSON; None without a body.
    """

    method: str
    path: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    payload: object
    is_json: bool
    request_id: str
    now: float

    @property
    def route(self) -> str:
        """The method and the path, e.g. `POST /messages`."""
        return f"{self.method} {self.path}"

    @property
    def json_object(self) -> dict[str, object]:
        """The payload if it is an object, else an empty object, which no route accepts."""
        return self.payload if isinstance(self.payload, dict) else {}

    def require_token(self) -> None:
        """Raises ApiError 401 for a call without a token. Every token is accepted except `expired`."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or token.strip() == _EXPIRED:
            raise ApiError(401, "unauthorized", "Access Token Invalid")

    def require_json(self) -> None:
        """Raises ApiError 400 for a body that is not JSON."""
        if not self.is_json:
            raise ApiError(400, "bad_request", "The body is no JSON")


def read_call(request: Request, request_id: str, now: float) -> Call:
    """Returns a request as a call, with its body parsed."""
    payload: object = None
    is_json = True
    if request.body:
        try:
            payload = json.loads(request.body)
        except (ValueError, RecursionError):
            payload, is_json = request.body.decode("utf-8", "replace"), False
    segments = tuple(request.path.strip("/").split("/"))
    return Call(
        method=request.method,
        path=request.path,
        segments=tuple(map(unquote, segments)) if "%" in request.path else segments,
        query=dict(parse_qsl(request.query, keep_blank_values=True)) if request.query else _NO_QUERY,
        headers=request.headers,
        payload=payload,
        is_json=is_json,
        request_id=request_id,
        now=now,
    )
