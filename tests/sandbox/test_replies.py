"""What a client sees of a contact that replies."""

import pytest

FLAG = {"create_conversation_without_contact_reply": True}


def conversations(client):
    return client.get("/conversations").json["conversations"]


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


def test_a_reply_survives_a_restart(start, tmp_path):
    path = tmp_path / "state.jsonl"
    first = start(state=path)
    first.send(to={"type": "user", "id": "replies-25"})
    before = first.get("/conversations/502001").json
    first.sandbox.close()
    assert start(state=path).get("/conversations/502001").json == before
