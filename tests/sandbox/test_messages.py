"""Who gets a message, and what is answered about it."""

from __future__ import annotations

import time

import pytest


def test_the_answer_is_the_documented_object(client):
    answer = client.send().json
    assert answer.pop("created_at") == pytest.approx(time.time(), abs=5)
    assert answer == {
        "type": "admin_message",
        "id": "2001",
        "message_type": "email",
        "subject": "Hey",
        "body": "Ponies, cute small horses or something more sinister?",
        "template": "plain",
        "owner": {"type": "admin", "id": "394051", "name": "Wash", "email": "wash@msgrun-sandbox.example"},
    }


def test_an_in_app_answer_has_no_template_and_no_subject(client):
    answer = client.send(message_type="inapp", template=...).json
    assert {"template", "subject"}.isdisjoint(answer)


def test_the_template_is_plain_unless_said_otherwise(client):
    assert client.send(template=...).json["template"] == "plain"


def test_what_was_made_is_listed_oldest_first_as_received(client):
    client.send(body="one")
    client.send(body="two")
    first, second = client.sandbox.messages
    assert (first["id"], second["id"]) == ("2001", "2002")
    assert first["contact"] == "536e564f316c83104c000020"
    assert second["payload"]["body"] == "two"


@pytest.mark.parametrize(
    ("version", "to", "status", "code"),
    [
        ("2.14", {"type": "user", "id": "missing-1"}, 404, "not_found"),
        ("1.4", {"type": "user", "email": "missing@example.com"}, 404, "not_found"),
        ("1.4", {"type": "user", "email": "no address"}, 404, "not_found"),
        ("1.4", {"type": "user", "email": "lead@example.com"}, 404, "not_found"),
        ("1.4", {"type": "contact", "email": "lead@example.com"}, 404, "not_found"),
        ("2.14", {"type": "user", "id": "lead-1"}, 404, "not_found"),
        ("1.4", {"type": "user", "email": "twin@example.com"}, 409, "conflict"),
        ("2.14", {"type": "user", "id": "unsubscribed-1"}, 403, "forbidden"),
    ],
)
def test_a_recipient_that_cannot_be_reached_is_refused(client, version, to, status, code):
    reply = client.send(version, to=to)
    assert (reply.status, reply.code) == (status, code)
    assert client.sandbox.messages == []


def test_an_unsubscribed_contact_still_gets_in_app_messages(client):
    to = {"type": "user", "id": "unsubscribed-1"}
    assert client.send(to=to, message_type="inapp", template=...).status == 200


def test_of_a_pair_the_user_is_addressed_by_email(client):
    assert client.send("1.4", to={"type": "user", "email": "pair@example.com"}).status == 200


def test_an_admin_that_begins_with_999_does_not_exist(client):
    reply = client.send(**{"from": {"type": "admin", "id": "9991"}})
    assert (reply.status, reply.message) == (404, "Resource Not Found")


def test_strict_about_admins_only_the_listed_ones_send(start):
    client = start(accept_any_admin=False)
    assert client.send().status == 200
    assert client.send(**{"from": {"type": "admin", "id": "1"}}).status == 404


def test_a_fresh_contact_can_be_read_at_once_and_sent_to_a_little_later(start):
    client = start(fresh_seconds=0.15)
    contact = client.search({"field": "email", "operator": "=", "value": "fresh@example.com"}).json["data"][0]
    assert contact["created_at"] == pytest.approx(time.time(), abs=5)
    to = {"type": "user", "id": contact["id"]}
    assert client.send(to=to).status == 404
    time.sleep(0.2)
    assert client.send(to=to).status == 200
