"""`lock begin`: a project gets one ledger, and msgrun.yaml its id. Another one only if a person gives that one up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST
from tests.cli.commands.test_status import append, line
from tests.support.clones import Clone, git_output
from tests.support.ledger_files import read_headers, read_records, read_settings
from tests.support.project import Folder


def forget_lockfile(clone: Clone) -> None:
    """As if the lockfile had never been in this clone."""
    (clone.path / "messages.lock").unlink()
    (clone.path / ".git/msgrun/messages.lock.journal").unlink(missing_ok=True)


def test_begin_writes_a_header_with_a_new_id_and_the_same_id_to_the_settings(folder: Folder) -> None:
    (folder.path / "messages.lock").unlink()
    ran = folder.run("lock", "begin")
    (header,) = read_headers(folder.path / "messages.lock")
    assert (ran.code, read_settings(folder.path)) == (0, {"ledger": header["ledger"]})
    assert ran.out == f"started messages.lock\nwrote ledger: {header['ledger']} to msgrun.yaml\n"


def test_begin_says_how_to_commit_it(author: Clone) -> None:
    forget_lockfile(author)
    assert "\n    git add msgrun.yaml messages.lock && git commit -m" in author.msgrun("lock", "begin").err
    assert "\n    git add msgrun.yaml messages.lock && git commit -m" in author.msgrun("lock", "begin").err
    author.git("add", "-A")
    author.git("commit", "-qm", "Name the ledger")
    assert author.msgrun("lock", "begin").err == ""


def test_the_ledger_does_not_become_the_first_branch_of_the_projects_remote(author: Clone) -> None:
    forget_lockfile(author)
    author.write("msgrun.yaml", "lock: git+origin\n")
    author.git("branch", "--unset-upstream")
    author.git("remote", "set-url", "origin", author.path.parent / "empty.git")
    author.git("init", "-q", "--bare", author.path.parent / "empty.git")
    ran = author.msgrun("lock", "begin")
    reason = "error: origin has no branch yet, and would take that of the ledger as its default branch\n"
    assert (ran.code, ran.err) == (5, f"{reason}  hint: push yours first: git push -u origin HEAD\n")


def test_begin_a_second_time_says_so_and_changes_nothing(folder: Folder) -> None:
    (folder.path / "messages.lock").unlink()
    folder.run("lock", "begin")
    before = [(folder.path / name).read_bytes() for name in ("msgrun.yaml", "messages.lock")]
    ran = folder.run("lock", "begin")
    assert (ran.code, ran.out) == (0, "messages.lock is there already\n")
    assert [(folder.path / name).read_bytes() for name in ("msgrun.yaml", "messages.lock")] == before


def test_begin_gives_a_ledger_without_an_id_one_and_keeps_its_records(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    ran = folder.run("lock", "begin")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "messages.lock is there already")
    ids = {header.get("ledger") for header in read_headers(folder.path / "messages.lock")}
    assert read_settings(folder.path)["ledger"] in ids
    assert [record["id"] for record in read_records(folder.path / "messages.lock")] == ["7"]


def test_begin_writes_the_id_of_a_ledger_that_is_there_to_settings_that_have_none(folder: Folder) -> None:
    (folder.path / "messages.lock").unlink()
    folder.run("lock", "begin")
    before = read_settings(folder.path)
    folder.write("msgrun.yaml", "region: eu\n")
    assert folder.run("lock", "begin").code == 0
    assert read_settings(folder.path) == {"region": "eu", **before}


def test_begin_in_an_environment_writes_the_id_below_it(folder: Folder) -> None:
    folder.write("msgrun.yaml", "environments:\n  eu: {}\n")
    assert folder.run("-e", "eu", "lock", "begin").code == 0
    (header,) = read_headers(folder.path / "messages.eu.lock")
    assert read_settings(folder.path) == {"environments": {"eu": {"ledger": header["ledger"]}}}


def test_begin_in_the_sandbox_leaves_the_settings_alone(folder: Folder) -> None:
    assert folder.run("--sandbox", "lock", "begin").code == 0
    assert not (folder.path / "msgrun.yaml").exists()


def test_begin_where_the_settings_name_a_ledger_that_is_not_there_is_refused(folder: Folder) -> None:
    (folder.path / "messages.lock").unlink()
    folder.write("msgrun.yaml", "ledger: 01M80N0000000000000000000A\n")
    for args in (["lock", "begin"], ["apply", "--yes", "--new-lock"]):
        ran = folder.run(*args)
        assert ran.code == 5
        assert "there is no ledger messages.lock, and msgrun.yaml names one, 01M80N0000000000000000000A" in ran.err
        assert "msgrun lock move messages.lock" in ran.err
        assert "if it is lost: msgrun explain ledger-moved" in ran.err
        assert "--abandon-previous" not in ran.err
    assert not (folder.path / "messages.lock").exists()


def test_begin_at_a_ledger_with_another_id_is_refused(folder: Folder) -> None:
    folder.run("lock", "begin")
    folder.write("msgrun.yaml", "ledger: 01M80N0000000000000000000A\n")
    ran = folder.run("lock", "begin")
    assert (ran.code, "and msgrun.yaml names 01M80N0000000000000000000A" in ran.err) == (5, True)
    assert read_settings(folder.path) == {"ledger": "01M80N0000000000000000000A"}


def test_abandoning_the_previous_ledger_is_asked(folder: Folder) -> None:
    (folder.path / "messages.lock").unlink()
    folder.write("msgrun.yaml", "ledger: 01M80N0000000000000000000A\n")
    ran = folder.run("lock", "begin", "--abandon-previous")
    assert (ran.code, "Abandon it, and use messages.lock?" in ran.err, "--yes" in ran.err) == (5, True, True)
    assert not (folder.path / "messages.lock").exists()
    assert read_settings(folder.path) == {"ledger": "01M80N0000000000000000000A"}


def test_abandoning_a_lost_ledger_starts_one_with_a_new_id_and_it_is_current(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    (folder.path / "messages.lock").unlink()
    folder.write("msgrun.yaml", "ledger: 01M80N0000000000000000000A\n")
    assert folder.run("lock", "begin", "--abandon-previous", "--yes").code == 0
    (header,) = read_headers(folder.path / "messages.lock")
    assert header["ledger"] != "01M80N0000000000000000000A"
    assert read_settings(folder.path) == {"ledger": header["ledger"]}
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3


def test_abandoning_makes_a_ledger_that_moved_current_again_with_its_records(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    assert folder.run("apply", "--yes", "--limit", "2").code == 0
    assert folder.run("lock", "move", "--yes", "other.lock").code == 0
    (folder.path / "other.lock").unlink()
    folder.write("msgrun.yaml", "")
    assert folder.run("apply", "--yes").code == 5
    assert folder.run("lock", "begin").code == 5
    assert folder.run("lock", "begin", "--abandon-previous", "--yes").code == 0
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3


def test_if_the_ledger_is_lost_after_a_move_the_hints_lead_on_with_the_one_before(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    assert folder.run("lock", "begin").code == 0
    assert folder.run("apply", "--yes", "--limit", "2").code == 0
    assert folder.run("lock", "move", "--yes", "other.lock").code == 0
    (folder.path / "other.lock").unlink()
    move = "MSGRUN_LOCK=messages.lock msgrun lock move other.lock"
    lost = "if it is lost: msgrun explain ledger-moved"
    ran = folder.run("apply", "--yes")
    assert (ran.code, move in ran.err) == (5, True)
    with monkeypatch.context() as patch:
        patch.setenv("MSGRUN_LOCK", "messages.lock")
        ran = folder.run("lock", "move", "--yes", "other.lock")
        assert (ran.code, lost in ran.err) == (5, True)
        ran = folder.run("lock", "begin", "--abandon-previous", "--yes")
        assert (ran.code, move in ran.err) == (0, True)
        assert folder.run("lock", "move", "--yes", "other.lock").code == 0
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3


def test_a_move_back_from_a_lost_ledger_leads_on_with_the_one_that_is_there(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    assert folder.run("lock", "begin").code == 0
    assert folder.run("apply", "--yes", "--limit", "2").code == 0
    assert folder.run("lock", "move", "--yes", "other.lock").code == 0
    (folder.path / "other.lock").unlink()
    ran = folder.run("lock", "move", "--yes", "messages.lock")
    assert (ran.code, "if it is lost: msgrun explain ledger-moved" in ran.err) == (5, True)
    folder.write("msgrun.yaml", (folder.path / "msgrun.yaml").read_text().replace("other.lock", "messages.lock"))
    assert folder.run("lock", "begin", "--abandon-previous", "--yes").code == 0
    assert folder.run("apply", "--yes").code == 0
    assert len(intercom.messages) == 3


def test_begin_where_the_default_branch_names_a_ledger_is_refused(author: Clone, clone: Callable[..., Clone]) -> None:
    late = clone("late")
    assert author.msgrun("lock", "begin").code == 0
    author.commit()
    author.git("push", "--quiet")
    forget_lockfile(late)
    late.write("msgrun.yaml", f"{(late.path / 'msgrun.yaml').read_text()}lock: git+origin\n")
    ran = late.msgrun("lock", "begin")
    assert ran.code == 5
    assert "the ledger here is git+origin, and the default branch of origin names messages.lock" in ran.err
    assert "refs/heads/msgrun-ledger" not in git_output(Path(late.git("remote", "get-url", "origin")[7:]), "show-ref")


@pytest.mark.parametrize("moved_to", ["other.lock", "git+origin"])
def test_begin_where_the_remote_has_a_mark_of_this_project_is_refused(
    author: Clone, clone: Callable[..., Clone], moved_to: str
) -> None:
    """Nothing of the move is merged: only the mark tells of it."""
    late = clone("late")
    assert author.msgrun("apply", "--yes", "--limit", "1").code == 0
    assert author.msgrun("lock", "move", "--yes", moved_to).code == 0
    forget_lockfile(late)
    late.write("msgrun.yaml", f"{(late.path / 'msgrun.yaml').read_text()}lock: new.lock\n")
    ran = late.msgrun("lock", "begin")
    assert (ran.code, f"this project's ledger moved to {moved_to}, says origin" in ran.err) == (5, True)
    assert not (late.path / "new.lock").exists()
    ran = late.msgrun("lock", "begin", "--abandon-previous", "--yes")
    assert (ran.code, (late.path / "new.lock").exists()) == (0, True)


def test_begin_and_compact_where_the_remote_says_that_the_ledger_moved_are_refused(
    author: Clone, clone: Callable[..., Clone]
) -> None:
    assert author.msgrun("apply", "--yes", "--limit", "1").code == 0
    author.commit()
    author.git("push", "--quiet")
    late = clone("late")
    assert author.msgrun("lock", "move", "--yes", "git+origin").code == 0
    before = (late.path / "messages.lock").read_bytes()
    for command in ("begin", "compact"):
        ran = late.msgrun("lock", command)
        assert (ran.code, "this project's ledger moved to git+origin, says origin" in ran.err) == (5, True)
    assert (late.path / "messages.lock").read_bytes() == before


def test_begin_on_a_branch_names_the_remote_in_the_settings(author: Clone, origin: Path) -> None:
    forget_lockfile(author)
    settings = (author.path / "msgrun.yaml").read_text()
    author.write("msgrun.yaml", f"{settings}lock: git+origin\n")
    author.commit()
    author.git("push", "--quiet")
    assert author.msgrun("lock", "begin").code == 0
    written = read_settings(author.path)
    assert (written["lock"], written["remote"]) == ("git+origin", origin.as_uri())
    assert written["ledger"] in git_output(origin, "show", "refs/heads/msgrun-ledger:messages.lock")
    author.commit()
    author.git("push", "--quiet")
    assert author.msgrun("apply", "--yes").code == 0


def test_begin_is_repeated_after_a_kill_before_it_wrote_to_the_settings(author: Clone) -> None:
    forget_lockfile(author)
    author.write("msgrun.yaml", "region: us\n")
    author.commit()
    author.git("push", "--quiet", "--force")  # the default branch names no ledger, so it means the default lockfile
    author.write("msgrun.yaml", "region: us\nlock: git+origin\n")
    assert author.msgrun("lock", "begin", "--abandon-previous", "--yes").code == 0
    written = (author.path / "msgrun.yaml").read_text()
    author.write("msgrun.yaml", "region: us\nlock: git+origin\n")
    assert author.msgrun("lock", "begin").code == 0
    assert (author.path / "msgrun.yaml").read_text() == written


def test_begin_at_the_address_of_the_variable_writes_its_id_and_no_address(folder: Folder, monkeypatch) -> None:
    (folder.path / "messages.lock").unlink()
    monkeypatch.setenv("MSGRUN_LOCK", "other.lock")
    assert folder.run("lock", "begin").out.startswith("started other.lock\n")
    (header,) = read_headers(folder.path / "other.lock")
    assert read_settings(folder.path) == {"ledger": header["ledger"]}
    monkeypatch.delenv("MSGRUN_LOCK")
    assert folder.run("apply", "--yes", "--new-lock").code == 5


def test_a_ledger_may_begin_where_the_previous_one_was_abandoned(author: Clone) -> None:
    forget_lockfile(author)
    assert author.msgrun("lock", "begin").code == 0
    author.commit()
    forget_lockfile(author)
    assert author.msgrun("lock", "begin", "--abandon-previous", "--yes").code == 0
    author.write("msgrun.yaml", (author.path / "msgrun.yaml").read_text() + "environments: {eu: {}}\n")
    author.commit()
    author.git("push", "--quiet")
    assert author.msgrun("-e", "eu", "lock", "begin").code == 0
