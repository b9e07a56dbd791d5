"""Which contacts reply, and what a client sees of it."""

from __future__ import annotations

import time

import pytest

from runner.sandbox import Replies
from runner.sandbox.answer import SettingError

FLAG = {"create_conversation_without_contact_reply": True}
ID = "536e564f316c83104c000020"


def conversations(client):
    return client.get("/conversations").json["conversations"]


def set_replies(client, **document):
    return client.call("PUT", "/_sandbox/replies", document, Authorization=None)


def test_no_contact_replies_by_default(client):
    client.send(**FLAG)
    (conversation,) = conversations(client)
    assert (conversation["first_contact_reply"], conversation["statistics"], conversation["waiting_since"]) == (
        None,
    ) * 3


@pytest.mark.parametrize("flag", [{}, FLAG])
def test_a_reply_opens_the_conversation_if_the_message_did_not(client, flag):
    sent = client.send(to={"type": "user", "id": "replies-25"}, **flag).json
    (conversation,) = conversations(client)
    assert conversation["source"]["id"] == sent["id"]
    assert conversation["first_contact_reply"]["type"] == "email"
    statistics = conversation["statistics"]
    assert statistics["first_contact_reply_at"] == statistics["last_contact_reply_at"] == conversation["waiting_since"]
    shown = client.get(f"/conversations/{conversation['id']}").json
    (part,) = shown["conversation_parts"]["conversation_parts"]
    assert (part["author"]["type"], part["author"]["id"]) == ("user", "replies-25")
    assert part["part_type"] == ("comment" if flag else "open")
    assert client.get("/contacts/replies-25").json["last_replied_at"] == part["created_at"]
    query = {"field": "statistics.last_contact_reply_at", "operator": ">", "value": 1_500_000_000}
    assert client.search(query, place="conversations").json["total_count"] == 1


@pytest.mark.parametrize("names", [[ID], ["all"], ["other", ID]])
def test_the_switch_names_who_replies(start, names):
    client = start(replies=Replies(names))
    client.send()
    client.send(to={"type": "user", "id": "silent"})
    assert len(conversations(client)) == (2 if names == ["all"] else 1)


def test_the_switch_is_set_over_http_and_replaces_what_was(client):
    document = {"contacts": ["ann@example.com"], "after": 0.0, "body": "No, thanks"}
    assert set_replies(client, **document).json == document == client.get("/_sandbox/replies").json
    contact = client.search({"field": "email", "operator": "=", "value": "ann@example.com"}).json["data"][0]["id"]
    client.send(to={"type": "user", "id": contact})
    (conversation,) = conversations(client)
    parts = client.get(f"/conversations/{conversation['id']}").json["conversation_parts"]["conversation_parts"]
    assert parts[0]["body"] == "<p>No, thanks</p>"
    assert set_replies(client, contacts="all").json["contacts"] == "all"
    assert set_replies(client).json["contacts"] == []
    client.send(to={"type": "user", "id": contact})
    assert len(conversations(client)) == 1


def test_a_reply_takes_its_time(client):
    set_replies(client, contacts=[ID], after=0.3)
    client.send()
    message = client.sandbox.messages[0]
    assert conversations(client) == []
    assert client.get(f"/conversations/{message['conversation']}").status == 404
    assert client.get(f"/contacts/{ID}").json["last_replied_at"] is None
    time.sleep(0.35)
    assert len(conversations(client)) == 1
    assert client.get(f"/contacts/{ID}").json["last_replied_at"]


def test_a_reply_survives_a_restart(start, tmp_path):
    path = tmp_path / "state.jsonl"
    first = start(state=path)
    first.send(to={"type": "user", "id": "replies-25"})
    before = first.get("/conversations/502001").json
    first.sandbox.close()
    assert start(state=path).get("/conversations/502001").json == before


@pytest.mark.parametrize(
    "document",
    [{"contacts": "ann"}, {"contacts": [1]}, {"after": -1}, {"after": "1"}, {"after": True}, {"body": " "}, {"to": []}],
)
def test_an_invalid_setting_is_refused_and_changes_nothing(client, document):
    set_replies(client, contacts=[ID])
    reply = set_replies(client, **document)
    assert (reply.status, "error" in reply.json) == (400, True)
    assert client.get("/_sandbox/replies").json["contacts"] == [ID]
    with pytest.raises(SettingError):
        Replies().replace(document)
