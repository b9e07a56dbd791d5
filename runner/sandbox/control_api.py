"""The sandbox's own endpoints, under `/_sandbox/`. Intercom has none of them; they have no token and no rate limit.

`PUT /_sandbox/trouble` replaces the trouble (see trouble_schedule). `GET /_sandbox/trouble` shows which trouble is
still queued. `GET /_sandbox/messages` lists the messages that were created, `GET /_sandbox/log` the requests that were
received.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from runner.sandbox.answer import JSON_CONTENT_TYPE, Answer, encode_json

if TYPE_CHECKING:
    from runner.sandbox.http_protocol import Request
    from runner.sandbox.message_store import MessageStore
    from runner.sandbox.request_log import RequestLog
    from runner.sandbox.trouble_schedule import Trouble


CONTROL_PREFIX = "/_sandbox/"


class ControlApi:
    """Lets a test in another process inspect the sandbox and disturb it."""

    def __init__(self, store: MessageStore, log: RequestLog, trouble: Trouble) -> None:
        self._store = store
        self._log = log
        self._trouble = trouble

    def answer(self, request: Request) -> Answer:
        """Returns the answer to one request of a test."""
        match request.method, request.path.removeprefix(CONTROL_PREFIX):
            case "GET", "messages":
                return _build_answer(200, [asdict(message) for message in self._store.messages()])
            case "GET", "log":
                return _build_answer(200, self._log.entries())
            case "GET", "trouble":
                return _build_answer(200, self._trouble.list_queued())
            case "PUT", "trouble":
                return self._set_trouble(request.body)
            case _:
                return _build_answer(404, {"error": "there are trouble, messages and log"})

    def _set_trouble(self, body: bytes) -> Answer:
        try:
            document = json.loads(body)
            if not isinstance(document, dict):
                return _build_answer(400, {"error": "trouble is a JSON object"})
            self._trouble.replace(document)
        except ValueError as error:
            return _build_answer(400, {"error": str(error)})
        return _build_answer(200, self._trouble.list_queued())


def _build_answer(status: int, document: object) -> Answer:
    return Answer(status, encode_json(document), (("Content-Type", JSON_CONTENT_TYPE),))
