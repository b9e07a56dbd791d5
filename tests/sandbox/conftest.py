"""A client that knows nothing of the sandbox but HTTP, and sandboxes that end with their test."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from runner.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EXAMPLE = {
    "message_type": "email",
    "subject": "Hey",
    "body": "Ponies, cute small horses or something more sinister?",
    "template": "plain",
    "from": {"type": "admin", "id": "394051"},
    "to": {"type": "user", "id": "536e564f316c83104c000020"},
}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        return str(self.json["errors"][0]["code"])

    @property
    def message(self) -> str:
        return str(self.json["errors"][0]["message"])


class Client:
    """Speaks to one sandbox, over one connection that is kept open."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)

    def call(self, method: str, path: str, payload: object = None, **headers: str | None) -> Reply:
        sent = {"Authorization": "Bearer token", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        sent = {name: value for name, value in sent.items() if headers.get(name, "") is not None}
        body = payload if isinstance(payload, bytes) or payload is None else json.dumps(payload).encode()
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())

    def get(self, path: str, **headers: str | None) -> Reply:
        return self.call("GET", path, **headers)

    def send(self, version: str | None = "2.14", **changes: object) -> Reply:
        payload = {key: value for key, value in {**EXAMPLE, **changes}.items() if value is not ...}
        return self.call("POST", "/messages", payload, Intercom_Version=version)

    def search(self, query: object, pagination: object = None, place: str = "contacts") -> Reply:
        body = {"query": query} | ({} if pagination is None else {"pagination": pagination})
        return self.call("POST", f"/{place}/search", body)


@pytest.fixture
def start() -> Iterator[Callable[..., Client]]:
    """Start sandboxes, by their options; all are closed after the test."""
    clients: list[Client] = []

    def begin(**options: Any) -> Client:
        clients.append(Client(Sandbox(**{"rate_limit": 100_000, **options})))
        return clients[-1]

    yield begin
    for client in clients:
        client.connection.close()
        client.sandbox.close()


@pytest.fixture
def client(start: Callable[..., Client]) -> Client:
    return start()
