"""What an answer means: every row of the table, and nothing is taken for a proof that is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.intercom import NoReply, Reply
from runner.intercom.answer import Denied, Refused, Sent, Throttled, Unknown, Unreached, fault, meaning

SENDER = "394051"
MADE = {"type": "admin_message", "id": "2001", "owner": {"type": "admin", "id": SENDER}}


def reply(status: int, body: object = None, **headers: str) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def error(status: int, code: str = "not_found", message: str = "User Not Found") -> Reply:
    errors = [{"code": code, "message": message}]
    return reply(status, {"type": "error.list", "request_id": "r1", "errors": errors})


def test_200_with_the_documented_object_is_sent():
    assert meaning(reply(200, MADE, x_request_id="q1"), SENDER) == Sent("2001", "q1")


def test_an_id_may_be_a_number():
    assert meaning(reply(200, {**MADE, "id": 2001}), SENDER) == Sent("2001", "")


def test_another_owner_than_the_sender_is_told():
    assert meaning(reply(200, {**MADE, "owner": {"id": 7}}), SENDER) == Sent("2001", "", other_owner="7")


@pytest.mark.parametrize("owner", [None, {}, {"id": None}, {"id": SENDER}, {"id": int(SENDER)}, "somebody"])
def test_an_owner_that_is_missing_or_the_sender_is_nothing_to_tell(owner):
    assert meaning(reply(200, {**MADE, "owner": owner}), SENDER) == Sent("2001", "")


def test_a_user_message_is_unknown_and_an_alarm():
    assert meaning(reply(200, {"type": "user_message", "id": "9"}), SENDER).alarm


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"type":"admin_message","id":"20',
        [],
        {},
        {"type": "admin_message"},
        {"id": "2001"},
        {**MADE, "id": ""},
        {**MADE, "id": None},
        {**MADE, "id": True},
        {**MADE, "id": 2001.5},
        {**MADE, "type": "conversation"},
        b"[" * 100_000,
    ],
)
def test_200_with_anything_else_is_unknown(body):
    found = meaning(reply(200, body), SENDER)
    assert isinstance(found, Unknown)
    assert not found.alarm


@pytest.mark.parametrize(
    "status", [100, 201, 202, 204, 301, 302, 303, 307, 308, 408, 500, 502, 503, 504, 520, 599, 700]
)
def test_what_proves_nothing_is_unknown(status):
    assert isinstance(meaning(error(status), SENDER), Unknown)


@pytest.mark.parametrize("status", [400, 402, 403, 405, 406, 409, 410, 413, 418, 422, 425, 431, 451, 499])
def test_a_refusal_keeps_code_message_and_request_id(status):
    found = meaning(error(status, "some_code", "No subject"), SENDER)
    assert found == Refused("some_code", "No subject", "r1")


def test_404_may_be_about_a_contact_that_is_new():
    assert meaning(error(404), SENDER) == Refused("not_found", "User Not Found", "r1", not_found=True)


@pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (401, "anything"), (403, "api_plan_restricted")])
def test_what_is_about_the_token_or_its_plan_is_denied(status, code):
    assert meaning(error(status, code, "No"), SENDER) == Denied(code, "No", "r1")


def test_429_is_throttled_whatever_its_body():
    assert meaning(error(429), SENDER) == Throttled("r1")
    assert meaning(reply(429, b"<html>"), SENDER) == Throttled("")


def test_without_an_answer_it_hangs_on_whether_a_byte_left():
    assert meaning(NoReply("cut", may_have_left=True), SENDER) == Unknown("cut")
    assert meaning(NoReply("no route", may_have_left=False), SENDER) == Unreached("no route")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "error", "request_id": "r2", "message": "Gone"}, ("http_410", "Gone", "r2")),
        ({"type": "error", "code": "merged", "message": "Gone"}, ("merged", "Gone", "q1")),
        ({"errors": [{"code": "invalid", "field": "to"}], "request_id": None}, ("invalid", "to", "q1")),
        ({"errors": [{"message": "No"}]}, ("http_410", "No", "q1")),
        ({"errors": []}, ("http_410", "", "q1")),
        ({"errors": ["no"]}, ("http_410", "", "q1")),
        ({"errors": {"code": "odd"}}, ("http_410", "", "q1")),
        ({"errors": [{"code": 17, "message": ["odd"]}]}, ("17", "['odd']", "q1")),
        ([], ("http_410", "", "q1")),
        (b"<html>", ("http_410", "", "q1")),
        (b"", ("http_410", "", "q1")),
    ],
)  # fmt: skip
def test_errors_of_any_shape_are_read(body, expected):
    assert fault(reply(410, body, x_request_id="q1")) == expected


def test_no_address_gets_into_a_code_or_a_request_id():
    body = {"request_id": "for ann@example.com", "errors": [{"code": "ann@example.com is unknown", "message": "No"}]}
    assert fault(reply(400, body, x_request_id="<ann@example.com>")) == ("http_400", "No", "")


@given(st.integers(100, 599), st.binary(max_size=40))
def test_no_bytes_whatever_break_the_reading_and_only_200_is_ever_sent(status, body):
    found = meaning(Reply(status, {}, body), SENDER)
    assert not isinstance(found, Sent | Unreached)
