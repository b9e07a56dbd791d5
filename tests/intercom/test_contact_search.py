"""Contacts are searched in batches, over all pages, and each is counted once."""

import json

import pytest

from runner.errors import RunStopped
from runner.intercom.client import HttpTransport
from runner.intercom.contact_search import ContactSearch
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.transport import Reply
from runner.intercom.workspace import Workspace
from runner.privacy import reveal_or_mask
from runner.sandbox import Sandbox, Trouble


def reply(status: int, body: object, **headers: str) -> Reply:
    return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def contact(number: int, **fields: object) -> dict[str, object]:
    return {"id": f"c{number}", "role": "user", "email": f"p{number}@example.com", "created_at": 5, **fields}


@pytest.fixture
def workspace(time, script):
    def make(*answers):
        transport = script(*answers)
        return Workspace(transport, RateLimiter(time.clock, 1.0, None), time.clock), transport

    return make


EMAILS = [f"p{number}@example.com" for number in range(101)]
REJECTED = {"errors": [{"code": "parameter_invalid", "message": "too many"}]}


def test_identifiers_are_asked_for_fifty_at_a_time(workspace):
    found, transport = workspace(reply(200, {"data": []}))
    ContactSearch(found).find("email", EMAILS)
    queries = [asked[2]["query"] for asked in transport.asked]
    assert queries[0] == {"field": "email", "operator": "IN", "value": EMAILS[:50]}
    assert queries[2] == {"field": "email", "operator": "=", "value": EMAILS[100]}
    assert len(queries) == 3


@pytest.mark.parametrize("status", [400, 422])
def test_where_fifty_are_rejected_fifteen_are_asked_for_from_then_on(status, workspace):
    everyone = [{"data": [contact(number) for number in range(start, start + 15)]} for start in range(0, 101, 15)]
    found, transport = workspace(reply(status, REJECTED), *(reply(200, page) for page in everyone))
    search = ContactSearch(found)
    assert all(len(contacts) == 1 for contacts in search.find("email", EMAILS).values())
    queries = [asked[2]["query"] for asked in transport.asked]
    assert [len(query["value"]) for query in queries] == [50, *[15] * 6, 11]
    assert queries[1]["operator"] == "OR"
    search.find("email", EMAILS[:20])
    assert len(transport.asked) == 10


def test_a_query_of_fifteen_that_is_rejected_stops_the_run(workspace):
    with pytest.raises(RunStopped, match="HTTP status 400"):
        ContactSearch(workspace(reply(400, REJECTED))[0]).find("email", EMAILS)


def test_contacts_are_found_by_id(workspace):
    found, transport = workspace(reply(200, {"data": [contact(1, unsubscribed_from_emails=True)]}))
    matches = ContactSearch(found).find("id", ["c1", "c2"])
    assert [len(contacts) for contacts in matches.values()] == [1, 0]
    assert matches["c1"][0].faults == {"unsubscribed"}
    assert transport.asked[0][2]["query"]["value"][0] == {"field": "id", "operator": "=", "value": "c1"}


def test_an_address_twice_is_asked_for_once(workspace):
    found, transport = workspace(reply(200, {"data": [contact(1)]}))
    assert [who.id for who in ContactSearch(found).find("email", ["p1@example.com"] * 20)["p1@example.com"]] == ["c1"]
    assert len(transport.asked) == 1


def test_every_page_is_read_and_no_contact_counted_twice(workspace):
    first = {"data": [contact(1)], "pages": {"next": {"starting_after": "x"}}}
    second = {"data": [contact(1, role="lead"), contact(2, email="p1@example.com")], "pages": {"next": None}}
    found, transport = workspace(reply(200, first), reply(200, second))
    assert [who.id for who in ContactSearch(found).find("email", ["p1@example.com"])["p1@example.com"]] == ["c1", "c2"]
    assert transport.asked[1][2]["pagination"] == {"per_page": 150, "starting_after": "x"}


def test_pages_that_never_end_stop_the_run(workspace):
    page = {"data": [], "pages": {"next": {"starting_after": "x"}}}
    with pytest.raises(RunStopped, match="same page"):
        ContactSearch(workspace(reply(200, page))[0]).find("email", ["p1@example.com"])


def test_case_and_spaces_make_no_difference(workspace):
    found, _ = workspace(reply(200, {"data": [contact(1, email=" Ann@Example.COM ")]}))
    assert ContactSearch(found).find("email", ["ann@example.com", "ANN@example.com", "bo@example.com"]) == {
        "ann@example.com": ContactSearch(found).find("email", ["ann@example.com"])["ann@example.com"],
        "ANN@example.com": ContactSearch(found).find("email", ["ANN@example.com"])["ANN@example.com"],
        "bo@example.com": [],
    }
    assert len(ContactSearch(found).find("email", ["aNN@example.com"])["aNN@example.com"]) == 1


def test_a_user_id_is_the_external_id(workspace):
    found, transport = workspace(reply(200, {"data": [contact(1, external_id="25")]}))
    assert [who.id for who in ContactSearch(found).find("user_id", ["25"])["25"]] == ["c1"]
    assert transport.asked[0][2]["query"]["field"] == "external_id"


@pytest.mark.parametrize("page", [{}, {"data": None}, [], {"data": [{"id": ""}]}, {"data": [{"role": "user"}]}])
def test_a_search_that_answers_something_else_stops_the_run(page, workspace):
    with pytest.raises(RunStopped):
        ContactSearch(workspace(reply(200, page))[0]).find("email", ["p1@example.com"])


def test_an_address_that_intercom_repeats_is_marked_as_private(workspace):
    errors = {"errors": [{"code": "parameter_invalid", "message": "bad value ann@example.com"}]}
    with pytest.raises(RunStopped) as caught:
        ContactSearch(workspace(reply(400, errors))[0]).find("email", ["ann@example.com"])
    assert "ann" not in str(caught.value.message)
    assert "bad value ann@example.com" in reveal_or_mask(caught.value.message, show_values=True)


def test_a_real_search_over_real_pages_finds_everybody(time):
    with Sandbox(rate_limit=100_000, population=0, trouble=Trouble(routes={"POST /contacts/search": {"next": ["500_before"]}})) as sandbox:  # fmt: skip # noqa: E501
        found = Workspace(HttpTransport(sandbox.url, "t"), RateLimiter(time.clock, 1.0, None), time.clock)
        values = [f"p{number}@example.com" for number in range(40)] + ["missing@example.com", "twin@example.com"]
        people = ContactSearch(found).find("email", values)
        assert [len(people[value]) for value in values] == [1] * 40 + [0, 2]
        assert found.identity().id_code == "msgrun-sandbox"


@pytest.mark.parametrize(("status", "code"), [(403, "forbidden"), (401, "token_unauthorized"), (403, "api_forbidden")])
def test_a_token_that_may_not_read_contacts_is_told_which_permission_it_lacks(status, code, workspace):
    denied = {"errors": [{"code": code, "message": "No access"}]}
    with pytest.raises(RunStopped) as caught:
        ContactSearch(workspace(reply(status, denied))[0]).find("email", ["ann@example.com"])
    assert '"Read and list users and companies"' in caught.value.hint


# Two people with these, of whom only the first is a contact: the second must not get what is for the first.
LOOK_ALIKES = [
    ("email", "straße@example.com", "strasse@example.com"),
    ("email", "strasse@example.com", "straße@example.com"),
    ("email", "bo@straße.example", "bo@strasse.example"),
    ("email", "office@example.com", "oﬃce@example.com"),
    ("email", "so\u017f@example.com", "sos@example.com"),
    ("email", "ŉo@example.com", "\u02bcno@example.com"),
    ("email", "ΐ@example.com", "ΐ@example.com\u200b"),
    ("email", "i@example.com", "\u0131@example.com"),
    ("email", "i@example.com", "İ@example.com"),
    ("user_id", "aB3x", "Ab3x"),
    ("user_id", "25", "²5"),
]


@pytest.mark.parametrize(("kind", "known", "other"), LOOK_ALIKES)
def test_what_counts_as_two_recipients_never_finds_one_contact(kind, known, other, workspace):
    field = {"email": "email", "user_id": "external_id"}[kind]
    found, _ = workspace(reply(200, {"data": [contact(1, **{field: known})]}))
    people = ContactSearch(found).find(kind, [other, known])
    assert [len(people[value]) for value in (known, other)] == [1, 0]
