"""Segments, tags and companies, and the subscriptions of a contact."""

from __future__ import annotations

import pytest

ACME = "6c0000000000000000000001"


def names(reply):
    assert reply.status == 200, reply.raw
    return [company["name"] for company in reply.json["data"]]


def test_a_contact_shows_the_subscriptions_that_it_chose_or_left(client):
    def read(number):
        contact = client.get(f"/contacts/find_by_external_id/resident-{number:02}").json["id"]
        return [one["consent_type"] for one in client.get(f"/contacts/{contact}/subscriptions").json["data"]]

    assert [read(4), read(5), read(6)] == [["opt_out"], ["opt_in"], []]
    assert client.get("/contacts/missing/subscriptions").message == "User Not Found"


def test_companies_are_listed_by_pages_and_found_by_company_id(client):
    assert names(client.get("/companies")) == ["Acme", "Ponies & Sons"]
    assert names(client.get("/companies?per_page=1&page=2")) == ["Ponies & Sons"]
    (company,) = client.get("/companies?company_id=acme").json["data"]
    assert (company["id"], company["name"], company["user_count"]) == (ACME, "Acme", 4)


def test_the_contacts_of_a_company_have_pages_and_know_it(client):
    first = client.get(f"/companies/{ACME}/contacts?per_page=3").json
    cursor = first["pages"]["next"]["starting_after"]
    second = client.get(f"/companies/{ACME}/contacts?per_page=3&starting_after={cursor}").json
    contacts = first["data"] + second["data"]
    assert (len(contacts), second["total_count"]) == (4, 4)
    for contact in contacts:
        assert [company["id"] for company in contact["companies"]["data"]] == [ACME]


@pytest.mark.parametrize("path", ["/companies/1/contacts", "/companies?company_id=X"])
def test_an_unknown_company_is_not_found(client, path):
    reply = client.get(path)
    assert (reply.status, reply.code) == (404, "company_not_found")
