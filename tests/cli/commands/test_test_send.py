"""test-send: one delivery to the own team, marked, and the ledger knows nothing of it."""

import json
from pathlib import Path

import pytest

from runner.errors import LedgerUnavailable
from runner.intercom.senders import SenderLookup
from runner.ledger.durable_append import append_lines
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import records
from tests.support.project import SEED, Folder, Ran

MAIL = """\
name: news
message_type: email
subject: "Hi {{ first_name }}"
body: "<p>Hello {{ first_name }}</p>"
from: {type: admin, name: Zoe}
expires: 2020-01-01
to:
  - {type: user, email: ann@example.com, vars: {first_name: Ann}}
  - {type: user, email: bo@example.com, vars: {first_name: Bo}}
"""
ALLOWED = "test_recipients: [Team@acme.example]\n"


def send(folder: Folder, *args: str) -> Ran:
    return folder.run("test-send", "news", "--to", "team@acme.example", *args)


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.write("msgrun.yaml", ALLOWED)
    folder.message(MAIL)
    return folder


def test_it_goes_to_the_team_marked_and_rendered_as_for_the_recipient(project: Folder, intercom: Sandbox) -> None:
    ran = send(project, "--as", "bo@example.com")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Sent a test of news to ***, as email:~")
    assert "/all-conversations" in ran.out
    (message,) = intercom.messages
    assert message["payload"]["subject"] == "[Test] Hi Bo"
    assert message["payload"]["body"] == "<p>Hello Bo</p>"
    assert message["payload"]["to"] == {"type": "user", "id": message["contact"]}
    assert message["payload"]["from"] == {"type": "admin", "id": 394052}
    clear = send(project, "--as", "bo@example.com", "--show-values")
    assert clear.out.startswith("Sent a test of news to Team@acme.example, as bo@example.com would get it: ")
    contacts = [entry["payload"] for entry in intercom.log if entry["path"] == "/contacts/search"]
    assert all("bo@example.com" not in json.dumps(payload) for payload in contacts), "the real one is not asked for"


@pytest.mark.parametrize("command", ["test-send", "render"])
def test_of_a_mistyped_recipient_the_meant_one_is_named(project: Folder, command: str, intercom: Sandbox) -> None:
    options = ["--to", "team@acme.example", "--as"] if command == "test-send" else ["--to"]

    def run(address: str, *args: str) -> Ran:
        return project.run(command, "news", *options, address, *args)

    for address in ("bo@exampel.com", "bo@example"):
        ran = run(address, "--show-values")
        assert (ran.code, ran.err.endswith("  hint: did you mean bo@example.com?\n")) == (64, True)
    assert "hint: to see all: msgrun render news --show-values | less\n" in run("cy@example.com", "--show-values").err
    assert "bo@example.com" not in run("bo@exampel.com").err
    assert not intercom.messages


def test_a_recipient_by_user_id_is_named_with_the_kind(project: Folder, intercom: Sandbox) -> None:
    project.message(MAIL.replace("email: bo@example.com", 'user_id: "25"'))
    ran = send(project, "--as", "user_id:25", "--show-values")
    assert "as user_id:25 would get it: message" in ran.out
    assert len(intercom.messages) == 1


def test_it_is_recorded_apart_and_the_real_one_is_still_to_send(project: Folder, intercom: Sandbox) -> None:
    lockfile = (project.path / "messages.lock").read_bytes()
    send(project)
    assert (project.path / "messages.lock").read_bytes() == lockfile
    text = (project.path / ".msgrun/tests.jsonl").read_text()
    claim, outcome = map(json.loads, text.splitlines())
    assert (claim["message"], claim["status"], claim["id"]) == ("news", "claimed", "")
    assert outcome == {**claim, "at": outcome["at"], "status": "sent", "id": intercom.messages[0]["id"]}
    assert "@" not in text
    assert not records(project)


def test_an_in_app_message_has_the_mark_in_its_body(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", ALLOWED + 'api_version: "2.3"\n')
    folder.message(SEED.replace("email", "inapp").replace("template: plain\n", "").replace("subject: Hey\n", ""))
    assert folder.run("test-send", "seed", "--to", "Team@acme.example").code == 0
    (message,) = intercom.messages
    assert message["payload"]["body"] == "[Test] Ponies, cute small horses or something more sinister?"


def test_another_address_is_refused_with_the_line_to_add(project: Folder, intercom: Sandbox) -> None:
    ran = project.run("test-send", "news", "--to", "ann@example.com")
    assert ran.code == 5
    assert "--as names a recipient, whose text you get; if this one is of your own team, write " in ran.err
    assert "write into msgrun.yaml: test_recipients: [Team@acme.example, ann@example.com]" in ran.err
    assert "did you mean Team@acme.example?" in project.run("test-send", "news", "--to", "tam@acme.example").err
    project.write("msgrun.yaml", "")
    ran = send(project)
    assert (ran.code, "test_recipients: [team@acme.example]" in ran.err) == (5, True)
    assert not intercom.log


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("test_recipients: [missing@acme.example]\n", "no contact has the email address missing@acme.example"),
        ("test_recipients: [twin@acme.example]\n", "2 contacts have the email address twin@acme.example"),
        ("test_recipients: [a@acme.example]\nworkspace: other\n", "msgrun.yaml names other"),
    ],
)
def test_nothing_is_sent_to_the_wrong_contact_or_workspace(
    settings: str, said: str, project: Folder, intercom: Sandbox
) -> None:
    project.write("msgrun.yaml", settings)
    ran = project.run("test-send", "news", "--to", settings.split("[")[1].split("]", maxsplit=1)[0])
    assert (ran.code, said in ran.err) == (5, True)
    assert not intercom.messages


@pytest.mark.parametrize(
    ("trouble", "code", "status", "text"),
    [("422", 3, "refused", "parameter_not_found: No subject supplied for email message\n  hint: what that means:"),
     ("500_after", 4, "unknown", "the test may have arrived: HTTP status 500\n  hint: https://app.intercom.com/a/apps/"),
     ("429", 75, "throttled", "the rate limit left no room")],
)  # fmt: skip
def test_it_is_posted_once_whatever_the_answer(
    trouble: str, code: int, status: str, text: str, project: Folder, intercom: Sandbox
) -> None:
    intercom.trouble.replace({"next": [trouble]})
    ran = send(project)
    assert (ran.code, text in ran.err) == (code, True), ran.err
    assert len([entry for entry in intercom.log if entry["path"] == "/messages"]) == 1
    assert json.loads((project.path / ".msgrun/tests.jsonl").read_text().splitlines()[-1])["status"] == status


def test_a_sender_who_left_is_named_as_in_apply(
    project: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.deliver.prepared_test.look_up_senders", lambda *_: SenderLookup())  # it left after that
    intercom.trouble.replace({"next": ["404"]})
    project.message(MAIL.replace("name: Zoe", "id: '999'"))
    ran = send(project)
    assert (ran.code, len(intercom.messages)) == (1, 0)
    assert "Intercom said admin_not_found: there is no such admin" in ran.err
    assert json.loads((project.path / ".msgrun/tests.jsonl").read_text().splitlines()[-1])["status"] == "accountdenied"


@pytest.mark.parametrize(("failing", "count"), [(1, 0), (2, 1)])
def test_it_is_recorded_before_it_is_sent_and_a_record_that_fails_hides_nothing(
    failing: int, count: int, project: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    def fail(paths: list[Path], lines: bytes) -> None:
        calls.append(lines)
        if len(calls) == failing:
            raise LedgerUnavailable(f"{paths[0].name} cannot be written: No space left on device")
        append_lines(paths, lines)

    monkeypatch.setattr("runner.cli.commands.test_send.append_lines", fail)
    ran = send(project)
    assert len(intercom.messages) == count
    assert "tests.jsonl cannot be written: No space left on device" in ran.err
    assert (ran.code, "Sent a test of news" in ran.out) == ((0, True) if count else (6, False))


def test_mistakes_are_reported_before_anything_is_asked(project: Folder, intercom: Sandbox) -> None:
    assert project.run("test-send", "nws", "--to", "team@acme.example").code == 64
    ran = send(project, "--as", "cy@example.com")
    assert (ran.code, "to see all: msgrun render news --show-values | less\n" in ran.err) == (64, True), ran
    project.message(MAIL.replace("{{ first_name }}</p>", "{{ first_nam }}</p>"))
    assert send(project).code == 1
    project.message(MAIL.partition("to:")[0] + "to: {intercom: {segment: Active}}\n")
    ran = send(project)
    assert (ran.code, "an audience in the workspace, which test-send does not read" in ran.err) == (64, True), ran
    project.write("msgrun.yaml", "test_recipients: [team]\n")
    assert "[email-form]" in send(project).out
    assert not intercom.log


def test_it_works_in_the_sandbox(project: Folder) -> None:
    ran = project.run("--sandbox", "test-send", "news", "--to", "team@acme.example")
    assert ran.code == 0
    assert (project.path / ".msgrun/sandbox/tests.jsonl").exists()
