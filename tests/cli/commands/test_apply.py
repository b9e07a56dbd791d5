import json
import re
import subprocess
from pathlib import Path

import pytest

from runner.intercom.workspace import Workspace
from runner.sandbox import Sandbox
from tests.support.clones import git_output
from tests.support.project import SEED, Folder
from tests.support.terminal import Terminal, run_on_terminal

LIST = """\
name: list
message_type: inapp
body: Hi {{ name }}
from: {type: admin, id: 394051}
to:
  - {type: user, id: a1, vars: {name: Ann}}
  - {type: user, id: b2, vars: {name: Bo}}
  - {type: user, id: c3, vars: {name: Cy}}
"""


def records(folder: Folder) -> list[dict[str, object]]:
    lines = (folder.path / "messages.lock").read_text().splitlines()
    return [value for line in lines if "key" in (value := json.loads(line))]


def test_plan_is_offline_and_changes_nothing(folder: Folder) -> None:
    folder.message(LIST)
    before = (folder.path / "messages.lock").read_bytes()
    ran = folder.run("plan")
    assert ran.code == 0
    assert "\n    3 to send: " in ran.out
    assert (folder.path / "messages.lock").read_bytes() == before


def test_plan_exits_with_2_on_demand_while_there_is_something_to_send(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    assert folder.run("plan", "--detailed-exitcode").code == 2
    assert folder.run("apply", "--yes").code == 0
    assert folder.run("plan", "--detailed-exitcode").code == 0
    assert len(intercom.messages) == 3


def test_plan_as_json_has_the_documented_form(folder: Folder) -> None:
    folder.message(SEED)
    plan = json.loads(folder.run("plan", "--format", "json").out)
    assert plan["digest"] == "sha256:7acc4b89b134d1ece5f6fd78ca3c74e2598f1aba18f0065b7e62fa1732fce013"
    assert plan["counts"] == {"send": 1, "sent": 0, "edited": 0, "unknown": 0, "refused": 0, "excluded": 0}
    assert plan["messages"][0]["digest"] == "sha256:10855d80d7d36aa29ac63cc866f6f8e11e64dda9f7b49fe0f3c9878a22bb3b0e"
    assert plan["deliveries"] == [
        {
            "key": "3215e97fae6137100a3e78e8529ac85e",
            "message": "seed",
            "revision": 1,
            "to": "id:536e564f316c83104c000020",
            "action": "send",
            "digest": "v1:18d956e378d0a1091356030138bd787b",
            "reason": "",
        }
    ]
    assert (plan["format_version"], plan["environment"], plan["workspace"], plan["guards"]) == (1, "default", "", [])


def test_warnings_of_a_json_plan_go_to_stderr(folder: Folder) -> None:
    folder.message(LIST.replace("body:", "subject: unused\nbody:"))
    ran = folder.run("plan", "--format", "json")
    json.loads(ran.out)
    assert "[subject-unused]" in ran.err
    assert "[subject-unused]" in folder.run("plan").out


def test_problems_of_a_json_plan_are_json(folder: Folder) -> None:
    folder.message(LIST.replace("Cy", "null"))
    ran = folder.run("plan", "--format", "json")
    assert ran.code == 1
    assert json.loads(ran.out)["problems"][0]["recipient"] == "recipient 3"


def test_apply_sends_each_once_and_then_has_nothing_to_do(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "3 sent by this run")
    again = folder.run("apply", "--yes")
    assert (again.code, again.out.splitlines()[-1]) == (0, "nothing to do")
    assert sorted(message["payload"]["to"]["id"] for message in intercom.messages) == ["a1", "b2", "c3"]
    told = [(record["to"], record["status"]) for record in records(folder)]
    assert sorted(told) == sorted((f"id:{to}", status) for to in ("a1", "b2", "c3") for status in ("claimed", "sent"))
    assert all(told.index((to, "claimed")) < told.index((to, "sent")) for to, _ in told)


def test_apply_without_a_terminal_and_without_yes_names_the_flag(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    ran = folder.run("apply")
    assert ran.code == 5
    assert "--yes" in ran.err
    assert not intercom.messages


def test_apply_without_a_lockfile_needs_to_be_told(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    (folder.path / "messages.lock").unlink()
    assert "there is no ledger messages.lock yet" in folder.run("plan").err
    ran = folder.run("apply", "--yes")
    assert ran.code == 5
    assert "if nothing was sent yet: msgrun lock begin" in ran.err
    assert folder.run("apply", "--yes", "--new-lock").code == 0
    assert len(intercom.messages) == 3


def test_limit_sends_the_first_and_leaves_the_rest(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    ran = folder.run("apply", "--yes", "--limit", "2")
    assert ran.code == 0
    assert "\n2 sent by this run, 1 left by --limit 2\n\nNext:\n  Send the one that is left:\n" in ran.out
    assert ran.out.endswith(" apply --yes --limit 2\n")
    assert "Plan: 3 to send (2 in this run)." in ran.out
    assert folder.run("apply", "--yes").out.splitlines()[-1] == "1 sent by this run"
    assert len(intercom.messages) == 3


def test_what_was_not_agreed_to_is_not_sent(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    digest = json.loads(folder.run("plan", "--format", "json").out)["digest"]
    assert folder.run("apply", "--yes", "--expect", "sha256:" + "0" * 64).code == 5
    assert folder.run("apply", "--yes", "--confirm-recipients", "2").code == 5
    for wrong in ("123", digest[:-1], digest.removeprefix("sha256:"), digest.upper()):
        refused = folder.run("apply", "--yes", "--expect", wrong)
        assert (refused.code, f"--expect: {wrong} is no digest" in refused.err) == (64, True)
        assert ("hint: write sha256: before it\n" in refused.err) is (f"sha256:{wrong}" == digest)
    assert not intercom.messages
    assert folder.run("apply", "--yes", "--expect", digest, "--confirm-recipients", "3", "--limit", "1").code == 0
    assert folder.run("apply", "--yes", "--expect", digest, "--confirm-recipients", "3").code == 0


def test_the_digest_that_a_narrow_terminal_shows_can_be_expected(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    monkeypatch.setenv("COLUMNS", "60")
    digest = folder.run("plan").out.splitlines()[-1].removeprefix("digest ")
    assert folder.run("apply", "--yes", "--expect", digest).code == 0
    assert len(intercom.messages) == 3


def test_an_edit_after_sending_is_stopped_and_accepted(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.run("apply", "--yes")
    folder.message(LIST.replace("Hi", "Hello"))
    plan = folder.run("plan")
    assert plan.code == 5
    assert "msgrun accept list" in plan.out
    assert folder.run("apply", "--yes").code == 5
    assert folder.run("accept", "list").code == 5
    assert folder.run("accept", "list", "--yes").code == 0
    assert folder.run("accept", "list", "--yes").out.startswith("nothing to do: the ledger messages.lock has no edit")
    assert folder.run("plan").code == 0
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3


def test_adopted_deliveries_count_as_sent(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    ran = folder.run("adopt", "list", "--yes")
    assert (ran.code, ran.err) == (0, "id:a1, id:b2, id:c3: nothing is sent, now or by a later apply.\n")
    assert folder.run("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert not intercom.messages
    assert {(record["status"], record["by"], "id" in record) for record in records(folder)} == {
        ("sent", "adopt", False)
    }


def test_refusals_are_told_and_final_until_told_otherwise(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    intercom.trouble.replace({"for": {"b2": "422"}})
    ran = folder.run("apply", "--yes")
    assert ran.code == 3
    assert "2 sent by this run, 1 refused\n\n1 refused · list · parameter_not_found: " in ran.out
    assert re.search(r"\n  id:b2  key \w{12}\n", ran.out)
    assert "which was refused, once the reason is gone:\n" in ran.out
    assert "apply --yes --retry-refused\n" in ran.out
    assert folder.run("apply", "--yes").code == 0
    assert "Plan: nothing to send, 2 already sent, 1 refused.\n1 message has nothing" in folder.run("plan").out
    assert "\n    x 1 refused: parameter_not_found: b2\n" in folder.run("plan", "--all").out
    intercom.trouble.replace({})
    assert folder.run("apply", "--yes", "--retry-refused").out.splitlines()[-1] == "1 sent by this run"


def test_an_unknown_outcome_exits_with_4_until_a_person_resolves_it(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    intercom.trouble.replace({"next": ["500_before"]})
    ran = folder.run("apply", "--yes")
    assert ran.code == 4
    assert re.search(r"  Say what became of the unknown delivery:\n    msgrun resolve \w{12} --sent ID\n", ran.out)
    again = folder.run("apply", "--yes")
    assert (again.code, len(intercom.messages)) == (4, 2)
    key = str(next(record for record in records(folder) if record["status"] == "unknown")["key"])
    assert folder.run("resolve", key[:8], "--not-sent", "--yes").code == 0
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3


def test_the_wrong_workspace_is_refused_before_anything_is_claimed(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.write("msgrun.yaml", "workspace: other\n")
    ran = folder.run("apply", "--yes")
    assert ran.code == 5
    assert "the token is of workspace acme" in ran.err
    folder.write("msgrun.yaml", "workspace: acme\n")
    assert folder.run("apply", "--yes").code == 0
    folder.write("msgrun.yaml", "workspace: other\n")
    plan = folder.run("plan")
    assert plan.code == 5
    assert "[workspace]" in plan.out
    assert len(intercom.messages) == 3


def test_the_first_apply_pins_the_workspace(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.run("apply", "--yes")
    assert '"workspace":"acme"' in (folder.path / "messages.lock").read_text()
    folder.message(LIST.replace("list", "other").replace("Hi", "Hey"))
    with Sandbox(workspace="beta") as beta, pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERCOM_BASE_URL", beta.url)
        ran = folder.run("apply", "--yes")
        assert ran.code == 5
        assert "the token is of workspace beta, and the ledger belongs to acme" in ran.err
        assert not beta.messages
    assert len(intercom.messages) == 3


def test_a_sandboxs_workspace_is_refused_outside_the_sandbox(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    with Sandbox() as sandbox:
        monkeypatch.setenv("INTERCOM_BASE_URL", sandbox.url)
        monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "x")
        ran = folder.run("apply", "--yes")
        assert ran.code == 5
        assert not sandbox.messages


def test_a_missing_token_and_a_token_in_clear_are_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    assert ran.code == 1
    assert "INTERCOM_ACCESS_TOKEN" in ran.err
    monkeypatch.setenv("INTERCOM_TOKEN", "x")
    monkeypatch.setenv("INTERCOM_BASE_URL", "http://intercom.example.com")
    assert folder.run("apply", "--yes").code == 64


def test_an_expired_token_stops_the_run(folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "expired")
    ran = folder.run("apply", "--yes")
    assert ran.code == 1
    assert "error: Intercom does not accept the access token: GET /me: HTTP status 401, unauthorized: " in ran.err
    assert "copy INTERCOM_ACCESS_TOKEN again" in ran.err
    assert ran.err.endswith("\nNothing was sent.\n")
    assert not intercom.messages


def test_the_next_steps_say_why_reconcile_looks_for_some_only_and_never_repeat_yes_on_a_terminal(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    folder.message(LIST.replace("list", "news") + "create_conversation_without_contact_reply: true\n", "news")
    intercom.trouble.replace({"for": {"a1": "500_after"}})
    monkeypatch.setattr("runner.cli.output.is_terminal", lambda _: True)
    monkeypatch.setenv("NO_COLOR", "1")
    ran = folder.run("apply", "--yes", "--limit", "5")
    assert "Look for 1 of the 2 unknown in Intercom (1 opened no conversation):\n    msgrun reconcile\n" in ran.out
    assert "Send the one that is left:\n    msgrun apply --limit 5\n" in ran.out


def test_the_token_is_nowhere_in_what_is_printed_or_kept(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    intercom.trouble.replace({"next": ["500_before", "401"]})
    ran = folder.run("apply", "--yes", "-v")
    kept = b"".join(path.read_bytes() for path in folder.path.rglob("*") if path.is_file())
    assert "secret-token" not in ran.out + ran.err
    assert b"secret-token" not in kept


def test_no_personal_value_reaches_the_lockfile(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST.replace("id: a1", "email: ann@example.com").replace("id: b2", "user_id: user-77"))
    folder.run("apply", "--yes")
    kept = (folder.path / "messages.lock").read_text()
    assert len(intercom.messages) == 3
    assert not any(value in kept for value in ("ann@", "user-77", "Ann", "Bo", "Hi"))


def test_the_sandbox_needs_no_token_and_has_a_ledger_of_its_own(folder: Folder) -> None:
    folder.message(LIST)
    folder.write("msgrun.yaml", "workspace: acme\n")
    before = (folder.path / "messages.lock").read_bytes()
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    assert folder.run("apply", "--sandbox", "--yes").out.splitlines()[-1] == "nothing to do"
    assert folder.run("plan", "--sandbox").code == 0
    assert (folder.path / "messages.lock").read_bytes() == before
    assert folder.run("sandbox", "--reset").code == 0
    assert "\n3 sent by this run\n\nNext:\n" in folder.run("apply", "--sandbox", "--yes").out


def test_environments_have_lockfiles_of_their_own(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.write("msgrun.yaml", "environments: {staging: {vars: {x: 1}}}\n")
    assert folder.run("-e", "staging", "apply", "--yes").code == 5
    assert folder.run("-e", "staging", "apply", "--yes", "--new-lock").code == 0
    assert (folder.path / "messages.staging.lock").exists()
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 6


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("127.0.0.1:8765", "has no scheme or no server"),
        ("http://example.com", "neither https nor on this machine"),
        ("https://", "has no scheme or no server"),
    ],
)
def test_a_wrong_url_is_a_mistake_of_the_user(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    folder.message(LIST)
    monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "t")
    monkeypatch.setenv("INTERCOM_BASE_URL", url)
    result = folder.run("apply", "--yes")
    assert (result.code, told in result.err) == (64, True)


def test_msgrun_lock_names_another_lockfile(folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    elsewhere = folder.path / "elsewhere.lock"
    monkeypatch.setenv("MSGRUN_LOCK", str(elsewhere))
    assert folder.run("apply", "--yes", "--new-lock").code == 0
    assert elsewhere.exists()
    assert not records(folder)
    assert len(intercom.messages) == 3
    monkeypatch.setenv("MSGRUN_LOCK", "postgresql://host/db")
    assert folder.run("apply", "--yes").code == 6


def test_another_salt_is_refused(folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    monkeypatch.setenv("MSGRUN_SALT", "pepper")
    assert folder.run("plan").code == 5
    assert folder.run("apply", "--yes").code == 5
    assert not intercom.messages
    monkeypatch.setenv("MSGRUN_SALT", "")
    assert folder.run("plan").code == 0


def test_a_stop_file_stops_before_the_next_post(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.write(".msgrun/stop", "")
    ran = folder.run("apply", "--yes")
    assert ran.code == 75
    assert not intercom.messages


def test_a_file_that_changes_between_plan_and_post_stops_the_run(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("people.csv", "id,name\na1,Ann\nb2,Bo\n")
    listed = LIST[: LIST.index("to:")] + "to: {csv: ../people.csv, type: user, id: '{{ id }}'}\n"
    folder.message(listed)

    def pinned(*_: object) -> None:
        folder.write("people.csv", "id,name\na1,Eve\nb2,Bo\n")

    monkeypatch.setattr("runner.cli.commands.apply.pin_workspace", pinned)
    ran = folder.run("apply", "--yes")
    assert ran.code == 5
    assert "changed after the plan was made" in ran.out
    assert not intercom.messages


def test_a_signal_number_is_the_exit_code(folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    monkeypatch.setattr("runner.cli.pauses.Signals.__enter__", lambda self: setattr(self, "number", 15) or self)
    assert folder.run("apply", "--yes").code == 143
    assert not intercom.messages


def test_unreachable_is_told_after_half_a_minute_and_nothing_is_claimed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "x")
    monkeypatch.setenv("INTERCOM_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("runner.intercom.workspace.READ_RETRY_TIME", 0.1)
    ran = folder.run("apply", "--yes")
    assert ran.code == 1
    assert "Connection refused" in ran.err
    assert not records(folder)


@pytest.mark.parametrize("args", [["apply", "--yes"], ["plan"]])
def test_a_problem_in_a_file_ends_both_with_1(folder: Folder, args: list[str]) -> None:
    folder.message(LIST.replace("Bo", "null"))
    ran = folder.run(*args)
    assert ran.code == 1
    assert "(recipient 2)" in ran.out


def test_expired_and_early_messages_are_excluded_with_their_reason(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST + "expires: 2020-01-01\n", "old")
    folder.message(LIST.replace("list", "early").replace("Hi", "Yo") + "not_before: 2999-01-01\n", "early")
    ran = folder.run("plan", "--all")
    assert "\n    - 3 excluded: expired on 2020-01-01: a1, b2, c3\n" in ran.out
    assert "\n    - 3 excluded: not before 2999-01-01: a1, b2, c3\n" in ran.out
    assert "expired on 2020-01-01:" in folder.run("plan").out
    raise_it = "list is expired: to send it all the same, raise expires in messages/old.yaml"
    send = "Send early from 2999-01-01 00:00 (UTC) on:\n    msgrun apply messages/early.yaml"
    assert folder.run("apply", "--yes").out.endswith(f"\nnothing to do\n\nNext:\n  {send}\n  {raise_it}\n")
    assert folder.run("plan").out.endswith(f"\n\nNext:\n  {send}\n  {raise_it}\n")
    assert not intercom.messages


def test_the_lockfile_in_git_is_told_how_it_was_healed(folder: Folder, intercom: Sandbox, tmp_path: Path) -> None:
    for args in (["init", "-q"], ["add", "."], ["commit", "-qm", "start"]):
        subprocess.run(["git", *args], cwd=tmp_path, check=True)
    folder.message(LIST)
    folder.run("apply", "--yes")
    subprocess.run(["git", "checkout", "-q", "."], cwd=tmp_path, check=True)
    assert not records(folder)
    ran = folder.run("apply", "--yes")
    assert ran.out.splitlines()[-1] == "nothing to do"
    assert "messages.lock lacked 3 records" in ran.err
    assert len(intercom.messages) == 3


def test_an_admin_that_does_not_exist_is_found_before_the_first_claim(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST.replace("394051", "999"))
    ran = folder.run("apply", "--yes")
    assert (ran.code, "admin 999 does not exist; yours are 394051 (" in ran.err) == (5, True)
    assert "write another one into from:" in ran.err
    assert b'"claimed"' not in (folder.path / "messages.lock").read_bytes()
    assert not intercom.messages


def test_where_admins_may_not_be_read_the_check_is_skipped_with_a_word(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workspace, "admins", lambda _: None)
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    assert (ran.code, ran.err.count("the token may not list admins")) == (0, 1)
    assert len(intercom.messages) == 3


def test_a_contact_that_was_not_found_is_planned_again_with_its_reason(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST.replace("id: a1", "email: missing@example.com"))
    step = "Correct the address of the contact that was not found, or create it in Intercom, and"
    assert f"  {step} plan again:\n    msgrun plan --online\n" in folder.run("plan", "--online").out
    assert folder.run("apply", "--yes").code == 3
    planned = json.loads(folder.run("plan", "--format", "json").out)
    reasons = [delivery["reason"] for delivery in planned["deliveries"] if delivery["action"] == "send"]
    assert reasons == ["looked up again: no contact was found before"]
    assert "of these is looked up again: no contact was found before)" in folder.run("plan").out
    again = folder.run("apply", "--yes")
    assert (again.code, "1 still not found" in again.out) == (3, True)
    assert f"  {step} send again:\n    msgrun apply --yes\n" in again.out
    monkeypatch.setenv("CI", "true")
    see = "  In a clone, see who was not found:\n    msgrun status list\n"
    assert f"{see}  {step} send again" in folder.run("apply", "--yes", "--lockfile-in-ci").out
    assert len(intercom.messages) == 2


def test_an_error_that_lint_finds_in_a_text_to_send_is_named_by_plan(folder: Folder, intercom: Sandbox) -> None:
    body = "<p>See <a href=http://localhost:8000>this</a>, {first_name}</p>"
    folder.message(LIST.replace("Hi {{ name }}", f'"{body}"'))
    shown = "! lint: this link leads to localhost, which customers cannot reach [local-link], messages/message.yaml:"
    plan = folder.run("plan").out
    assert shown in plan
    assert ", and 1 more error (msgrun lint)\n" in plan
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3
    assert "lint:" not in folder.run("plan", "--all").out, "nothing is left to send"


def test_plan_names_the_command_that_lists_recipients_which_it_does_not(folder: Folder) -> None:
    many = "".join(f"  - {{type: user, id: c{number}, vars: {{name: Cy}}}}\n" for number in range(44))
    folder.message(LIST[: LIST.index("to:")] + f"to:\n{many}")
    named = "    all recipients: msgrun plan messages/message.yaml --recipients\n"
    assert named in folder.run("plan", "-v").out
    assert named.replace(" |", " --show-values |") in folder.run("plan", "-v", "--show-values").out
    assert named not in folder.run("plan").out
    assert len(folder.run("render", "list").out.splitlines()) == 44


def test_plan_lists_every_recipient_with_what_becomes_of_it(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    assert folder.run("apply", "--yes", "--limit", "1").code == 0
    intercom.trouble.replace({"next": ["500_after"]})
    assert folder.run("apply", "--yes", "--limit", "1").code == 4
    folder.message(LIST + "".join(f"  - {{type: user, id: d{number}, vars: {{name: Di}}}}\n" for number in range(3)))
    ran = folder.run("plan", "--recipients", "--limit", "2")
    assert ran.out.startswith(
        "list\n"
        "  = a1   already sent\n"
        "  ? b2   whether it was sent is not known\n"
        "  + c3\n"
        "  + d0\n"
        "  + d1   not in this run\n"
        "  + d2   not in this run\n"
        "\n"
        "msgrun plan · "
    ), ran.out
    assert folder.run("plan", "--recipients", "--format", "json").code == 64


def test_plan_lists_recipients_by_their_masked_addresses_off_a_terminal(folder: Folder) -> None:
    folder.message(LIST[: LIST.index("to:")] + "to: {type: user, email: ann@b.c, vars: {name: Ann}}\n")
    assert folder.run("plan", "--recipients").out.startswith("list\n  + email:~")
    assert folder.run("plan", "--recipients", "--show-values").out.startswith("list\n  + ann@b.c\n")


@pytest.mark.usefixtures("intercom")
def test_the_question_names_another_ledger_of_the_same_workspace(folder: Folder) -> None:
    folder.message(LIST)
    assert folder.run("apply", "--yes").code == 0
    folder.write("msgrun.yaml", "environments: {staging: {}}\n")
    assert folder.run("-e", "staging", "lock", "begin").code == 0
    terminal = Terminal(folder.path, "-e", "staging", "apply")
    terminal.answer("Send? [y/N]:", "n")
    assert terminal.finish() == 5
    screen = " ".join(terminal.screen.split())
    assert "! messages.lock has list as sent from workspace acme, too: who got it there gets it again" in screen


def test_plan_refuses_a_folder_in_place_of_a_file(folder: Folder) -> None:
    folder.message(LIST)
    for option in ("--out", "--comment"):
        ran = folder.run("plan", option, "messages")
        assert (ran.code, "cannot be written: it is a folder" in ran.err, ran.out) == (64, True, "")


def test_plan_lists_whom_a_list_leaves_out(folder: Folder) -> None:
    folder.write("a.csv", "id\na1\nb2\nc3\nd4\n  \n")
    folder.write("no.csv", "id\nb2\n")
    to = "to: {csv: ../a.csv, type: user, id: '{{ id }}', exclude: ../no.csv, where: WHERE}\n"
    folder.message(
        LIST[: LIST.index("to:")].replace("{{ name }}", "you")
        + to.replace("WHERE", "'{{ id is defined and id < \"d\" }}'")
    )
    listed = folder.run("plan", "--recipients").out.partition("\n\n")[0].splitlines()
    excluded, others = "  - b2   left out by exclude in the message", ("d4", "row 6 of a.csv")
    assert listed == ["list", "  + a1", excluded, "  + c3", *(f"  - {name}   left out by where" for name in others)]
    folder.write("no.csv", "id\na1\nb2\nc3\n")
    ran = folder.run("plan")
    assert "all 5 recipients are left out (3 by exclude in the message, 2 by where): this is sent to no one" in ran.out
    assert "hint: msgrun plan messages/message.yaml --recipients lists them\n" in ran.out
    assert excluded in folder.run("plan", "messages/message.yaml", "--recipients").out


def test_plan_of_many_names_the_command_that_lists_all_of_them_on_a_terminal(folder: Folder) -> None:
    many = "".join(f"  - {{type: user, id: c{number}, vars: {{name: Cy}}}}\n" for number in range(44))
    folder.message(LIST[: LIST.index("to:")] + f"to:\n{many}")
    see = "  See all 44 recipients of list:\n    msgrun plan messages/message.yaml --recipients\n"
    assert see in run_on_terminal(folder.path, "plan", columns=100, term="dumb")
    listed = run_on_terminal(folder.path, "plan", "messages/message.yaml", "--recipients", columns=100, term="dumb")
    assert (listed.count("  + c"), "See all" in listed) == (44, False), listed


def test_plan_refuses_a_file_that_cannot_be_written_before_it_plans(folder: Folder) -> None:
    folder.message(LIST)
    ran = folder.run("plan", "--out", "nowhere/plan.json")
    assert (ran.code, ran.out) == (64, "")
    assert ran.err.startswith("error: nowhere/plan.json cannot be written: its folder does not exist\n")


def test_a_comment_that_ignores_a_rule_keeps_plan_silent_too(folder: Folder) -> None:
    body = "<p><a href=http://localhost>this</a></p>"
    folder.message(LIST.replace("Hi {{ name }}", f'"{body}"  # msgrun: ignore=local-link'))
    assert "lint:" not in folder.run("plan").out


def test_in_ci_a_lockfile_is_refused_because_it_is_lost_with_the_job(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    monkeypatch.setenv("CI", "true")
    ran = folder.run("apply", "--yes")
    assert ran.code == 5
    assert "the ledger is the file messages.lock" in ran.err
    assert "msgrun lock move git+origin; or, if the disk outlives the job: --lockfile-in-ci" in ran.err
    assert not records(folder)
    assert not intercom.messages
    assert folder.run("plan").code == 0
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    assert folder.run("apply", "--yes", "--lockfile-in-ci").code == 0
    assert len(intercom.messages) == 3
    git_output(folder.path, "init", "--quiet")
    git_output(folder.path, "remote", "add", "upstream", "/nowhere")
    assert "msgrun lock move git+upstream;" in folder.run("apply", "--yes").err
