"""The sandbox's own endpoints, under `/_sandbox/`. Intercom has none of them; they have no token and no rate limit.

`PUT /_sandbox/trouble` replaces the trouble (see trouble_schedule). `GET /_sandbox/trouble` shows which trouble is
still queued. `PUT /_sandbox/replies` says which contacts reply (see replies), `GET /_sandbox/replies` shows it.
`PUT /_sandbox/subscriptions` sets subscription types and choices (see subscriptions), `GET` shows them.
`GET /_sandbox/inbox`, `GET /_sandbox/inbox/{message}` and `POST /_sandbox/inbox/{message}/replies` are for its page.
`GET /_sandbox/messages` lists the messages that were created, `GET /_sandbox/log` the requests that were received.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from runner.sandbox.answer import JSON_CONTENT_TYPE, Answer, ApiError, encode_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.sandbox.http_protocol import Request
    from runner.sandbox.inbox import Inbox
    from runner.sandbox.message_store import MessageStore
    from runner.sandbox.replies import Replies
    from runner.sandbox.request_log import RequestLog
    from runner.sandbox.subscriptions import Subscriptions
    from runner.sandbox.trouble_schedule import Trouble


CONTROL_PREFIX = "/_sandbox/"


class ControlApi:
    """Lets a test in another process inspect the sandbox and disturb it."""

    def __init__(
        self, store: MessageStore, log: RequestLog, trouble: Trouble, replies: Replies, subscriptions: Subscriptions,
        inbox: Inbox,
    ) -> None:  # fmt: skip
        self._store = store
        self._log = log
        self._trouble = trouble
        self._replies = replies
        self._subscriptions = subscriptions
        self._inbox = inbox

    def answer(self, request: Request) -> Answer:
        """Returns the answer to one request of a test."""
        name, *rest = request.path.removeprefix(CONTROL_PREFIX).split("/")
        if name == "inbox":
            return self._answer_inbox(request, rest)
        match request.method, request.path.removeprefix(CONTROL_PREFIX):
            case "GET", "messages":
                return _build_answer(200, [asdict(message) for message in self._store.messages()])
            case "GET", "log":
                return _build_answer(200, self._log.entries())
            case "GET", "trouble":
                return _build_answer(200, self._trouble.list_queued())
            case "GET", "replies":
                return _build_answer(200, self._replies.show())
            case "GET", "subscriptions":
                return _build_answer(200, self._subscriptions.show())
            case "PUT", "subscriptions":
                return _replace(self._subscriptions.replace, request.body, self._subscriptions.show)
            case "PUT", "trouble":
                return _replace(self._trouble.replace, request.body, self._trouble.list_queued)
            case "PUT", "replies":
                return _replace(self._replies.replace, request.body, self._replies.show)
            case _:
                return _build_answer(
                    404, {"error": "there are trouble, replies, subscriptions, messages, inbox and log"}
                )

    def _answer_inbox(self, request: Request, rest: list[str]) -> Answer:
        now = time.time()
        try:
            match request.method, *rest:
                case ["GET"]:
                    return _build_answer(200, self._inbox.list_page(dict(parse_qsl(request.query)), now))
                case "GET", message_id:
                    return _build_answer(200, self._inbox.show(message_id, now))
                # A form of another page cannot send JSON without asking first, and nothing here answers that.
                case "POST", message_id, "replies" if request.headers.get("content-type") == "application/json":
                    document = json.loads(request.body)
                    reply = document if isinstance(document, dict) else {}
                    return _build_answer(200, self._inbox.reply(message_id, reply, now))
        except ApiError as error:
            return _build_answer(error.status, {"error": error.message})
        except ValueError as error:
            return _build_answer(400, {"error": str(error)})
        return _build_answer(404, {"error": "there are GET inbox, GET inbox/ID and POST inbox/ID/replies, with JSON"})


def _replace(
    replace: Callable[[dict[str, object]], None], body: bytes, show: Callable[[], Mapping[str, object]]
) -> Answer:
    """Hands over the JSON object in a body. Returns what is set after that, or 400 with the reason."""
    try:
        document = json.loads(body)
        if not isinstance(document, dict):
            return _build_answer(400, {"error": "the body is a JSON object"})
        replace(document)
    except ValueError as error:
        return _build_answer(400, {"error": str(error)})
    return _build_answer(200, show())


def _build_answer(status: int, document: object) -> Answer:
    return Answer(status, encode_json(document), (("Content-Type", JSON_CONTENT_TYPE),))
