"""What the page of the inbox is shown, and the replies that it writes."""

from __future__ import annotations

import pytest


def inbox(client, query=""):
    return client.get(f"/_sandbox/inbox{query}").json


def reply(client, message, document, kind="application/json"):
    return client.call("POST", f"/_sandbox/inbox/{message}/replies", document, Content_Type=kind, Authorization=None)


def send_to(client, email, **changes):
    query = {"field": "email", "operator": "=", "value": email}
    (contact,) = client.search(query).json["data"]
    answer = client.send(to={"type": "user", "id": contact["id"]}, **changes)
    assert answer.status == 200, answer.json
    return answer.json["id"]


def test_the_newest_is_first_with_whom_it_went_to(client):
    send_to(client, "ann@example.com", subject="One")
    newest = send_to(client, "bo@example.com", subject="Two")
    listed = inbox(client)
    assert [(each["subject"], each["contact"]["email"]) for each in listed["messages"]] == [
        ("Two", "bo@example.com"),
        ("One", "ann@example.com"),
    ]
    shown = client.get(f"/_sandbox/inbox/{newest}").json
    assert (shown["from"], shown["payload"]["subject"], shown["parts"]) == ("Wash", "Two", [])
    assert client.get("/_sandbox/inbox/1").status == 404


def test_pages_search_and_a_contact(client):
    for number in range(60):
        send_to(client, f"user{number}@example.com", subject=f"About {'horses' if number % 2 else 'ponies'}")
    first, second = inbox(client), inbox(client, "?page=2")
    assert (len(first["messages"]), len(second["messages"]), first["pages"], first["total"]) == (50, 10, 2, 60)
    assert inbox(client, "?page=99")["page"] == 2
    assert inbox(client, "?page=x")["page"] == 1
    (found,) = inbox(client, "?search=USER7%40+about")["messages"]
    assert found["contact"]["email"] == "user7@example.com"
    assert inbox(client, "?search=about+horses")["matched"] == 30
    assert inbox(client, f"?contact={found['contact']['id']}")["matched"] == 1


def test_a_known_version_gets_nothing_until_something_changes(client):
    message = send_to(client, "ann@example.com")
    version = inbox(client)["version"]
    assert inbox(client, f"?since={version}") == {"version": version}
    reply(client, message, {"body": "Thanks"})
    assert inbox(client, f"?since={version}")["messages"][0]["replies"] == 1


@pytest.mark.parametrize("opens", [True, False])
def test_a_reply_is_a_conversation_for_every_client(client, opens):
    message = send_to(client, "ann@example.com", create_conversation_without_contact_reply=opens or ...)
    answer = reply(client, message, {"body": "Thanks"}).json
    assert [(part["author_type"], part["body"]) for part in answer["parts"]] == [("user", "Thanks")]
    query = {"field": "source.id", "operator": "=", "value": message}
    (conversation,) = client.search(query, place="conversations").json["conversations"]
    assert conversation["statistics"]["first_contact_reply_at"]
    reply(client, message, {"body": "And more"})
    assert inbox(client)["messages"][0]["replies"] == 2


def test_a_form_of_another_page_and_an_empty_reply_are_refused(client):
    message = send_to(client, "ann@example.com")
    assert reply(client, message, {"body": "x"}, "text/plain").status == 404
    assert reply(client, message, {"body": " "}).status == 400
    assert reply(client, message, b"[").status == 400
    assert reply(client, "1", {"body": "x"}).status == 404
    assert inbox(client)["messages"][0]["replies"] == 0


def test_it_shows_what_another_sandbox_with_the_same_file_was_sent_and_the_other_way_round(start, tmp_path):
    state = tmp_path / "state.jsonl"
    kept, other = start(state=state), start(state=state)
    message = send_to(other, "ann@example.com")
    assert inbox(kept)["messages"][0]["contact"]["email"] == "ann@example.com"
    reply(kept, message, {"body": "Thanks"})
    reply(kept, message, {"body": "More"})
    inbox(kept)
    assert inbox(other)["messages"][0]["replies"] == inbox(kept)["messages"][0]["replies"] == 2
    assert inbox(start(state=state))["messages"][0]["replies"] == 2
    assert send_to(kept, "bo@example.com") != message
