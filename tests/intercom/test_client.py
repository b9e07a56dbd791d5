"""Over real sockets: one exchange is one request, and it is known whether a byte of it may have left.

A failed POST is tried again only where `may_have_left` is false, so a wrong "no" here is a second message.
"""

import contextlib
import gzip
import json
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import RunStopped
from runner.intercom import client, route
from runner.intercom.client import HttpTransport
from runner.intercom.transport import NoReply, Reply
from tests.support.raw_server import no_proxy, reset, serve

__all__ = ["no_proxy", "serve"]

BODY = {"body": "Ponies"}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-Id: r1\r\n\r\n{}"


pytestmark = pytest.mark.usefixtures("no_proxy")


def post(url: str) -> Reply | NoReply:
    return HttpTransport(url, "t0ken").exchange("POST", "/messages", BODY, "2.14")


def is_lost(answer: Reply | NoReply, *, may_have_left: bool) -> bool:
    assert isinstance(answer, NoReply), answer
    assert answer.reason
    assert "t0ken" not in answer.reason
    return answer.has_sent_bytes is may_have_left


def test_a_request_is_what_the_reference_asks_for(serve):
    server = serve(OK)
    answer = post(server.url + "/")
    assert answer == Reply(200, {"content-length": "2", "x-request-id": "r1"}, b"{}")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /messages HTTP/1.1"
    assert {"Authorization: Bearer t0ken", "Intercom-Version: 2.14", "Accept: application/json"} <= set(lines)
    assert "Content-Type: application/json" in lines
    assert json.loads(body) == BODY


def test_a_read_has_no_body(serve):
    server = serve(OK)
    HttpTransport(server.url, "t").exchange("GET", "/me", None, "2.14")
    assert server.requests[0].endswith(b"\r\n\r\n")
    assert b"content-type" not in server.requests[0].lower()


def test_a_refused_connection_let_nothing_leave():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = post(f"http://127.0.0.1:{port}")
    assert is_lost(answer, may_have_left=False)
    assert "Connection refused" in answer.reason


def test_a_name_that_nobody_knows_let_nothing_leave():
    assert is_lost(post("https://no-such-host.invalid"), may_have_left=False)


def test_a_connection_that_nobody_accepts_let_nothing_leave(monkeypatch):
    monkeypatch.setattr(client, "CONNECT_TIMEOUT", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)  # noqa: FBT003
            one.connect_ex(address)
        answer = post(f"http://127.0.0.1:{address[1]}")
        for one in waiting:
            one.close()
    assert is_lost(answer, may_have_left=False)
    assert answer.reason == f"no connection to 127.0.0.1:{address[1]} in time"


@dataclass
class Certificate:
    """Of 127.0.0.1, signed by itself: trusted only by who is told to."""

    context: ssl.SSLContext
    bundle: Path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key -out cert"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=IP:127.0.0.1"], cwd=folder, check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return Certificate(context, folder / "cert")


def test_a_certificate_that_nobody_trusts_let_nothing_leave(serve, certificate):
    server = serve(OK, tls=certificate.context)
    answer = post(f"https://127.0.0.1:{server.port}")
    assert is_lost(answer, may_have_left=False)
    assert answer.reason == f"the certificate of 127.0.0.1:{server.port} is not valid: self-signed certificate"
    assert "REQUESTS_CA_BUNDLE" in answer.fix
    assert server.requests == []


def test_over_tls_what_was_written_may_have_left(serve, certificate, monkeypatch):
    monkeypatch.setattr(route, "LOOPBACK", ())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.bundle))
    assert post(f"https://127.0.0.1:{serve(OK, tls=certificate.context).port}").status == 200
    server = serve(None, tls=certificate.context)
    assert is_lost(post(f"https://127.0.0.1:{server.port}"), may_have_left=True)
    assert len(server.requests) == 1


def test_a_server_that_speaks_no_tls_let_nothing_leave():
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_at_once() -> None:
        connection, _ = listener.accept()
        connection.sendall(OK)
        connection.close()

    thread = threading.Thread(target=answer_at_once, daemon=True)
    thread.start()
    assert is_lost(post(f"https://127.0.0.1:{listener.getsockname()[1]}"), may_have_left=False)
    thread.join()
    listener.close()


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
def test_a_proxy_that_does_not_connect_let_nothing_leave(status, serve, monkeypatch):
    proxy = serve(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    answer = post("https://api.intercom.invalid")
    assert is_lost(answer, may_have_left=False)
    assert answer.reason == f"the proxy {proxy.url} did not connect to api.intercom.invalid: {status}"
    assert ("HTTPS_PROXY" in answer.fix) == status.startswith("407")
    assert [request.split()[0] for request in proxy.requests] == [b"CONNECT"]
    assert b"t0ken" not in proxy.requests[0]


@pytest.mark.parametrize("answer", [None, reset, b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\ngarbage"])
def test_a_proxy_that_breaks_off_let_nothing_leave(answer, serve, monkeypatch):
    monkeypatch.setattr(client, "CONNECT_TIMEOUT", 0.3)
    proxy = serve(answer)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert is_lost(post("https://api.intercom.invalid"), may_have_left=False)


def test_what_stays_on_this_machine_goes_through_no_proxy(serve, monkeypatch):
    proxy, server = serve(OK), serve(OK)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    assert post(server.url).status == 200
    assert proxy.connections == 0


def test_a_connection_closed_after_the_request_was_read_may_have_let_it_leave(serve):
    server = serve(None)
    assert is_lost(post(server.url), may_have_left=True)
    assert len(server.requests) == 1


def test_a_connection_reset_after_the_request_was_read_may_have_let_it_leave(serve):
    server = serve(reset)
    assert is_lost(post(server.url), may_have_left=True)
    assert len(server.requests) == 1


def test_a_connection_reset_before_it_is_read_from_may_have_let_it_leave():
    listener = socket.create_server(("127.0.0.1", 0))

    def end() -> None:
        connection, _ = listener.accept()
        connection.recv(1, socket.MSG_PEEK)  # it has arrived, and nobody takes it
        reset(connection)

    thread = threading.Thread(target=end, daemon=True)
    thread.start()
    answer = post(f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread.join()
    listener.close()
    assert is_lost(answer, may_have_left=True)


def test_no_answer_in_time_may_have_let_it_leave(serve, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.2)
    done = threading.Event()
    server = serve(lambda _: done.wait(5) and None)
    answer = post(server.url)
    done.set()
    assert is_lost(answer, may_have_left=True)
    assert answer.reason.startswith("no answer from 127.0.0.1:")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 2",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 70000 + b"\r\n\r\n",
    ],
)
def test_an_answer_that_cannot_be_read_may_have_let_it_leave(answer, serve):
    def send_and_close(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.close()

    server = serve(send_and_close)
    assert is_lost(post(server.url), may_have_left=True)
    assert len(server.requests) == 1


@given(st.binary(max_size=60), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: "]))
def test_no_bytes_of_a_server_raise_and_none_are_answered_with_a_second_request(serve, noise, start):
    def send_and_close(connection: socket.socket) -> None:
        connection.sendall(start + noise)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    server = serve(send_and_close)
    answer = post(server.url)
    assert isinstance(answer, Reply) or answer.has_sent_bytes
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_never_followed(status, serve):
    elsewhere = serve(OK)
    head = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.url}/messages\r\nContent-Length: 0\r\n\r\n"
    server = serve(head.encode())
    assert post(server.url).status == status
    assert elsewhere.connections == 0


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_nothing_is_sent_again_by_the_library(status, serve):
    server = serve(f"HTTP/1.1 {status} No\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n".encode())
    assert post(server.url).status == status
    assert len(server.requests) == 1


def test_a_netrc_never_replaces_the_token(serve, tmp_path, monkeypatch):
    server = serve(OK)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password secret\ndefault login ann password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setattr(route, "LOOPBACK", ())
    post(server.url)
    assert b"Authorization: Bearer t0ken" in server.requests[0]


def test_a_compressed_answer_is_read(serve):
    body = gzip.compress(b'{"id": 1}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    assert post(serve(head.encode() + body).url).body == b'{"id": 1}'


def test_a_connection_is_used_again(serve):
    server = serve(OK)
    transport = HttpTransport(server.url, "t")
    for _ in range(3):
        assert transport.exchange("POST", "/messages", BODY, "2.14").status == 200
    assert (server.connections, len(server.requests)) == (1, 3)


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_before_anything_is_written(serve):
    def answer_and_close(connection: socket.socket) -> None:
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    server = serve(answer_and_close, OK)
    transport = HttpTransport(server.url, "t")
    assert transport.exchange("POST", "/messages", BODY, "2.14").status == 200
    threading.Event().wait(0.05)
    assert transport.exchange("POST", "/messages", BODY, "2.14").status == 200
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_failure_after_a_success_is_judged_by_itself(serve):
    assert post(serve(OK).url).status == 200
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert is_lost(post(f"http://127.0.0.1:{port}"), may_have_left=False)


@pytest.mark.parametrize("token", ["", " ", "two words", "tökén", "a\nb", "a\x00b"])
def test_a_token_that_cannot_be_one_is_said_before_any_request_and_not_shown(token):
    with pytest.raises(RunStopped) as caught:
        HttpTransport("http://127.0.0.1:1", token)
    assert token.strip() == "" or token not in f"{caught.value.message} {caught.value.hint}"


def test_a_line_break_behind_the_token_is_no_part_of_it(serve):
    server = serve(OK)
    HttpTransport(server.url, "t0ken\n").exchange("GET", "/me", None, "2.14")
    assert b"Authorization: Bearer t0ken\r\n" in server.requests[0]


def test_a_connection_that_rested_is_not_used_again(serve, monkeypatch):
    monkeypatch.setattr(client, "KEEP_ALIVE_TIMEOUT", 0.05)
    server = serve(OK)
    transport = HttpTransport(server.url, "t")
    for pause in (0.0, 0.1, 0.0):
        assert transport.exchange("POST", "/messages", BODY, "2.14").status == 200
        threading.Event().wait(pause)
    assert (server.connections, len(server.requests)) == (2, 3)


@pytest.mark.parametrize("status", [302, 408, 500, 502, 503])
def test_behind_an_answer_that_may_not_be_the_servers_own_the_connection_is_not_used_again(status, serve):
    server = serve(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode(), OK)
    transport = HttpTransport(server.url, "t")
    assert transport.exchange("POST", "/messages", BODY, "2.14").status == status
    assert transport.exchange("POST", "/messages", BODY, "2.14").status == 200
    assert server.connections == 2


def test_after_a_refusal_the_connection_is_used_again(serve):
    server = serve(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", OK)
    transport = HttpTransport(server.url, "t")
    assert transport.exchange("POST", "/messages", BODY, "2.14").status == 404
    assert transport.exchange("POST", "/messages", BODY, "2.14").status == 200
    assert server.connections == 1


def test_the_bundle_of_authorities_is_read_once_for_all_connections(serve, certificate, monkeypatch):
    monkeypatch.setattr(route, "LOOPBACK", ())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.bundle))
    loaded = []
    load = ssl.SSLContext.load_verify_locations
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *a, **k: loaded.append(k) or load(*a, **k))

    def answer_and_close(connection: socket.socket) -> None:
        connection.sendall(OK)
        connection.close()

    server = serve(answer_and_close, tls=certificate.context)
    transport = HttpTransport(f"https://127.0.0.1:{server.port}", "t")
    for _ in range(3):
        assert transport.exchange("POST", "/messages", BODY, "2.14").status == 200
        threading.Event().wait(0.05)
    assert server.connections == 3
    assert loaded == [{"cafile": str(certificate.bundle)}]


def test_a_folder_of_authorities_is_trusted_too(serve, certificate, tmp_path, monkeypatch):
    monkeypatch.setattr(route, "LOOPBACK", ())
    (tmp_path / "one.pem").write_bytes(certificate.bundle.read_bytes())
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True, capture_output=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert post(f"https://127.0.0.1:{serve(OK, tls=certificate.context).port}").status == 200


def test_a_bundle_of_authorities_that_is_missing_let_nothing_leave(serve, certificate, tmp_path, monkeypatch):
    monkeypatch.setattr(route, "LOOPBACK", ())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    server = serve(OK, tls=certificate.context)
    assert is_lost(post(f"https://127.0.0.1:{server.port}"), may_have_left=False)
    assert server.requests == []


def test_a_server_of_http_is_asked_without_authorities(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(route, "LOOPBACK", ())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    assert post(serve(OK).url).status == 200


def test_through_a_proxy_the_servers_certificate_is_verified_by_the_bundle(serve, certificate, monkeypatch):
    server = serve(OK, tls=certificate.context)

    def tunnel(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", server.port)) as other:
            back = threading.Thread(target=pipe, args=(other, connection), daemon=True)
            back.start()
            pipe(connection, other)
            back.join()

    monkeypatch.setattr(route, "LOOPBACK", ())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.bundle))
    monkeypatch.setenv("HTTPS_PROXY", serve(tunnel).url)
    assert post(f"https://127.0.0.1:{server.port}").status == 200
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("HTTPS_PROXY", serve(tunnel).url)
    answer = post(f"https://127.0.0.1:{server.port}")
    assert is_lost(answer, may_have_left=False)
    assert answer.reason.startswith(f"the certificate of 127.0.0.1:{server.port} through the proxy http://127.0.0.1:")
    assert "REQUESTS_CA_BUNDLE" in answer.fix


def pipe(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := one.recv(65536):
            other.sendall(part)
        other.shutdown(socket.SHUT_WR)


def test_all_addresses_of_a_host_are_tried_but_not_for_ever(serve, monkeypatch):
    server = serve(OK)
    port = server.url.rpartition(":")[2]
    real, addresses = socket.getaddrinfo, [f"127.0.0.{number}" for number in (9, 8, 1)]

    def resolve(host, *args, **options):
        hosts = addresses if host == "many.test" else [host]
        return [each for one in hosts for each in real(one, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    answer = HttpTransport(f"http://many.test:{port}", "t").exchange("GET", "/me", None, "2.14")
    assert isinstance(answer, Reply)
    assert answer.status == 200, "the last address answers"
    monkeypatch.setattr(client, "MAX_CONNECT_TIME", 0.0)
    assert is_lost(post(f"http://many.test:{port}"), may_have_left=False)
    assert len(server.requests) == 1
