"""The sandbox: a fake Intercom behind a real HTTP server on 127.0.0.1, with one thread a connection."""

import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from runner.sandbox.answer import Answer, Ending
from runner.sandbox.contacts import Contacts
from runner.sandbox.control_api import CONTROL_PREFIX, ControlApi
from runner.sandbox.conversation_parts import ConversationParts
from runner.sandbox.fake_intercom import FakeIntercom
from runner.sandbox.groups import make_groups
from runner.sandbox.http_protocol import MalformedRequestError, Request, RequestReader, encode_answer
from runner.sandbox.inbox import Inbox
from runner.sandbox.message_store import FIRST_ID, MessageStore
from runner.sandbox.rate_limit import WINDOW, RateLimit
from runner.sandbox.request_log import RequestLog
from runner.sandbox.routes import Routes
from runner.sandbox.state_file import StateFile
from runner.sandbox.subscriptions import Subscriptions
from runner.sandbox.trouble_schedule import Trouble
from runner.sandbox.workspace import SANDBOX_WORKSPACE_ID, Workspace

_HOST = "127.0.0.1"
_WAIT_SECONDS = 0.1  # after a failed accept, and for the accepting thread to end
_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: closing sends RST


class Sandbox:
    """A fake Intercom that runs from its construction until `close`.

    `latency`, `fresh_seconds`, `search_lag` and `window` are in seconds; `rate_limit` is in calls a window. `admins`
    are names or email addresses of more admins, `groups` are kind and name of more segments, tags, companies and
    subscription types.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        state: Path | None = None,
        log: Path | None = None,
        workspace: str = SANDBOX_WORKSPACE_ID,
        region: str = "us",
        rate_limit: int = 1000,
        window: float = WINDOW,
        latency: float = 0.0,
        trouble: Trouble | None = None,
        accept_any_admin: bool = True,
        admins: Iterable[str] = (),
        groups: Iterable[tuple[str, str]] = (),
        fresh_seconds: float = 2.0,
        search_lag: float = 0.0,
        population: int = 12,
        first_id: int = FIRST_ID,
    ) -> None:
        self.trouble = Trouble() if trouble is None else trouble
        groups = list(groups)
        all_groups = make_groups(groups)
        self.subscriptions = Subscriptions(name for kind, name in groups if kind == "subscription")
        # The port comes first: if it is in use, no file is created or changed.
        self._server = _Server(port)
        with self._server.closed_on_error():
            self._state, self._log = StateFile(state), RequestLog(log)
        self.contacts = Contacts(fresh_seconds=fresh_seconds, population=population, groups=all_groups)
        people = Workspace(workspace, admins, region, accept_any_admin=accept_any_admin)
        self._store = MessageStore(self._state, first_id)
        stored = (self._store, ConversationParts(self._state), self.contacts, people)
        control = ControlApi(self._store, self._log, self.trouble, Inbox(self._state, *stored))
        routes = Routes(*stored, all_groups, self.subscriptions, search_lag)
        limit = RateLimit(rate_limit, window)
        intercom = FakeIntercom(routes, self.contacts, limit, self.trouble, self._log, latency)
        self._thread = self._server.start(_route(control, intercom))

    @property
    def url(self) -> str:
        """The address that the server listens on."""
        return f"http://{_HOST}:{self._server.server_address[1]}"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages that were created, oldest first, with the fields of `message_store.Message`."""
        return [asdict(message) for message in self._store.messages()]

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many requests were received and how many of them met trouble, and the number of all messages."""
        return self._log.received, self._log.troubled, len(self._store.messages())

    @property
    def log(self) -> list[dict[str, Any]]:
        """The requests that were received, oldest first."""
        return self._log.entries()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops listening, and closes all connections and files. A second call does nothing."""
        self._server.end(self._thread)
        self._state.close()
        self._log.close()


def _route(control: ControlApi, intercom: FakeIntercom) -> Callable[[Request], Answer]:
    return lambda request: (control if request.path.startswith(CONTROL_PREFIX) else intercom).answer(request)


class _Server(socketserver.ThreadingTCPServer):
    """Accepts connections, and keeps track of the open ones so that it can close them."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512
    answer: Callable[[Request], Answer]

    def __init__(self, port: int) -> None:
        self.closing = threading.Event()
        self._open_connections: set[socket.socket] = set()
        super().__init__((_HOST, port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open_connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open_connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client may close its connection at any time. Anything else is a fault of the sandbox, and is printed.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Closes the port if opening a file fails."""
        try:
            yield
        except OSError:
            self.server_close()
            raise

    def start(self, answer: Callable[[Request], Answer]) -> threading.Thread:
        """Begins to answer requests. Returns the thread that accepts their connections, for `end`."""
        self.answer = answer
        thread = threading.Thread(target=self.accept_all, name="sandbox", daemon=True)
        thread.start()
        return thread

    def accept_all(self) -> None:
        """Accepts connections until `end` is called.

        `serve_forever` is not used: it would check for the end only twenty times a second at best.
        """
        while not self.closing.is_set():
            try:
                connection, address = self.get_request()
            except OSError:  # no file descriptor is free, or the client closed the connection before this
                self.closing.wait(_WAIT_SECONDS)
                continue
            if self.closing.is_set():
                self.shutdown_request(connection)
            else:
                self.process_request(connection, address)

    def end(self, accept_thread: threading.Thread) -> None:
        """Stops accepting connections, and shuts down those that are open."""
        if self.closing.is_set():
            return
        self.closing.set()
        with suppress(OSError):  # wakes the accepting thread; if the queue is full, that thread is awake
            socket.create_connection((_HOST, self.server_address[1]), timeout=_WAIT_SECONDS).close()
        accept_thread.join(timeout=_WAIT_SECONDS)
        self.server_close()
        for connection in list(self._open_connections):
            with suppress(OSError):  # the client may just have closed it
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.BaseRequestHandler):
    """Reads requests from a connection and answers them until one side ends it."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        """Serves one connection."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = RequestReader(self.request)
        try:
            while (request := reader.read()) is not None:
                answer = self.server.answer(request)
                if answer.delay and self.server.closing.wait(answer.delay):
                    return
                if not self._send(answer, keep_alive=request.keep_alive):
                    return
        except MalformedRequestError as error:
            self.request.sendall(encode_answer(Answer(400, str(error).encode()), keep_alive=False))

    def _send(self, answer: Answer, *, keep_alive: bool) -> bool:
        """Sends an answer as its ending says. Returns whether the connection stays open."""
        match answer.ending:
            case Ending.DROP:
                return False
            case Ending.RESET:
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                self.request.close()
                return False
            case Ending.CUT:
                self.request.sendall(encode_answer(answer, keep_alive=keep_alive)[: -len(answer.body) // 2])
                return False
            case Ending.CLOSE:
                self.request.sendall(encode_answer(answer, keep_alive=True))
                return False
            case Ending.KEEP:
                self.request.sendall(encode_answer(answer, keep_alive=keep_alive))
                return keep_alive
