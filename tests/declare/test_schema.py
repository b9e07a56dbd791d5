"""The two schema libraries agree, and every refused value is explained."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare import schema
from runner.declare.audience import odd_cells

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        [
            *(
                "email",
                "inapp",
                "in_app",
                "user",
                "contact",
                "lead",
                "admin",
                "plain",
                "personal",
                "hello\n",
                "12\n",
                "a\x1cb",
            )
        ],
    ),
    st.sampled_from(
        ["ann@example.com", "ann@example.com\n", "{{ email }}", "2026-12-01", "\u2028", "\ufeff", "a\u2028b", "20%"]
    ),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2), max_leaves=3)
ADDRESS = st.fixed_dictionaries(
    {}, optional={"type": SCALARS, "id": SCALARS, "user_id": SCALARS, "email": SCALARS, "vars": SCALARS, "csv": SCALARS}
)
SENDER = st.fixed_dictionaries({}, optional={"type": SCALARS, "id": SCALARS, "name": SCALARS})


def _mapping(kind):
    keys = dict.fromkeys(schema.load_schema(kind)["properties"], VALUES)
    keys["from"] = st.one_of(SENDER, VALUES)
    if "to" in keys:
        keys["to"] = st.one_of(ADDRESS, st.lists(ADDRESS, max_size=2), VALUES)
    return st.fixed_dictionaries({}, optional={**keys, "unknown": VALUES})


GOOD = {
    "message": {
        "name": "a",
        "message_type": "email",
        "subject": "Hey",
        "body": "x",
        "from": {"type": "admin", "id": "1"},
        "to": {"type": "user", "email": "ann@example.com"},
    },
    "payload": {
        "message_type": "email",
        "subject": "Hey",
        "body": "x",
        "template": "plain",
        "from": {"type": "admin", "id": "1"},
        "to": {"type": "user", "email": "ann@example.com"},
    },
    "project": {"region": "eu", "api_version": "2.14", "abort_if": {"refused": "20%"}},
}


@pytest.mark.parametrize("kind", schema.SCHEMA_NAMES)
@given(st.data())
def test_both_libraries_give_the_same_verdict_and_a_refusal_has_a_reason(kind, data):
    value = {**copy.deepcopy(GOOD[kind]), **data.draw(_mapping(kind))}
    for key in data.draw(st.lists(st.sampled_from(sorted(value)), max_size=2)):
        value.pop(key, None)
    verdict = schema.validator(kind).is_valid(value)
    assert verdict == schema._explainer(kind).is_valid(value)
    assert verdict == (not schema.explain_violations(value, kind))


@pytest.mark.parametrize("kind", schema.SCHEMA_NAMES)
def test_the_examples_are_valid(kind):
    assert schema.validator(kind).is_valid(GOOD[kind])
    assert schema.explain_violations(GOOD[kind], kind) == []


def test_only_the_faulty_items_of_a_long_list_are_explained(monkeypatch):
    explainer, explained = type(schema._explainer("message")), []
    descend = explainer.descend
    monkeypatch.setattr(explainer, "descend", lambda *args, **more: explained.append(args) or descend(*args, **more))
    recipients = [{"type": "user", "id": f"{number}"} for number in range(300)]
    value = {**GOOD["message"], "to": recipients, "unknown": 1}
    assert [violation.code for violation in schema.explain_violations(value, "message")] == ["unknown-key"]
    assert len(explained) < len(recipients)
    value["to"][200] = {"type": "user"}
    assert ("to", 200) in {violation.path for violation in schema.explain_violations(value, "message")}


def test_a_misspelt_key_is_told_once():
    value = {**GOOD["message"], "subjct": "Hey"}
    del value["subject"]
    (found,) = schema.explain_violations(value, "message")
    assert (found.code, found.path, found.hint) == ("unknown-key", ("subjct",), "did you mean subject?")


def test_a_misspelt_key_beside_the_right_one_hides_nothing():
    value = {**GOOD["message"], "to": {"type": "user", "userid": 1, "id": "a", "email": "ann@example.com"}}
    assert {found.code for found in schema.explain_violations(value, "message")} == {"unknown-key", "recipient-address"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"from": {"type": "admin"}}, "a sender has exactly one of id, email and name"),
        ({"revision": 0}, "revision is at least 1, not 0"),
        ({"revision": None}, "revision is empty"),
        ({"body": ["x"]}, "body must be text, not a list"),
        ({"vars": "x"}, "vars must be a mapping, not text"),
        ({"revision": True}, "revision must be a whole number, not true or false"),
        ({"subject": {"a": 1}}, "subject must be text, not a mapping"),
        ({"subject": 1.5}, "subject must be text, not a number"),
    ],
)
def test_reasons_are_in_peoples_words(change, message):
    (found,) = schema.explain_violations({**GOOD["message"], **change}, "message")
    assert found.message == message


SPOILT = [
    *("5.36E+23", "5,36e-7", "12e+30", "1.5e10", "25.0", "26.00", "26,0", "-0.0", "1,000", "1,234,567", "'0123"),
    *("True", "FALSE", "#¡REF!", "#¿NOMBRE?", "#PR_CALC!", "#" * 400, "-", "—", "?"),
    *odd_cells._ODD,
]
RIGHT = [
    *("25", "0123", "1e5", "12E3", "1.5", "1.50", "1,5", "1,23", "2026-12-01", "a-1", "-1", "+12", "+49 170 1234"),
    *(
        "true",
        "nullify",
        "#1042",
        "#A1",
        "#N",
        "N/A-1",
        "Err:or",
        "'abc",
        "a b",
        "ünï",
        "东京-1",
        "536e564f316c83104c000020",
    ),
]
BARE = [
    *("a@b", "o'brien@example.com", "a+b@example.com", "a.b@sub.example.co.uk", "ü@exämple.com"),
    *('"a.b"@example.com', "x@[127.0.0.1]"),
]
NOT_BARE = [
    *("mailto:a@b.com", "MAILTO:a@b.com", "<a@b.com>", "a@b.com,", "a@b.com;", "a@b.com.", "'a@b.com'", "Ann<a@b.com>"),
    *("a@b.com;c", "a,b@c.com", "a@b.com:"),
]
INVISIBLE = "\0\t\x07\x7f\x85\xa0\xad\u061c\u200b\u200d\u200e\u200f\u202c\u2060\ufeff\ufffd"


def refused(kind, value):
    contact = {"type": "user", kind: value}
    found = {violation.code for violation in schema.explain_violations(contact, "contact")}
    assert schema.validator("contact").is_valid(contact) == (not found)
    return found


@pytest.mark.parametrize("kind", ["id", "user_id"])
def test_an_identifier_that_was_spoilt_is_refused_and_an_odd_one_is_not(kind):
    assert [value for value in SPOILT if refused(kind, value) != {"identifier-spoilt"}] == []
    right = [value for value in RIGHT if kind == "user_id" or " " not in value]  # an id of Intercom's holds no space
    assert [value for value in right if refused(kind, value)] == []


def test_an_address_is_one_bare_address():
    assert [value for value in NOT_BARE if refused("email", value) != {"email-form"}] == []
    assert [value for value in BARE if refused("email", value)] == []


@pytest.mark.parametrize("kind", ["id", "user_id", "email"])
def test_an_identifier_holds_no_character_that_nobody_sees(kind):
    told = [refused(kind, f"a{sign}b@example.com") for sign in INVISIBLE]
    assert all("identifier-invisible" in found for found in told)


def test_the_schemas_are_found_in_a_checkout():
    for kind in schema.SCHEMA_NAMES:
        assert schema.schema_path(kind).is_file()


def test_a_file_of_contacts_is_declared_alike_in_both_schemas():
    message, project = (schema.load_schema(kind)["$defs"] for kind in ("message", "project"))
    assert message["csv_keys"] == project["csv_keys"]
    assert message["contact_file"]["properties"].keys() == project["contact_file"]["properties"].keys()
    for name, rule in project["contact_file"]["properties"].items():
        of_audience = message["audience"]["properties"][name]
        described = {"description", "examples"}  # paths are relative to other folders
        assert {key: value for key, value in rule.items() if key not in described} == {
            key: value for key, value in of_audience.items() if key not in described
        }
