"""POST /contacts: a contact that a client creates is the one that it finds, also after a restart."""

from __future__ import annotations

import time

import pytest

ANN = {
    "email": " Ann@Example.com",
    "external_id": "25",
    "name": "Ann",
    "phone": "+353871234567",
    "owner_id": 394051,
    "signed_up_at": 1_700_000_000,
    "unsubscribed_from_emails": True,
    "custom_attributes": {"plan": "pro", "seats": 3},
}


def search(client, field, value):
    return client.search({"field": field, "operator": "=", "value": value}).json["data"]


def test_it_is_found_by_everything_that_it_was_created_with(client):
    created = client.call("POST", "/contacts", ANN).json
    assert (created["email"], created["role"], created["custom_attributes"]["seats"]) == ("ann@example.com", "user", 3)
    assert abs(created["created_at"] - time.time()) < 5
    for field, value in [("email", "ANN@example.com"), ("external_id", "25"), ("name", "Ann"), ("id", created["id"])]:
        assert search(client, field, value) == [created], field
    assert client.get("/contacts/find_by_external_id/25").json == created
    assert client.send(to={"type": "user", "id": created["id"]}).status == 403  # unsubscribed


def test_it_survives_a_restart(start, tmp_path):
    path = tmp_path / "state.jsonl"
    first = start(state=path)
    created = first.call("POST", "/contacts", ANN).json
    first.sandbox.close()
    second = start(state=path)
    assert second.get(f"/contacts/{created['id']}").json == created
    assert search(second, "email", "ann@example.com") == [created]
    assert second.call("POST", "/contacts", ANN).status == 409


def test_a_second_one_with_the_same_details_is_refused_unless_it_is_a_lead(client):
    first = client.call("POST", "/contacts", {"email": "ann@example.com"}).json
    again = client.call("POST", "/contacts", {"email": "ann@example.com", "role": "user"})
    assert (again.status, again.code) == (409, "conflict")
    assert first["id"] in again.message
    lead = client.call("POST", "/contacts", {"email": "ann@example.com", "role": "lead"}).json
    assert [contact["id"] for contact in search(client, "email", "ann@example.com")] == [first["id"], lead["id"]]


def test_a_contact_that_was_asked_for_exists_already(client):
    (known,) = search(client, "email", "bo@example.com")
    assert known["id"] in client.call("POST", "/contacts", {"email": "bo@example.com"}).message
    assert client.call("POST", "/contacts", {"external_id": "resident-01"}).status == 409


def test_leads_without_an_identifier_are_many(client):
    leads = [client.call("POST", "/contacts", {"role": "lead"}).json for _ in range(3)]
    assert [lead["role"] for lead in leads] == ["lead"] * 3
    assert len({lead["id"] for lead in leads}) == 3


def test_a_contact_that_did_not_exist_can_be_created(client):
    assert search(client, "email", "missing@example.com") == []
    created = client.call("POST", "/contacts", {"email": "missing@example.com"}).json
    assert search(client, "email", "missing@example.com") == [created]


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"name": "Ann"},
        {"email": ""},
        {"email": "ann"},
        {"email": 5},
        {"role": "admin"},
        {"role": ["user"]},
        {"email": "a@b.c", "name": 5},
        {"email": "a@b.c", "owner_id": True},
        {"email": "a@b.c", "unsubscribed_from_emails": "yes"},
        {"email": "a@b.c", "custom_attributes": {"a": {}}},
        {"email": "a@b.c", "custom_attributes": [1]},
    ],
)
def test_an_invalid_payload_is_refused(client, payload):
    reply = client.call("POST", "/contacts", payload)
    assert (reply.status, reply.code) == (400, "parameter_invalid")
