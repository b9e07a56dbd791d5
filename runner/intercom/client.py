"""The transport over `requests`: one POST is one POST. No redirects, no retries, and it knows whether bytes left."""

import threading
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from runner import __version__
from runner.errors import RunStopped
from runner.intercom import NoReply, Reply

CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 60.0  # seconds
HOSTS = {"us": "https://api.intercom.io", "eu": "https://api.eu.intercom.io", "au": "https://api.au.intercom.io"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")

# Set by the connection that writes the first byte of a request. Whether a failed POST may be tried again hangs on it.
_wire = threading.local()


class _Tells:
    """A connection that tells when the first byte of a request is written, after connect, proxy and TLS."""

    _connecting = False

    def connect(self) -> None:
        self._connecting = True
        try:
            super().connect()  # type: ignore[misc]  # mixed into urllib3's connections
        finally:
            self._connecting = False

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
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        return manager


class _Bearer(requests.auth.AuthBase):
    """The token, set as `auth` so that a .netrc file never replaces it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class HttpTransport:
    """Intercom over HTTP(S). `base_url` is a region's host or INTERCOM_BASE_URL. Proxies are the environment's.

    Raises RunStopped for a token that cannot be one.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = requests.Session()
        # A proxy of the environment is for what leaves this machine; the sandbox's messages must not.
        self._session.trust_env = urlsplit(base_url).hostname not in LOOPBACK
        self._session.auth = _Bearer(_checked(token))
        self._session.headers.update({"Accept": "application/json", "User-Agent": f"msgrun/{__version__}"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(max_retries=0))

    def exchange(self, method: str, path: str, body: Any, version: str) -> Reply | NoReply:
        """Sends `body` once, in an API version. Never raises for the network."""
        headers = {"Intercom-Version": version}
        data = None
        if body is not None:
            data = orjson.dumps(body)
            headers["Content-Type"] = "application/json"
        _wire.written = False
        try:
            answer = self._session.request(
                method,
                self._base_url + path,
                data=data,
                headers=headers,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return NoReply(_reason(error), may_have_left=_wire.written)
        return Reply(
            answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content
        )


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
