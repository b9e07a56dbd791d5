"""The server answers only who knows its path, under its own name, and tells when pages change."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from runner.preview.page_server import PageServer, Response


@pytest.fixture(scope="module", name="server")
def start_server() -> Iterator[PageServer]:
    server = PageServer()
    server.show({"index.html": "<p>one</p>", "assets/preview.js": "1"})
    yield server
    server.close()


def ask(server: PageServer, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, dict(answer.getheaders())


def test_it_listens_on_this_machine_alone(server: PageServer) -> None:
    assert server.url.startswith("http://127.0.0.1:")
    assert server._server.socket.getsockname()[0] == "127.0.0.1"


def test_pages_are_never_stored_framed_or_read_by_others(server: PageServer) -> None:
    status, content, headers = ask(server, server.root)
    assert (status, content) == (200, b"<p>one</p>")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not [name for name in headers if name.lower().startswith("access-control")]
    assert "Python" not in headers["Server"]


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1", "localhost", "127.0.0.1:1", ""])
def test_another_host_is_refused(server: PageServer, host: str) -> None:
    assert ask(server, server.root, Host=host)[0] == 421


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/x/index.html", "{root}../index.html", "{root}%2e%2e/x", "{root}pages/x.html"]
)
def test_other_paths_are_not_found(server: PageServer, path: str) -> None:
    assert ask(server, path.format(root=server.root))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_only_reads(server: PageServer, method: str) -> None:
    status, content, headers = ask(server, server.root, method)
    assert (status, content) == (501, b"not possible\n")
    assert "Access-Control-Allow-Origin" not in headers


def test_head_has_no_content(server: PageServer) -> None:
    assert ask(server, server.root, "HEAD")[:2] == (200, b"")


def test_a_browser_of_an_earlier_version_hears_at_once_and_another_when_it_changes() -> None:
    server = PageServer()
    server.show({"index.html": "1"})
    assert b"event: changed" in ask(server, f"{server.root}events?0")[1]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"GET {server.root}events?1 HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode())
        stream = connection.makefile("rb")
        assert any(b": alive" in line for line in stream)
        server.show({"index.html": "2"})
        assert b"event: changed" in stream.read()
    server.close()


def test_no_change_is_lost_however_soon_it_comes_after_a_sign_of_life() -> None:
    server = PageServer()
    server.show({"index.html": "0"})
    for version in range(1, 200):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            request = f"GET {server.root}events?{version} HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n"
            connection.sendall(request.encode())
            stream = connection.makefile("rb")
            assert any(b": alive" in line for line in stream)
            server.show({"index.html": str(version)})
            assert b"event: changed" in stream.read()
    server.close()


def test_a_fault_of_a_service_is_not_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    class Faulty:
        def get(self, name: str, query: str) -> Response | None:
            raise OSError if name == "gone" else ValueError(query)

        def post(self, name: str, body: bytes) -> Response | None:
            raise NotImplementedError

    server = PageServer(service=Faulty())
    for name in ("gone", "x?why"):
        with pytest.raises(http.client.RemoteDisconnected):
            ask(server, server.root + name)
    server.close()
    printed = capfd.readouterr().err
    assert "ValueError: why" in printed
    assert printed.count("Traceback") == 1, "a connection that ends is no fault"
