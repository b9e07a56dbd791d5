"""What a sandbox created survives its restart."""

from __future__ import annotations

FLAG = {"create_conversation_without_contact_reply": True}


def test_ids_go_on_and_conversations_stay_after_a_restart(start, tmp_path):
    path = tmp_path / "state" / "state.jsonl"
    first = start(state=path)
    first.send(**FLAG)
    first.connection.close()
    first.sandbox.close()
    second = start(state=path)
    assert second.send().json["id"] == "2002"
    assert [message["id"] for message in second.sandbox.messages] == ["2001", "2002"]
    query = {"field": "contact_ids", "operator": "=", "value": "536e564f316c83104c000020"}
    assert second.search(query, place="conversations").json["total_count"] == 1
    assert second.get("/contacts/536e564f316c83104c000020").json["last_contacted_at"]


def test_a_torn_last_line_is_overlooked_and_swallows_nothing(start, tmp_path):
    path = tmp_path / "state.jsonl"
    first = start(state=path)
    first.send()
    first.send()
    whole = path.read_bytes()
    first.sandbox.close()
    path.write_bytes(whole[:-20])
    second = start(state=path)
    assert second.send().json["id"] == "2002"
    third = start(state=path)
    assert [message["id"] for message in third.sandbox.messages] == ["2001", "2002"]


def test_nothing_is_made_once_the_sandbox_is_closed(start):
    client = start()
    client.send()
    client.sandbox.close()
    assert len(client.sandbox.messages) == 1


def test_its_owner_alone_may_read_it(start, tmp_path):
    path = tmp_path / "state.jsonl"
    path.touch(0o644)
    before = start(state=path)
    before.send()
    assert path.stat().st_mode & 0o777 == 0o600
    made = start(state=tmp_path / "other.jsonl")
    made.send()
    assert (tmp_path / "other.jsonl").stat().st_mode & 0o777 == 0o600
