"""Tokens, versions, lists, headers and the log: what every endpoint has in common."""

from __future__ import annotations

import json
import time
import uuid

import pytest


@pytest.mark.parametrize("token", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer expired"])
def test_without_a_valid_token_nothing_is_answered(client, token):
    reply = client.call("GET", "/me", Authorization=token)
    assert (reply.status, reply.code) == (401, "unauthorized")


def test_an_unknown_version_is_refused(client):
    for version in ("2.18", "1.5", "3", "latest", ""):
        reply = client.get("/me", Intercom_Version=version)
        assert (reply.status, reply.code) == (400, "intercom_version_invalid")


@pytest.mark.parametrize(("asked", "echoed"), [(None, "2.14"), ("1.4", "1.4"), ("preview", "Preview")])
def test_the_version_used_is_echoed(client, asked, echoed):
    assert client.get("/me", Intercom_Version=asked).headers["Intercom-Version"] == echoed


def test_me_names_the_workspace(start):
    me = start(workspace="acme").get("/me").json
    assert (me["type"], me["id"], me["app"]["type"], me["app"]["id_code"]) == ("admin", "394051", "app", "acme")
    assert {"name", "region", "timezone"} <= set(me["app"])


def test_one_admin_has_no_inbox_seat(client):
    assert [admin["has_inbox_seat"] for admin in client.get("/admins").json["admins"]] == [True, True, False]
    assert client.get("/admins/394053").json["has_inbox_seat"] is False


def test_more_admins_are_listed_once_each_and_keep_their_ids(start):
    first = start(admins=["Bo Lee", "cy@acme.example", "ZOE", "cy@acme.example"])
    listed = first.get("/admins").json["admins"][3:]
    assert [(admin["name"], admin["email"]) for admin in listed] == [
        ("Bo Lee", "bo-lee@msgrun-sandbox.example"), ("Cy", "cy@acme.example"),
    ]  # fmt: skip
    again = start(admins=["cy@acme.example"], accept_any_admin=False)
    assert again.get(f"/admins/{listed[1]['id']}").json["email"] == "cy@acme.example"


def test_admins_are_listed_and_found(client):
    admins = client.get("/admins").json
    assert admins["type"] == "admin.list"
    assert {"type": "admin", "id": "394051", "name": "Wash"}.items() <= admins["admins"][0].items()
    assert client.get("/admins/394051").json["name"] == "Wash"
    assert client.get("/admins/7").json["id"] == "7"
    reply = client.get("/admins/9990")
    assert (reply.status, reply.code) == (404, "admin_not_found")


@pytest.mark.parametrize(
    ("path", "kind", "key"),
    [("/segments", "segment.list", "segments"), ("/tags", "list", "data"), ("/subscription_types", "list", "data")],
)
def test_lists_have_the_documented_shape(client, path, kind, key):
    document = client.get(path).json
    assert document["type"] == kind
    assert all("id" in one for one in document[key])


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/nothing"), ("GET", "/messages/2001"), ("POST", "/me"), ("DELETE", "/messages/2001")],
)
def test_what_intercom_does_not_have_is_not_found(client, method, path):
    reply = client.call(method, path)
    assert (reply.status, reply.code) == (404, "not_found")


def test_an_error_carries_the_request_id_of_its_header(client):
    reply = client.send(body="")
    assert reply.json["type"] == "error.list"
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]
    with pytest.raises(ValueError, match="badly formed"):
        uuid.UUID(reply.json["request_id"])


def test_every_answer_has_the_headers_of_the_rate_limit(start):
    client = start(rate_limit=50)
    reply = client.get("/me")
    assert (reply.headers["X-RateLimit-Limit"], reply.headers["X-RateLimit-Remaining"]) == ("50", "49")
    assert 0 <= int(reply.headers["X-RateLimit-Reset"]) - time.time() <= 10
    assert "Date" in reply.headers


def test_beyond_the_limit_nothing_is_made(start):
    client = start(rate_limit=1, window=1000)
    replies = [client.send() for _ in range(3)]
    assert {reply.status for reply in replies[1:]} == {429}
    assert replies[2].code == "rate_limit_exceeded"
    assert replies[2].headers["X-RateLimit-Remaining"] == "0"
    assert len(client.sandbox.messages) == 1


def test_latency_comes_between_what_is_made_and_the_answer(start):
    client = start(latency=0.1)
    before = time.monotonic()
    client.send()
    assert time.monotonic() - before >= 0.1


def test_the_log_has_every_request_before_its_answer(start, tmp_path):
    path = tmp_path / "logs" / "log.jsonl"
    client = start(log=path)
    client.send(body="hello")
    client.send(body="")
    client.call("POST", "/messages", b"{torn")
    client.get("/me?x=1")
    made, refused, torn, read = [json.loads(line) for line in path.read_text().splitlines()]
    assert (made["method"], made["path"], made["version"], made["status"]) == ("POST", "/messages", "2.14", 200)
    assert (made["created"], made["trouble"], made["payload"]["body"]) == ("2001", None, "hello")
    assert (refused["status"], refused["created"]) == (400, None)
    assert torn["payload"] == "{torn"
    assert (read["path"], read["payload"]) == ("/me", None)
    assert client.get("/_sandbox/log").json[0]["created"] == "2001"


def test_half_a_surrogate_pair_is_kept_as_it_came(client):
    reply = client.call("POST", "/messages", b'{"body":"\\ud800"}')
    assert reply.status == 400
    assert client.get("/_sandbox/log").json[0]["payload"]["body"] == "\ud800"
