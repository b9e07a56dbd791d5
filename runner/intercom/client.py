"""The transport over `requests`: one POST is one POST. No redirects, no retries, and it knows whether bytes left.

Every request goes straight to the adapter, with the proxies and the CA bundle of the environment read once: asking for
them, for cookies and for a .netrc costs more than all the rest of a request does.
"""

import ssl
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from runner import __version__
from runner.errors import RunStopped
from runner.intercom import NoReply, Reply

CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 60.0  # seconds
# Seconds for which a connection at rest is used again. Servers and balancers close one after 2 seconds or more, and a
# request that meets their close on its way is lost without a trace: unknown.
KEEP_ALIVE_TIMEOUT = 0.5
POOL_SIZE = 64  # connections; as many as there are lanes, else each of the others would be made anew for every request
HOSTS = {"us": "https://api.intercom.io", "eu": "https://api.eu.intercom.io", "au": "https://api.au.intercom.io"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")

# Set by the connection that writes the first byte of a request. Whether a failed POST may be tried again hangs on it.
_wire = threading.local()


class _Tells:
    """A connection that tells when the first byte of a request is written, after connect, proxy and TLS.

    It is used again only shortly after an answer that ends in order. Behind a 5xx of a balancer the server's own answer
    may still come, and the next request would take it for its own.
    """

    _connecting = False
    _rests_since = 0.0
    _is_in_order = True

    def connect(self) -> None:
        self._connecting = True
        try:
            super().connect()  # type: ignore[misc]  # mixed into urllib3's connections
        finally:
            self._connecting = False
        self._rests_since, self._is_in_order = time.monotonic(), True

    def getresponse(self) -> Any:
        response = super().getresponse()  # type: ignore[misc]
        self._rests_since = time.monotonic()
        self._is_in_order = response.status // 100 in {2, 4} and response.status != 408  # noqa: PLR2004  # a timeout
        return response

    @property
    def is_connected(self) -> bool:
        """Asked by the pool before a connection is used again; if not, it makes a new one."""
        is_fresh = self._is_in_order and time.monotonic() - self._rests_since <= KEEP_ALIVE_TIMEOUT
        return is_fresh and bool(super().is_connected)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        if self.sock is None:  # type: ignore[attr-defined]  # http.client would connect inside of send
            self.connect()
        if not self._connecting:  # a proxy's CONNECT is written while connecting, and makes nothing
            _wire.written = True
        super().send(data)  # type: ignore[misc]


class _Http(_Tells, HTTPConnection):
    pass


class _Https(_Tells, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Adapter(HTTPAdapter):
    """Connections of ours, that share one TLS context: loading the CA bundle takes longer than a handshake."""

    def __init__(self, bundle: str) -> None:
        self._context = _context(bundle)
        super().__init__(pool_maxsize=POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        contexts = {"ssl_context": self._context, "proxy_ssl_context": self._context}
        manager = super().proxy_manager_for(proxy, **contexts, **kwargs)
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context verifies already; with a bundle of its own, every connection would load it once more."""


class HttpTransport:
    """Intercom over HTTP(S). `base_url` is a region's host or INTERCOM_BASE_URL. Proxies are the environment's.

    Raises RunStopped for a token that cannot be one.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Authorization": f"Bearer {_checked(token)}",
            "Connection": "keep-alive",
            "User-Agent": f"msgrun/{__version__}",
        }
        self._lock = threading.Lock()

    def exchange(self, method: str, path: str, body: Any, version: str) -> Reply | NoReply:
        """Sends `body` once, in an API version. Never raises for the network."""
        _wire.written = False
        try:
            with self._lock:
                adapter, proxies = self._way
            answer = adapter.send(
                self._request(method, path, body, version),
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                proxies=proxies,
            )
            content = answer.content
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return NoReply(_reason(error), has_sent_bytes=_wire.written)
        return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, content)

    def _request(self, method: str, path: str, body: Any, version: str) -> requests.PreparedRequest:
        request = requests.PreparedRequest()
        request.method, request.url, request.hooks = method, self._base_url + path, default_hooks()
        request.headers = CaseInsensitiveDict(self._headers)
        request.headers["Intercom-Version"] = version
        if body is not None:
            request.body = orjson.dumps(body)
            request.headers["Content-Type"] = "application/json"
            request.headers["Content-Length"] = str(len(request.body))
        return request

    @cached_property
    def _way(self) -> tuple[_Adapter, dict[str, str]]:
        """The adapter and the proxies, as the environment wants them for the one host that there is."""
        session = requests.Session()
        # A proxy of the environment is for what leaves this machine; the sandbox's messages must not.
        session.trust_env = urlsplit(self._base_url).hostname not in LOOPBACK
        found = session.merge_environment_settings(self._base_url, {}, stream=False, verify=None, cert=None)
        bundle = found["verify"] if isinstance(found["verify"], str) else DEFAULT_CA_BUNDLE_PATH
        return _Adapter(bundle), dict(found["proxies"])


def _context(bundle: str) -> ssl.SSLContext:
    context = urllib3.util.ssl_.create_urllib3_context()
    if Path(bundle).is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)
    return context


def _checked(token: str) -> str:
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise RunStopped("the access token holds characters that no token has", "copy it again")
    return token


def _reason(error: Exception) -> str:
    """Why there is no answer, without addresses of memory and without a URL's secrets."""
    inner: BaseException = error
    while (below := inner.__cause__ or inner.__context__) is not None and isinstance(below, Exception):
        inner = below
    kinds = {
        requests.exceptions.ProxyError: "the proxy did not connect",
        requests.exceptions.SSLError: "no secure connection",
        requests.exceptions.ConnectTimeout: "no connection in time",
        requests.exceptions.ReadTimeout: "no answer in time",
        requests.exceptions.ConnectionError: "the connection failed",
    }
    kind = next((words for known, words in kinds.items() if isinstance(error, known)), "the answer could not be read")
    detail = inner.strerror if isinstance(inner, OSError) and inner.strerror else type(inner).__name__
    return f"{kind} ({detail})"
