"""The sandbox itself: an embedded Intercom behind a real HTTP server on 127.0.0.1, one thread a connection."""

from __future__ import annotations

import socket
import socketserver
import struct
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runner.sandbox.answer import Answer, Ending
from runner.sandbox.control_api import CONTROL_PREFIX, ControlApi
from runner.sandbox.fake_intercom import FakeIntercom, SandboxOptions
from runner.sandbox.http_protocol import MalformedRequestError, RequestReader, encode_answer
from runner.sandbox.message_store import MessageStore
from runner.sandbox.rate_limit import WINDOW
from runner.sandbox.request_log import RequestLog
from runner.sandbox.trouble_schedule import Trouble
from runner.sandbox.workspace import SANDBOX_WORKSPACE_ID

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from runner.sandbox.http_protocol import Request

_HOST = "127.0.0.1"
_PATIENCE = 0.1  # seconds
_LINGER_NOT = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: closing sends RST


class Sandbox:
    """An Intercom of one's own, running from the moment that it is made until it is closed.

    `latency`, `fresh_seconds`, `search_lag` and `window` are in seconds; `rate_limit` is in calls a window.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        state: Path | None = None,
        log: Path | None = None,
        workspace: str = SANDBOX_WORKSPACE_ID,
        rate_limit: int = 1000,
        window: float = WINDOW,
        latency: float = 0.0,
        trouble: Trouble | None = None,
        accept_any_admin: bool = True,
        fresh_seconds: float = 2.0,
        search_lag: float = 0.0,
        population: int = 12,
    ) -> None:
        self.trouble = Trouble() if trouble is None else trouble
        options = SandboxOptions(
            workspace=workspace,
            rate_limit=rate_limit,
            window=window,
            latency=latency,
            fresh_seconds=fresh_seconds,
            search_lag=search_lag,
            accept_any_admin=accept_any_admin,
            population=population,
        )
        # The port first: where it is taken, no file is touched.
        self._server = _Server(port)
        try:
            self._store = MessageStore(state)
            self._log = RequestLog(log)
        except OSError:
            self._server.server_close()
            raise
        intercom = FakeIntercom(options, self._store, self._log, self.trouble)
        control = ControlApi(self._store, self._log, self.trouble)
        self._server.answer = lambda request: (control if request.path.startswith(CONTROL_PREFIX) else intercom).answer(
            request
        )
        self._thread = threading.Thread(target=self._server.accept_all, name="sandbox", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{_HOST}:{self._server.server_address[1]}"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was created, oldest first: id, at, contact, version, conversation, and payload as received."""
        return [asdict(message) for message in self._store.messages()]

    @property
    def log(self) -> list[dict[str, Any]]:
        """What was received, oldest first."""
        return self._log.entries()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, close every connection, and the files; a second time does nothing."""
        self._server.end(self._thread)
        self._store.close()
        self._log.close()


class _Server(socketserver.ThreadingTCPServer):
    """Accepts connections, and knows the open ones, to be able to close them."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512
    answer: Callable[[Request], Answer]

    def __init__(self, port: int) -> None:
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__((_HOST, port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that has gone is no news; anything else is a fault of the sandbox, and must not pass unseen.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def accept_all(self) -> None:
        """Accept connections until the end; `serve_forever` would look for it twenty times a second at best."""
        while not self.closing.is_set():
            try:
                connection, address = self.get_request()
            except OSError:  # out of file descriptors, or a client that was gone before it was accepted
                self.closing.wait(_PATIENCE)
                continue
            if self.closing.is_set():
                self.shutdown_request(connection)
            else:
                self.process_request(connection, address)

    def end(self, accepting: threading.Thread) -> None:
        """Stop accepting, and cut the connections that are open."""
        if self.closing.is_set():
            return
        self.closing.set()
        with suppress(OSError):  # a connection wakes the thread that waits for one; a full queue does too
            socket.create_connection((_HOST, self.server_address[1]), timeout=_PATIENCE).close()
        accepting.join(timeout=_PATIENCE)
        self.server_close()
        for connection in list(self._open):
            with suppress(OSError):  # it may just have ended by itself
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.BaseRequestHandler):
    """Reads requests and answers them until one side ends it."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        """Serve one connection."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = RequestReader(self.request)
        try:
            while (request := reader.read()) is not None:
                answer = self.server.answer(request)
                if answer.delay and self.server.closing.wait(answer.delay):
                    return
                if not self._give(answer, keep_alive=request.keep_alive):
                    return
        except MalformedRequestError as error:
            self.request.sendall(encode_answer(Answer(400, str(error).encode()), keep_alive=False))

    def _give(self, answer: Answer, *, keep_alive: bool) -> bool:
        match answer.ending:
            case Ending.DROP:
                return False
            case Ending.RESET:
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
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
