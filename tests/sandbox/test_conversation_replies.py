"""POST /conversations/{id}/reply: replies of contacts and admins, and notes."""

from __future__ import annotations

import pytest

CONTACT = "536e564f316c83104c000020"
COMMENT = {"type": "user", "message_type": "comment", "intercom_user_id": CONTACT, "body": "Thanks"}
ANSWER = {"type": "admin", "message_type": "comment", "admin_id": "394052", "body": "<p>Sure</p>"}


@pytest.fixture
def reply(client):
    client.send(create_conversation_without_contact_reply=True)
    return lambda payload, conversation="502001": client.call("POST", f"/conversations/{conversation}/reply", payload)


def test_a_contact_waits_until_an_admin_answers(reply):
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
def test_an_invalid_reply_is_refused_and_adds_no_part(client, reply, changes, status):
    payload = {key: value for key, value in {**COMMENT, **changes}.items() if value is not ...}
    assert reply(payload).status == status
    assert client.get("/conversations/502001").json["conversation_parts"]["total_count"] == 0


def test_without_a_conversation_a_reply_is_refused(client, reply):
    client.send()
    assert reply(COMMENT, "502002").code == "not_found"
