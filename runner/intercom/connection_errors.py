"""Why a request got no response: a text that names the host, and what to change where another try cannot succeed."""

import ssl

import urllib3

from runner.intercom.reply_reader import UnreadableReply
from runner.intercom.route import NoRoute, Route

_MAX_DETAIL = 100  # characters of what a proxy or a library reports
# OpenSSL's codes of X509_verify_cert (x509_vfy.h), as Python gives them in verify_code.
_OUT_OF_TIME = {9, 10}  # not yet valid, expired
_OF_ANOTHER_NAME = {62, 64}  # of another host, of another IP address
_NO_TLS = {
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
}  # where the peer speaks HTTP
_PROXY_AUTHENTICATION = "407"


def describe_error(error: Exception, route: Route | None, *, has_sent_bytes: bool) -> tuple[str, str]:
    """Returns why there is no response, and what to change; that is empty if another try may succeed.

    Neither has memory addresses, nor the secrets of a URL. `route` is None if there is none.
    """
    if isinstance(error, NoRoute):
        return error.reason, error.fix
    if route is None:
        return f"the proxy or the certificate authorities cannot be read ({type(error).__name__})", ""
    if isinstance(error, UnreadableReply):
        return f"the answer from {route.host} {error}", ""
    # Once bytes were sent, the proxy had connected. urllib3 calls a connection that is lost later a ProxyError, too.
    is_at_proxy = isinstance(error, urllib3.exceptions.ProxyError) and not has_sent_bytes
    proxy = f"the proxy {route.proxy}"
    peer = proxy if is_at_proxy else f"{route.host} through {proxy}" if route.proxy else route.host
    root = _find_root(error)
    if isinstance(root, ssl.SSLCertVerificationError):
        return f"the certificate of {peer} is not valid: {root.verify_message}", _fix_certificate(root, route)
    if isinstance(root, ssl.SSLError) and root.reason:
        fix = f"the proxy speaks no TLS: write http:// instead of https:// in {route.proxy_variable}"
        reason = f"no secure connection to {peer}: {root.reason.replace('_', ' ').lower()}"
        return reason, fix if is_at_proxy and root.reason in _NO_TLS else ""
    if tunnel := str(root).partition("Tunnel connection failed: ")[2]:
        answer = "".join(character for character in tunnel if character.isprintable())[:_MAX_DETAIL]
        fix = f"put the proxy's user and password into {route.proxy_variable}: http://USER:PASSWORD@HOST:PORT"
        reason = f"{proxy} did not connect to {route.host}: {answer}"
        return reason, fix if answer.startswith(_PROXY_AUTHENTICATION) else ""
    return _describe_network(root, peer, has_sent_bytes=has_sent_bytes), ""


def _find_root(error: Exception) -> Exception:
    """Returns the first error of a chain. urllib3 may keep the earlier error as an argument alone."""
    root = error
    while True:
        earlier = (root.__cause__, root.__context__, *root.args)
        cause = next((each for each in earlier if isinstance(each, Exception)), None)
        if cause is None:
            return root
        root = cause


def _describe_network(root: Exception, peer: str, *, has_sent_bytes: bool) -> str:
    if isinstance(root, TimeoutError):
        return f"no {'answer from' if has_sent_bytes else 'connection to'} {peer} in time"
    detail = root.strerror if isinstance(root, OSError) and root.strerror else type(root).__name__
    if has_sent_bytes:
        return f"the connection to {peer} ended without an answer that can be read ({detail})"
    return f"no connection to {peer} ({detail})"


def _fix_certificate(error: ssl.SSLCertVerificationError, route: Route) -> str:
    if error.verify_code in _OUT_OF_TIME:
        return "compare this machine's clock; if it is right, tell who runs the server or the proxy between"
    if error.verify_code in _OF_ANOTHER_NAME:
        return "another server answers at this name: compare INTERCOM_BASE_URL, the DNS and the proxy"
    if route.authorities:
        return f"if a company's proxy stands between, add its root certificate to the file of {route.authorities}"
    return "if a company's proxy stands between, set REQUESTS_CA_BUNDLE to a file with its root certificate"
