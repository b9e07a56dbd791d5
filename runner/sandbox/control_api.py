"""The sandbox's own endpoints, under `/_sandbox/`. Intercom has none of them; they have no token and no rate limit.

`PUT /_sandbox/trouble` replaces the trouble (see trouble_schedule). `GET /_sandbox/trouble` shows which trouble is
still queued.
`GET /_sandbox/inbox`, `GET /_sandbox/inbox/{message}` and `POST /_sandbox/inbox/{message}/replies` are for its page.
`GET /_sandbox/messages` lists the messages that were created, `GET /_sandbox/log` the requests that were received.
"""

import json
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl

from runner.sandbox.answer import JSON_CONTENT_TYPE, Answer, ApiError, encode_json
from runner.sandbox.http_protocol import Request
from runner.sandbox.inbox import Inbox
from runner.sandbox.message_store import MessageStore
from runner.sandbox.request_log import RequestLog
from runner.sandbox.trouble_schedule import Trouble

CONTROL_PREFIX = "/_sandbox/"


@dataclass(frozen=True, slots=True, eq=False)
class ControlApi:
    """Lets a test in another process inspect the sandbox and disturb it."""

    store: MessageStore
    log: RequestLog
    trouble: Trouble
    inbox: Inbox

    def answer(self, request: Request) -> Answer:
        """Returns the answer to one request of a test."""
        name, *rest = request.path.removeprefix(CONTROL_PREFIX).split("/")
        if name == "inbox":
            return self._answer_inbox(request, rest)
        match request.method, name, *rest:
            case ["GET", "messages"]:
                return _build_answer(200, self.store.messages())
            case ["GET", "log"]:
                return _build_answer(200, self.log.entries())
            case ["GET", "trouble"]:
                return _build_answer(200, self.trouble.show())
            case ["PUT", "trouble"]:
                return self._replace_trouble(request.body)
        return _build_answer(404, {"error": "there are trouble, messages, inbox and log"})

    def _answer_inbox(self, request: Request, rest: list[str]) -> Answer:
        now = time.time()
        try:
            match request.method, *rest:
                case ["GET"]:
                    return _build_answer(200, self.inbox.list_page(dict(parse_qsl(request.query)), now))
                case "GET", message_id:
                    return _build_answer(200, self.inbox.show(message_id, now))
                # A form of another page cannot send JSON without asking first, and nothing here answers that.
                case "POST", message_id, "replies" if request.headers.get("content-type") == "application/json":
                    document = json.loads(request.body)
                    reply = document if isinstance(document, dict) else {}
                    return _build_answer(200, self.inbox.reply(message_id, reply, now))
        except ApiError as error:
            return _build_answer(error.status, {"error": error.message})
        except ValueError as error:
            return _build_answer(400, {"error": str(error)})
        return _build_answer(404, {"error": "there are GET inbox, GET inbox/ID and POST inbox/ID/replies, with JSON"})

    def _replace_trouble(self, body: bytes) -> Answer:
        try:
            document = json.loads(body)
            if not isinstance(document, dict):
                return _build_answer(400, {"error": "the body is a JSON object"})
            self.trouble.replace(document)
        except ValueError as error:
            return _build_answer(400, {"error": str(error)})
        return _build_answer(200, self.trouble.show())


def _build_answer(status: int, document: object) -> Answer:
    return Answer(status, encode_json(document), (("Content-Type", JSON_CONTENT_TYPE),))
