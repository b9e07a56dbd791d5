"""`msgrun lock verify --against`: a pull request changes no ledger's file, whatever `lock:` is."""

import pytest

from tests.support.clones import HEADER, SETTINGS, Clone, message

LOCKFILE = pytest.mark.parametrize("ledger", ["lockfile"], indirect=True)
EITHER = pytest.mark.parametrize("ledger", ["lockfile", "branch"], indirect=True)
RECORD = '{"key":"%s","attempt":"1","status":"sent","message":"first","revision":1,"to":"id:a","id":"1"}\n' % ("a" * 32)


def change(author: Clone, **files: str) -> None:
    """A branch of the author with a message, and with files."""
    author.git("checkout", "--quiet", "-B", "change")
    author.write("messages/third.yaml", message("third", "ccc1"))
    for name, text in files.items():
        author.write(name, text)
    author.commit()


@LOCKFILE
def test_what_the_main_branch_recorded_meanwhile_is_no_change_of_the_pull_request(author, clone):
    change(author)
    person = clone("person")
    person.msgrun("apply", "--yes")
    person.commit()
    person.git("push", "--quiet")
    author.git("fetch", "--quiet", "origin")
    assert author.msgrun("lock", "verify", "--against", "origin/main").code == 0
    author.git("merge", "--quiet", "--no-edit", "origin/main")
    assert author.msgrun("lock", "verify", "--against", "origin/main").code == 0


@pytest.mark.parametrize("ledger", ["main"], indirect=True)
def test_nor_is_what_an_apply_recorded_on_the_working_branch(author, clone):
    change(author)
    assert clone("person").msgrun("apply", "--yes").code == 0
    author.git("fetch", "--quiet", "origin")
    assert author.msgrun("lock", "verify", "--against", "origin/main").code == 0
    author.git("merge", "--quiet", "--no-edit", "origin/main")
    assert author.msgrun("lock", "verify", "--against", "origin/main").code == 0


@LOCKFILE
def test_a_pull_request_that_names_another_lockfile_and_drops_this_one_is_stopped(author):
    header = (author.path / "messages.lock").read_text()
    author.write("messages.lock", header + RECORD)
    author.commit()
    (author.path / "messages.lock").unlink()
    settings = (author.path / "msgrun.yaml").read_text()
    change(author, **{"fresh.lock": header, "msgrun.yaml": f"lock: fresh.lock\n{settings}"})
    (author.path / ".git/msgrun/messages.lock.journal").unlink(missing_ok=True)
    ran = author.msgrun("lock", "verify", "--against", "main")
    told = "these commits remove messages.lock: 0 records added, 1 removed"
    assert (ran.code, told in ran.err) == (5, True)
    assert told in author.msgrun("plan", "--against", "main").err


@LOCKFILE
def test_the_lockfile_may_go_once_the_ledger_it_moved_to_has_all_its_records(author, clone):
    assert author.msgrun("apply", "--yes").code == 0
    author.commit()
    author.git("push", "--quiet")
    author.git("checkout", "--quiet", "-b", "move")
    assert author.msgrun("lock", "move", "--yes", "git+origin").code == 0
    author.git("rm", "--quiet", "messages.lock")
    author.commit()
    author.git("push", "--quiet", "origin", "move")
    assert author.msgrun("lock", "verify", "--against", "main").code == 0
    reviewer = clone("reviewer", "--branch=move")
    assert reviewer.msgrun("lock", "verify", "--against", "origin/main").code == 0
    assert "3 already sent" in reviewer.msgrun("plan", "--against", "origin/main").out
    # Another ledger, that lacks them, is no reason to remove it.
    author.write("msgrun.yaml", SETTINGS + "lock: other.lock\n")
    author.write("other.lock", HEADER % "")
    author.commit()
    author.git("push", "--quiet", "origin", "move")
    reviewer.git("pull", "--quiet")
    ran = reviewer.msgrun("lock", "verify", "--against", "origin/main")
    assert (ran.code, "these commits take the ledger" in ran.err) == (5, True)


@EITHER
def test_in_a_clone_too_shallow_to_tell_it_says_what_to_fetch(author, clone):
    change(author)
    author.git("push", "--quiet", "origin", "change")
    shallow = clone("shallow", "--depth=1", "--branch=change")
    told = shallow.msgrun("lock", "verify", "--against", "origin/main")
    assert (told.code, "fetch-depth" in told.err) == (64, True)


def test_outside_of_git_there_is_nothing_to_compare(folder):
    ran = folder.run("lock", "verify", "--against", "main")
    assert (ran.code, "is not in a git repository" in ran.err) == (64, True)
