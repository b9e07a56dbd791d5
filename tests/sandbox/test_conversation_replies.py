"""POST /conversations/{id}/reply: contacts and admins go on talking."""

from __future__ import annotations

import pytest

CONTACT = "536e564f316c83104c000020"
COMMENT = {"type": "user", "message_type": "comment", "intercom_user_id": CONTACT, "body": "Thanks"}
ANSWER = {"type": "admin", "message_type": "comment", "admin_id": "394052", "body": "<p>Sure</p>"}


@pytest.fixture
def reply(client):
    client.send(create_conversation_without_contact_reply=True)
    return lambda payload, conversation="502001": client.call("POST", f"/conversations/{conversation}/reply", payload)


def test_who_waits_is_who_was_not_answered(reply):
    waiting = [reply(payload).json["waiting_since"] is not None for payload in (COMMENT, COMMENT, ANSWER, COMMENT)]
    assert waiting == [True, True, False, True]
    note = reply({**ANSWER, "message_type": "note", "body": "A difficult one"}).json
    assert note["waiting_since"] is not None
    parts = note["conversation_parts"]["conversation_parts"]
    assert [part["author"]["type"] for part in parts] == ["user", "user", "admin", "user", "admin"]
    assert [part["body"] for part in parts][2:] == ["<p>Sure</p>", "<p>Thanks</p>", "<p>A difficult one</p>"]
    assert note["statistics"]["count_conversation_parts"] == 5
    assert note["statistics"]["last_admin_reply_at"] >= note["statistics"]["first_contact_reply_at"]


def test_the_last_conversation_of_a_contact_needs_no_id(client, reply):
    client.send(create_conversation_without_contact_reply=True)
    assert reply(COMMENT, "last").json["id"] == "502002"
    assert reply({**COMMENT, "intercom_user_id": "other"}, "last").status == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"body": " "}, 400),
        ({"body": ...}, 400),
        ({"message_type": "note"}, 400),
        ({"message_type": ["comment"]}, 400),
        ({"type": "team"}, 400),
        ({"intercom_user_id": ...}, 400),
        ({"intercom_user_id": "other"}, 404),
        ({**ANSWER, "message_type": "sms"}, 400),
        ({**ANSWER, "admin_id": "999"}, 404),
        ({**ANSWER, "admin_id": ...}, 404),
    ],
)
def test_what_is_no_reply_is_refused(client, reply, changes, status):
    payload = {key: value for key, value in {**COMMENT, **changes}.items() if value is not ...}
    assert reply(payload).status == status
    assert client.get("/conversations/502001").json["conversation_parts"]["total_count"] == 0


def test_there_is_nothing_to_reply_to_without_a_conversation(client, reply):
    client.send()
    assert reply(COMMENT, "502002").code == "not_found"


def test_a_conversation_has_twenty_on_a_page_and_150_at_most(client):
    for _ in range(21):
        client.send(create_conversation_without_contact_reply=True)
    everything = {"field": "created_at", "operator": ">", "value": 1}
    for page in (client.get("/conversations").json, client.search(everything, place="conversations").json):
        assert (len(page["conversations"]), page["total_count"]) == (20, 21)
        assert page["pages"]["next"]["per_page"] == 20
        cursor = page["pages"]["next"]["starting_after"]
        assert len(client.get(f"/conversations?starting_after={cursor}").json["conversations"]) == 1
    assert client.get("/conversations?per_page=151").status == 400
