"""What is wrong with an audience in the workspace is said offline, at its place; what is right is kept as declared."""

import json

import pytest

from runner.declare.contact_query import check_query, describe_days
from tests.support.project import SEED, Folder

BASE = SEED.partition("to:")[0]


def check(folder: Folder, to: str, body: str = "") -> list[dict[str, object]]:
    text = BASE.replace("Ponies, cute small horses or something more sinister?", body or "Hey")
    folder.message(f"{text}to: {to}\n")
    problems: list[dict[str, object]] = json.loads(folder.run("validate", "--format", "json").out)["problems"]
    return problems


@pytest.mark.parametrize(
    "to",
    [
        "{intercom: {segment: 2024}}",
        "{intercom: {company: 0123}, type: lead}",
        '{intercom: {search: {field: email, operator: "$", value: "@example.com"}}}',
        '{intercom: {tag: a}, where: "{{ contact.name is defined }}", unique_by: email, split: {percent: 9, part: 1}}',
    ],
)
def test_a_declaration_is_valid_without_its_contacts(to: str, folder: Folder) -> None:
    assert check(folder, to) == []


@pytest.mark.parametrize(
    ("to", "code", "place", "hint"),
    [
        ("{intercom: {}}", "audience-group", "7:16", "keep one of them"),
        ("{intercom: {segment: a, tag: b}}", "audience-group", "7:16", "a search can combine several"),
        ("{intercom: {segment: ' '}}", "audience-group", "7:26", ""),
        ("{intercom: {segmnt: a}}", "unknown-key", "7:17", "did you mean segment?"),
        ("[{intercom: {segment: a}, type: user}]", "unknown-key", "7:7", "an audience is not a member of a list"),
        ("{intercom: {segment: a}, csv: a.csv}", "unknown-key", "7:30", "keep intercom, or csv"),
        ("{intercom: {segment: a}, email: '{{ email }}'}", "unknown-key", "7:30", "addressed by its id: remove it"),
        ("{intercom: {segment: a}, vars: {email: x}}", "variable-name", "7:37", "give yours another name"),
        ("{intercom: {segment: a}, vars: {n: 5}}", "contact-variable", "7:40", "the message's own vars"),
        ("{intercom: {segment: a}, vars: {n: '{{ name }}'}}", "contact-variable", "7:44", "write contact.name"),
        ("{intercom: {segment: a}, vars: {n: '{{ contact.nmae }}'}}", "contact-field", "7:44", "did you mean name?"),
        ("{intercom: {segment: a}, where: '{{ plan == 1 }}'}", "unknown-column", "7:41", "the columns are contact"),
        ("{intercom: {segment: a}, unique_by: mail}", "unknown-column", "7:41", "did you mean email?"),
    ],
)  # fmt: skip
def test_a_fault_has_its_place_and_a_hint(to: str, code: str, place: str, hint: str, folder: Folder) -> None:
    problems = check(folder, to)
    (problem,) = (problem for problem in problems if problem["code"] == code)
    assert hint in str(problem["hint"])
    assert f"{problem['line']}:{problem['column']}" == place


def test_a_text_that_names_no_field_of_a_contact_is_an_error(folder: Folder) -> None:
    (problem,) = check(folder, "{intercom: {segment: a}}", "Plan {{ contact.plan | default('x') }}, see contact.html")
    assert problem["code"] == "contact-field"
    assert "contact.custom_attributes.plan" in str(problem["hint"])


def condition(field: object, operator: object, value: object) -> dict[str, object]:
    return {"field": field, "operator": operator, "value": value}


ROLE = condition("role", "=", "user")


@pytest.mark.parametrize(
    "query",
    [
        ROLE,
        condition("email", "IN", ["a@example.com", "b@example.com"]),
        condition("custom_attributes.seats", ">=", 3),
        condition("last_seen_at", "=", None),
        {"operator": "AND", "value": [ROLE, {"operator": "OR", "value": [ROLE] * 15}]},
    ],
)
def test_a_query_as_the_api_has_it_is_taken(query: dict[str, object]) -> None:
    assert list(check_query(query)) == []


@pytest.mark.parametrize(
    ("query", "code", "path", "hint"),
    [
        ("role = user", "search-form", (), ""),
        ({"field": "role", "value": "user"}, "search-form", (), 'operator: "="'),
        ({**ROLE, "not": 1}, "search-form", (), 'operator: "="'),
        ({"operator": "AND", "value": ROLE}, "search-form", (), "value: ["),
        ({"operator": "AND", "value": []}, "search-form", (), "value: ["),
        ({"operator": "OR", "value": [ROLE] * 16}, "search-form", ("value",), "or use IN"),
        (
            {"operator": "OR", "value": [{"operator": "OR", "value": [{"operator": "OR", "value": [ROLE]}]}]},
            "search-form", ("value", 0, "value", 0), "a group in a group",
        ),
        (condition("role", "==", "user"), "search-operator", ("operator",), ""),
        (condition("role", None, "user"), "search-operator", ("operator",), 'operator: "~"'),
        (condition("tag_id", "IN", ["1"]), "search-operator", ("operator",), ""),
        (condition("created_at", ">=", 5), "search-operator", ("operator",), "counts by day"),
        (condition("role", ">", "user"), "search-operator", ("operator",), ""),
        (condition("email", "IN", "a"), "search-value", ("value",), ""),
        (condition("email", "=", ["a"]), "search-value", ("value",), 'operator: "IN"'),
        (condition("email", "=", {"a": 1}), "search-value", ("value",), ""),
        (condition("created_at", ">", "2026-01-01"), "search-value", ("value",), "1767225600 is 2026-01-01"),
        (condition("mail", "=", "a"), "search-field", ("field",), "did you mean email?"),
    ],
)  # fmt: skip
def test_a_fault_of_a_query_has_its_path_and_a_hint(query: object, code: str, path: object, hint: str) -> None:
    (fault,) = check_query(query)
    assert (fault.code, fault.path, fault.is_error) == (code, path, code != "search-field")
    assert hint in fault.hint


def test_a_condition_on_a_date_says_which_days_it_means() -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # this test alone

    new_year = condition("created_at", ">", 1767225600)
    query = {"operator": "AND", "value": [new_year, condition("last_seen_at", "<", "1767225600"), ROLE]}
    assert [
        line.partition(":")[0] for line in describe_days(query, ZoneInfo("America/New_York"), "America/New_York")
    ] == [
        "created_at > 1767225600 means from 2026-01-01 on (in America/New_York)",
        "last_seen_at < 1767225600 means before 2025-12-31 (in America/New_York)",
    ]
    (line,) = describe_days(new_year)
    assert "from 2026-01-02 on (if the workspace's time zone is UTC)" in line
