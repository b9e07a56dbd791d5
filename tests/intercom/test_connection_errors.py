"""Why no response came, over real sockets, certificates and proxies.

The host is always named; and where another try cannot succeed, what to change.
"""

import base64
import contextlib
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.intercom import client
from runner.intercom.client import HttpTransport
from runner.intercom.transport import NoReply, Reply
from tests.support.certificates import Authority, create_authority
from tests.support.raw_server import no_proxy, serve

__all__ = ["no_proxy", "serve"]
pytestmark = pytest.mark.usefixtures("no_proxy")

HOST = "127.0.0.2"  # this machine too, and no name of it that is asked without the proxy of the environment
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
ELSEWHERE = "https://api.intercom.invalid"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return create_authority(tmp_path_factory.mktemp("authority"))


def ask(url: str) -> Reply | NoReply:
    return HttpTransport(url, "t0ken").exchange("POST", "/messages", {"body": "Ponies"}, "2.14")


def failure(url: str) -> NoReply:
    """What a request failed with; no byte of it left, and no secret is in the text."""
    answer = ask(url)
    assert isinstance(answer, NoReply), answer
    assert not answer.has_sent_bytes
    assert not re.search(r"t0ken|s3cret|0x[0-9a-f]{6}", answer.reason + answer.fix)
    return answer


@pytest.fixture
def serve_tls(serve: Callable, authority: Authority) -> Callable[[str], str]:
    """The address of a server with a certificate of a kind."""
    return lambda kind: f"https://{HOST}:{serve(OK, tls=authority.serving(kind, HOST), host=HOST).port}"


def proxy_to(port: int, user: str = "") -> Callable[[socket.socket], None]:
    """Connects to a port of this machine, whatever host is asked for; with `user`, only who names it."""
    expected = b"Proxy-Authorization: Basic " + base64.b64encode(user.encode())

    def pipe(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := one.recv(65_536):
                other.sendall(part)
            other.shutdown(socket.SHUT_WR)

    def tunnel(connection: socket.socket, request: bytes) -> None:
        if user and expected.lower() not in request.lower():
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection((HOST, port)) as other:
            back = threading.Thread(target=pipe, args=(other, connection), daemon=True)
            back.start()
            pipe(connection, other)
            back.join()

    return tunnel


@pytest.mark.parametrize(
    ("kind", "message", "fix"),
    [
        ("expired", "certificate has expired", "clock"),
        ("not yet valid", "certificate is not yet valid", "clock"),
        ("of another name", "IP address mismatch", "INTERCOM_BASE_URL"),
        ("its own", "self-signed certificate", "add its root certificate"),
    ],
)
def test_a_wrong_certificate_is_named_with_what_to_change(kind, message, fix, serve_tls, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    url = serve_tls(kind)
    answer = failure(url)
    assert answer.reason.startswith(f"the certificate of {url.removeprefix('https://')} is not valid: {message}")
    assert fix in answer.fix


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", None])
def test_an_authority_that_is_not_trusted_names_the_variable(variable, serve_tls, tmp_path, monkeypatch):
    if variable:
        other = create_authority(tmp_path)
        monkeypatch.setenv(variable, str(other.bundle))
    assert f"{variable or 'set REQUESTS_CA_BUNDLE'}" in failure(serve_tls("good")).fix


def test_with_the_authority_of_the_company_the_request_is_answered(serve_tls, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    assert isinstance(ask(serve_tls("good")), Reply)


def missing(folder: Path) -> Path:
    return folder / "none.pem"


def empty(folder: Path) -> Path:
    (folder / "empty.pem").write_text("")
    return folder / "empty.pem"


def no_certificate(folder: Path) -> Path:
    (folder / "text.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    return folder / "text.pem"


def loop(folder: Path) -> Path:
    (folder / "loop.pem").symlink_to("loop.pem")
    return folder / "loop.pem"


@pytest.mark.parametrize("bundle", [missing, empty, no_certificate, loop])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_file_of_authorities_that_cannot_be_used_is_named(bundle, variable, tmp_path, monkeypatch):
    path = bundle(tmp_path)
    monkeypatch.setenv(variable, str(path))
    answer = failure(ELSEWHERE)
    assert answer.reason.startswith(f"{variable}={path} ")
    assert "PEM" in answer.fix


@pytest.mark.parametrize(
    "proxy",
    ["foo://HOST:3128", "socks5://ann:s3cret@HOST:1080", "socks5h://HOST:1080", "ftp://HOST", "file:///etc/passwd",
     "http://", "https://:3128", "http://ann:s3cret@proxy:port", "http://ann:s3/cret@proxy:3128", "http://[::1", "http://HOST:99999"],
)  # fmt: skip
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_work_names_its_variable(proxy, variable, monkeypatch):
    monkeypatch.setenv(variable, proxy)
    answer = failure(ELSEWHERE)
    assert answer.reason.startswith(f"{variable} ")
    assert "http://HOST:PORT" in answer.fix


def test_a_proxy_without_a_scheme_is_one_of_http(serve, serve_tls, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    url = serve_tls("good")
    proxy = serve(proxy_to(int(url.rpartition(":")[2])), wants_request=True)
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
    assert isinstance(ask(url), Reply)
    assert proxy.requests[0].startswith(b"CONNECT ")


def test_a_proxy_that_wants_a_password_is_told_it(serve, serve_tls, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    url = serve_tls("good")
    proxy = serve(proxy_to(int(url.rpartition(":")[2]), user="ann:s3cret/"), wants_request=True)
    for user in ("", "ann:wrong@"):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{user}127.0.0.1:{proxy.port}")
        answer = failure(url)
        assert "407 Proxy Authentication Required" in answer.reason
        assert "HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT" in answer.fix
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:s3cret%2F@127.0.0.1:{proxy.port}")
    assert isinstance(ask(url), Reply)


def test_a_proxy_that_opens_the_encryption_needs_the_authority_of_the_company(serve, serve_tls, authority, monkeypatch):
    url = serve_tls("good")
    proxy = serve(proxy_to(int(url.rpartition(":")[2])), wants_request=True)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    answer = failure(url)
    assert "unable to get local issuer certificate" in answer.reason
    assert "set REQUESTS_CA_BUNDLE to a file with its root certificate" in answer.fix
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    assert isinstance(ask(url), Reply)


def test_a_proxy_of_http_that_is_asked_in_tls_names_the_scheme(serve, monkeypatch):
    proxy = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n", reads_request=False)
    monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
    answer = failure(ELSEWHERE)
    assert answer.reason.startswith(f"no secure connection to the proxy https://127.0.0.1:{proxy.port}: ")
    assert answer.fix.endswith("write http:// instead of https:// in HTTPS_PROXY")


def test_what_another_try_may_mend_names_the_host_and_nothing_to_change(serve, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = failure(f"http://127.0.0.1:{port}")
    assert (answer.reason, answer.fix) == (f"no connection to 127.0.0.1:{port} (Connection refused)", "")
    answer = failure(ELSEWHERE)
    assert answer.reason.startswith("no connection to api.intercom.invalid (")
    assert answer.fix == ""
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:s3cret@127.0.0.1:{port}")
    answer = failure(ELSEWHERE)
    assert (answer.reason, answer.fix) == (
        f"no connection to the proxy http://127.0.0.1:{port} (Connection refused)",
        "",
    )
    proxy = serve(b"HTTP/1.1 502 \x1b[2JBad\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    answer = failure(ELSEWHERE)
    assert answer.reason.startswith(f"the proxy {proxy.url} did not connect to api.intercom.invalid: 502 ")
    assert answer.reason.isprintable()


def test_a_proxy_that_never_answers_is_named(serve, monkeypatch):
    monkeypatch.setattr(client, "CONNECT_TIMEOUT", 0.3)
    proxy = serve(lambda connection: connection.recv(1))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    answer = failure(ELSEWHERE)
    assert answer.reason == f"no connection to api.intercom.invalid through the proxy {proxy.url} in time"
    assert answer.fix == ""


def test_after_bytes_left_through_a_proxy_it_is_the_host_that_did_not_answer(serve, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    server = serve(None, tls=authority.serving("good", HOST), host=HOST)
    monkeypatch.setenv("HTTPS_PROXY", serve(proxy_to(server.port), wants_request=True).url)
    answer = ask(f"https://{HOST}:{server.port}")
    assert isinstance(answer, NoReply)
    assert answer.has_sent_bytes
    assert answer.reason.startswith(f"the connection to {HOST}:{server.port} through the proxy http://127.0.0.1:")
