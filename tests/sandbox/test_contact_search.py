"""POST /contacts/search: queries, groups and pages."""

from __future__ import annotations

import pytest


def where(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def group(operator, *members):
    return {"operator": operator, "value": list(members)}


def emails(reply):
    assert reply.status == 200, reply.raw
    return [contact["email"] for contact in reply.json["data"]]


def test_an_answer_has_the_documented_shape(client):
    answer = client.search(where("email", "=", "ann@example.com")).json
    assert (answer["type"], answer["total_count"]) == ("list", 1)
    assert answer["pages"] == {"type": "pages", "page": 1, "per_page": 50, "total_pages": 1}


def test_fifteen_addresses_are_found_in_one_search(client):
    asked = [f"user{number}@example.com" for number in range(15)]
    assert emails(client.search(group("OR", *(where("email", "=", one) for one in asked)))) == asked
    assert emails(client.search(where("email", "IN", asked))) == asked


def test_a_role_tells_a_pair_apart(client):
    is_pair = where("email", "=", "pair@example.com")
    assert len(emails(client.search(is_pair))) == 2
    found = client.search(group("AND", is_pair, where("role", "=", "lead"))).json["data"]
    assert [contact["role"] for contact in found] == ["lead"]


def test_the_missing_are_not_found(client):
    assert client.search(where("email", "=", "missing@example.com")).json["total_count"] == 0


def test_groups_nest_two_deep_and_no_deeper(client):
    inner = group("OR", where("email", "=", "ann@example.com"), where("external_id", "=", "25"))
    outer = group("AND", inner, where("role", "!=", "lead"))
    assert client.search(outer).json["total_count"] == 2
    assert client.search(group("AND", outer)).status == 400


@pytest.mark.parametrize(
    "query",
    [
        None,
        {},
        "email",
        group("OR"),
        group("OR", *(where("email", "=", f"{number}@example.com") for number in range(16))),
        where("shoe_size", "=", 42),
        where("email", "LIKE", "x"),
        where("email", "IN", "x"),
        where("email", "=", ["x"]),
        {"field": "email", "operator": "="},
        where("created_at", ">", "yesterday"),
        where("created_at", "!=", 1401916877),
        where("created_at", ">=", 1401916877),
        where("created_at", "IN", [1401916877]),
        where("tag_id", "IN", ["7001"]),
        where("tag_id", "~", "7001"),
        where("email", ">", "a"),
        where("email", "=", {"a": 1}),
        where("unsubscribed_from_emails", "=", "maybe"),
        where("unsubscribed_from_emails", "~", "true"),
        where("owner_id", "=", "x"),
        where(["email"], "=", "x"),
        where("email", ["="], "x"),
    ],
)
def test_a_query_that_is_none_is_refused(client, query):
    reply = client.search(query)
    assert (reply.status, reply.code) == (400, "parameter_invalid")


@pytest.mark.parametrize("pagination", [{"per_page": 151}, {"per_page": 0}, {"per_page": "5"}, {"starting_after": "?"}])
def test_a_page_that_cannot_be_is_refused(client, pagination):
    assert client.search(where("role", "=", "user"), pagination).status == 400


def test_pages_together_are_everyone_once(start):
    client = start(population=160)
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        answer = client.search(where("role", "=", "user"), {"per_page": 60, "starting_after": cursor}).json
        seen += [contact["id"] for contact in answer["data"]]
        cursor = answer["pages"].get("next", {}).get("starting_after")
        pages += 1
    assert (pages, len(seen), len(set(seen)), answer["total_count"]) == (3, 160, 160, 160)


def test_residents_can_be_found_by_segment_tag_and_attribute(client):
    segment = client.get("/segments").json["segments"][0]["id"]
    assert client.search(where("segment_id", "=", segment)).json["total_count"] == 6
    tag = client.get("/tags").json["data"][0]["id"]
    assert client.search(where("tag_id", "=", tag)).json["total_count"] == 4
    assert client.search(where("custom_attributes.plan", "=", "pro")).json["total_count"] == 6


def test_a_resident_is_one_contact_by_email_and_by_external_id(client):
    by_email = client.search(where("email", "=", "resident-01@sandbox.example")).json["data"]
    assert client.search(where("external_id", "=", "resident-01")).json["data"] == by_email


@pytest.mark.parametrize(
    ("operator", "value", "count"),
    [
        ("~", "DENT-0", 9),
        ("!~", "dent-0", 3),
        ("^", "resident-1", 3),
        ("$", "2@sandbox.example", 2),
        ("NIN", ["x"], 12),
    ],
)
def test_texts_are_compared_in_part(client, operator, value, count):
    assert client.search(where("email", operator, value)).json["total_count"] == count


@pytest.mark.parametrize(
    ("field", "operator", "value", "count"),
    [
        ("name", "=", "Resident 03", 1),
        ("name", "^", "resident 1", 3),
        ("name", "IN", ["Resident 03", "Resident 04"], 2),
        ("email_domain", "=", "SANDBOX.example", 12),
        ("updated_at", ">", 1_300_000_000, 12),
        ("signed_up_at", "=", 1401916877, 12),
        ("last_seen_at", "<", 1401916877 + 3 * 86_400, 2),
        ("last_replied_at", "=", None, 12),
        ("last_contacted_at", ">", 1_300_000_000, 0),
        ("last_email_opened_at", ">", 1_300_000_000, 0),
        ("last_email_clicked_at", "<", 1_300_000_000, 0),
        ("unsubscribed_from_emails", "=", False, 12),
        ("unsubscribed_from_emails", "!=", False, 0),
        ("has_hard_bounced", "=", "true", 0),
        ("owner_id", ">=", 1, 0),
        ("phone", "=", None, 12),
        ("tag_id", "!=", "7001", 8),
        ("segment_id", "IN", ["5a0000000000000000000001"], 6),
        ("custom_attributes.plan", "NIN", ["pro"], 6),
        ("location.country", "=", "Ireland", 0),
        ("email", "IN", [], 0),
    ],
)
def test_each_field_is_compared_by_its_type(client, field, operator, value, count):
    reply = client.search(where(field, operator, value))
    assert (reply.status, reply.json.get("total_count")) == (200, count), reply.raw


def test_an_or_of_equals_on_one_field_is_what_an_in_is(client):
    names = ["Resident 03", "Resident 04"]
    groups = [
        client.search(group("OR", *(where("name", "=", name) for name in names))),
        client.search(where("name", "IN", names)),
    ]
    assert groups[0].json["data"] == groups[1].json["data"] != []
    mixed = group("OR", where("name", "=", "Resident 03"), where("external_id", "=", "resident-04"))
    assert client.search(mixed).json["total_count"] == 2


def test_dates_are_compared_by_day(client):
    ann = where("email", "=", "ann@example.com")
    day = 1401916877 // 86_400 * 86_400
    for operator, value, count in [("=", day, 1), (">", day, 0), (">", day - 1, 1), ("<", day + 86_399, 0)]:
        found = client.search(group("AND", ann, where("created_at", operator, value)))
        assert found.json["total_count"] == count, (operator, value)


def test_absence_can_be_asked_for(client):
    asked = group("AND", where("email", "=", "ann@example.com"), where("external_id", "=", None))
    assert client.search(asked).json["total_count"] == 1
