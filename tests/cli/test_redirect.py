"""An environment that redirects: who gets what, what the ledger says, and what happens if redirect is turned off."""

import json

import pytest

from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST
from tests.support.project import SEED, Folder

SETTINGS = "environments:\n  staging: {redirect: {type: user, %s}}\n"
TO_TESTER = SETTINGS % "email: tester@example.com"
STAGING = ("-e", "staging")


def staging_records(folder: Folder) -> list[dict[str, object]]:
    lines = (folder.path / "messages.staging.lock").read_text().splitlines()
    return [value for line in lines if "key" in (value := json.loads(line))]


def test_every_message_goes_to_the_contact_each_for_its_own_recipient(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", TO_TESTER)
    folder.message(LIST)
    ran = folder.run(*STAGING, "apply", "--yes", "--new-lock", "--show-values")
    assert (ran.code, "3 sent by this run" in ran.out) == (0, True), ran
    (contact,) = {message["contact"] for message in intercom.messages}
    assert sorted(message["payload"]["body"] for message in intercom.messages) == [
        "(for id a1) Hi Ann", "(for id b2) Hi Bo", "(for id c3) Hi Cy",
    ]  # fmt: skip
    sent = [record for record in staging_records(folder) if record["status"] == "sent"]
    assert {(record["contact"], record["redirected"]) for record in sent} == {(contact, True)}
    assert sorted(str(record["to"]) for record in sent) == ["id:a1", "id:b2", "id:c3"]
    assert "tester" not in (folder.path / "messages.staging.lock").read_text()
    assert folder.run(*STAGING, "apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert "redirected" in folder.run(*STAGING, "status", "list").out


def test_that_everything_is_redirected_stands_above_all(folder: Folder) -> None:
    folder.write("msgrun.yaml", TO_TESTER)
    folder.message(LIST)
    notice = "! Everything is redirected: each message goes to email:*** in place of its recipient.\n"
    assert folder.run(*STAGING, "plan").out.splitlines(keepends=True)[1] == notice
    assert folder.run(*STAGING, "status").out.startswith(notice)
    comment = folder.run(*STAGING, "plan", "--format", "markdown").out
    assert comment.index("Everything is redirected") < comment.index("**3 to send")
    assert "\n- To `email:***` in place of `a1`, " in comment
    assert "redirected" not in folder.run("plan").out
    planned = folder.run(*STAGING, "plan", "--show-values").out
    assert "3 to send to email:tester@example.com in place of: " in planned


def test_render_shows_what_is_posted(folder: Folder) -> None:
    folder.write("msgrun.yaml", TO_TESTER)
    folder.message(LIST)
    rendered = json.loads(folder.run(*STAGING, "render", "list", "--to", "id:a1", "--show-values").out)
    assert (rendered["to"], rendered["body"]) == (
        {"type": "user", "email": "tester@example.com"},
        "(for id a1) Hi Ann",
    )


def test_what_was_redirected_does_not_count_as_sent_once_redirect_is_off(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", SETTINGS % "id: t1")
    folder.message(LIST)
    assert folder.run(*STAGING, "apply", "--yes", "--new-lock").code == 0
    folder.write("msgrun.yaml", "environments: {staging: {}}\n")
    planned = folder.run(*STAGING, "plan")
    assert planned.code == 5
    assert "\n    ~ 3 sent before redirect was turned on or off\n" in planned.out
    assert (
        "guard: list was redirected, so 3 recipients never got it, and redirect was turned off since [redirect-changed]"
        in planned.out
    )
    accepted = folder.run(*STAGING, "accept", "list", "--yes")
    assert "has no edit of list" in accepted.out
    folder.message(LIST + "revision: 2\n")
    assert folder.run(*STAGING, "apply", "--yes").code == 0
    assert sorted(message["contact"] for message in intercom.messages) == ["a1", "b2", "c3", "t1", "t1", "t1"]


def test_another_contact_of_redirect_sends_nothing_again(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", SETTINGS % "id: t1")
    folder.message(LIST)
    assert folder.run(*STAGING, "apply", "--yes", "--new-lock").code == 0
    folder.write("msgrun.yaml", SETTINGS % "id: t2")
    assert folder.run(*STAGING, "apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(intercom.messages) == 3


def test_reconcile_looks_at_the_contact_that_got_it(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", "abort_if: {unknown: 100}\n" + SETTINGS % "id: t1")
    folder.message(LIST + "create_conversation_without_contact_reply: true\n")
    intercom.trouble.replace({"next": ["500_after", "cut_json", "500_after"]})
    assert folder.run(*STAGING, "apply", "--yes", "--new-lock").code == 4
    ran = folder.run(*STAGING, "reconcile")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "3 found sent")
    sent = {record["to"]: record["id"] for record in staging_records(folder) if record["status"] == "sent"}
    for message in intercom.messages:
        assert sent["id:" + message["payload"]["body"].split("(for id ")[1][:2]] == message["id"]


def test_only_leaves_out_all_others_and_says_so(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", "environments:\n  staging: {only: [{id: b2}]}\n")
    folder.message(LIST)
    planned = folder.run(*STAGING, "plan").out
    assert "\n    left out: 2 by only of the environment\n" in planned
    assert folder.run(*STAGING, "apply", "--yes", "--new-lock").code == 0
    assert [message["contact"] for message in intercom.messages] == ["b2"]


def test_status_of_one_recipient_has_not_what_others_were_sent_for(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", SETTINGS % "id: t1")
    folder.message(LIST)
    assert folder.run(*STAGING, "apply", "--yes", "--new-lock").code == 0
    listed = json.loads(folder.run(*STAGING, "status", "--to", "id:b2", "--format", "json").out)
    assert [delivery["to"] for delivery in listed["deliveries"]] == ["id:b2"]
    assert not json.loads(folder.run(*STAGING, "status", "--to", "id:t1", "--format", "json").out)["deliveries"]
    assert intercom.messages


def test_the_contact_of_redirect_can_be_a_recipient_too(folder: Folder, intercom: Sandbox) -> None:
    folder.write("msgrun.yaml", SETTINGS % "id: b2")
    folder.message(LIST)
    assert folder.run(*STAGING, "apply", "--yes", "--new-lock").code == 0
    assert [message["contact"] for message in intercom.messages] == ["b2"] * 3


def test_lint_is_about_the_text_without_the_mark(folder: Folder) -> None:
    folder.write("msgrun.yaml", TO_TESTER)
    folder.message(SEED.replace("Hey", "An offer " * 10) + "expires: 2999-01-01\n")
    assert "long-subject" not in folder.run(*STAGING, "lint").out


@pytest.mark.parametrize(
    ("contact", "message", "hint"),
    [
        ("email: missing@example.com", "no contact has this email", "correct it, or create the contact in Intercom"),
        (
            "email: twin@example.com",
            "several contacts have this email: 5e115e11",
            "redirect: {type: user, id: 5e115e11",
        ),
    ],
)
def test_a_contact_that_is_not_exactly_one_is_refused_once(
    folder: Folder, intercom: Sandbox, contact: str, message: str, hint: str
) -> None:
    folder.write("msgrun.yaml", SETTINGS % contact)
    folder.message(LIST)
    planned = folder.run(*STAGING, "plan", "--online", "--format", "json")
    (guard,) = json.loads(planned.out)["guards"]
    assert (planned.code, guard["code"], json.loads(planned.out)["counts"]["send"]) == (5, "redirect-unknown", 3)
    assert guard["message"].startswith(f"msgrun.yaml:2:23: nothing can be redirected: {message}")
    ran = folder.run(*STAGING, "apply", "--yes", "--new-lock")
    assert (ran.code, ran.err.count(message), hint in ran.err) == (5, 1, True)
    assert (staging_records(folder), intercom.messages) == ([], [])
    folder.write("msgrun.yaml", SETTINGS % "email: tester@example.com")
    assert folder.run(*STAGING, "apply", "--yes").code == 0
