"""`lock move`: the ledger is at the new address with all that it had, and the old one refuses."""

import json
import os
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST
from tests.cli.commands.test_status import append, line
from tests.support.clones import Clone, git_output
from tests.support.ledger_files import read_headers, read_mark, read_records, read_settings
from tests.support.project import Folder
from tests.support.terminal import Terminal


def test_a_move_copies_the_records_and_writes_the_address_and_the_id(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    assert folder.run("apply", "--yes", "--limit", "2").code == 0
    ran = folder.run("lock", "move", "--yes", "data/other.lock")
    assert ran.code == 0
    settings = read_settings(folder.path)
    assert (settings["lock"], list(settings)) == ("data/other.lock", ["lock", "ledger"])
    assert "the ledger moved from messages.lock to data/other.lock" in ran.out
    assert {record["status"] for record in read_records(folder.path / "data/other.lock")} == {"sent"}
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3


def test_the_marks_say_where_it_went_and_where_it_came_from(folder: Folder) -> None:
    assert folder.run("lock", "move", "--yes", "other.lock").code == 0
    ledger_id = read_settings(folder.path)["ledger"]
    old, new = (read_mark(folder.path / name) for name in ("messages.lock", "other.lock"))
    assert (old["ledger"], old["turn"], old["moved"]) == (ledger_id, 1, "other.lock")
    assert (new["ledger"], new["turn"], new["from"], "pending" in new) == (ledger_id, 1, "messages.lock", False)


def test_the_ledger_that_was_left_takes_no_record_and_can_still_be_looked_at(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    append(folder, line("a", "1", "claimed"))
    assert folder.run("lock", "move", "--yes", "other.lock").code == 0
    folder.write("msgrun.yaml", "")
    key = "a" * 12
    for args in (["apply", "--yes"], ["resolve", key, "--not-sent", "--yes"], ["adopt", "list", "--yes"],
                 ["apply", "--yes", "--new-lock", "--no-fetch"], ["lock", "import", "other.lock"], ["lock", "compact"],
                 ["lock", "begin"]):  # fmt: skip
        ran = folder.run(*args)
        assert (ran.code, "the ledger messages.lock moved to other.lock" in ran.err) == (5, True), args
        assert "lock: other.lock into msgrun.yaml" in ran.err
    for args in (["status"], ["lock", "show"], ["lock", "export"], ["lock", "verify"]):
        ran = folder.run(*args)
        assert (ran.code, "the ledger messages.lock moved to other.lock" in ran.err) == (0, True), args
    plan = folder.run("plan", "--format", "json")
    assert (plan.code, [guard["code"] for guard in json.loads(plan.out)["guards"]]) == (5, ["ledger-moved"])
    assert not intercom.messages


def test_the_ledger_comes_back_with_what_was_sent_elsewhere(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    assert folder.run("lock", "move", "--yes", "other.lock").code == 0
    assert folder.run("apply", "--yes", "--limit", "2").code == 0
    assert folder.run("lock", "move", "--yes", "messages.lock").code == 0
    assert read_settings(folder.path)["lock"] == "messages.lock"
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3


def test_a_move_to_a_remote_that_does_not_exist_is_refused_before_the_question(folder: Folder) -> None:
    ran = folder.run("lock", "move", "git+origin")
    assert (ran.code, "Move the ledger" in ran.err) == (6, False)
    assert "git init, git remote add origin URL" in ran.err


def test_a_move_to_where_the_ledger_is_changes_nothing(folder: Folder) -> None:
    folder.run("lock", "begin")
    before = [(folder.path / name).read_bytes() for name in ("msgrun.yaml", "messages.lock")]
    for address in ("messages.lock", "./messages.lock"):
        ran = folder.run("lock", "move", "--yes", address)
        assert (ran.code, ran.out) == (0, "messages.lock is the current ledger\n")
    assert [(folder.path / name).read_bytes() for name in ("msgrun.yaml", "messages.lock")] == before


@pytest.mark.parametrize("target", ["other.lock", "messages.lock"])
def test_a_move_that_was_interrupted_is_said_and_finished_or_cancelled(folder: Folder, target: str) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    folder.run("lock", "begin")
    before, ledger_id = read_records(folder.path / "messages.lock"), read_settings(folder.path)["ledger"]
    header = {**read_headers(folder.path / "messages.lock")[-1], "ledger": ledger_id, "turn": 1}
    pending = json.dumps({**header, "from": "messages.lock", "pending": True})
    folder.write("other.lock", f"{pending}\n")
    with (folder.path / "messages.lock").open("a") as file:
        file.write(json.dumps({**header, "moved": "other.lock"}) + "\n")
    folder.write("msgrun.yaml", f"lock: other.lock\nledger: {ledger_id}\n")
    ran = folder.run("apply", "--yes")
    assert ran.code == 5
    assert "the ledger other.lock lacks records: its move from messages.lock did not end" in ran.err
    assert "msgrun lock move other.lock; or cancel it: msgrun lock move messages.lock" in ran.err
    assert folder.run("lock", "move", "--yes", target).code == 0
    assert read_settings(folder.path)["lock"] == target
    assert folder.run("apply", "--yes").code == 0
    assert read_records(folder.path / target) == before


def test_an_address_with_another_ledger_is_refused_also_without_records(folder: Folder) -> None:
    folder.run("lock", "begin")
    other = {"msgrun_lock": 1, "ledger": "01M80N0000000000000000000A", "workspace": "", "salt_check": "9165df25"}
    folder.write("other.lock", json.dumps(other) + "\n")
    before = (folder.path / "messages.lock").read_bytes()
    ran = folder.run("lock", "move", "--yes", "other.lock")
    assert (ran.code, "other.lock has another ledger, 01M80N0000000000000000000A" in ran.err) == (5, True)
    assert (folder.path / "messages.lock").read_bytes() == before
    assert read_headers(folder.path / "other.lock") == [other]


@pytest.mark.parametrize("target", ["other.lock", "messages.lock"])
def test_a_ledger_that_is_not_the_one_of_the_settings_is_not_moved_nor_made_current(
    folder: Folder, target: str
) -> None:
    """`lock:` may name the ledger of another project: marking that as moved would stop the other project."""
    folder.run("lock", "begin")
    before = (folder.path / "messages.lock").read_bytes()
    folder.write("msgrun.yaml", "ledger: 01M80N0000000000000000000A\n")
    ran = folder.run("lock", "move", target, "--yes")
    assert (ran.code, "and msgrun.yaml names 01M80N0000000000000000000A" in ran.err) == (5, True)
    assert (folder.path / "messages.lock").read_bytes() == before
    assert read_settings(folder.path) == {"ledger": "01M80N0000000000000000000A"}
    assert not (folder.path / "other.lock").exists()


def test_there_has_to_be_a_ledger(folder: Folder) -> None:
    (folder.path / "messages.lock").unlink()
    for address in ("other.lock", "messages.lock"):
        ran = folder.run("lock", "move", "--yes", address)
        assert (ran.code, "there is no ledger messages.lock" in ran.err) == (5, True)
    assert not (folder.path / "other.lock").exists()


@pytest.mark.parametrize(
    "args",
    [["other://x"], ["postgresql://ann:secret-word@db/x"], ["git+https://secret-word@host/x.git"], [],
     ["--sandbox", "other.lock"], ["git+origin#a..b"]],
)  # fmt: skip
def test_wrong_usage_moves_nothing_and_repeats_no_password(folder: Folder, args: list[str]) -> None:
    ran = folder.run("lock", "move", "--yes", *args)
    assert (ran.code, "secret-word" in ran.out + ran.err) == (64, False)
    assert not (folder.path / "msgrun.yaml").exists()


def test_a_move_of_a_lockfile_leaves_a_mark_on_the_remote(author: Clone, origin: Path) -> None:
    ran = author.msgrun("lock", "move", "--yes", "git+origin")
    assert ran.code == 0
    assert "until then apply sends nothing:\n    git rm -f messages.lock && git add msgrun.yaml &&" in ran.err
    assert " && git commit -m 'Name the ledger' && git push\n" in ran.err
    settings = read_settings(author.path)
    assert (settings["lock"], settings["remote"]) == ("git+origin", origin.as_uri())
    mark = git_output(origin, "log", "-1", "--format=%B", f"refs/msgrun/moved/{settings['ledger']}")
    assert json.loads(mark) == {"project": ".", "environment": "default", "turn": 1, "moved": "git+origin"}


def test_a_host_that_only_a_mark_names_is_contacted_after_a_question(folder: Folder) -> None:
    folder.run("lock", "begin")
    header = read_headers(folder.path / "messages.lock")[-1]
    with (folder.path / "messages.lock").open("a") as file:
        file.write(json.dumps({**header, "turn": 1, "moved": "git+http://127.0.0.1:9/x.git"}) + "\n")
    ran = folder.run("lock", "move", "messages.lock")
    assert (ran.code, "--yes" in ran.err) == (5, True)
    assert folder.run("lock", "move", "messages.lock", "--yes").code == 6  # nobody listens there


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("../out.lock", "../out.lock is outside the project\n  hint: name a file below its root"),
        ("", "lock"),
        ("messages.eu.lock", "messages.eu.lock is the lockfile of another environment\n  hint: name another file"),
    ],
)
def test_an_address_that_the_settings_could_not_name_moves_nothing(folder: Folder, address: str, problem: str) -> None:
    settings = folder.write("msgrun.yaml", "environments:\n  eu: {region: eu}\n")
    before = settings.read_text(), read_headers(folder.path / "messages.lock")
    ran = folder.run("lock", "move", "--yes", address)
    assert (ran.code, f"error: {problem}" in ran.err, "msgrun.yaml:" in ran.out) == (64, True, False), ran.err
    assert (settings.read_text(), read_headers(folder.path / "messages.lock")) == before
    assert folder.run("lock", "verify").code == 0


def test_settings_that_cannot_be_edited_move_nothing(folder: Folder) -> None:
    folder.write("msgrun.yaml", "lock: &place messages.lock\n")
    before = read_headers(folder.path / "messages.lock")
    ran = folder.run("lock", "move", "--yes", "other.lock")
    assert (ran.code, "cannot be edited automatically" in ran.err) == (64, True)
    assert read_headers(folder.path / "messages.lock") == before
    assert not (folder.path / "other.lock").exists()


def test_a_move_asks_first_and_off_a_terminal_says_which_flag_answers(folder: Folder) -> None:
    folder.run("lock", "begin")
    before = (folder.path / "messages.lock").read_bytes()
    ran = folder.run("lock", "move", "other.lock")
    assert (ran.code, "pass --yes" in ran.err) == (5, True)
    assert (folder.path / "messages.lock").read_bytes() == before
    assert not (folder.path / "other.lock").exists()


def test_on_a_terminal_a_move_is_a_question(folder: Folder) -> None:
    folder.run("lock", "begin")
    for answer, code in (("n", 5), ("y", 0)):
        terminal = Terminal(folder.path, "lock", "move", "other.lock")
        terminal.answer("Move the ledger from messages.lock to the file other.lock? [y/N]:", answer)
        assert terminal.finish() == code, terminal.screen
        assert "0 deliveries will be copied to other.lock, at once." in terminal.screen
        assert (folder.path / "other.lock").exists() == (answer == "y")


def test_a_move_says_before_the_question_that_it_writes_at_once_and_apply_waits_for_the_merge(author: Clone) -> None:
    said = author.msgrun("lock", "move", "git+origin").out
    assert "deliveries will be copied to origin#msgrun-ledger:messages.lock, at once. Then apply sends nothing" in said


def test_environments_that_take_their_address_from_the_project_keep_it(author: Clone) -> None:
    """The ledger of one environment moves. Those of the others do not, so `lock:` must not say that they did."""
    author.write(
        "msgrun.yaml", (author.path / "msgrun.yaml").read_text() + "environments:\n  prod: {}\n  staging: {}\n"
    )
    assert author.msgrun("-e", "staging", "lock", "begin").code == 0
    ran = author.msgrun("lock", "move", "--yes", "git+origin")
    assert (ran.code, "wrote environments.staging.lock: messages.staging.lock to msgrun.yaml" in ran.out) == (0, True)
    environments = read_settings(author.path)["environments"]
    assert (environments["staging"]["lock"], environments["prod"]) == ("messages.staging.lock", {})
    assert author.msgrun("-e", "staging", "plan").code == 0
    assert author.msgrun("-e", "staging", "lock", "move", "--yes", "git+origin").code == 0
    assert read_settings(author.path)["environments"]["staging"]["lock"] == "git+origin"


def test_environments_that_share_a_branch_keep_it_when_the_project_leaves_it(author: Clone) -> None:
    author.write("msgrun.yaml", (author.path / "msgrun.yaml").read_text() + "environments:\n  staging: {}\n")
    assert author.msgrun("lock", "move", "--yes", "git+origin").code == 0
    assert author.msgrun("-e", "staging", "lock", "begin").code == 0
    assert author.msgrun("lock", "move", "--yes", "sent.lock").code == 0
    assert read_settings(author.path)["environments"]["staging"]["lock"] == "git+origin"
    assert author.msgrun("-e", "staging", "plan").code == 0


def test_a_move_of_a_ledger_that_is_in_the_default_lockfile_names_the_command(author: Clone) -> None:
    """As after an edit of the project's `lock:`, which the environment takes its address from."""
    settings = (author.path / "msgrun.yaml").read_text()
    author.write("msgrun.yaml", settings + "environments:\n  staging: {}\n")
    assert author.msgrun("-e", "staging", "lock", "begin").code == 0
    author.write("msgrun.yaml", "lock: git+origin\n" + (author.path / "msgrun.yaml").read_text())
    ran = author.msgrun("-e", "staging", "lock", "move", "--yes", "git+origin")
    command = "MSGRUN_LOCK=messages.staging.lock msgrun -e staging lock move git+origin"
    assert (ran.code, command in ran.err, "abandon" in ran.err) == (5, True, False)
    author.env["MSGRUN_LOCK"] = "messages.staging.lock"
    assert author.msgrun("-e", "staging", "lock", "move", "--yes", "git+origin").code == 0


def test_plan_and_status_say_off_a_terminal_too_that_the_default_branch_names_another_ledger(author: Clone) -> None:
    assert author.msgrun("lock", "begin").code == 0
    author.commit()
    author.git("push", "--quiet")
    author.git("remote", "set-head", "origin", "main")
    author.env.update(CI="")
    note = "The default branch of origin, as this clone has it, names another ledger, messages.lock."
    own = "messages.lock is read as this clone has it; apply asks origin for a newer one.\n  hint: git pull\n"
    for command in ("plan", "status"):
        assert own not in author.msgrun(command).err
    assert author.git("fetch", "--quiet") == ""
    for file in ("FETCH_HEAD", "refs/remotes/origin/HEAD"):
        os.utime(author.path / ".git" / file, (0, 0))
    for command in ("plan", "status"):
        assert (own in author.msgrun(command).err, note in author.msgrun(command).err) == (True, False)
    settings = author.path / "msgrun.yaml"
    settings.write_text(settings.read_text() + "environments: {staging: {vars: {a: b}}}\n")
    ran = author.msgrun("-e", "staging", "plan")
    assert ("there is no ledger messages.staging.lock yet" in ran.err, "is read as" in ran.err) == (True, False)
    assert author.msgrun("lock", "move", "--yes", "git+origin").code == 0
    for command in ("plan", "status"):
        ran = author.msgrun(command)
        assert (ran.code, note in ran.err, "hint: if this commit is older: git pull;" in ran.err) == (0, True, True)
    author.git("remote", "set-head", "origin", "--delete")
    author.git("remote", "set-url", "origin", str(author.path.parent / "fork.git"))
    assert "apply will refuse this: git+origin is a branch of another repository" in author.msgrun("plan").err
    author.env.update(CI="true")
    assert "is read as" not in author.msgrun("plan").err


@pytest.mark.parametrize("address", ["origin", "git:origin"])
def test_the_name_of_a_remote_alone_is_no_file(author: Clone, address: str) -> None:
    ran = author.msgrun("lock", "move", "--yes", address)
    assert (ran.code, f"{address} is no address of a ledger\n  hint: did you mean git+origin?" in ran.err) == (64, True)


def test_a_clone_that_lacks_commits_moves_nothing(author: Clone) -> None:
    other = Clone(author.path.parent / "other", author.intercom)
    author.git("clone", "-q", author.git("remote", "get-url", "origin").strip(), str(other.path))
    author.write("note.txt", "x\n")
    author.git("add", "note.txt")
    author.git("commit", "-qm", "A note")
    author.git("push", "-q", "origin", "HEAD")
    ran = other.msgrun("lock", "move", "--yes", "git+origin")
    pull = "git pull --no-rebase --no-edit --autostash origin main"
    assert (ran.code, f"Nothing was moved\n  hint: {pull}\n" in ran.err) == (5, True)
    assert read_settings(other.path) == read_settings(author.path)
