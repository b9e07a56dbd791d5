"""Each kind of trouble: what the client sees, and whether a message was made."""

from __future__ import annotations

import gzip
import http.client
import json
import time

import pytest

from runner.sandbox import Sandbox
from runner.sandbox.trouble_kinds import TROUBLE_KINDS


def strike(client, kind):
    """Send once under that trouble; the answer, and how many messages were made."""
    client.sandbox.trouble.add(f"next={kind}")
    return client.send(), len(client.sandbox.messages)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("500_before", 500, "server_error"),
        ("503_retry_after", 503, "service_unavailable"),
        ("400", 400, "parameter_invalid"),
        ("401", 401, "unauthorized"),
        ("403", 403, "forbidden"),
        ("403_plan", 403, "api_plan_restricted"),
        ("404", 404, "not_found"),
        ("408", 408, "request_timeout"),
        ("409", 409, "conflict"),
        ("410", 410, "contact_merged"),
        ("422", 422, "parameter_not_found"),
        ("429", 429, "rate_limit_exceeded"),
        ("429_bare", 429, "rate_limit_exceeded"),
    ],
)
def test_a_refusal_makes_nothing(client, kind, status, code):
    reply, made = strike(client, kind)
    assert (reply.status, reply.code, made) == (status, code, 0)
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]
    assert client.sandbox.log[0]["trouble"] == kind


def test_a_500_can_come_after_the_message_was_made(client):
    reply, made = strike(client, "500_after")
    assert (reply.status, made) == (500, 1)
    assert client.sandbox.log[0]["created"] == "2001"


def test_a_429_says_when_to_come_back_and_a_bare_one_does_not(client):
    reply, _ = strike(client, "429")
    assert 0 < int(reply.headers["X-RateLimit-Reset"]) - time.time() <= 1
    assert reply.headers["X-RateLimit-Remaining"] == "0"
    reply, _ = strike(client, "429_bare")
    assert not [name for name in reply.headers if name.startswith("X-RateLimit")]
    reply, _ = strike(client, "503_retry_after")
    assert reply.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("kind", "made"),
    [("drop_before", 0), ("drop_after", 1), ("reset_before", 0), ("reset_after", 1)],
)
def test_a_lost_connection_is_an_error_of_the_connection(client, kind, made):
    error = ConnectionResetError if kind.startswith("reset") else http.client.RemoteDisconnected
    client.sandbox.trouble.add(f"next={kind}")
    with pytest.raises(error) as caught:
        client.send()
    assert kind.startswith("drop") == isinstance(caught.value, http.client.RemoteDisconnected)
    assert len(client.sandbox.messages) == made
    assert client.sandbox.log[0]["status"] is None
    client.connection.close()
    assert client.send().status == 200


def test_a_cut_body_is_shorter_than_it_said(client):
    with pytest.raises(http.client.IncompleteRead):
        strike(client, "cut_body")
    assert len(client.sandbox.messages) == 1


def test_a_cut_document_is_no_json(client):
    reply, made = strike(client, "cut_json")
    assert (reply.status, made) == (200, 1)
    with pytest.raises(json.JSONDecodeError):
        _ = reply.json


def test_a_load_balancer_answers_in_html(client):
    reply, made = strike(client, "502_html")
    assert (reply.status, reply.headers["Content-Type"], made) == (502, "text/html", 0)
    assert reply.raw.startswith(b"<html>")


@pytest.mark.parametrize(("kind", "status"), [("empty_200", 200), ("204", 204)])
def test_an_empty_answer_hides_a_message(client, kind, status):
    reply, made = strike(client, kind)
    assert (reply.status, reply.raw, made) == (status, b"", 1)
    assert client.get("/me").status == 200


def test_a_redirect_that_is_followed_would_send(client):
    reply, made = strike(client, "redirect")
    assert (reply.status, reply.headers["Location"], made) == (307, "/messages", 0)


def test_an_inbound_conversation_is_no_message(client):
    reply, made = strike(client, "user_message")
    assert (reply.status, reply.json["type"], made) == (200, "user_message", 0)


def test_an_answer_can_lack_its_id_or_name_another_owner(client):
    reply, _ = strike(client, "no_id")
    assert (reply.status, "id" in reply.json) == (200, False)
    reply, made = strike(client, "other_owner")
    assert (reply.json["owner"]["id"], made) == ("394052", 2)


def test_headers_can_be_missing_or_odd(client):
    reply, _ = strike(client, "no_rate_headers")
    assert (reply.json["id"], "X-RateLimit-Limit" in reply.headers) == ("2001", False)
    reply, _ = strike(client, "wrong_content_type")
    assert (reply.json["id"], reply.headers["Content-Type"]) == ("2002", "text/plain")
    reply, _ = strike(client, "gzip")
    assert reply.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(reply.raw))["id"] == "2003"


def test_a_connection_can_end_without_a_warning(client):
    reply, made = strike(client, "close")
    assert (reply.status, made) == (200, 1)
    assert "Connection" not in reply.headers
    time.sleep(0.05)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        client.send()


def test_a_slow_answer_is_right_but_late(client):
    before = time.monotonic()
    reply, made = strike(client, "slow:0.2")
    assert (reply.status, made) == (200, 1)
    assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize("kind", [kind for kind in TROUBLE_KINDS if not kind.startswith("slow")])
def test_no_kind_fails_on_a_request_that_is_wrong_itself(start, kind):
    client = start()
    client.sandbox.trouble.add(f"next={kind}")
    try:
        assert client.call("POST", "/messages", b"{").status
    except (http.client.HTTPException, ConnectionError):
        client.connection.close()
    assert client.sandbox.messages == []
    assert client.sandbox.log[0]["trouble"] in (kind, None)
    assert isinstance(client.sandbox, Sandbox)
