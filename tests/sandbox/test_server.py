"""The server: connections, many at once, odd ones, and a quick end."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from urllib.parse import urlsplit

import pytest

from runner.sandbox import SANDBOX_WORKSPACE_ID, Sandbox


def speak(sandbox, raw, *, pieces=1):
    """Send bytes as they are, and read all that comes back."""
    with socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port), timeout=5) as connection:
        size = -(-len(raw) // pieces)
        for start in range(0, len(raw), size):
            connection.sendall(raw[start : start + size])
            time.sleep(0.001 if pieces > 1 else 0)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def test_any_client_can_talk_to_it():
    with Sandbox() as sandbox:
        request = urllib.request.Request(f"{sandbox.url}/me", headers={"Authorization": "Bearer x"})
        with urllib.request.urlopen(request) as answer:
            assert SANDBOX_WORKSPACE_ID.encode() in answer.read()


def test_it_listens_on_this_machine_only():
    with Sandbox() as sandbox:
        assert urlsplit(sandbox.url).hostname == "127.0.0.1"


def test_one_connection_serves_many_requests(client):
    client.get("/me")
    kept = client.connection.sock
    client.send()
    assert client.connection.sock is kept


def test_requests_in_pieces_and_requests_in_a_row_are_told_apart(client):
    one = b"GET /me HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: 2\r\n\r\n{}"
    assert speak(client.sandbox, one * 3, pieces=40).count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize("ask", [b"GET /me HTTP/1.0\r\n", b"GET /me HTTP/1.1\r\nConnection: close\r\n"])
def test_a_client_that_wants_to_end_is_let_go(client, ask):
    answer = speak(client.sandbox, ask + b"Authorization: Bearer x\r\n\r\n" + ask + b"\r\n")
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"\r\nConnection: close\r\n" in answer


def test_a_body_that_waits_for_leave_gets_it(client):
    raw = b"POST /messages HTTP/1.1\r\nAuthorization: Bearer x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
    assert speak(client.sandbox, raw).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400")


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET /me SPDY/3\r\n\r\n",
        b"GET /me HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /messages HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /messages HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /messages HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"x" * 70_000,
    ],
)
def test_what_is_no_request_is_told_so(client, raw, capfd):
    assert speak(client.sandbox, raw).startswith(b"HTTP/1.1 400 ")
    assert capfd.readouterr().err == ""


def test_a_request_that_breaks_off_makes_nothing(client, capfd):
    head = b"POST /messages HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: 500\r\n\r\n"
    assert speak(client.sandbox, head + b'{"message_type"') == b""
    assert speak(client.sandbox, b"POST /mess") == b""
    assert client.sandbox.messages == []
    assert capfd.readouterr().err == ""


def test_a_client_that_hangs_up_before_its_answer_is_no_news(start, capfd):
    client = start(latency=0.05)
    with socket.create_connection(("127.0.0.1", urlsplit(client.sandbox.url).port)) as connection:
        connection.sendall(b"GET /me HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n" * 3)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    time.sleep(0.2)
    assert capfd.readouterr().err == ""


def test_every_message_of_many_threads_gets_an_id_of_its_own(start, tmp_path):
    state, log = tmp_path / "state", tmp_path / "log"
    owner = start(state=state, log=log)
    clients = [type(owner)(owner.sandbox) for _ in range(8)]

    def send(client):
        for _ in range(25):
            assert client.send().status == 200
        client.connection.close()

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [message["id"] for message in owner.sandbox.messages] == [str(2001 + number) for number in range(200)]
    assert len(state.read_text().splitlines()) == len(log.read_text().splitlines()) == 200


def test_closing_is_quick_with_connections_open_and_answers_due(start):
    client = start(latency=30)
    started = threading.Event()

    def send():
        started.set()
        with pytest.raises(OSError, match="without response"):
            client.send()

    thread = threading.Thread(target=send)
    thread.start()
    started.wait()
    time.sleep(0.1)
    before = time.monotonic()
    client.sandbox.close()
    client.sandbox.close()
    assert time.monotonic() - before < 0.2
    thread.join(timeout=2)
    assert not thread.is_alive()


def test_a_port_can_be_chosen_and_used_again_at_once():
    with Sandbox() as first:
        port = urlsplit(first.url).port
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=port)
    with Sandbox(port=port) as second:
        assert urlsplit(second.url).port == port


def test_a_state_file_that_cannot_be_opened_leaves_no_server_behind(tmp_path):
    with Sandbox() as other:
        port = urlsplit(other.url).port
    with pytest.raises(OSError, match="directory"):
        Sandbox(port=port, state=tmp_path)
    with Sandbox(port=port) as sandbox:
        assert sandbox.url


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "[::1]:{port}", "[::1]"]
)
def test_it_answers_to_the_names_of_this_machine(host):
    with Sandbox() as sandbox:
        name = host.format(port=urlsplit(sandbox.url).port)
        request = f"GET /me HTTP/1.1\r\nHost: {name}\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n"
        assert speak(sandbox, request.encode()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example:{port}", "10.0.0.7",
        "0.0.0.0:{port}", "[::2]:{port}", "127.0.0.2", "", "localhost:evil", "127.0.0.1:1:2", "user@127.0.0.1:{port}",
    ],
)  # fmt: skip
def test_a_page_that_makes_its_own_name_lead_here_gets_nothing(host):
    with Sandbox() as sandbox:
        name = host.format(port=urlsplit(sandbox.url).port)
        for path in ("/me", "/__sandbox/messages"):
            request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n"
            answer = speak(sandbox, request.encode())
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert SANDBOX_WORKSPACE_ID.encode() not in answer
