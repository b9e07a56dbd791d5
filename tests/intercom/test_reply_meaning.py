"""What an answer means: every row of the table, and nothing is taken for a proof that is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.intercom.reply_meaning import (
    NO_ANSWER,
    AccountDenied,
    Refused,
    Sent,
    Throttled,
    Unknown,
    Unreached,
    classify_reply,
    parse_error,
)
from runner.intercom.transport import NoReply, Reply

SENDER = "394051"
MADE = {"type": "admin_message", "id": "2001", "owner": {"type": "admin", "id": SENDER}}


def reply(status: int, body: object = None, **headers: str) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def error(status: int, code: str = "not_found", message: str = "User Not Found") -> Reply:
    errors = [{"code": code, "message": message}]
    return reply(status, {"type": "error.list", "request_id": "r1", "errors": errors})


def test_200_with_the_documented_object_is_sent():
    assert classify_reply(reply(200, MADE, x_request_id="q1"), SENDER) == Sent("2001", "q1")


def test_an_id_may_be_a_number():
    assert classify_reply(reply(200, {**MADE, "id": 2001}), SENDER) == Sent("2001", "")


@pytest.mark.parametrize(("value", "kept"), [("502001", "502001"), (502001, "502001"), (None, ""), ("", ""), ("a b", ""), ([], "")])  # fmt: skip # noqa: E501
def test_a_conversations_id_is_kept_where_it_comes(value, kept):
    assert classify_reply(reply(200, {**MADE, "conversation_id": value}), SENDER) == Sent("2001", "", conversation=kept)


def test_another_owner_than_the_sender_is_told():
    assert classify_reply(reply(200, {**MADE, "owner": {"id": 7}}), SENDER) == Sent("2001", "", other_owner="7")


@pytest.mark.parametrize("owner", [None, {}, {"id": None}, {"id": SENDER}, {"id": int(SENDER)}, "somebody"])
def test_an_owner_that_is_missing_or_the_sender_is_nothing_to_tell(owner):
    assert classify_reply(reply(200, {**MADE, "owner": owner}), SENDER) == Sent("2001", "")


def test_a_user_message_is_unknown_and_an_alarm():
    assert classify_reply(reply(200, {"type": "user_message", "id": "9"}), SENDER).is_inbound


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
    found = classify_reply(reply(200, body), SENDER)
    assert isinstance(found, Unknown)
    assert not found.is_inbound


@pytest.mark.parametrize(
    "status", [100, 201, 202, 204, 301, 302, 303, 307, 308, 408, 500, 502, 503, 504, 520, 599, 700]
)
def test_what_proves_nothing_is_unknown(status):
    found = classify_reply(error(status), SENDER)
    assert isinstance(found, Unknown)
    assert found.code


@pytest.mark.parametrize("status", [400, 402, 405, 406, 409, 410, 413, 418, 422, 425, 431, 451, 499])
def test_a_refusal_keeps_code_message_and_request_id(status):
    found = classify_reply(error(status, "some_code", "No subject"), SENDER)
    assert found == Refused("some_code", "No subject", "r1")


def test_404_may_be_about_a_contact_that_is_new():
    assert classify_reply(error(404), SENDER) == Refused("not_found", "User Not Found", "r1", is_not_found=True)


# DESIGN's table of answers, row by row: what is about the account, about the recipient, or proves nothing.
SCOPE = "You do not have the required scope (write_conversations) to access this resource"
ACCOUNT = [
    (401, "unauthorized", "Access Token Invalid", "copy INTERCOM_ACCESS_TOKEN"),
    (401, "anything", "No", "copy INTERCOM_ACCESS_TOKEN"),
    (401, "token_unauthorized", "No", "permission"),
    (401, "token_unauthorized", SCOPE, "permission"),
    (403, "forbidden", SCOPE, "permission"),
    (403, "forbidden", "Missing permission to message this user", "permission"),
    (403, "missing_authorization", "No", "permission"),
    (403, "token_suspended", "No", "make a new one"),
    (403, "token_blocked", "This user's token is blocked", "make a new one"),
    (403, "token_revoked", "", "make a new one"),
    (403, "api_plan_restricted", "Active subscription needed.", "plan"),
    (400, "intercom_version_invalid", "The requested version could not be found", "api_version"),
    (404, "admin_not_found", "Admin not found", "from: names admin 394051"),
]
RECIPIENT = [
    (403, "forbidden", "This user is unsubscribed from emails"),
    (403, "forbidden", "Contact cannot be messaged"),
    (403, "user_unsubscribed", "Unsubscribed"),
    (403, "forbidden", "The lead has no email"),
    (400, "parameter_invalid", "Body is required"),
    (404, "not_found", "User Not Found"),
    (404, "not_found", "Resource Not Found"),
    (409, "conflict", "Multiple existing users match this email address"),
    (410, "contact_merged", "The contact was merged"),
    (422, "parameter_not_found", "No subject supplied for email message"),
]
NOTHING = [
    (403, "forbidden", "You do not have access to this resource"),
    (403, "action_forbidden", ""),
    (400, "server_error", "Something went wrong"),
    (404, "service_unavailable", "Later"),
    (422, "request_timeout", "Slow"),
    (408, "request_timeout", "Slow"),
]
PAGES = [
    b"",
    b"<html><h1>403 Forbidden</h1></html>",
    b"{}",
    b"[]",
    b"null",
    b'"no"',
    b'{"error":"no"}',
    b'{"errors":[]}',
]
PAGES += [
    b'{"errors":["no"]}',
    b'{"errors":{"code":"x"}}',
    b'{"message":"Forbidden"}',
    b'{"type":"error"}',
    b"[" * 5000,
]


@pytest.mark.parametrize(("status", "code", "message", "fix"), ACCOUNT)
def test_an_error_about_the_account_refuses_nobody_and_says_what_to_fix(status, code, message, fix):
    found = classify_reply(error(status, code, message), SENDER)
    assert found == AccountDenied(code, message, "r1", found.hint)
    assert fix in found.hint
    other = reply(status, {"type": "error", "code": code, "message": message, "request_id": "r1"})
    assert classify_reply(other, SENDER) == found


@pytest.mark.parametrize(("status", "code", "message"), RECIPIENT)
def test_an_error_about_the_recipient_is_a_refusal(status, code, message):
    found = classify_reply(error(status, code, message), SENDER)
    assert found == Refused(code, message, "r1", is_not_found=status == 404)
    other = reply(status, {"type": "error", "code": code, "message": message, "request_id": "r1"})
    assert classify_reply(other, SENDER) == found


@pytest.mark.parametrize(("status", "code", "message"), NOTHING)
def test_an_error_that_proves_nothing_is_unknown_and_stops_the_run(status, code, message):
    found = classify_reply(error(status, code, message), SENDER)
    assert isinstance(found, Unknown)
    assert (found.is_fatal, found.request_id) == (True, "r1")


@pytest.mark.parametrize("body", PAGES, ids=lambda body: body[:20].decode())
@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 409, 410, 413, 422, 451])
def test_a_page_of_somebody_between_is_unknown_and_stops_the_run(status, body):
    found = classify_reply(reply(status, body, x_request_id="q1"), SENDER)
    assert isinstance(found, Unknown)
    assert found.is_fatal
    assert "proxy" in found.reason


def test_429_is_throttled_whatever_its_body():
    assert classify_reply(error(429), SENDER) == Throttled("r1")
    assert classify_reply(reply(429, b"<html>"), SENDER) == Throttled("")


def test_without_an_answer_it_hangs_on_whether_a_byte_left():
    assert classify_reply(NoReply("cut", has_sent_bytes=True), SENDER) == Unknown("cut", NO_ANSWER)
    assert classify_reply(NoReply("no route", has_sent_bytes=False), SENDER) == Unreached("no route", "")
    final = NoReply("no file", has_sent_bytes=False, fix="name one")
    assert classify_reply(final, SENDER) == Unreached("no file", "name one")


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
        ({"errors": [{"code": 17, "message": ["odd"]}]}, ("17", "", "q1")),
        ([], ("http_410", "", "q1")),
        (b"<html>", ("http_410", "", "q1")),
        (b"", ("http_410", "", "q1")),
    ],
)  # fmt: skip
def test_errors_of_any_shape_are_read(body, expected):
    assert parse_error(reply(410, body, x_request_id="q1")) == expected


def test_no_address_gets_into_a_code_or_a_request_id():
    body = {"request_id": "for ann@example.com", "errors": [{"code": "ann@example.com is unknown", "message": "No"}]}
    assert parse_error(reply(400, body, x_request_id="<ann@example.com>")) == ("http_400", "No", "")


@given(st.integers(100, 599), st.binary(max_size=40))
def test_no_bytes_whatever_break_the_reading_and_only_200_is_ever_sent(status, body):
    found = classify_reply(Reply(status, {}, body), SENDER)
    assert not isinstance(found, Sent | Unreached)
