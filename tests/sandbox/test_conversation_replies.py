"""POST /conversations/{id}/reply: replies of contacts and admins, and notes."""

from __future__ import annotations

import pytest

CONTACT = "536e564f316c83104c000020"
COMMENT = {"type": "user", "message_type": "comment", "intercom_user_id": CONTACT, "body": "Thanks"}
ANSWER = {"type": "admin", "message_type": "comment", "admin_id": "394052", "body": "<p>Sure</p>"}
UUID = "a5e1c524-5ddd-4c3e-9328-6bca5d6e3edb"
OPTION = {"text": "Yes", "uuid": UUID}
QUICK = {"type": "admin", "message_type": "quick_reply", "admin_id": 394052, "reply_options": [OPTION], "body": ...}


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


def test_an_admin_offers_quick_replies_without_a_text_and_a_contact_chooses_one(reply):
    offer = {key: value for key, value in QUICK.items() if key != "body"}
    other = {"text": "No", "uuid": UUID.upper()}
    assert reply({**offer, "reply_options": [OPTION, other]}).status == 200
    chosen = reply(
        {"type": "user", "message_type": "quick_reply", "intercom_user_id": CONTACT, "reply_options": [OPTION]}
    )
    offered, choice = chosen.json["conversation_parts"]["conversation_parts"]
    assert (offered["part_type"], offered["body"], offered["author"]["type"]) == ("quick_reply", None, "admin")
    assert (choice["part_type"], choice["body"], choice["author"]["type"]) == ("comment", "<p>Yes</p>", "user")


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
        ({**QUICK, "reply_options": ...}, 400),
        ({**QUICK, "reply_options": []}, 400),
        ({**QUICK, "reply_options": ["Yes"]}, 400),
        ({**QUICK, "reply_options": [{"text": "Yes"}]}, 400),
        ({**QUICK, "reply_options": [{"text": "Yes", "uuid": "1"}]}, 400),
        ({**QUICK, "reply_options": [{"text": " ", "uuid": UUID}]}, 400),
        ({**QUICK, "reply_options": {"text": "Yes", "uuid": UUID}}, 400),
        ({**QUICK, "admin_id": "999"}, 404),
        ({"message_type": "quick_reply"}, 400),
    ],
)
def test_an_invalid_reply_is_refused_and_adds_no_part(client, reply, changes, status):
    payload = {key: value for key, value in {**COMMENT, **changes}.items() if value is not ...}
    assert reply(payload).status == status
    assert client.get("/conversations/502001").json["conversation_parts"]["total_count"] == 0


def test_without_a_conversation_a_reply_is_refused(client, reply):
    client.send()
    assert reply(COMMENT, "502002").code == "not_found"
