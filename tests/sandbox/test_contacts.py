"""One contact for every identifier, with a nature that its name tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.sandbox.contacts import Contacts

NOW = 1_700_000_000.0


def email_is(value):
    return {"field": "email", "operator": "=", "value": value}


def test_an_id_asked_for_is_its_own_contact(client):
    contact = client.get("/contacts/536e564f316c83104c000020").json
    assert (contact["type"], contact["id"], contact["role"]) == ("contact", "536e564f316c83104c000020", "user")
    documented = {"external_id", "email", "unsubscribed_from_emails", "has_hard_bounced", "marked_email_as_spam"}
    assert documented | {"created_at", "last_contacted_at"} <= set(contact)


def test_a_missing_contact_is_not_found(client):
    reply = client.get("/contacts/missing1")
    assert (reply.status, reply.code, reply.message) == (404, "not_found", "User Not Found")


def test_a_search_and_a_message_by_email_mean_the_same_contact(client):
    found = client.search(email_is("Ann@Example.com")).json["data"][0]["id"]
    client.send("1.4", to={"type": "user", "email": "ann@example.com"})
    client.send("2.14", to={"type": "user", "id": found})
    assert [message["contact"] for message in client.sandbox.messages] == [found, found]


def test_a_found_contact_is_read_with_what_it_was_found_by(client):
    by_email = client.search(email_is("ann@example.com")).json["data"][0]["id"]
    by_user_id = client.search({"field": "external_id", "operator": "=", "value": "25"}).json["data"][0]["id"]
    assert client.get(f"/contacts/{by_email}").json["email"] == "ann@example.com"
    assert client.get(f"/contacts/{by_user_id}").json["external_id"] == "25"


def test_ids_are_24_hex_digits_and_the_same_in_every_sandbox():
    (one,) = Contacts().find("email", "ann@example.com", NOW)
    (other,) = Contacts().find("email", " ANN@example.com", NOW)
    assert one == other
    assert len(one.id) == 24
    assert int(one.id, 16)


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("ann", ["user"]),
        ("lead", ["lead"]),
        ("twin", ["user", "user"]),
        ("pair", ["user", "lead"]),
        ("missing", []),
        ("unsubscribed", ["user"]),
    ],
)
def test_a_name_decides_who_shares_the_address(name, roles):
    found = Contacts().find("email", f"{name}-1@example.com", NOW)
    assert [contact.role for contact in found] == roles
    assert len({contact.id for contact in found}) == len(roles)


@pytest.mark.parametrize("name", ["lead", "unsubscribed", "fresh", "bounced", "spam", "replies", "lost"])
@pytest.mark.parametrize("kind", ["email", "user_id"])
def test_an_id_keeps_its_nature_after_a_restart(kind, name):
    (before,) = Contacts().find(kind, f"{name}@example.com", NOW)
    after = Contacts().get(before.id, NOW)
    assert after == replace(before, email=after.email, external_id=None)


@pytest.mark.parametrize("to", [{"id": "lost-1"}, {"email": "lost@example.com"}, {"user_id": "lost-25"}])
def test_the_answer_about_a_lost_contact_is_a_500_and_the_message_is_made(client, to):
    assert client.send(to={"type": "user", **to}, version="2.14" if "id" in to else "1.4").status == 500
    assert len(client.get("/_sandbox/messages").json) == 1


def test_a_user_found_by_email_cannot_be_addressed_as_a_lead(client):
    found = client.search(email_is("ann@example.com")).json["data"][0]["id"]
    assert client.send(to={"type": "lead", "id": found}).status == 404


def test_last_contacted_at_follows_the_messages(client):
    assert client.get("/contacts/536e").json["last_contacted_at"] is None
    client.send(to={"type": "user", "id": "536e"})
    assert client.get("/contacts/536e").json["last_contacted_at"] > NOW


def test_an_address_needs_both_sides():
    assert [Contacts().find("email", text, NOW) for text in ("", "@", "a@", "@b", "ab")] == [()] * 5


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("unsubscribed", "unsubscribed_from_emails"),
        ("bounced", "has_hard_bounced"),
        ("spam", "marked_email_as_spam"),
    ],
)
def test_a_name_decides_who_must_not_get_an_email(client, name, flag):
    (contact,) = client.search(email_is(f"{name}@example.com")).json["data"]
    flags = ("unsubscribed_from_emails", "has_hard_bounced", "marked_email_as_spam")
    assert [key for key in flags if contact[key]] == [flag]


def test_a_text_that_intercom_never_leaves_out_is_empty_and_a_missing_one_is_not_shown(client):
    contact = client.get("/contacts/noemail-536e").json
    assert (contact["email"], contact["email_domain"], contact["name"]) == ("", "", None)
    assert "job_title" not in client.get("/me").json


def test_a_user_is_found_by_external_id_and_a_lead_is_not(client):
    assert client.get("/contacts/find_by_external_id/a%2Fb%20c").json["external_id"] == "a/b c"
    assert client.get("/contacts/find_by_external_id/lead-1").status == 404
    assert client.get("/contacts/find_by_external_id/missing-1").code == "not_found"


def test_the_list_has_who_exists_by_pages_or_by_a_cursor(client):
    client.search(email_is("ann@example.com"))
    by_page = [client.get(f"/contacts?per_page=5&page={number}").json["data"] for number in (1, 2, 3, 4)]
    assert [len(page) for page in by_page] == [5, 5, 3, 0]
    first = client.get("/contacts?per_page=5").json
    cursor = first["pages"]["next"]["starting_after"]
    assert client.get(f"/contacts?per_page=5&page=1&starting_after={cursor}").json["data"] == by_page[1]
    assert client.get("/contacts?per_page=many").status == client.get("/contacts?page=0").status == 400
