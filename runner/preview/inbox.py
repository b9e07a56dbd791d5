"""The pages of a sandbox's inbox: a list and what is chosen in it, as HTML made of what the sandbox says in JSON.

A page that is open asks for the list again and again, and is answered with nothing as long as nothing changed.
"""

import http.client
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from runner.characters import show_invisible
from runner.declare.keys_and_digests import visible_words
from runner.preview.body_frame import Style, build_frame, estimate_height, is_plain_text
from runner.preview.page_server import Response
from runner.preview.pages import load_templates, page_policy, read_asset

_ASSETS = ("preview.css", "inbox.css", "theme.js", "preview.js", "inbox.js")
_SECONDS = 10.0  # for an answer of the sandbox, which is on this machine
_MAX_BEGINNING = 140


class Inbox:
    """Answers the requests of the inbox's page, for the sandbox at an address. `command` sends it something."""

    def __init__(self, sandbox_url: str, command: str) -> None:
        self._host = urlsplit(sandbox_url).netloc
        self._common = {
            "policy": page_policy(is_live=True),
            "root": "",
            "is_live": False,
            "sandbox_url": sandbox_url,
            "command": command,
        }

    def get(self, name: str, query: str) -> Response | None:
        """Returns the page, a part of it or a file that it loads."""
        if name == "index.html":
            return Response(self._render("inbox.html.j2"))
        if name.startswith("assets/") and name.removeprefix("assets/") in _ASSETS:
            return Response(read_asset(name.removeprefix("assets/")), name.rpartition(".")[2])
        wanted = dict(parse_qsl(query))
        match name:
            case "list":
                return self._show_list(wanted)
            case "message":
                return self._show_message(wanted.get("id", ""))
            case "contact":
                return self._show_contact(wanted)
        return None

    def post(self, name: str, body: bytes) -> Response | None:
        """Lets the contact of the message `reply/ID` reply, and returns the message."""
        if not name.startswith("reply/"):
            return None
        message_id = name.removeprefix("reply/")
        status, answer = self._ask("POST", f"inbox/{quote(message_id, safe='')}/replies", body)
        if status != HTTPStatus.OK:
            return Response(str(answer.get("error", "")), "txt", status)
        return self._show_message(message_id)

    def _show_list(self, wanted: Mapping[str, str]) -> Response:
        kept = {key: wanted[key] for key in ("search", "contact", "page", "since") if wanted.get(key)}
        _, listed = self._ask("GET", f"inbox?{urlencode(kept)}")
        if "messages" not in listed:
            return Response("", status=204)
        rows = [_view(message) for message in listed["messages"]]
        return Response(self._render("inbox_list.html.j2", listed=listed, rows=rows, contact=kept.get("contact")))

    def _show_message(self, message_id: str) -> Response | None:
        status, message = self._ask("GET", f"inbox/{quote(message_id, safe='')}")
        if status != HTTPStatus.OK:
            return None
        return Response(self._render("inbox_message.html.j2", message=_view(message), **_view_content(message)))

    def _show_contact(self, wanted: Mapping[str, str]) -> Response | None:
        kept = {"contact": wanted.get("id", ""), "page": wanted.get("page", "1")}
        _, listed = self._ask("GET", f"inbox?{urlencode(kept)}")
        if not listed["messages"]:
            return None
        rows = [_view(message) for message in listed["messages"]]
        _, found = self._ask("GET", f"inbox/{rows[0]['id']}")
        return Response(
            self._render("inbox_contact.html.j2", listed=listed, rows=rows, contact=_view(found)["contact"])
        )

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self._host, timeout=_SECONDS)
        try:
            connection.request(method, f"/_sandbox/{path}", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def _render(self, template: str, **values: Any) -> str:
        return load_templates().get_template(template).render(self._common, **values)


def _view(message: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a message of the sandbox as the templates show it. What a client sent may be anything but its type."""
    contact = message["contact"]
    name = contact["email"] or contact["external_id"] or contact["id"]
    return {
        **message,
        "time": _write_time(message["at"]),
        "kind": "email" if message["message_type"] == "email" else "inapp",
        "subject": str(message["subject"] or ""),
        "beginning": visible_words(str(message["body"])[:4_000])[:_MAX_BEGINNING],
        "contact": {**contact, "label": contact["name"] or name, "address": name},
    }


def _view_content(message: Mapping[str, Any]) -> dict[str, Any]:
    body = str(message["body"])
    is_email = message["message_type"] == "email"
    style: Style = ("personal" if message["template"] == "personal" else "plain") if is_email else "inapp"
    payload = json.dumps(message["payload"], indent=2, ensure_ascii=False)
    return {
        "frame": build_frame(body, style, is_text=is_plain_text(body)),
        "height": estimate_height(body),
        "json": show_invisible(payload),
        "parts": [{**part, "time": _write_time(part["at"])} for part in message["parts"]],
    }


def _write_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
