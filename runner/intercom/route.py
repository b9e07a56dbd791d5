"""The way to a host by this machine's environment: which proxy, and which certificate authorities are trusted.

What the environment names and cannot work (a proxy of an unknown scheme, a missing file) fails in the same way at every
try, so it is an error of its own, with what to change.
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PROXY_SCHEMES = ("http", "https")
_PROXY_FORM = "write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with a percent-encoded password"
_PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")  # in capitals or in small letters
_AUTHORITY_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # the first that is set holds


class NoRoute(Exception):
    """The environment names a way that cannot work. `fix` says what to change."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a host.

    `host` and `proxy` are for the user to read: without credentials, and with the port where one is given. `proxy` is
    empty where there is none, and `proxy_variable` chose it. `proxies` are for requests. `authorities` is the variable
    that chose the certificate authorities, and its value, e.g. `REQUESTS_CA_BUNDLE=ca.pem`; empty if none did.
    """

    host: str
    proxy: str
    proxy_variable: str
    proxies: Mapping[str, str] = field(repr=False)
    tls_context: ssl.SSLContext
    authorities: str


def find_route(base_url: str) -> Route:
    """Returns the way to the host of a URL. Raises NoRoute."""
    session = requests.Session()
    target = urlsplit(base_url)
    # Proxies of the environment are for requests that leave this machine. Messages to the sandbox must not.
    session.trust_env = target.hostname not in LOOPBACK
    settings = session.merge_environment_settings(base_url, {}, stream=False, verify=None, cert=None)
    proxy = select_proxy(base_url, settings["proxies"])
    bundle = settings["verify"] if isinstance(settings["verify"], str) else ""
    authorities = f"{_find_variable(_AUTHORITY_VARIABLES, bundle)}={bundle}" if bundle else ""
    variable = _find_variable(_PROXY_VARIABLES, proxy) if proxy else ""
    proxy_address = _parse_proxy(proxy, variable) if proxy else ""
    context = urllib3.util.ssl_.create_urllib3_context()
    if target.scheme != "http" or proxy_address.startswith("https:"):
        # Not for the sandbox, which speaks HTTP: loading the authorities takes 40 ms.
        _load_authorities(context, bundle or DEFAULT_CA_BUNDLE_PATH, authorities)
    return Route(
        host=_name(target),
        proxy=proxy_address,
        proxy_variable=variable,
        proxies=dict(settings["proxies"]),
        tls_context=context,
        authorities=authorities,
    )


def _find_variable(names: tuple[str, ...], value: str) -> str:
    """Returns the environment variable of these names that has this value; the first name if none has.

    The settings of macOS and Windows may hold a proxy as well.
    """
    variants = (variant for name in names for variant in (name, name.swapcase()))
    return next((name for name in variants if os.environ.get(name) == value), names[0])


def _parse_proxy(proxy: str, variable: str) -> str:
    """Returns a proxy's address as the user may read it. Raises NoRoute, without the password."""
    try:
        address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        name = _name(address)
    except ValueError:
        raise NoRoute(f"{variable} is not the address of a proxy", _PROXY_FORM) from None
    if address.scheme not in _PROXY_SCHEMES:
        scheme = "".join(character for character in address.scheme if character.isprintable())[:20]
        raise NoRoute(f"{variable} has the scheme {scheme}, and only http and https proxies work", _PROXY_FORM)
    if not address.hostname:
        raise NoRoute(f"{variable} is not the address of a proxy", _PROXY_FORM)
    return f"{address.scheme}://{name}"


def _name(address: SplitResult) -> str:
    """Returns host and port of an address. Raises ValueError if the port is not a number."""
    host = address.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{address.port}" if address.port is not None else host


def _load_authorities(context: ssl.SSLContext, bundle: str, authorities: str) -> None:
    try:
        if Path(bundle).is_dir():
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except OSError as error:
        problem = "holds no certificate in PEM format"
        if not isinstance(error, ssl.SSLError):
            problem = f"cannot be read: {error.strerror}"
        fix = "name a file of PEM certificates, or take the variable away to trust the usual authorities"
        raise NoRoute(f"{authorities or bundle} {problem}", fix if authorities else "install certifi again") from error
