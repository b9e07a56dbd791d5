"""The contacts of an audience are read over all pages, each once, and what changed meanwhile is counted."""

import json

import pytest

from runner.declare.audience.workspace_contacts import ContactGroup
from runner.errors import RunStopped
from runner.intercom.audiences import GroupNotFound, read_contacts
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.transport import Reply
from runner.intercom.workspace import Workspace

SEARCH = ContactGroup("search", query={"field": "role", "operator": "=", "value": "user"})


def reply(body: object, status: int = 200) -> Reply:
    return Reply(status, {}, json.dumps(body).encode())


def page(*numbers: int, total: object = 3, after: object = None, **fields: object) -> Reply:
    following = {"next": after} if after else {}
    data = [{"id": f"c{number}", "role": "user", "name": f"N {number}", **fields} for number in numbers]
    return reply({"data": data, "total_count": total, "pages": following})


@pytest.fixture
def read(time, script):
    def read_group(group, *answers, role=None):
        transport = script(*answers)
        workspace = Workspace(transport, RateLimiter(time.clock, 1.0, None), time.clock)
        return read_contacts(workspace, group, role, lambda *_: None), transport.asked

    return read_group


def test_all_pages_are_read_and_a_contact_that_comes_twice_counts_once(read):
    reading, asked = read(SEARCH, page(1, 2, after={"starting_after": "x"}), page(2, 3, total=4))
    assert [contact["id"] for contact in reading.contacts()] == ["c1", "c2", "c3"]
    assert (reading.count, reading.repeated, reading.first_total, reading.last_total) == (3, 1, 3, 4)
    assert asked[1][2] == {"query": SEARCH.query, "pagination": {"per_page": 150, "starting_after": "x"}}


def test_a_contact_is_found_by_its_number_in_any_block(read):
    reading, _ = read(SEARCH, page(*range(1, 151), after={"starting_after": "x"}), page(*range(151, 301)))
    assert [reading.find(number)["id"] for number in (1, 128, 129, 300)] == ["c1", "c128", "c129", "c300"]


@pytest.mark.parametrize(("role", "ids"), [("user", ["c1"]), ("contact", ["c2"]), (None, ["c1", "c2"])])
def test_the_declared_type_leaves_out_the_other_role(role, ids, read):
    both = reply({"data": [{"id": "c1", "role": "user"}, {"id": "c2", "role": "lead"}], "total_count": 2})
    reading, _ = read(SEARCH, both, role=role)
    assert [contact["id"] for contact in reading.contacts()] == ids
    assert reading.other_role == 2 - len(ids)


def test_blank_fields_have_no_value_and_unknown_ones_are_not_kept(read):
    attributes = {"plan": "pro", "city": " ", "team": None}
    reading, _ = read(SEARCH, page(1, email="", phone=None, avatar="x", custom_attributes=attributes))
    assert list(reading.contacts()) == [
        {"id": "c1", "role": "user", "name": "N 1", "custom_attributes": {"plan": "pro"}}
    ]


@pytest.mark.parametrize(
    ("kind", "path", "answer", "field"),
    [
        (
            "segment",
            "/segments",
            {"segments": [{"id": "5a", "name": "VIP"}, {"id": "5b", "name": "vip"}]},
            "segment_id",
        ),
        ("tag", "/tags", {"data": [{"id": 5, "name": "Other"}, {"id": "5a", "name": "VIP"}]}, "tag_id"),
    ],
)
def test_a_segment_or_tag_is_found_by_its_exact_name(kind, path, answer, field, read):
    _, asked = read(ContactGroup(kind, "VIP"), reply(answer), page(1))
    assert [request[:2] for request in asked] == [("GET", path), ("POST", "/contacts/search")]
    assert asked[1][2]["query"] == {"field": field, "operator": "=", "value": "5a"}


@pytest.mark.parametrize(
    ("names", "message", "hint"),
    [
        (["VIP", "VIP"], "2 segments of the workspace are named VIP: s0, s1", "value: s0}"),
        (["VIPs", "Other"], "the workspace has no segment named VIP", "did you mean VIPs?"),
        (["Other"], "the workspace has no segment named VIP", "there is Other"),
        ([], "the workspace has no segment named VIP", ""),
    ],
)
def test_no_segment_or_several_are_named(names, message, hint, read):
    segments = [{"id": f"s{number}", "name": name} for number, name in enumerate(names)]
    with pytest.raises(GroupNotFound) as caught:
        read(ContactGroup("segment", "VIP"), reply({"segments": segments}))
    assert str(caught.value.message) == message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "following",
    ["https://elsewhere.example/companies/6c/contacts?page=2&per_page=150", {"page": 2, "per_page": 150}],
)
def test_a_company_is_found_by_its_own_id_and_no_address_of_an_answer_is_asked(following, read):
    found = reply({"type": "list", "data": [{"id": "6c", "company_id": "acme"}]})
    reading, asked = read(ContactGroup("company", "acme"), found, page(1, 2, after=following), page(3))
    assert reading.count == 3
    assert [request[1] for request in asked] == [
        "/companies?company_id=acme",
        "/companies/6c/contacts?per_page=150",
        "/companies/6c/contacts?per_page=150&page=2",
    ]


def test_a_company_may_be_answered_alone(read):
    reading, _ = read(ContactGroup("company", "acme"), reply({"id": "6c", "company_id": "acme"}), page(1))
    assert reading.count == 1


@pytest.mark.parametrize(
    "answer", [reply({}, 404), reply({"data": []}), reply({"data": [{"id": "6", "company_id": "b"}]})]
)
def test_an_unknown_company_is_an_error(answer, read):
    with pytest.raises(GroupNotFound, match="no company with the company_id acme"):
        read(ContactGroup("company", "acme"), answer)


def test_a_search_that_intercom_rejects_is_a_fault_of_the_declaration(read):
    with pytest.raises(GroupNotFound, match=r"Intercom does not take this search: .*parameter_invalid"):
        read(SEARCH, reply({"errors": [{"code": "parameter_invalid", "message": "no"}]}, 400))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (page(1, after={"starting_after": "x"}), "the same page for ever"),
        (reply({"data": [{"id": "<script>"}]}), "without an id"),
        (reply({"data": "all"}), "not documented"),
        (reply([]), "not documented"),
    ],
)
def test_a_hostile_answer_ends_the_reading(answer, message, read):
    with pytest.raises(RunStopped, match=message):
        read(SEARCH, answer)


@pytest.mark.parametrize("numbers", [(), (1, 2)])
def test_pages_that_bring_no_other_contact_end_the_reading(numbers, read):
    pages = (page(*numbers, after={"starting_after": f"x{number}"}) for number in range(30))
    with pytest.raises(RunStopped, match="10 pages in a row brought no other contact"):
        read(SEARCH, *pages)


@pytest.mark.parametrize("nest", [lambda value: {"a": value}, lambda value: [value], lambda value: [{"a": [value]}]])
def test_attributes_of_any_depth_are_read(read, nest):
    deep: object = "end"
    for _ in range(300):
        deep = nest(deep)
    reading, _ = read(SEARCH, page(1, custom_attributes={"plan": "pro", "list": ["a", "", 1], "deep": deep}))
    attributes = next(reading.contacts())["custom_attributes"]
    assert (attributes["plan"], attributes["list"]) == ("pro", ["a", "", 1])


def test_a_contact_of_which_python_makes_megabytes_is_refused(read):
    attributes = {f"attribute {number}": "x" * 255 for number in range(250)}
    reading, _ = read(SEARCH, page(1, custom_attributes=attributes))
    assert next(reading.contacts())["custom_attributes"] == attributes
    with pytest.raises(RunStopped, match="has more than 128 KiB of fields"):
        read(SEARCH, page(1, custom_attributes={"a": [[[]]] * 50_000}))


def test_an_audience_has_a_bound(read, monkeypatch):
    monkeypatch.setattr("runner.intercom.audiences.MAX_CONTACTS", 2)
    with pytest.raises(RunStopped, match="more than 2 contacts"):
        read(SEARCH, page(1, 2, 3, after={"starting_after": "x"}), page(4))
    monkeypatch.setattr("runner.intercom.audiences.MAX_COMPRESSED", 10)
    with pytest.raises(RunStopped, match="more data"):
        read(SEARCH, page(1))
