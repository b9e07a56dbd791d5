"""A reply that repeats the access token is read without it, however the token is written."""

import json

import pytest

from runner.intercom.client import HttpTransport
from runner.intercom.token_mask import TokenMask
from runner.intercom.transport import NoReply, Reply
from tests.support.raw_server import no_proxy, serve

__all__ = ["no_proxy", "serve"]
pytestmark = pytest.mark.usefixtures("no_proxy")

TOKEN = "dG9rOmFiY2Rl/ZjEy+MzQ1Ng=="
ESCAPED = "".join(f"\\u{ord(each):04x}" for each in TOKEN)
ECHOES = {
    "as it is": f'{{"message": "no: Bearer {TOKEN}"}}',
    "as a code": f'{{"errors": [{{"code": "{TOKEN}"}}]}}',
    "as a key": f'{{"{TOKEN}": 1}}',
    "escaped": f'{{"message": "{ESCAPED}"}}',
    "escaped in capitals": f'{{"message": "{ESCAPED.upper().replace("U", "u")}"}}',
    "some characters escaped": json.dumps({"m": TOKEN}).replace("=", "\\u003d").replace("/", "\\/"),
    "JSON in JSON": json.dumps({"m": json.dumps({"m": TOKEN}).replace("=", "\\u003D").replace("/", "\\/")}),
    "in an address": f'{{"next": "/?t={TOKEN.replace("/", "%2F").replace("+", "%2b").replace("=", "%3D")}"}}',
    "in HTML": f"<p>{TOKEN.replace('+', '&#43;').replace('/', '&#x2f;').replace('=', '&#061;')}</p>",
    "twice": TOKEN + TOKEN,
    "inside a word": f"x{TOKEN}x",
}


def exchange(url: str) -> Reply | NoReply:
    return HttpTransport(url, TOKEN).exchange("POST", "/messages", {"body": "Hi"}, "2.14")


@pytest.mark.parametrize("name", ECHOES)
def test_a_token_in_a_body_is_masked(serve, name: str) -> None:
    body = ECHOES[name].encode()
    server = serve(b"HTTP/1.1 422 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    answer = exchange(server.url)
    assert isinstance(answer, Reply)
    assert b"***" in answer.body
    assert b"dG9" not in answer.body
    assert b"0064" not in answer.body
    assert b"Ng" not in answer.body


@pytest.mark.parametrize("header", ["X-Request-Id: {}", "Location: https://a.example/{}", "Retry-After: Bearer {}"])
def test_a_token_in_a_header_is_masked(serve, header: str) -> None:
    head = f"HTTP/1.1 422 No\r\n{header.format(TOKEN)}\r\nContent-Length: 2\r\n\r\n{{}}"
    answer = exchange(serve(head.encode()).url)
    assert isinstance(answer, Reply)
    assert "dG9" not in str(answer.headers)
    assert "***" in str(answer.headers)


@pytest.mark.parametrize("line", ["{}", "HTTP/{} 200 OK", "HTTP/1.1 {} OK", "HTTP/1.1 2{} OK"])
def test_a_token_in_what_is_no_reply_is_masked(serve, line: str) -> None:
    answer = exchange(serve(f"{line.format(TOKEN)}\r\n\r\n".encode()).url)
    assert "dG9" not in str(answer)


def test_an_honest_reply_is_read_as_it_is(serve) -> None:
    body = '{"id":"2001","body":"Grüße \\u003d +/=="}'.encode()
    answer = exchange(serve(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)).url)
    assert isinstance(answer, Reply)
    assert answer.body == body


@pytest.mark.parametrize("part", ["\\", "&#", "&#0", "&#x0", "%", "d\\", "\\u00", "dG9r\\", "0"])
def test_a_long_answer_of_nothing_but_the_beginning_of_an_escape_is_read(part: str) -> None:
    """A pattern that counts from every one of them takes hours, in which no signal ends it."""
    content = part.encode() * (300_000 // len(part))
    assert TokenMask(TOKEN).in_bytes(content) == content
    assert TokenMask("==++//==++").in_bytes(content) == content
