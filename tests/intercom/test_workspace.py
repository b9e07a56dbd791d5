"""Reading from a workspace: who it is and who the recipients are, patiently, and never a guess."""

import json

import pytest

from runner.errors import GuardRefused, RateExhausted, RunStopped
from runner.intercom.admins import Admin
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.transport import NoReply, Reply
from runner.intercom.workspace import Workspace


def reply(status: int, body: object, **headers: str) -> Reply:
    return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def contact(number: int, **fields: object) -> dict[str, object]:
    return {"id": f"c{number}", "role": "user", "email": f"p{number}@example.com", "created_at": 5, **fields}


ME = reply(200, {"app": {"id_code": "acme"}})
LOST = NoReply("no route", has_sent_bytes=False)


@pytest.fixture
def workspace(time, script):
    def make(*answers):
        transport = script(*answers)
        return Workspace(transport, RateLimiter(time.clock, 1.0, None), time.clock), transport

    return make


def test_a_workspace_is_named_by_its_app(workspace):
    found, transport = workspace(ME)
    assert found.identity().id_code == "acme"
    assert transport.asked == [("GET", "/me", None, "2.14")]


@pytest.mark.parametrize("body", [{}, {"app": None}, {"app": {"id_code": ""}}, {"app": {"id_code": 5.5}}, [], None])
def test_an_answer_that_names_no_workspace_stops_the_run(body, workspace):
    with pytest.raises(GuardRefused, match="does not name the workspace"):
        workspace(reply(200, body))[0].identity()


def test_an_answer_that_is_not_json_stops_the_run(workspace):
    with pytest.raises(RunStopped, match="not JSON"):
        workspace(reply(200, b"<html>"))[0].identity()


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_denied_stops_the_run_at_once(status, workspace, time):
    errors = {"errors": [{"code": "unauthorized", "message": "Access Token Invalid"}]}
    with pytest.raises(RunStopped, match=f"HTTP status {status}, unauthorized: Access Token Invalid"):
        workspace(reply(status, errors))[0].identity()
    assert time.slept == []


def test_what_is_only_a_bad_moment_is_asked_again(workspace, time):
    found, transport = workspace(reply(500, {}), LOST, reply(503, b""), NoReply("cut", has_sent_bytes=True), ME)
    assert found.identity().id_code == "acme"
    assert len(transport.asked) == 5
    assert time.slept == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(("answer", "told"), [(LOST, "no route"), (reply(502, b""), "HTTP status 502")])
def test_a_bad_moment_lasts_half_a_minute_at_most(answer, told, workspace, time):
    with pytest.raises(RunStopped, match=told):
        workspace(answer)[0].identity()
    assert 20 <= sum(time.slept) <= 30


def test_429_is_waited_for_and_after_ten_windows_it_is_for_later(workspace, time):
    limited = reply(429, {}, **{"retry-after": "3"})
    assert workspace(limited, limited, ME)[0].identity().id_code == "acme"
    assert sum(time.slept) == pytest.approx(6.0, abs=0.2)
    with pytest.raises(RateExhausted):
        workspace(limited)[0].identity()
    assert sum(time.slept) == pytest.approx(33.0, abs=1.0)


def test_a_read_waits_for_five_minutes_at_most(workspace, time):
    with pytest.raises(RunStopped, match="GET /me took longer than 300 s with its pauses"):
        workspace(reply(429, {}, **{"retry-after": "299"}))[0].identity()
    assert sum(time.slept) == pytest.approx(299.0, abs=0.2)


def test_pauses_count_for_the_time_of_a_search_and_a_long_one_is_told(time, script):
    told = []
    limited = reply(429, {}, **{"retry-after": "299"})
    found = Workspace(script(limited), RateLimiter(time.clock, 1.0, None), time.clock, told.append)
    with pytest.raises(RunStopped, match="took longer than 300 s with its pauses"):
        list(found.search_items("/contacts/search", {}, "data"))
    assert sum(time.slept) == pytest.approx(299.0, abs=0.2)
    assert [text.partition(" asks")[2] for text in told] == [" to wait 299 s, until 10:04:59 UTC"]
    told.clear()
    short = reply(429, {}, **{"retry-after": "9"})
    found = Workspace(
        script(short, reply(200, {"data": []})), RateLimiter(time.clock, 1.0, None), time.clock, told.append
    )
    assert (list(found.search_items("/contacts/search", {}, "data")), told) == ([], [])


def test_a_contact_is_read_by_its_id_and_may_not_exist(workspace):
    found, transport = workspace(reply(200, contact(1, role="lead", external_id="25")), reply(404, {}))
    assert found.contact("a/b").role == "lead"
    assert transport.asked[0][1] == "/contacts/a%2Fb"
    assert found.contact("c2") is None


def test_admins_are_read_with_name_email_and_seat(workspace):
    ann = {"id": 7, "name": "Ann", "email": "ann@example.com", "has_inbox_seat": False}
    found, transport = workspace(reply(200, {"admins": [ann, {"id": "8"}, {"name": "no id"}, "odd", None, ann]}))
    assert found.admins() == (Admin("7", "Ann", "ann@example.com", has_seat=False), Admin("8", ""))
    assert transport.asked == [("GET", "/admins", None, "2.14")]


@pytest.mark.parametrize(
    "answer", [reply(401, {}), reply(403, b"<html>"), reply(404, b""), reply(200, {}), reply(200, [])]
)
def test_admins_that_may_not_be_read_are_not_known(workspace, answer):
    assert workspace(answer)[0].admins() is None


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (reply(200, {"type": "admin", "id": "7"}), True),
        (reply(404, {"errors": [{"code": "admin_not_found", "message": "Admin not found"}]}), False),
        (reply(404, {"errors": [{"code": "not_found", "message": "no such path"}]}), None),
        (reply(403, {"errors": [{"code": "forbidden"}]}), None),
        (reply(400, b""), None),
        (reply(200, b"<html>"), None),
    ],
)
def test_only_intercoms_own_word_says_that_there_is_no_such_admin(workspace, answer, known):
    assert workspace(answer)[0].has_admin("7") is known


def merged(link: str) -> Reply:
    return reply(410, {"errors": [{"code": "contact_merged"}]}, link=link)


def to(contact_id: str) -> str:
    return f'</contacts/{contact_id}>; rel="canonical"'


@pytest.mark.parametrize(
    ("answers", "current"),
    [
        ([reply(200, contact(1))], "c1"),
        ([merged(to("c2")), reply(200, contact(2))], "c2"),
        ([merged("<https://api.intercom.io/contacts/c2>;rel=canonical"), reply(200, contact(2))], "c2"),
        ([merged(f'<x>; rel="help", {to("c2")}'), reply(200, contact(2))], "c2"),
        ([merged(to("c2")), merged(to("c3")), reply(200, contact(3))], "c3"),
        ([merged(to("c2")), reply(404, {})], ""),
        ([merged(to("c2")), merged(to("c1")), merged(to("c2"))], ""),  # the last answer comes again and again
        ([merged("")], ""),
        ([merged('</contacts/c2>; rel="next"')], ""),
        ([merged(to("../admins/7"))], ""),
        ([merged(to("c2\x1b[2J"))], ""),
        ([merged(to("x" * 200))], ""),
        ([merged("</contacts/" * 5000)], ""),
        ([reply(404, {})], ""),
        ([reply(403, {"errors": [{"code": "forbidden"}]})], None),
        ([reply(401, {})], None),
        ([reply(400, {"errors": [{"code": "intercom_version_invalid"}]})], None),
    ],
)  # fmt: skip
def test_a_contact_is_followed_to_the_one_that_it_was_merged_into(answers, current, workspace):
    found, transport = workspace(*answers)
    assert found.current_contact("c1") == current
    assert len(transport.asked) <= 10
    # Only 2.16 says what became of a contact; up to 2.15 the answer is 404.
    assert {version for *_, version in transport.asked} == {"2.16"}
    assert transport.asked[0][:2] == ("GET", "/contacts/c1")


def test_every_other_read_is_of_one_version(workspace):
    found, transport = workspace(reply(200, contact(1)))
    found.contact("c1")
    assert transport.asked[0][3] == "2.14"


@pytest.mark.parametrize(("answer", "reported"), [(LOST, "no route"), (reply(502, b""), "api.intercom.io gave HTTP status 502")])  # fmt: skip # noqa: E501
def test_the_first_failure_of_a_read_is_reported_before_the_pause(answer, reported, time, script):
    reports = []

    def report(text: str) -> None:
        reports.append((text, len(time.slept)))

    found = Workspace(script(answer, answer, ME), RateLimiter(time.clock, 1.0, None), time.clock, report)
    assert found.identity().id_code == "acme"
    assert reports == [(f"{reported}; trying again for up to 30 s", number) for number in (0, 1)]


def test_what_no_other_try_can_mend_is_asked_once(workspace, time):
    found, transport = workspace(NoReply("no file", has_sent_bytes=False, fix="name one"))
    with pytest.raises(RunStopped) as caught:
        found.identity()
    assert (caught.value.message, caught.value.hint) == ("GET /me: no file", "name one")
    assert (len(transport.asked), time.slept) == (1, [])
