"""Whatever answers in Intercom's place: no answer fills memory or the ledger, and none is waited for without end.

Every form is sent over a real socket. A POST whose answer is over a limit is `unknown`: the message may be there.
"""

import contextlib
import gzip
import json
import re
import socket
import ssl
import subprocess
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.clock import Clock
from runner.declare.audience.workspace_contacts import ContactGroup
from runner.declare.keys_and_digests import text_hash
from runner.deliver.reconcile import prepare_reconciliation
from runner.errors import GuardRefused, MsgrunError, RunStopped
from runner.intercom import client, route
from runner.intercom.admins import Admin
from runner.intercom.audiences import read_contacts
from runner.intercom.client import HttpTransport
from runner.intercom.contact_search import ContactSearch
from runner.intercom.conversations import ConversationQuery, Conversations
from runner.intercom.pages import MAX_PAGES, read_pages
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.reply_meaning import NO_ANSWER, Sent, Unknown, classify_reply
from runner.intercom.reply_reader import MAX_BODY
from runner.intercom.subscriptions import read_choices
from runner.intercom.transport import NoReply, Reply, Transport
from runner.intercom.workspace import Workspace
from runner.ledger.facts import Facts
from runner.ledger.record import Record
from tests.deliver.conftest import SandboxProject, project
from tests.support.raw_server import no_proxy, serve

__all__ = ["no_proxy", "project", "serve"]
pytestmark = pytest.mark.usefixtures("no_proxy")

SENDER = "394051"
SENT = b'{"type":"admin_message","id":"2001"}'
TIMEOUT = 0.6  # seconds for an answer in these tests
SLACK = 6.0  # seconds that a busy machine may need on top
MEMORY = 6 * MAX_BODY  # bytes: the limit, its parts before they are joined, and the headers
Answer = Callable[[socket.socket], None]


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


CHUNKED, GZIP = "Transfer-Encoding: chunked", "Content-Encoding: gzip"


def endless(start: bytes, part: bytes) -> Answer:
    """Sends `part` again and again, until the client hangs up."""
    block = part * max(1, 65_536 // len(part))

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(block)

    return answer


def bomb(gibibytes: int = 4) -> bytes:
    """Zeros, compressed to a thousandth."""
    packer = zlib.compressobj(9, wbits=31)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    same = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block + same * (gibibytes * 1024 - 1)


def whole(*headers: str, body: bytes) -> bytes:
    return head(f"Content-Length: {len(body)}", *headers) + body


MEMBER = gzip.compress(bytes(1 << 20))
SIZES: dict[str, bytes | Answer] = {
    "a gzip bomb of 4 GiB": endless(head(GZIP, CHUNKED), b"%x\r\n%b\r\n" % (len(bomb()), bomb())),
    "a gzip bomb with a length": whole(GZIP, body=bomb(1)),
    "a gzip bomb in chunks of a byte": endless(
        head(GZIP, CHUNKED), b"".join(b"1\r\n%b\r\n" % bytes([byte]) for byte in bomb(1)[:100_000])
    ),
    "gzip within gzip": whole("Content-Encoding: gzip, gzip", body=gzip.compress(bomb(1))),
    "gzip members without end": endless(head(GZIP), MEMBER),
    "empty gzip members without end": endless(head(GZIP), gzip.compress(b"")),
    "a name in the gzip header without end": endless(head(GZIP) + b"\x1f\x8b\x08\x08" + bytes(6), b"n"),
    "deflate that was not asked for": whole("Content-Encoding: deflate", body=zlib.compress(bytes(8 << 20))),
    "an encoding that was not asked for": whole("Content-Encoding: br", body=SENT),
    "a body one byte too long": whole(body=b" " * (MAX_BODY + 1 - len(SENT)) + SENT),
    "gzip one byte too long": whole(GZIP, body=gzip.compress(b" " * (MAX_BODY + 1 - len(SENT)) + SENT)),
    "a body of 64 MiB": whole(body=b" " * (64 << 20)),
    "a length of an exabyte": endless(head(f"Content-Length: {1 << 60}"), b" "),
    "no length and no end": endless(head(), b" "),
    "large chunks without end": endless(head(CHUNKED), b"10000\r\n" + bytes(65_536) + b"\r\n"),
    "chunks of a byte without end": endless(head(CHUNKED), b"1\r\n \r\n"),
    "a chunk of an exabyte": endless(head(CHUNKED) + b"1000000000000000\r\n", b" "),
    "a chunk's size without end": endless(head(CHUNKED), b"0"),
    "chunks with long extensions": endless(head(CHUNKED), b"1;" + b"x" * 60_000 + b"\r\n \r\n"),
    "trailers without end": endless(head(CHUNKED) + b"0\r\n", b"A: b\r\n"),
}
HEADERS: dict[str, bytes | Answer] = {
    "header lines without end": endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "a header without end": endless(b"HTTP/1.1 200 OK\r\nA: ", b"b"),
    "a name of a header without end": endless(b"HTTP/1.1 200 OK\r\n", b"A"),
    "a status line without end": endless(b"HTTP/1.1 200 ", b"O"),
    "a version without end": endless(b"HTTP/1.", b"1"),
    "a header folded without end": endless(b"HTTP/1.1 200 OK\r\nA: b\r\n", b" b\r\n"),
    "100 Continue without end": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "100 Continue with headers without end": endless(b"", b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n"),
    "the longest headers that a library takes": endless(b"HTTP/1.1 200 OK\r\n", b"A: " + b"b" * 65_000 + b"\r\n"),
    "empty lines without end": endless(b"", b"\r\n"),
    "null bytes without end": endless(b"", b"\0"),
    "noise without end": endless(b"HTTP/1.1 200 OK\r\n", bytes(range(14, 128))),
}


def post(url: str) -> Reply | NoReply:
    return HttpTransport(url, "t0ken").exchange("POST", "/messages", {"body": "Ponies"}, "2.14")


def serve_https(serve: Callable, folder: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes | Answer) -> str:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key -out cert"
    command += " -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    monkeypatch.setattr(route, "LOOPBACK", ())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "cert"))
    return f"https://127.0.0.1:{serve(answer, tls=context).port}"


@contextlib.contextmanager
def limited_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", [*SIZES, *HEADERS])
def test_an_answer_without_end_costs_little_memory_and_is_unknown(form, serve):
    server = serve({**SIZES, **HEADERS}[form])
    with limited_memory():
        answer = post(server.url)
    assert isinstance(answer, NoReply)
    assert answer.has_sent_bytes
    assert classify_reply(answer, SENDER) == Unknown(answer.reason, NO_ANSWER)
    assert len(server.requests) == 1


@pytest.mark.parametrize("form", ["a gzip bomb of 4 GiB", "large chunks without end", "a header without end"])
def test_over_tls_the_same_limits_hold(form, serve, tmp_path, monkeypatch):
    url = serve_https(serve, tmp_path, monkeypatch, {**SIZES, **HEADERS}[form])
    with limited_memory():
        answer = post(url)
    assert isinstance(answer, NoReply)
    assert answer.has_sent_bytes


@pytest.mark.parametrize(
    "answer",
    [
        whole(body=b" " * (MAX_BODY - len(SENT)) + SENT),
        whole(GZIP, body=gzip.compress(b" " * (MAX_BODY - len(SENT)) + SENT)),
        whole(GZIP, body=gzip.compress(SENT)),
        whole("Content-Encoding: identity", body=SENT),
        whole("content-encoding: GZIP", body=gzip.compress(SENT)),
        head(CHUNKED) + b"%x\r\n%b\r\n0\r\nA: b\r\n\r\n" % (len(SENT), SENT),
        head(CHUNKED) + b"".join(b"1\r\n%c\r\n" % byte for byte in SENT) + b"0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + whole(body=SENT),
        whole("A: " + "b" * 60_000, body=SENT),
        whole(*(f"A{number}: b" for number in range(90)), body=SENT),
    ],
)
def test_what_is_large_and_within_the_limits_is_read(answer, serve):
    reply = post(serve(answer).url)
    assert isinstance(reply, Reply), reply
    assert classify_reply(reply, SENDER) == Sent("2001", "")


def test_the_answer_to_a_large_message_may_repeat_it(serve):
    text = "ä" * MAX_BODY
    answer = json.dumps({"type": "admin_message", "id": "2001", "body": text}).encode()  # six bytes for each letter
    reply = HttpTransport(serve(whole(body=answer)).url, "t").exchange("POST", "/messages", {"body": text}, "2.14")
    assert isinstance(reply, Reply), reply
    assert classify_reply(reply, SENDER) == Sent("2001", "")


def drip(start: bytes, rest: bytes, pause: float = 0.02) -> Answer:
    """Sends `rest` byte by byte: each byte comes long before a timeout, and all of them long after it."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        for byte in rest * 1000:
            time.sleep(pause)
            connection.sendall(bytes([byte]))

    return answer


SLOW: dict[str, Answer] = {
    "a status line": drip(b"", b"HTTP/1.1 200 OK"),
    "headers": drip(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "a header": drip(b"HTTP/1.1 200 OK\r\nA: ", b"b"),
    "100 Continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body with a length": drip(head("Content-Length: 5000"), b" "),
    "a body without a length": drip(head(), b" "),
    "chunks": drip(head(CHUNKED), b"1\r\n \r\n"),
    "a chunk's size": drip(head(CHUNKED), b"0"),
    "a chunk's extension": drip(head(CHUNKED) + b"1;", b"x"),
    "trailers": drip(head(CHUNKED) + b"0\r\n", b"A: b\r\n"),
    "a compressed body": drip(head(GZIP) + gzip.compress(SENT)[:10], bytes(100)),
    "a byte short of the end": drip(head("Content-Length: 2") + b"{", b"", 0),
    "nothing": lambda _: time.sleep(20),
    "nothing after the headers": lambda connection: (connection.sendall(head("Content-Length: 2")), time.sleep(20))[1],
}


@pytest.mark.parametrize("form", SLOW)
def test_an_answer_has_one_deadline_however_its_bytes_come(form, serve, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", TIMEOUT)
    server = serve(SLOW[form])
    began = time.monotonic()
    answer = post(server.url)
    assert time.monotonic() - began < TIMEOUT + SLACK
    assert isinstance(answer, NoReply)
    assert answer.has_sent_bytes
    assert classify_reply(answer, SENDER) == Unknown(answer.reason, NO_ANSWER)


def test_over_tls_a_record_that_comes_byte_by_byte_has_the_same_deadline(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", TIMEOUT)
    url = serve_https(serve, tmp_path, monkeypatch, SLOW["a body with a length"])
    began = time.monotonic()
    assert post(url).has_sent_bytes
    assert time.monotonic() - began < TIMEOUT + SLACK


@pytest.mark.parametrize(
    "answer",
    [
        drip(b"", b"HTTP/1.1 200 OK"),
        drip(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        endless(b"HTTP/1.1 200 OK\r\nA: ", b"b"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b"\x16\x03\x03\xff\xff"),  # a TLS record that never ends
    ],
)
def test_a_proxy_that_never_connects_has_a_deadline_and_let_nothing_leave(answer, serve, monkeypatch):
    monkeypatch.setattr(client, "CONNECT_TIMEOUT", TIMEOUT)
    monkeypatch.setenv("HTTPS_PROXY", serve(answer).url)
    began = time.monotonic()
    with limited_memory():
        reply = post("https://api.intercom.invalid")
    assert time.monotonic() - began < TIMEOUT + SLACK
    assert isinstance(reply, NoReply)
    assert not reply.has_sent_bytes


def test_after_a_slow_answer_the_connection_has_its_whole_time_again(serve, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", TIMEOUT)
    monkeypatch.setattr(client, "KEEP_ALIVE_TIMEOUT", 10.0)

    def slow(connection: socket.socket) -> None:
        connection.sendall(head(f"Content-Length: {len(SENT)}"))
        time.sleep(0.8 * TIMEOUT)
        connection.sendall(SENT)

    server = serve(slow)
    transport = HttpTransport(server.url, "t")
    for _ in range(2):
        assert isinstance(transport.exchange("POST", "/messages", {}, "2.14"), Reply)
    assert server.connections == 1


# What comes where an id is expected. None of it may reach the ledger, an address or the terminal.
IDS: list[object] = [
    "x" * (5 << 20), "9" * 129, "", " ", "2001\n", "20 01", "\x1b[2J2001", "ann@example.com", "../../etc/passwd",
    "2001?x=1", "::add-mask::x", "\uff12001", "20\u202e01", "2001\0", "<b>2001</b>", '{"id":"2001"}', ["2001"],
    {"id": "2001"}, True, 2001.5, None, [[[["2001"]]]],
]  # fmt: skip
ID_NAMES = [repr(value)[:20] for value in IDS]


def reply(value: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): text for name, text in headers.items()}, json.dumps(value).encode())


def workspace(*answers: Reply) -> Workspace:
    """A workspace whose requests get these answers, the last one for ever."""
    remaining = list(answers)

    class Script:
        def exchange(self, *_: object) -> Reply:
            return remaining.pop(0) if len(remaining) > 1 else remaining[0]

    return connected(Script())


def connected(transport: Transport) -> Workspace:
    """A workspace without a rate limit, whose clock stands still."""
    clock = Clock(lambda: datetime(2026, 11, 22, tzinfo=UTC), lambda: 0.0, lambda _: None)
    limiter = RateLimiter(clock, 1.0, None)
    limiter.learn({})
    return Workspace(transport, limiter, clock)


@pytest.mark.parametrize("value", IDS, ids=ID_NAMES)
def test_a_messages_id_of_another_form_proves_nothing(value):
    assert isinstance(classify_reply(reply({"type": "admin_message", "id": value}), SENDER), Unknown)


@pytest.mark.parametrize("value", IDS, ids=ID_NAMES)
def test_an_owner_of_another_form_is_not_reported(value):
    answer = classify_reply(reply({"type": "admin_message", "id": "1", "owner": {"id": value}}), SENDER)
    assert answer == Sent("1", "")


@pytest.mark.parametrize("value", IDS, ids=ID_NAMES)
def test_a_contacts_id_of_another_form_stops_the_run(value):
    search = ContactSearch(workspace(reply({"data": [{"id": value, "email": "a@example.com"}]})))
    with pytest.raises(RunStopped) as caught:
        search.find("email", ["a@example.com"])
    assert len(caught.value.message) < 200
    with pytest.raises(RunStopped):
        workspace(reply({"id": value})).contact("c1")


@pytest.mark.parametrize("value", ["true", "false", 1, [True], {"a": 1}, "x"], ids=repr)
@pytest.mark.parametrize("field", ["archived", "unsubscribed_from_emails", "has_hard_bounced", "marked_email_as_spam"])
def test_a_mark_of_a_contact_in_another_form_counts_as_set(field, value):
    search = ContactSearch(workspace(reply({"data": [{"id": "c1", "email": "a@example.com", field: value}]})))
    assert search.find("email", ["a@example.com"])["a@example.com"][0].faults


INCOMPLETE = (
    *({"data": [{"id": value}]} for value in IDS),
    *({"data": value} for value in (None, {}, "1", ["1"], [None], [["1"]], [{"subscription_type_id": "1"}])),
    *({"data": [], "total_count": 3}, {"data": [], "has_more": True}, {"data": [], "pages": {"next": "https://x"}}),
)


@pytest.mark.parametrize("answer", INCOMPLETE, ids=lambda answer: repr(answer)[:30])
def test_choices_that_are_not_understood_stop_the_run_because_one_may_be_that_the_contact_left(answer):
    with pytest.raises(RunStopped):
        read_choices(workspace(reply(answer)), "c1")


def test_thousands_of_contacts_with_one_address_are_told_apart_by_their_ids():
    page = [{"id": f"{number:024x}", "email": "a@example.com"} for number in range(150)]
    found = ContactSearch(workspace(reply({"data": page, "pages": {}}))).find("email", ["a@example.com"])
    assert len(found["a@example.com"]) == 150


@pytest.mark.parametrize("value", IDS, ids=ID_NAMES)
def test_a_workspaces_id_of_another_form_is_none(value):
    with pytest.raises(GuardRefused, match="does not name the workspace"):
        workspace(reply({"app": {"id_code": value}})).identity()


@pytest.mark.parametrize("value", IDS, ids=ID_NAMES)
def test_an_admins_id_of_another_form_is_left_out(value):
    admins = workspace(reply({"admins": [{"id": value, "name": "Ann"}, {"id": "7", "name": "Bo"}]})).admins()
    assert admins == (Admin("7", "Bo"),)


CONVERSATION = {
    "id": "5", "created_at": 1000, "contacts": {"contacts": [{"id": "c1"}]},
    "source": {"id": "1", "subject": "", "body": "", "author": {"id": "7"}},
}  # fmt: skip


@pytest.mark.parametrize("value", IDS, ids=ID_NAMES)
@pytest.mark.parametrize("place", ["message", "author", "contact"])
def test_a_conversation_with_an_id_of_another_form_proves_nothing(place, value):
    source = CONVERSATION["source"]
    change = {
        "message": {"source": {**source, "id": value}},
        "author": {"source": {**source, "author": {"id": value}}},
        "contact": {"contacts": {"contacts": [{"id": value}]}},
    }[place]
    conversations = Conversations(workspace(reply({"conversations": [{**CONVERSATION, **change}]})))
    found = list(conversations.search([ConversationQuery("c1", "7", 0)]))
    assert [contact for opening in found for contact in opening.contacts] == []


@pytest.mark.parametrize("value", IDS, ids=ID_NAMES)
@pytest.mark.parametrize("place", ["code", "request_id", "header", "message", "field"])
def test_what_is_kept_of_an_error_is_short_and_has_a_form(place, value):
    error = {
        "code": "not_found",
        "message": "No user",
        **({place: value} if place in {"code", "message", "field"} else {}),
    }
    body = {"type": "error.list", "request_id": value if place == "request_id" else "r1", "errors": [error]}
    headers = {"x_request_id": value} if place == "header" and isinstance(value, str) else {}
    for status in (400, 401, 403, 404, 422):
        answer = classify_reply(reply(body, status, **headers), SENDER)
        assert len(repr(answer)) < 1200
        for kept in (getattr(answer, "code", ""), answer.request_id):
            assert re.fullmatch(r"[A-Za-z0-9_.:/+=-]{0,128}", kept), status


class HostileMessages:
    """An Intercom whose answers to messages come from another server than those to all else."""

    def __init__(self, url: str, hostile_url: str) -> None:
        self._rest, self._messages = HttpTransport(url, "t"), HttpTransport(hostile_url, "t")

    def exchange(self, method, path, body, version):
        transport = self._messages if path == "/messages" else self._rest
        return transport.exchange(method, path, body, version)


@pytest.mark.parametrize("value", IDS, ids=ID_NAMES)
def test_nothing_of_another_form_reaches_the_ledger(value, project: SandboxProject, serve):
    project.declare()
    message = {"type": "admin_message", "id": value, "conversation_id": value, "owner": {"id": value}}
    error = {"type": "error.list", "request_id": value, "errors": [{"code": value, "message": value}]}
    for status, body in (("200 OK", message), ("422 No", error)):
        text = json.dumps(body).encode()
        answer = head(f"Content-Length: {len(text)}", status=status) + text
        project.transport = HostileMessages(project.sandbox.url, serve(answer).url)
        assert project.apply().sent == 0
    assert project.places.lockfile.stat().st_size < 4096
    assert project.places.lockfile.read_bytes().isascii()


def pages(kind: str) -> Iterator[dict[str, object]]:
    """Pages of a search, each of which names a next one."""
    number = 0
    while True:
        number += 1
        cursor: object = {
            "a new cursor on every page": f"x{number}",
            "numbers": number,
            "two in turn": f"x{number % 2}",
            "the same": "x",
            "longer on every page": "x" * number,
            "empty pages": f"x{number}",
            "a cursor of 5 MB": "x" * (5 << 20),
            "a list": [number],
            "an object": {"a": number},
            "true": True,
            "a fraction": number + 0.5,
            "deep": json.loads("[" * 500 + "]" * 500),
        }[kind]
        items = [] if kind == "empty pages" else [{"id": f"c{number}", "email": "a@example.com"}] * 150
        yield {"data": items, "pages": {"next": {"starting_after": cursor}}}


@pytest.mark.parametrize(
    "kind",
    ["a new cursor on every page", "numbers", "two in turn", "the same", "longer on every page", "empty pages",
     "a cursor of 5 MB", "a list", "an object", "true", "a fraction", "deep"],
)  # fmt: skip
def test_paging_ends(kind, serve):
    endless_pages = pages(kind)
    server = serve(lambda connection: connection.sendall(whole(body=json.dumps(next(endless_pages)).encode())))
    with pytest.raises(RunStopped) as caught:
        ContactSearch(connected(HttpTransport(server.url, "t"))).find("email", ["a@example.com"])
    assert len(server.requests) <= MAX_PAGES
    assert len(caught.value.message) < 200


def test_an_address_of_the_next_page_that_is_none_ends_the_pages() -> None:
    page = {"data": [], "pages": {"next": "http://[x"}}
    assert list(read_pages(lambda *_, **__: page, "/contacts", "data")) == [page]


class Scripted:
    """An Intercom that gives new pages for ever, or up to the last one, each after so many seconds of its own clock."""

    def __init__(self, key: str, items: str, seconds: float = 0.0, last: int = 0) -> None:
        self.key, self.items, self.seconds, self.requests, self.now = key, items, seconds, 0, 0.0
        self.last = last

    def exchange(self, *_: object) -> Reply:
        self.requests += 1
        self.now += self.seconds
        page = f'"pages":{{"total_pages":1000,"next":{{"starting_after":"{self.requests}"}}}}'
        page = '"pages":{}' if self.requests == self.last else page
        items = self.items.replace("NUMBER", str(self.requests))
        return Reply(200, {}, f'{{"{self.key}":[{items}],{page}}}'.encode())

    def workspace(self) -> Workspace:
        clock = Clock(lambda: datetime(2026, 11, 22, tzinfo=UTC), lambda: self.now, lambda _: None)
        limiter = RateLimiter(clock, 1.0, None)
        limiter.learn({})
        return Workspace(self, limiter, clock)


Question = Callable[[Workspace], object]
QUESTIONS: dict[str, tuple[str, Question]] = {
    "contacts": ("data", lambda asked: ContactSearch(asked).find("email", ["a@example.com"])),
    "openings": (
        "conversations", lambda asked: list(Conversations(asked).search([ConversationQuery("c1", "7", 0)])),
    ),
    "what became of messages": ("conversations", lambda asked: list(Conversations(asked).of_messages(["1"]))),
    "what became of messages, before 2.6": (
        "conversations", lambda asked: list(Conversations(asked).of_contact("c1", "2.5")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_all_pages_of_a_question_have_one_deadline(name: str) -> None:
    key, ask = QUESTIONS[name]
    intercom = Scripted(key, "", seconds=59.0)
    with pytest.raises(RunStopped, match="took longer than 300 s with its pauses"):
        ask(intercom.workspace())
    assert intercom.requests == 6


@pytest.mark.parametrize("group", [ContactGroup("search", query={"field": "role"}), ContactGroup("company", "acme")])
def test_so_have_those_of_an_audience(group: ContactGroup) -> None:
    intercom = Scripted("data", '{"id":"NUMBER","company_id":"acme"}', seconds=59.0)
    with pytest.raises(RunStopped, match="took longer than 7200 s with its pauses"):
        read_contacts(intercom.workspace(), group, None, lambda *_: None)
    assert 120 <= intercom.requests <= 125


@pytest.mark.parametrize("item", ["{}", '{"id":1}', '{"a":[[],[],[]]}', "0"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_page_has_no_more_objects_than_were_asked_for(name: str, item: str) -> None:
    key, ask = QUESTIONS[name]
    intercom = Scripted(key, ",".join([item] * 151))
    with pytest.raises(RunStopped, match="a page of 151 objects"):
        ask(intercom.workspace())
    assert intercom.requests == 1


def test_of_large_conversations_only_what_is_needed_is_kept() -> None:
    item = '{"id":"5","source":{"id":"9"},"tags":[%s0]}' % ("[]," * 100)
    intercom = Scripted("conversations", ",".join([item] * 15))
    tracemalloc.start()
    with pytest.raises(RunStopped, match="no last page"):
        list(Conversations(intercom.workspace()).of_messages(["1"]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 << 20  # all at once: 10 MB


UNKNOWN = Record(
    key="5c" * 16, attempt="01JD-1", status="unknown", message="a", revision=1, to="id:c1", contact="c1",
    digest="v1:0", content="sha256:0", text=text_hash({"subject": "", "body": "Hi"}, ""), sender="7",
    opens_conversation=True, at="2026-11-22T00:00:00Z",
)  # fmt: skip


MADE = 1_795_305_600  # 2026-11-22, in Unix seconds
CONTACTS = {
    "of others": ",".join(f'{{"id":"c{number}-NUMBER"}}' for number in range(100)),
    "of the delivery": '{"id":"c1"}',
}


@pytest.mark.parametrize("name", CONTACTS)
@pytest.mark.parametrize("attempts", [1, 2])
def test_of_a_search_for_an_unknown_delivery_little_is_kept_and_recorded(name: str, attempts: int) -> None:
    source = '{"id":"m%d-NUMBER","author":{"id":"7"},"body":"Hi"}'
    item = '{"id":"5","created_at":%d,"source":%s,"contacts":{"contacts":[%s]}}'
    times = [MADE + 300, *[MADE] * 14]  # the first one fits both attempts
    items = ",".join(item % (time, source % number, CONTACTS[name]) for number, time in enumerate(times))
    intercom = Scripted("conversations", items, last=49)
    facts, records = Facts(), list[Record]()
    for number in range(attempts):
        facts.add(replace(UNKNOWN, attempt=f"01JD-{number}", at=f"2026-11-22T00:{16 * number:02}:00Z"))
    work = prepare_reconciliation(facts, None, "")
    clock = Clock(lambda: datetime(2026, 11, 22, tzinfo=UTC), lambda: 0.0, lambda _: None)
    tracemalloc.start()
    work.search(intercom.workspace(), clock, 0.0, lambda *new: records.extend(new), lambda *_: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert intercom.requests >= 49
    assert peak < 3 << 20  # with every contact: 20 MB
    assert len(records) == (11 if attempts == 1 and name == "of the delivery" else 0)
    reasons = [unknown.reason for unknown in work.result().unknown]
    assert all(len(reason) < 250 for reason in reasons), reasons


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(serve):
    people = [{"id": f"c{number}", "email": f"p{number}@example.com", "about": "x" * 100_000} for number in range(15)]

    def answer(connection: socket.socket) -> None:
        asked = json.loads(server.requests[-1].partition(b"\r\n\r\n")[2])["pagination"]
        start = int(asked.get("starting_after", 0))
        end = start + asked["per_page"]
        page = {"data": people[start:end], "pages": {"next": {"starting_after": str(end)} if end < 15 else None}}
        connection.sendall(whole(body=json.dumps(page).encode()))

    server = serve(answer)
    found = connected(HttpTransport(server.url, "t"))
    matches = ContactSearch(found).find("email", [f"p{number}@example.com" for number in range(15)])
    assert [contact.id for contacts in matches.values() for contact in contacts] == [
        f"c{number}" for number in range(15)
    ]


def test_an_item_that_is_too_large_by_itself_stops_the_run(serve):
    server = serve(whole(body=b" " * (2 << 20)))
    with pytest.raises(RunStopped, match=r"the answer from 127\.0\.0\.1:[0-9]+ is too large"):
        ContactSearch(connected(HttpTransport(server.url, "t"))).find("email", ["a@example.com"])
    assert len(server.requests) == 5  # pages of 150, 37, 9, 2 and 1


def nested(depth: int, start: str, middle: str, end: str) -> str:
    return start * depth + middle + end * depth


DEEP = {
    **{f"{depth} lists": nested(depth, "[", "", "]") for depth in (100, 1000, 100_000)},
    **{f"{depth} objects": nested(depth, '{"a":', "1", "}") for depth in (100, 1000, 100_000)},
    **{f"{depth} lists that never close": "[" * depth for depth in (1000, 1_000_000)},
    **{f"an id in {depth} lists": nested(depth, "[", '"2001"', "]") for depth in (100, 900)},
    "many empty lists": "[" + "[]," * 25_000 + "[]]",
    "many keys": "{" + ",".join(f'"k{number}":1' for number in range(20_000)) + "}",
    "a number of a million digits": "9" * 1_000_000,
    "a fraction of a million digits": "0." + "9" * 1_000_000,
    "an exponent without bound": "1e999999999",
    "half a pair of surrogates": '"\\ud800"',
}


@pytest.mark.parametrize("form", DEEP)
@pytest.mark.parametrize(
    "place", ["{}", '{{"type":"admin_message","id":{}}}', '{{"errors":[{{"code":{0},"message":{0}}}]}}']
)
@pytest.mark.parametrize("status", [200, 403])
def test_no_json_whatever_its_shape_breaks_the_reading(status, place, form):
    answer = classify_reply(Reply(status, {}, place.format(DEEP[form]).encode()), SENDER)
    assert not isinstance(answer, Sent)
    assert len(repr(answer)) < 1200


@pytest.mark.parametrize("form", DEEP)
def test_no_json_whatever_its_shape_breaks_a_search(form):
    for body in (DEEP[form], f'{{"data":[{{"id":{DEEP[form]}}}]}}', f'{{"data":[],"pages":{DEEP[form]}}}',
                 f'{{"conversations":[{{"source":{DEEP[form]}}}]}}'):  # fmt: skip
        answer = Reply(200, {}, body.encode())
        with contextlib.suppress(MsgrunError):
            ContactSearch(workspace(answer)).find("email", ["a@example.com"])
        with contextlib.suppress(MsgrunError):
            list(Conversations(workspace(answer)).search([ConversationQuery("c1", "7", 0)]))


RATE_HEADERS = [
    "9" * 5000, "-" + "9" * 5000, "1e308", "-1e308", "nan", "inf", "", " ", "0", "-1", "0x10", "1_000", "\u0661\u0666",
    "167, 167", "\x1b[2J",
]  # fmt: skip


@pytest.mark.parametrize("value", RATE_HEADERS, ids=[value[:10] for value in RATE_HEADERS])
@pytest.mark.parametrize(
    "name", ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after", "date"]
)
def test_no_header_of_the_rate_limit_holds_a_run_up(name, value):
    seconds = 0.0

    def sleep(pause: float) -> None:
        nonlocal seconds
        seconds += pause

    start = datetime(2026, 11, 22, tzinfo=UTC)
    limiter = RateLimiter(Clock(lambda: start + timedelta(seconds=seconds), lambda: seconds, sleep), 1.0, None)
    limiter.learn({name: value})
    limiter.pause({name: value})
    for _ in range(5):
        limiter.wait()
        limiter.learn({name: value})
    assert seconds <= 400
