"""The HTTP client for Intercom, built on `requests`.

A request is sent at most once: there are no redirects and no retries. The client knows whether bytes of a request left
this machine.

The proxies and the CA bundle of the environment are read once, and `requests` opens one pool of connections. Every
request is given directly to that pool. A session of `requests` would look for the pool, for cookies and for a .netrc at
every request, and that would take longer than everything else that a request does.
"""

import contextlib
import hashlib
import http.client
import socket
import ssl
import threading
import time
from functools import cached_property
from http import HTTPStatus
from typing import Any

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from runner import __version__
from runner.errors import RunStopped
from runner.intercom.connection_errors import describe_error
from runner.intercom.reply_reader import MAX_BODY, BoundedSocket, ReplyTooLarge, UnreadableReply, read_body
from runner.intercom.route import NoRoute, Route, find_route
from runner.intercom.token_mask import TokenMask
from runner.intercom.transport import NoReply, Reply

CONNECT_TIMEOUT = 10.0  # seconds
MAX_CONNECT_TIME = 30.0  # seconds, after which no further address of a host is tried
READ_TIMEOUT = 60.0  # seconds, for the whole reply
# Seconds for which an idle connection is used again. Servers and load balancers close one after 2 seconds or more. A
# request that is sent while they close it gets no response, so its outcome would be unknown.
KEEP_ALIVE_TIMEOUT = 0.5
POOL_SIZE = 64  # connections, one for each thread; threads beyond it would open a new one for every request
HOSTS = {"us": "https://api.intercom.io", "eu": "https://api.eu.intercom.io", "au": "https://api.au.intercom.io"}
_MAX_ESCAPED = 6  # bytes of a reply for a byte of the request: the reply repeats the message, with any JSON escapes

_NO_RETRIES = urllib3.Retry(total=False)
# What a request and reading its reply may raise.
_EXCHANGE_ERRORS = (
    NoRoute,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    UnreadableReply,
    OSError,
    ValueError,
)

# Of the request of each thread. A connection sets `written` when it writes the first byte of a request. A failed POST
# may be tried again only if it is not set: otherwise the message could be sent twice. `max_body` is the most bytes that
# the body of the reply may have.
_wire = threading.local()


class _FirstByteRecorder:
    """Mixed into a connection: records when the first byte of a request is written, after connect, proxy and TLS.

    A connection is used again only shortly after a response with status 2xx or 4xx, but not 408. After a 5xx of a load
    balancer, the server's own response may still arrive, and it would be taken for the response to the next request.
    """

    _is_connecting = False
    _idle_since = 0.0
    _is_reusable = True

    def connect(self) -> None:
        self._is_connecting = True
        try:
            super().connect()  # type: ignore[misc]  # mixed into urllib3's connections
        finally:
            self._is_connecting = False
        self._idle_since, self._is_reusable = time.monotonic(), True

    def _new_conn(self) -> socket.socket:
        """Connects to the first address of the host that answers, within MAX_CONNECT_TIME for all of them.

        urllib3 gives each address CONNECT_TIMEOUT, and a name may have thousands.
        """
        name = self._dns_host  # type: ignore[has-type]  # of urllib3's connection
        end, addresses = time.monotonic() + MAX_CONNECT_TIME, _list_addresses(name)
        try:
            for number, address in enumerate(addresses, 1):
                self._dns_host = address
                try:
                    connected: socket.socket = super()._new_conn()  # type: ignore[misc]
                except (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError):
                    if number == len(addresses) or time.monotonic() >= end:
                        raise
                else:
                    return connected
        finally:
            self._dns_host = name
        raise AssertionError

    def response_class(self, sock: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
        """Called by http.client for the response to a request, and for a proxy's to CONNECT."""
        timeout = CONNECT_TIMEOUT if self._is_connecting else READ_TIMEOUT
        bounded: Any = BoundedSocket(sock, timeout, _wire.max_body)
        return http.client.HTTPResponse(bounded, *args, **options)

    def getresponse(self) -> Any:
        response = super().getresponse()  # type: ignore[misc]
        self._idle_since = time.monotonic()
        self._is_reusable = response.status // 100 in {2, 4} and response.status != HTTPStatus.REQUEST_TIMEOUT
        return response

    @property
    def is_connected(self) -> bool:
        """Whether the connection may be used again. If not, the pool opens a new one before the next request."""
        is_fresh = self._is_reusable and time.monotonic() - self._idle_since <= KEEP_ALIVE_TIMEOUT
        return is_fresh and bool(super().is_connected)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        if self.sock is None:  # type: ignore[attr-defined]  # else http.client connects after `written` is set
            self.connect()
        if not self._is_connecting:  # the CONNECT request to a proxy creates no message, so it does not count
            _wire.written = True
        super().send(data)  # type: ignore[misc]


def _list_addresses(name: str) -> list[str]:
    """Returns the addresses of a host; the name itself if it has none, for the connection to report."""
    try:
        found = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return [name]
    return list(dict.fromkeys(str(address[4][0]) for address in found)) or [name]


class _HttpConnection(_FirstByteRecorder, HTTPConnection):  # type: ignore[misc]  # response_class is a function here
    pass


class _HttpsConnection(_FirstByteRecorder, HTTPSConnection):  # type: ignore[misc]  # likewise
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class _Adapter(HTTPAdapter):
    """An adapter whose connections record their first byte, and share one TLS context.

    The context is shared because loading the CA bundle takes longer than a TLS handshake.
    """

    def __init__(self, tls_context: ssl.SSLContext) -> None:
        self._tls_context = tls_context
        super().__init__(pool_maxsize=POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls_context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        contexts = {"ssl_context": self._tls_context, "proxy_ssl_context": self._tls_context}
        manager = super().proxy_manager_for(proxy, **contexts, **kwargs)
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        return manager


class HttpTransport:
    """Sends requests to Intercom over HTTP or HTTPS, through the proxies of the environment.

    `base_url` is the host of a region or INTERCOM_BASE_URL. Raises RunStopped if `token` has characters that no token
    has.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url.rstrip("/")
        token = _validate_token(token)
        self._mask_token = TokenMask(token)
        # A secret that those share who have the token.
        self.token_hash = hashlib.sha256(token.encode()).digest()
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Authorization": f"Bearer {token}",
            "Connection": "keep-alive",
            "User-Agent": f"msgrun/{__version__}",
        }
        self._timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
        self._lock = threading.Lock()

    def exchange(self, method: str, path: str, body: Any, version: str) -> Reply | NoReply:
        """Sends `body` once, in the API version `version`: as JSON, or no body if it is None.

        Never raises for network errors: they are returned as NoReply. A token that the reply repeats is masked.
        """
        _wire.written = False
        route = None
        headers = {**self._headers, "Intercom-Version": version}
        try:
            with self._lock:
                route = self._route
                pool, prefix = self._pool
            content = None if body is None else orjson.dumps(body)
            if content is not None:
                headers["Content-Type"] = "application/json"
            _wire.max_body = max(MAX_BODY, _MAX_ESCAPED * len(content or b""))
            response = pool.urlopen(
                method, prefix + path, content, headers, _NO_RETRIES, timeout=self._timeout,
                redirect=False, assert_same_host=False, preload_content=False, decode_content=False,
            )  # fmt: skip
            with contextlib.closing(response):
                reply = read_body(response, _wire.max_body)
        except _EXCHANGE_ERRORS as error:
            reason, fix = describe_error(error, route, has_sent_bytes=_wire.written)
            is_too_large = isinstance(error, ReplyTooLarge)
            reason, fix = self._mask_token.in_text(reason), self._mask_token.in_text(fix)
            return NoReply(reason, has_sent_bytes=_wire.written, is_too_large=is_too_large, fix=fix)
        masked = {name.lower(): self._mask_token.in_text(value) for name, value in response.headers.itermerged()}
        return Reply(response.status, masked, self._mask_token.in_bytes(reply))

    @cached_property
    def _route(self) -> Route:
        return find_route(self._base_url)

    @cached_property
    def _pool(self) -> tuple[HTTPConnectionPool, str]:
        """The connections to the host, and what stands before the path of a request: as a rule nothing."""
        adapter, proxies = _Adapter(self._route.tls_context), dict(self._route.proxies)
        request = requests.PreparedRequest()
        request.url = f"{self._base_url}/"
        pool = adapter.get_connection_with_tls_context(request, verify=True, proxies=proxies)
        assert isinstance(pool, HTTPConnectionPool)
        return pool, adapter.request_url(request, proxies).rstrip("/")


def _validate_token(token: str) -> str:
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise RunStopped("the access token holds characters that no token has", "copy it again")
    return token
