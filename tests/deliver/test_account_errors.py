"""An error of the account refuses nobody: the run stops and says what to fix, and the next one sends to everybody."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from runner.errors import RunStopped
from runner.intercom.client import HttpTransport
from runner.intercom.transport import NoReply, Reply
from tests.intercom.test_reply_meaning import ACCOUNT, NOTHING, PAGES, RECIPIENT

PEOPLE = 40
IDS = "\n".join(f"- {{type: user, id: aaa{number}}}" for number in range(PEOPLE))
EMAILS = "\n".join(f"- {{type: user, email: u{number}@example.com}}" for number in range(PEOPLE))


@dataclass
class Between:
    """Carries requests to the sandbox, and answers those to one path itself as long as it has an answer."""

    real: HttpTransport
    path: str
    answer: Reply | None
    also: dict[str, Reply] = field(default_factory=dict)
    asked: int = 0

    def exchange(self, method: str, path: str, body: Any, version: str) -> Reply | NoReply:
        if self.answer and path in self.also:
            return self.also[path]
        if self.answer and path == self.path:
            self.asked += 1
            return self.answer
        return self.real.exchange(method, path, body, version)


def error(status: int, code: str, message: str) -> Reply:
    value = {"type": "error.list", "request_id": "r1", "errors": [{"code": code, "message": message}]}
    return Reply(status, {}, json.dumps(value).encode())


@pytest.fixture
def between(project):
    project.declare(IDS)
    project.threads = 8
    project.transport = made = Between(HttpTransport(project.sandbox.url, "token"), "/messages", None)
    return made


@pytest.mark.parametrize(("status", "code", "message", "fix"), ACCOUNT)
def test_everybody_is_sent_to_once_it_is_mended(project, between, status, code, message, fix):
    between.answer = error(status, code, message)
    done = project.apply()
    assert (done.sent, done.refused, done.unknown) == (0, [], [])
    assert (done.stop.kind, fix in done.stop.hint) == ("error", True)
    assert between.asked <= 8
    between.answer = None
    assert project.apply().sent == PEOPLE
    assert project.statuses() == ["sent"] * PEOPLE


@pytest.mark.parametrize("answer", [*(error(*row) for row in NOTHING), *(Reply(403, {}, page) for page in PAGES[:3])])
def test_what_proves_nothing_stops_the_run_and_everybody_else_is_sent_to_later(project, between, answer):
    between.answer = answer
    done = project.apply()
    assert (done.sent, done.refused, done.stop.kind) == (0, [], "error")
    assert 1 <= len(done.unknown) <= 8
    between.answer = None
    assert project.apply().sent == PEOPLE - len(done.unknown)
    assert project.statuses().count("unknown") == len(done.unknown)


@pytest.mark.parametrize(("status", "code", "message"), RECIPIENT)
def test_what_is_about_a_person_stays_a_refusal(project, between, status, code, message):
    between.answer = error(status, code, message)
    done = project.apply()
    assert (done.sent, len(done.refused), done.unknown) == (0, PEOPLE, [])
    between.answer = None
    assert project.apply().planned == 0


def test_404_is_about_the_admin_where_intercom_does_not_know_that_one(project, between):
    between.answer = error(404, "not_found", "Resource Not Found")
    between.also["/admins/394051"] = error(404, "admin_not_found", "Admin not found")
    done = project.apply()
    assert (done.refused, done.unknown) == ([], [])
    assert "from: names admin 394051" in done.stop.hint
    between.answer = None
    assert project.apply().sent == PEOPLE


# Every look-up stops the run at any answer that is not the documented one, so some of each kind will do.
SOME = [*(error(*row[:3]) for row in ACCOUNT[::3]), *(error(*row) for row in NOTHING[::3]), Reply(403, {}, PAGES[1])]


@pytest.mark.parametrize("answer", SOME)
def test_no_answer_to_a_look_up_refuses_anybody(project, between, answer):
    project.declare(EMAILS)
    between.path, between.answer = "/contacts/search", answer
    with pytest.raises(RunStopped) as stopped:
        project.apply()
    assert stopped.value.hint
    assert project.records() == []
    between.answer = None
    assert project.apply().sent == PEOPLE


def test_a_contact_that_is_not_found_is_looked_up_again_without_another_record(project, between):
    project.declare(EMAILS)
    between.path = "/contacts/search"
    between.answer = Reply(200, {}, b'{"type":"list","data":[],"total_count":0,"pages":{}}')
    assert len(project.apply().refused) == PEOPLE
    lines = project.places.lockfile.read_bytes()
    plan = project.plan()
    assert plan.to_send == PEOPLE
    again = project.apply()
    assert (len(again.still_not_found), again.refused, again.stop, again.remaining) == (PEOPLE, [], None, 0)
    assert project.places.lockfile.read_bytes() == lines
    between.answer = None
    assert project.apply().sent == PEOPLE
    assert project.statuses() == ["sent"] * PEOPLE
