"""Companies, their contacts, and the companies of a contact."""

from __future__ import annotations

import pytest

ACME = "6c0000000000000000000001"


def names(reply):
    assert reply.status == 200, reply.raw
    return [company["name"] for company in reply.json["data"]]


def test_companies_are_listed_by_pages_and_found_by_id_and_name(client):
    assert (
        names(client.get("/companies"))
        == names(client.call("POST", "/companies/list", {}))
        == ["Acme", "Ponies & Sons"]
    )
    assert names(client.get("/companies?per_page=1&page=2")) == ["Ponies & Sons"]
    assert names(client.get("/companies?name=Ponies%20%26%20Sons")) == ["Ponies & Sons"]
    assert names(client.get("/companies?company_id=acme")) == ["Acme"]
    assert client.get(f"/companies/{ACME}").json["user_count"] == 4
    assert names(client.get("/companies?tag_id=7001")) == []


def test_a_scroll_ends_with_an_empty_page_and_without_a_cursor(client):
    first = client.get("/companies/scroll").json
    last = client.get(f"/companies/scroll?scroll_param={first['scroll_param']}").json
    assert (len(first["data"]), last["data"], "scroll_param" in last) == (2, [], False)


def test_the_contacts_of_a_company_have_pages_and_know_it(client):
    first = client.get(f"/companies/{ACME}/contacts?per_page=3").json
    cursor = first["pages"]["next"]["starting_after"]
    second = client.get(f"/companies/{ACME}/contacts?per_page=3&starting_after={cursor}").json
    contacts = first["data"] + second["data"]
    assert (len(contacts), second["total_count"]) == (4, 4)
    for contact in contacts:
        assert [company["id"] for company in contact["companies"]["data"]] == [ACME]
        assert names(client.get(f"/contacts/{contact['id']}/companies")) == ["Acme"]


@pytest.mark.parametrize(
    "path", ["/companies/1", "/companies/1/contacts", "/companies/1/segments", "/companies?name=X"]
)
def test_an_unknown_company_is_not_found(client, path):
    reply = client.get(path)
    assert (reply.status, reply.code) == (404, "company_not_found")
