"""Serves the pages to a browser on this machine, and tells it when they change.

Another page in the same browser must neither read these pages nor guess where they are: the server listens on
127.0.0.1 alone, answers only to that name, below a path that is random for each run, and permits no other origin.
"""

import contextlib
import secrets
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from runner.preview.pages import page_policy

_HOST = "127.0.0.1"
# Seconds between two keep-alive comments. Without them a browser knows that the server ended; where one cannot be
# written, the server knows that the browser is closed.
_PING_SECONDS = 10.0
_TIMEOUT = 30.0  # seconds for a request to arrive
_MAX_BODY = 1_000_000  # bytes
_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Response:
    """What a service answers. `kind` is the suffix of a file of this type."""

    text: str
    kind: str = "html"
    status: int = 200


class PageService(Protocol):
    """Makes pages when they are asked for. None is a page that there is not."""

    def get(self, name: str, query: str) -> Response | None:
        """Returns a page."""

    def post(self, name: str, body: bytes) -> Response | None:
        """Carries out what the page asks for."""


class PageServer:
    """Serves pages from memory, or those that a service makes, from its construction until `close`.

    `port` 0 is a free one.
    """

    def __init__(self, port: int = 0, service: PageService | None = None) -> None:
        self.service = service
        self.version = 0
        self.pages: Mapping[str, bytes] = {}
        self.changed = threading.Condition()
        self.is_closed = False
        self.root = f"/{secrets.token_urlsafe(18)}/"
        self._server = _Server((_HOST, port), _Handler)
        self._server.page_server = self
        self._thread = threading.Thread(target=self._server.serve_forever, name="preview", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The address of the index."""
        return f"http://{_HOST}:{self.port}{self.root}"

    def show(self, pages: Mapping[str, str]) -> None:
        """Replaces the pages, and tells every browser. They are those of version `version + 1`."""
        with self.changed:
            self.pages = {name: text.encode(errors="replace") for name, text in pages.items()}
            self.version += 1
            self.changed.notify_all()

    def close(self) -> None:
        """Stops listening and ends all connections."""
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    page_server: PageServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Is silent about a connection that ended, which a browser does at any time. All else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT

    def do_GET(self) -> None:
        """Answers with a page, or with the changes as they come."""
        pages = self.server.page_server
        name, query = self._read_address()
        if name is None:
            return
        if pages.service is not None:
            self._respond(pages.service.get(name, query))
        elif name == "events":
            self._send_changes(query)
        elif (content := pages.pages.get(name)) is not None:
            self._answer(200, content, _TYPES[name.rpartition(".")[2]])
        else:
            self._answer(404, b"not found\n")

    def do_POST(self) -> None:
        """Hands the body to the service, if there is one, for a script of its own page alone."""
        service = self.server.page_server.service
        length = self.headers.get("Content-Length", "")
        is_own = self.headers.get("Origin") == f"http://{self.headers.get('Host')}"
        is_json = self.headers.get("Content-Type") == "application/json"
        if service is None:
            self.send_error(501)
        elif not is_own or not is_json or not length.isascii() or not length.isdigit() or int(length) > _MAX_BODY:
            self.send_error(403)
        elif (name := self._read_address()[0]) is not None:
            self._respond(service.post(name, self.rfile.read(int(length))))
        else:
            self.close_connection = True

    def _read_address(self) -> tuple[str | None, str]:
        """Returns the name of the page and the query. The name is None if the request is refused, and answered."""
        pages = self.server.page_server
        path, _, query = self.path.partition("?")
        # A host name of the attacker's that resolves to 127.0.0.1 would be the same origin for the attacker's page.
        if self.headers.get("Host") not in {f"{_HOST}:{pages.port}", f"localhost:{pages.port}"}:
            self._answer(421, b"this host is not served here\n")
        elif not secrets.compare_digest(path[: len(pages.root)].encode(), pages.root.encode()):
            self._answer(404, b"not found\n")
        else:
            return path[len(pages.root) :] or "index.html", query
        return None, ""

    def _respond(self, response: Response | None) -> None:
        if response is None:
            self._answer(404, b"not found\n")
        else:
            self._answer(response.status, response.text.encode(errors="replace"), _TYPES[response.kind])

    def do_HEAD(self) -> None:
        """Answers as to GET, without the content."""
        self.do_GET()

    def _answer(self, status: int, content: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self._send_head(status, kind, str(len(content)))
        if self.command != "HEAD":
            self.wfile.write(content)

    def _send_head(self, status: int, kind: str, length: str = "") -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": length,
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"{page_policy(is_live=True)}; frame-ancestors 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }.items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    def _send_changes(self, version: str) -> None:
        """Waits, and sends an event as soon as the pages are of another version than the browser's."""
        pages = self.server.page_server
        self.close_connection = True
        self._send_head(200, "text/event-stream; charset=utf-8")
        with contextlib.suppress(OSError):
            while not pages.is_closed:
                is_old = str(pages.version) != version  # read once: it may change between the event and the return
                self.wfile.write(b"event: changed\ndata:\n\n" if is_old else b": alive\n\n")
                self.wfile.flush()
                if is_old:
                    return
                with pages.changed:
                    pages.changed.wait_for(lambda: pages.is_closed or str(pages.version) != version, _PING_SECONDS)

    def version_string(self) -> str:
        """Names no program and no version."""
        return "msgrun"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers without what the request said."""
        del message, explain
        self.close_connection = True
        self._answer(code, b"not possible\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # likewise
        """Logs nothing: the path is a secret."""
