"""Proof of what was sent, for messages that opened a conversation."""

from __future__ import annotations

import time

import pytest

FLAG = {"create_conversation_without_contact_reply": True}


def where(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def both(*members):
    return {"operator": "AND", "value": list(members)}


def find(client, *members, **pagination):
    reply = client.search(both(*members), pagination or None, place="conversations")
    assert reply.status == 200, reply.raw
    return reply.json


def test_a_message_with_the_flag_is_found_by_contact_author_and_time(client):
    sent = client.send(**FLAG).json
    found = find(
        client,
        where("contact_ids", "=", "536e564f316c83104c000020"),
        where("source.author.id", "=", "394051"),
        where("created_at", ">", int(time.time()) - 86_400),
    )
    assert (found["type"], found["total_count"]) == ("conversation.list", 1)
    (conversation,) = found["conversations"]
    assert conversation["source"]["id"] == sent["id"] != conversation["id"]
    assert conversation["source"]["subject"] == "<p>Hey</p>"
    assert conversation["source"]["body"] == f"<p>{sent['body']}</p>"
    author = conversation["source"]["author"]
    assert (author["type"], author["id"], author["name"]) == ("admin", "394051", "Wash")
    assert conversation["source"]["delivered_as"] == "admin_initiated"
    assert [one["id"] for one in conversation["contacts"]["contacts"]] == ["536e564f316c83104c000020"]


def test_a_message_without_the_flag_leaves_no_conversation(client):
    client.send()
    assert find(client, where("contact_ids", "=", "536e564f316c83104c000020"))["total_count"] == 0


def test_the_search_index_lags_and_reading_does_not(start):
    client = start(search_lag=0.2)
    client.send(**FLAG)
    conversation = client.sandbox.messages[0]["conversation"]
    assert client.get(f"/conversations/{conversation}").json["id"] == conversation
    asked = where("source.id", "=", "2001")
    assert find(client, asked)["total_count"] == 0
    time.sleep(0.25)
    assert find(client, asked)["total_count"] == 1


@pytest.mark.parametrize(
    ("field", "operator", "value", "count"),
    [
        ("contact_ids", "=", "other", 0),
        ("contact_ids", "IN", ["other", "536e564f316c83104c000020"], 1),
        ("source.author.id", "=", 394051, 1),
        ("source.author.id", "=", "1", 0),
        ("created_at", "<", 1_500_000_000, 0),
        ("created_at", ">", 1_500_000_000, 1),
        ("created_at", "!=", 1_500_000_000, 1),
        ("id", "=", "502001", 1),
        ("id", "IN", ["502001", "1"], 1),
    ],
)
def test_each_field_narrows_the_search(client, field, operator, value, count):
    client.send(**FLAG)
    assert find(client, where(field, operator, value))["total_count"] == count


def test_the_newest_comes_first_and_pages_go_on(client):
    for number in range(3):
        client.send(body=f"<p>{number}</p>", **FLAG)
    first = find(client, where("created_at", ">", 1), per_page=2)
    cursor = first["pages"]["next"]["starting_after"]
    second = find(client, where("created_at", ">", 1), per_page=2, starting_after=cursor)
    bodies = [one["source"]["body"] for page in (first, second) for one in page["conversations"]]
    assert bodies == ["<p>2</p>", "<p>1</p>", "<p>0</p>"]


def test_what_is_no_conversation_is_not_found(client):
    assert client.get("/conversations/1").status == 404


def test_a_date_that_is_none_is_refused(client):
    client.send(**FLAG)
    assert client.search(where("created_at", ">", "x"), place="conversations").status == 400


def test_a_page_has_twenty_conversations_and_150_at_most(client):
    for _ in range(21):
        client.send(create_conversation_without_contact_reply=True)
    everything = {"field": "created_at", "operator": ">", "value": 1}
    for page in (client.get("/conversations").json, client.search(everything, place="conversations").json):
        assert (len(page["conversations"]), page["total_count"]) == (20, 21)
        assert page["pages"]["next"]["per_page"] == 20
        cursor = page["pages"]["next"]["starting_after"]
        assert len(client.get(f"/conversations?starting_after={cursor}").json["conversations"]) == 1
    assert client.get("/conversations?per_page=151").status == 400


def test_an_email_that_bounced_has_its_drop_reason_from_2_16_on(client):
    client.send(to={"type": "user", "id": client_id(client, "bounced@example.com")}, **FLAG)
    conversation = client.sandbox.messages[0]["conversation"]
    at = f"/conversations/{conversation}"
    newest = client.get(at, **{"Intercom-Version": "2.16"}).json["source"]["recipients"]
    assert newest == [{"type": "to", "email": "bounced@example.com", "drop_reason": "user_bounced"}]
    assert "recipients" not in client.get(at).json["source"]


def test_up_to_2_5_a_contacts_conversations_are_listed_with_the_older_names(client):
    client.send(**FLAG)
    client.send(to={"type": "user", "id": "536e564f316c83104c000021"}, **FLAG)
    path = "/conversations?type=user&intercom_user_id=536e564f316c83104c000020"
    (conversation,) = client.get(path, **{"Intercom-Version": "2.5"}).json["conversations"]
    assert conversation["conversation_message"]["id"] == "2001"
    assert (conversation["customer_first_reply"], "source" in conversation) == (None, False)


def client_id(client, email):
    (contact,) = client.search(where("email", "=", email)).json["data"]
    return contact["id"]
