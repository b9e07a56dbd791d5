"""Plans that bind: in git as messages.plan, as a saved plan, and by hand; what does not fit is never sent."""

import json
import subprocess
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST
from tests.support.project import SEED, Folder

PLAN = "messages.plan"


def news(name: str = "list", **vars_by_id: str) -> str:
    people = "".join(f"  - {{type: user, id: {key}, vars: {{name: {value}}}}}\n" for key, value in vars_by_id.items())
    return LIST[: LIST.index("to:")].replace("list", name).replace("Hi", f"Hi from {name},") + f"to:\n{people}"


def rows(folder: Folder, name: str = PLAN) -> dict[str, dict[str, object]]:
    lines = (folder.path / name).read_text().splitlines()
    return {value["name"]: value for line in lines if (value := json.loads(line))}


def reached(intercom: Sandbox) -> list[str]:
    return sorted(message["payload"]["to"]["id"] for message in intercom.messages)


def git(path: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=path, check=True, capture_output=True, text=True).stdout


def test_write_makes_a_line_a_message_and_check_then_passes(folder: Folder) -> None:
    folder.message(SEED, "b")
    folder.message(LIST, "a")
    missing = folder.run("plan", "--check")
    assert missing.code == 2
    assert "there is no messages.plan yet" in missing.out
    assert folder.run("plan", "--write").code == 0
    first, second = (folder.path / PLAN).read_text().splitlines()
    assert first.startswith('{"name":"list","revision":1,"type":"inapp","sender":"394051","recipients":3,"digest":"')
    assert second == (
        '{"name":"seed","revision":1,"type":"email","sender":"394051","recipients":1,'
        '"digest":"sha256:10855d80d7d36aa29ac63cc866f6f8e11e64dda9f7b49fe0f3c9878a22bb3b0e"}'
    )
    assert folder.run("plan", "--check").code == 0
    assert "messages.plan is up to date" in folder.run("plan", "--write").out


def test_check_says_of_each_message_what_is_out_of_date_and_how_to_write_it(folder: Folder) -> None:
    for name in ("changed", "gone", "same"):
        folder.message(news(name, a1="Ann"), name)
    folder.run("plan", "--write")
    folder.message(news("changed", a1="Ann", b2="Bo"), "changed")
    folder.message(news("new", a1="Ann"), "new")
    (folder.path / "messages" / "gone.yaml").unlink()
    ran = folder.run("plan", "--check")
    assert ran.code == 2
    told = [line.split(": digest")[0] for line in ran.out.split("messages.plan is out of date\n")[1].splitlines()]
    assert told[0].startswith("  changed  changed: 2 recipients, not 1; digest sha256:")
    assert told[1:] == ["  removed  gone: 1 recipient", "  new      new: 1 recipient", "  hint: msgrun plan --write"]
    assert "out of date" in folder.run("plan", "--check", "--format", "json").err
    words = "messages.plan is out of date for gone (removed): 1 recipient"
    assert f"- {words[:38]}" in folder.run("plan", "--check", "--format", "markdown").out.replace("\u200b", "")
    annotations = folder.run("plan", "--check", "--format", "github").out
    assert (
        f"::error file=messages.plan,line=2,col=1,title=plan-outdated::messages.plan:2:1: {words}%0Ahint: msgrun plan"
        in annotations
    )
    folder.run("plan", "--write")
    assert list(rows(folder)) == ["changed", "new", "same"]
    assert folder.run("plan", "--check").code == 0


def test_sending_expiring_and_resuming_never_make_the_file_out_of_date(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST + "expires: 2020-01-01\n", "old")
    folder.message(news("new", a1="Ann", b2="Bo"), "new")
    folder.run("plan", "--write")
    assert set(rows(folder)) == {"list", "new"}
    assert folder.run("apply", "--yes", "--limit", "1").code == 0
    assert folder.run("plan", "--check").code == 0
    assert folder.run("apply", "--yes").out.splitlines()[-1] == "1 sent by this run"
    assert folder.run("plan", "--check").code == 0
    (folder.path / "messages" / "old.yaml").write_text(LIST.replace("Hi", "Hello") + "expires: 2020-01-01\n")
    assert folder.run("plan", "--check").code == 2
    assert "\nnothing to do\n" in folder.run("apply", "--yes").out
    assert reached(intercom) == ["a1", "b2"]


def test_paths_write_and_check_their_own_lines_and_keep_the_others(folder: Folder) -> None:
    for name in ("a", "b", "c"):
        folder.message(news(name, a1="Ann"), name)
    folder.run("plan", "--write")
    before = rows(folder)
    for name in ("a", "b"):
        folder.message(news(name, a1="Anna"), name)
    (folder.path / "messages" / "c.yaml").unlink()
    assert folder.run("plan", "messages/a.yaml", "--check").code == 2
    assert folder.run("plan", "messages/a.yaml", "--write").code == 0
    after = rows(folder)
    assert (after["b"], after["c"], after["a"] == before["a"]) == (before["b"], before["c"], False)
    assert folder.run("plan", "messages/a.yaml", "--check").code == 0
    assert "removed  c" in folder.run("plan", "messages", "--check").out
    folder.run("plan", "messages", "--write")
    assert set(rows(folder)) == {"a", "b"}


def test_each_environment_has_a_plan_file_of_its_own(folder: Folder) -> None:
    folder.write("msgrun.yaml", "environments: {staging: {vars: {x: 1}}}\n")
    folder.message(LIST)
    assert folder.run("-e", "staging", "plan", "--write").code == 0
    assert not (folder.path / PLAN).exists()
    assert set(rows(folder, "messages.staging.plan")) == {"list"}
    folder.message(LIST.replace("Hi", "Hello"))
    assert folder.run("plan").code == 0
    ran = folder.run("-e", "staging", "plan")
    assert ran.code == 5
    assert "  Write the plan file again, and have its diff reviewed:\n    msgrun -e staging plan --write\n" in ran.out


def test_what_does_not_fit_the_file_is_not_sent_nor_anything_else(folder: Folder, intercom: Sandbox) -> None:
    folder.message(news("one", a1="Ann"), "one")
    folder.message(news("two", b2="Bo"), "two")
    folder.run("plan", "--write")
    folder.message(news("two", b2="Bob"), "two")
    for args in (["plan"], ["apply", "--yes"]):
        ran = folder.run(*args)
        assert ran.code == 5
        assert "guard: two is not what messages.plan:2 agrees to: other texts or other recipients" in ran.out
    assert not intercom.messages
    assert folder.run("apply", "--yes", "messages/one.yaml").code == 0
    assert reached(intercom) == ["a1"]
    folder.run("plan", "--write")
    assert folder.run("apply", "--yes").code == 0
    assert reached(intercom) == ["a1", "b2"]


def test_a_message_without_a_line_is_refused(folder: Folder, intercom: Sandbox) -> None:
    folder.message(news("one", a1="Ann"), "one")
    folder.run("plan", "--write")
    folder.message(news("two", b2="Bo"), "two")
    ran = folder.run("apply", "--yes")
    assert (ran.code, "messages.plan has no line for two: 1 recipient would get it" in ran.out) == (5, True)
    assert not intercom.messages


def test_the_recipients_of_a_line_are_an_upper_bound_of_what_a_run_sends(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.run("plan", "--write")
    text = (folder.path / PLAN).read_text()
    (folder.path / PLAN).write_text(text.replace('"recipients":3', '"recipients":2'))
    ran = folder.run("apply", "--yes")
    assert ran.code == 5
    assert "list would go to 3 recipients, and messages.plan:1 agrees to 2" in ran.out
    assert not intercom.messages
    assert folder.run("apply", "--yes", "--limit", "2").code == 0
    (folder.path / PLAN).write_text(text.replace('"recipients":3', '"recipients":99'))
    assert folder.run("apply", "--yes").code == 0
    assert reached(intercom) == ["a1", "b2", "c3"]


@pytest.mark.parametrize("change", [('"inapp"', '"email"'), ('"394051"', '"1"'), ('"revision":1', '"revision":2')])
def test_a_line_that_says_something_else_than_its_digest_is_refused(
    folder: Folder, intercom: Sandbox, change: tuple[str, str]
) -> None:
    folder.message(LIST)
    folder.run("plan", "--write")
    (folder.path / PLAN).write_text((folder.path / PLAN).read_text().replace(*change))
    assert folder.run("apply", "--yes").code == 5
    assert not intercom.messages


def test_with_require_plan_a_missing_file_sends_nothing(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.write("msgrun.yaml", "require_plan: true\n")
    ran = folder.run("apply", "--yes")
    assert (ran.code, "messages.plan does not exist, and require_plan is true" in ran.out) == (5, True)
    assert not intercom.messages
    assert folder.run("plan").code == 5
    assert folder.run("plan", "--write").code == 0
    assert folder.run("apply", "--yes").code == 0
    (folder.path / PLAN).unlink()
    assert folder.run("apply", "--yes").out.splitlines()[-1] == "nothing to do"


def test_the_sandbox_is_bound_too(folder: Folder) -> None:
    folder.message(LIST)
    folder.run("plan", "--write")
    folder.message(LIST.replace("Hi", "Hello"))
    assert folder.run("--sandbox", "apply", "--yes").code == 5


def test_writing_skips_no_other_guard_and_neither_does_checking(folder: Folder) -> None:
    folder.message(LIST)
    folder.write("msgrun.yaml", "limits: {recipients_per_message: 1}\n")
    ran = folder.run("plan", "--check")
    assert (ran.code, "there is no messages.plan yet" in ran.out) == (5, True)
    limits = "{recipients_per_message: 3, recipients_per_apply: 10000}"
    assert f"  Send to all of them, with this line in msgrun.yaml:\n    limits: {limits}\n" in ran.out
    assert "  Or send in parts:\n    msgrun apply --limit 1\n" in ran.out
    assert folder.run("plan", "--write").code == 5
    assert set(rows(folder)) == {"list"}


def test_a_conflict_in_the_file_is_a_problem_at_its_line_and_writing_settles_it(
    folder: Folder, intercom: Sandbox
) -> None:
    """Two pull requests that change one message meet in its line, in real git."""
    git(folder.path, "init", "-q", "-b", "main")
    folder.message(news("one", a1="Ann"), "one")
    folder.message(news("two", b2="Bo"), "two")
    folder.run("plan", "--write")
    git(folder.path, "add", ".")
    git(folder.path, "commit", "-qm", "start")
    for branch, name in (("left", "Anna"), ("right", "Anne")):
        git(folder.path, "checkout", "-qb", branch, "main")
        folder.write("messages/one.yaml", news("one", a1=name))
        folder.run("plan", "--write")
        git(folder.path, "commit", "-qam", branch)
    merged = subprocess.run(["git", "merge", "-q", "left"], cwd=folder.path, check=False, capture_output=True)
    assert merged.returncode == 1
    folder.write("messages/one.yaml", news("one", a1="Anna"))
    for args in (["plan"], ["plan", "--check"], ["apply", "--yes"], ["plan", "--write", "messages/one.yaml"]):
        ran = folder.run(*args)
        assert ran.code == 1, args
        assert ran.out.startswith("messages.plan:1:1: error: merge conflict marker")
    assert not intercom.messages
    assert folder.run("plan", "--write").code == 0
    assert folder.run("plan", "--check").code == 0


def test_pull_requests_on_messages_apart_merge_without_a_conflict(folder: Folder) -> None:
    git(folder.path, "init", "-q", "-b", "main")
    for name in ("a", "b", "c"):
        folder.message(news(name, a1="Ann"), name)
    folder.run("plan", "--write")
    git(folder.path, "add", ".")
    git(folder.path, "commit", "-qm", "start")
    for name in ("a", "c"):
        git(folder.path, "checkout", "-qb", f"edit-{name}", "main")
        folder.message(news(name, a1="Anna"), name)
        folder.run("plan", "--write")
        git(folder.path, "commit", "-qam", name)
    git(folder.path, "merge", "-q", "-m", "both", "edit-a")
    assert folder.run("plan", "--check").code == 0


def test_a_saved_plan_holds_keys_and_digests_and_nobodys_address(folder: Folder) -> None:
    folder.message(LIST.replace("id: a1", "email: ann@example.com").replace("id: b2", "user_id: user-77"))
    assert folder.run("plan", "--out", "plan.json").code == 0
    text = (folder.path / "plan.json").read_text()
    saved, shown = json.loads(text), json.loads(folder.run("plan", "--format", "json").out)
    assert saved.pop("salt_check") == "9165df25"
    assert saved.pop("rules")[""]["abort_if"] == "3 unknown, 20% refused of 50"
    assert saved == shown
    assert not any(value in text for value in ("ann@", "user-77", "Ann", "Bo", "Hi"))
    assert list(folder.path.glob(".plan.json*")) == []


def test_a_saved_plan_allows_any_subset_of_itself_and_nothing_else(folder: Folder, intercom: Sandbox) -> None:
    folder.message(news(a1="Ann", b2="Bo", c3="Cy", d4="Di"))
    folder.run("plan", "--out", "plan.json")
    folder.message(news(a1="Ann", b2="Bob", c3="Cy", e5="El"))
    folder.message(news("other", z9="Zed"), "other")
    ran = folder.run("apply", "--yes", "--plan", "plan.json", "--limit", "1")
    assert ran.code == 0
    assert "    - 1 excluded: changed since the plan was saved" in ran.out
    assert "    - 1 excluded: the saved plan does not send it" in ran.out
    assert "! list: 1 recipient of the saved plan no longer declared" in ran.out
    for last in ("1 sent by this run", "nothing to do"):
        again = folder.run("apply", "--yes", "--plan", "plan.json")
        assert (again.code, again.out.splitlines()[-1]) == (0, last)
    assert reached(intercom) == ["a1", "c3"]


@pytest.mark.parametrize(
    "meanwhile",
    [
        news(a1="Ann", b2="Bo").replace("Hi", "Hello"),
        news(a1="Ann", b2="Bo") + "revision: 2\n",
        news("renamed", a1="Ann", b2="Bo"),
        news(c3="Cy"),
    ],
    ids=["text", "revision", "name", "recipients"],
)
def test_a_saved_plan_that_no_longer_fits_sends_nothing_at_all(
    folder: Folder, intercom: Sandbox, meanwhile: str
) -> None:
    folder.message(news(a1="Ann", b2="Bo"))
    folder.message(news("other", z9="Zed"), "other")
    folder.run("plan", "--out", "plan.json")
    folder.message(meanwhile)
    ran = folder.run("apply", "--yes", "--plan", "plan.json")
    assert ran.code == 5
    assert "plan.json is out of date for list" in ran.out
    assert not intercom.messages
    assert folder.run("apply", "--yes", "--plan", "plan.json", "messages/other.yaml").code == 0
    assert reached(intercom) == ["z9"]


def test_a_saved_plan_of_a_part_is_shown_and_recorded_as_it_was_approved(folder: Folder, intercom: Sandbox) -> None:
    folder.message(news("one", a1="Ann"), "one")
    folder.message(news("other", b2="Bo"), "other")
    folder.message(LIST + "not_before: 2999-01-01\n", "draft")
    approved = folder.run("plan", "messages/one.yaml", "--out", "plan.json").out.splitlines()
    assert folder.run("-C", "messages", "plan", "one.yaml", "--out", "same.json").code == 0
    assert (folder.path / "messages" / "same.json").read_text() == (folder.path / "plan.json").read_text()
    folder.message("name: broken\n", "broken")
    folder.message(news("late", c3="Cy"), "late")
    ran = folder.run("apply", "--plan", "plan.json", "--yes")
    assert ran.code == 0
    approved = approved[: approved.index("Next:") - 1]
    assert ran.out.splitlines()[: len(approved)] == [
        "msgrun apply --plan plan.json · workspace of the token", *approved[1:]
    ]  # fmt: skip
    (run,) = json.loads(folder.run("audit", "--format", "json").out)["runs"]
    assert f"digest {run['plan']}" == approved[-1]
    assert reached(intercom) == ["a1"]


def test_a_message_of_a_saved_plan_may_be_moved_to_another_file(folder: Folder, intercom: Sandbox) -> None:
    file = folder.message(news("one", a1="Ann"), "one")
    folder.message(news("other", b2="Bo"), "other")
    folder.run("plan", "messages/one.yaml", "--out", "plan.json")
    file.rename(folder.path / "messages" / "moved.yaml")
    assert folder.run("apply", "--plan", "plan.json", "--yes").code == 0
    assert reached(intercom) == ["a1"]
    assert folder.run("apply", "--plan", "plan.json", "messages/one.yaml", "--yes").code == 64


def test_what_is_unknown_of_another_message_does_not_count_for_a_saved_plan(folder: Folder, intercom: Sandbox) -> None:
    folder.message(news("other", b2="Bo"), "other")
    intercom.trouble.replace({"next": ["500_before"]})
    assert folder.run("apply", "--yes").code == 4
    folder.message(news("one", a1="Ann"), "one")
    folder.run("plan", "messages/one.yaml", "--out", "plan.json")
    folder.message(news("one", a1="Anna"), "one")
    ran = folder.run("apply", "--plan", "plan.json", "--yes")
    assert (ran.code, "unknown" in ran.out) == (5, False)
    assert "save a new plan: msgrun plan messages/one.yaml --out plan.json; in CI" in ran.out
    assert folder.run("plan", "messages/one.yaml", "--out", "plan.json").code == 0
    assert folder.run("apply", "--plan", "plan.json", "--yes").code == 0


def test_the_exit_code_and_the_next_steps_are_of_the_selected_messages(folder: Folder, intercom: Sandbox) -> None:
    folder.message(news("one", a1="Ann"), "one")
    folder.message(news("other", b2="Bo"), "other")
    folder.message(news("third", c3="Cy"), "third")
    keys = {}
    for name in ("one", "other"):
        intercom.trouble.replace({"next": ["500_before"]})
        assert folder.run("apply", f"messages/{name}.yaml", "--yes").code == 4
        keys[name] = json.loads(folder.run("status", name, "--format", "json").out)["deliveries"][0]["key"][:12]
    wrong = ("--yes", "--expect", "sha256:" + "0" * 64)
    assert [folder.run("apply", f"messages/{name}.yaml", *wrong).code for name in ("one", "third")] == [4, 5]
    again = folder.run("apply", "messages/one.yaml", "messages/third.yaml", "--yes")
    assert (again.code, "1 sent by this run" in again.out) == (4, True)
    assert [key in again.out for key in keys.values()] == [True, False]


def test_a_saved_plan_with_a_guard_names_no_apply(folder: Folder) -> None:
    folder.write("msgrun.yaml", "limits: {recipients_per_apply: 2}\n")
    folder.message(LIST)
    saved = folder.run("plan", "--out", "plan.json")
    assert (saved.code, saved.err) == (5, "plan.json is written.\n")


def test_what_the_plan_did_not_send_is_not_sent_by_it_later(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST + "expires: 2020-01-01\n")
    folder.run("plan", "--out", "plan.json")
    folder.message(LIST)
    ran = folder.run("apply", "--yes", "--plan", "plan.json")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "nothing to do")
    assert "3 excluded: the saved plan does not send it" in ran.out
    assert not intercom.messages


def test_a_saved_plan_of_another_environment_salt_or_workspace_is_refused(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    folder.write("msgrun.yaml", "environments: {staging: {vars: {x: 1}}}\n")
    folder.run("plan", "--out", "plan.json")
    ran = folder.run("-e", "staging", "apply", "--yes", "--new-lock", "--plan", "plan.json")
    reason = "plan.json was made for environment default, and this is staging"
    save = "save a plan for this one: msgrun -e staging plan --out plan.json"
    hint = f"{save}; or send it there: msgrun apply --plan plan.json"
    assert (ran.code, ran.out, ran.err) == (5, "", f"error: {reason}\n  hint: {hint}\nNothing was sent.\n")
    with monkeypatch.context() as patch:
        patch.setenv("MSGRUN_SALT", "pepper")
        patch.setenv("MSGRUN_LOCK", "other.lock")
        ran = folder.run("apply", "--yes", "--new-lock", "--plan", "plan.json")
        assert (ran.code, ran.out, "was made in another project, with another salt" in ran.err) == (5, "", True)
    folder.write("msgrun.yaml", "workspace: beta\n")
    folder.run("plan", "--out", "beta.json")
    folder.write("msgrun.yaml", "workspace: acme\n")
    ran = folder.run("apply", "--yes", "--plan", "beta.json")
    assert (ran.code, ran.out, "was made for workspace beta, and this is acme" in ran.err) == (5, "", True)
    folder.write("msgrun.yaml", "{}\n")  # now only the token says which workspace it is
    ran = folder.run("apply", "--yes", "--plan", "beta.json")
    assert (ran.code, "was made for workspace beta, and this is acme" in ran.err) == (5, True)
    assert not intercom.messages
    assert folder.run("apply", "--yes", "--plan", "plan.json").code == 0


def test_a_saved_plan_and_a_plan_file_bind_together(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.run("plan", "--write", "--out", "plan.json")
    folder.message(news("late", z9="Zed"), "late")
    assert folder.run("apply", "--yes").code == 5
    assert folder.run("apply", "--yes", "--plan", "plan.json").code == 0
    assert reached(intercom) == ["a1", "b2", "c3"]


def test_what_is_no_saved_plan_is_told(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.write("plan.json", "{}")
    ran = folder.run("apply", "--yes", "--plan", "plan.json")
    assert ran.code == 1
    assert ran.out.startswith(
        "plan.json:1:1: error: this is not a saved plan, or it is damaged or cut off [saved-plan]"
    )
    folder.write("plan.json", '{"format_version": 7}')
    assert "this plan has version 7, and msgrun reads 1" in folder.run("apply", "--yes", "--plan", "plan.json").out
    assert folder.run("apply", "--yes", "--plan", "nowhere.json").code == 64
    assert not intercom.messages


@pytest.mark.parametrize("args", [["--write", "--check"], ["--out", "p.json", "--limit", "1"], ["--out", "no/p.json"]])
def test_options_that_make_no_sense_are_wrong_usage(folder: Folder, args: list[str]) -> None:
    folder.message(LIST)
    assert folder.run("plan", *args).code == 64


def test_a_plan_with_problems_is_neither_written_nor_saved(folder: Folder) -> None:
    folder.message(LIST.replace("Bo", "null"))
    assert folder.run("plan", "--write", "--out", "plan.json").code == 1
    assert not (folder.path / PLAN).exists()
    assert not (folder.path / "plan.json").exists()


def test_a_plan_can_be_saved_into_a_pipe(folder: Folder) -> None:
    folder.message(LIST)
    ran = folder.process("plan", "--quiet", "--out", "/dev/stderr")
    assert json.loads(ran.err)["counts"]["send"] == 3


@pytest.mark.parametrize("args", [["--write"], ["--out", "messages.plan"]])
def test_a_file_that_cannot_be_written_as_a_whole_stays_as_it_was(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, args: list[str]
) -> None:
    folder.message(LIST)
    folder.write(PLAN, "")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ran = folder.run("plan", *args)
    assert (ran.code, "messages.plan cannot be written: No space left on device" in ran.err) == (1, True)
    assert (folder.path / PLAN).read_text() == ""
    assert list(folder.path.glob(".messages*")) == []


@pytest.mark.parametrize("args", [["plan"], ["plan", "--write"], ["apply", "--yes"]])
def test_a_plan_file_that_is_a_link_is_neither_read_nor_written(
    folder: Folder, intercom: Sandbox, tmp_path_factory: pytest.TempPathFactory, args: list[str]
) -> None:
    folder.message(LIST)
    outside = tmp_path_factory.mktemp("outside") / "file"
    outside.write_text("precious")
    (folder.path / PLAN).symlink_to(outside)
    ran = folder.run(*args)
    assert (ran.code, "messages.plan is a link" in ran.err) == (5, True)
    assert outside.read_text() == "precious"
    assert not intercom.messages


@pytest.mark.parametrize("bind", [["--write"], ["--out", "plan.json"]])
def test_a_file_that_changes_after_the_plan_was_agreed_to_is_caught_under_the_ledgers_lock(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch, bind: list[str]
) -> None:
    folder.write("people.csv", "id,name\na1,Ann\nb2,Bo\n")
    folder.message(LIST[: LIST.index("to:")] + "to: {csv: ../people.csv, type: user, id: '{{ id }}'}\n")
    folder.run("plan", *bind)

    def recovered(*_: object) -> int:
        folder.write("people.csv", "id,name\na1,Eve\nb2,Eve\n")
        return 0

    monkeypatch.setattr("runner.ledger.lockfile.ledger.LockfileLedger.recover", recovered)
    args = ["--plan", "plan.json"] if "--out" in bind else []
    assert folder.run("apply", "--yes", *args).code == 5
    assert not intercom.messages


def test_a_digest_allows_any_subset_and_the_count_is_an_upper_bound(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    digest = json.loads(folder.run("plan", "--format", "json").out)["digest"]
    agreed = ("apply", "--yes", "--expect", digest, "--confirm-recipients")
    ran = folder.run(*agreed, "2")
    assert (ran.code, "hint: to send to all of them, pass --confirm-recipients 3" in ran.out) == (5, True)
    assert folder.run(*agreed, "1", "--limit", "1").code == 0
    assert folder.run(*agreed, "1").code == 5
    assert folder.run(*agreed, "2").code == 0
    assert folder.run(*agreed, "0").code == 0
    assert reached(intercom) == ["a1", "b2", "c3"]
    folder.message(LIST.replace("Hi", "Hello"))
    assert folder.run(*agreed, "3").code == 5


def test_a_digest_of_other_paths_is_refused_with_the_paths_of_this_plan(folder: Folder, intercom: Sandbox) -> None:
    folder.message(news("one", a1="Ann"), "one")
    folder.message(news("two", b2="Bo"), "two")
    digest = json.loads(folder.run("plan", "messages/one.yaml", "--format", "json").out)["digest"]
    for paths in ([], ["messages/two.yaml"]):
        ran = folder.run("apply", "--yes", *paths, "--expect", digest)
        assert (ran.code, f"the plan's digest is not the expected {digest} [digest]" in ran.out) == (5, True)
        assert "hint: give the PATHS that the expected plan was made with; if they are the same, a message" in ran.out
        assert f"review the plan again: {' '.join(['msgrun plan', *paths])}\n" in ran.out
    assert not intercom.messages
    assert folder.run("apply", "--yes", "messages/one.yaml", "--expect", digest).code == 0
    assert reached(intercom) == ["a1"]


def test_unknown_outcomes_come_before_a_plan_that_does_not_fit(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.run("plan", "--write")
    intercom.trouble.replace({"next": ["500_before"]})
    assert folder.run("apply", "--yes", "--limit", "1").code == 4
    folder.message(LIST.replace("Hi", "Hello"))
    assert folder.run("plan").code == 5
    assert folder.run("apply", "--yes").code == 4
    assert not intercom.messages


def test_out_says_what_it_wrote_and_a_check_is_alone(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    saved = folder.run("plan", "--out", "plan.json")
    assert saved.out.endswith("\nNext:\n  Send 3 messages:\n    msgrun apply --plan plan.json\n")
    assert saved.err.endswith("plan.json is written.\n")
    with monkeypatch.context() as patched:
        patched.setenv("CI", "true")
        assert "Next:" not in folder.run("plan", "--out", "plan.json").out, "another job sends, after an approval"
    checked = folder.run("plan", "--check").out
    assert checked.startswith("\nthere is no messages.plan yet\n")
    assert "to send" not in checked


@pytest.mark.parametrize(("option", "kind"), [("--out", "no saved plan"), ("--comment", "no comment of msgrun")])
def test_no_file_that_msgrun_did_not_write_is_replaced(folder: Folder, option: str, kind: str) -> None:
    folder.message(LIST)
    for name in ("messages.lock", "messages/message.yaml", "msgrun.yaml"):
        path = folder.path / name
        if not path.exists():
            folder.write(name, '{"msgrun_lock":1}\n' if name == "messages.lock" else "rate: {share: 0.5}\n")
        before = path.read_bytes()
        ran = folder.run("plan", option, name)
        assert (ran.code, path.read_bytes() == before) == (64, True)
        assert f"{name} is there and is {kind}, so it is not replaced\n  hint: name another file: {option} " in ran.err
    for _ in range(2):  # its own file is
        assert folder.run("plan", option, "own").code == 0
