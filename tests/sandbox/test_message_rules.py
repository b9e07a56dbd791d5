"""What POST /messages accepts and refuses, in both dialects."""

from __future__ import annotations

import pytest

FLAG = "create_conversation_without_contact_reply"
USER = {"type": "user", "id": "536e564f316c83104c000020"}
OLD, BETWEEN, NEW = "1.4", "2.6", "2.14"


@pytest.mark.parametrize(
    "version", ["1.0", "1.4", "2.0", "2.5", "2.6", "2.7", "2.14", "2.17", "Preview", "preview", None]
)
def test_the_example_of_the_reference_is_sent_in_every_version(client, version):
    reply = client.send(version)
    assert reply.status == 200
    assert reply.json["type"] == "admin_message"


@pytest.mark.parametrize(
    ("version", "to"),
    [
        (OLD, {"type": "user", "user_id": "25"}),
        (OLD, {"type": "user", "email": "ann@example.com"}),
        (OLD, {"type": "contact", "id": "536e"}),
        ("2.5", {"type": "contact", "user_id": "25"}),
        (BETWEEN, {"type": "lead", "id": "536e"}),
        (NEW, {"type": "lead", "id": "536e"}),
    ],
)
def test_each_dialect_takes_its_own_recipients(client, version, to):
    assert client.send(version, to=to).status == 200


@pytest.mark.parametrize(
    ("version", "to"),
    [
        (OLD, {"type": "lead", "id": "536e"}),
        (OLD, {"type": "user"}),
        (OLD, {"type": "user", "id": "1", "email": "ann@example.com"}),
        (OLD, {"type": "user", "user_id": 25}),
        (BETWEEN, {"type": "contact", "id": "536e"}),
        (NEW, {"type": "user", "email": "ann@example.com"}),
        (NEW, {"type": "user", "user_id": "25"}),
        (NEW, {"type": ["user"], "id": "536e"}),
        (NEW, [USER]),
        (NEW, ...),
        (OLD, "ann@example.com"),
    ],
)
def test_the_other_dialects_recipients_are_refused(client, version, to):
    reply = client.send(version, to=to)
    assert (reply.status, reply.code) == (400, "parameter_invalid")
    assert client.sandbox.messages == []


@pytest.mark.parametrize(
    ("version", "given", "status"),
    [
        (OLD, "394051", 200),
        (BETWEEN, 394051, 400),
        ("2.7", 394051, 200),
        (NEW, "394051", 200),
        (NEW, "wash", 400),
        (NEW, True, 400),
        (NEW, None, 400),
    ],
)
def test_the_sender_is_text_before_2_7_and_a_number_since(client, version, given, status):
    assert client.send(version, **{"from": {"type": "admin", "id": given}}).status == status


@pytest.mark.parametrize(
    ("version", "given", "status"),
    [(OLD, "inapp", 200), (BETWEEN, "in_app", 400), ("2.7", "in_app", 200), (NEW, "inapp", 200), (NEW, "sms", 400)],
)
def test_in_app_is_another_word_for_inapp_since_2_7_and_answered_as_inapp(client, version, given, status):
    reply = client.send(version, message_type=given, template=..., subject=...)
    assert reply.status == status
    assert status != 200 or reply.json["message_type"] == "inapp"


@pytest.mark.parametrize("subject", [..., "", "  ", None, 7])
def test_an_email_needs_a_subject(client, subject):
    reply = client.send(subject=subject)
    assert (reply.status, reply.code) == (422, "parameter_not_found")
    assert reply.message == "No subject supplied for email message"


@pytest.mark.parametrize("body", [..., "", None, ["text"]])
def test_a_body_is_required(client, body):
    reply = client.send(body=body)
    assert (reply.status, reply.code, reply.message) == (400, "parameter_invalid", "Body is required")


@pytest.mark.parametrize(
    "changes",
    [
        {"template": "fancy"},
        {"template": None},
        {"message_type": "inapp", "template": "plain"},
        {"created_at": 1},
        {"cc": []},
        {"bcc": []},
        {FLAG: "true"},
        {"from": ...},
        {"from": {"type": "team", "id": "1"}},
    ],
)
def test_what_the_reference_rules_out_is_refused(client, changes):
    reply = client.send(**changes)
    assert (reply.status, reply.code) == (400, "parameter_invalid")
    assert client.sandbox.messages == []


def test_what_a_version_does_not_know_is_overlooked_and_told(client):
    to = {"type": "user", "id": "536e", "vars": {}}
    assert client.send(OLD, to=to, cc=["x"], name="seed", **{FLAG: "yes"}).status == 200
    (entry,) = client.sandbox.log
    assert sorted(entry["unknown_fields"]) == sorted(["cc", FLAG, "name", "to.vars"])


def test_known_fields_are_not_told(client):
    client.send(NEW, **{FLAG: True})
    assert client.sandbox.log[0]["unknown_fields"] == ()


@pytest.mark.parametrize("sender", ["user", "lead", "contact"])
def test_a_contact_as_sender_answers_200_and_reaches_nobody(client, sender):
    reply = client.send(**{"from": {"type": sender, "id": "536e"}})
    assert (reply.status, reply.json["type"]) == (200, "user_message")
    assert client.sandbox.messages == []
    assert client.sandbox.log[0]["created"] is None


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b"null", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(client, body):
    assert client.call("POST", "/messages", body).status == 400
