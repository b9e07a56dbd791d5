"""`msgrun lock push`: what a clone knows reaches the branch, whatever the clone is like, and nothing else does."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.cli import run
from runner.cli.commands.lock import push as push_command
from runner.git.pushing import MAX_TRIES
from runner.ledger.lockfile.upload import _create_file_commit
from tests.support.clones import SETTINGS, git_output, message, tip


def recorded(origin, branch="main", path="messages.lock"):
    """The (message, recipient, status) of every record of a branch's lockfile."""
    lines = [json.loads(line) for line in git_output(origin, "show", f"{branch}:{path}").splitlines()]
    return sorted((line["message"], line["to"], line["status"]) for line in lines if "key" in line)


ALL = [("first", "id:aaa1", "sent"), ("first", "id:aaa2", "sent"), ("second", "id:bbb1", "sent")]


def hook(origin, text):
    path = origin / "hooks" / "pre-receive"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_what_was_sent_reaches_the_branch_in_one_commit_of_one_file(job, origin):
    before = tip(origin)
    runner = job("1", before)
    assert runner.msgrun("apply", "--yes").code == 0
    pushed = runner.msgrun("lock", "push")
    assert pushed.code == 0
    assert pushed.out == f"pushed 4 lines of messages.lock to origin/main as {tip(origin)[:10]}\n"
    assert recorded(origin) == ALL
    assert git_output(origin, "rev-parse", "main^") == before
    assert git_output(origin, "diff", "--name-only", before, "main") == "messages.lock"
    assert git_output(origin, "show", "--no-patch", "--format=%s%n%b", "main").splitlines() == [
        "Record what was sent: 4 lines in messages.lock",
        "https://github.example/acme/mail/actions/runs/1",
    ]
    assert runner.msgrun("lock", "push").out == "origin/main has all of messages.lock\n"


def test_nothing_else_of_the_work_tree_gets_in(clone, origin):
    dirty = clone("dirty")
    dirty.msgrun("apply", "--yes")
    dirty.write("messages/first.yaml", message("first", "aaa1", "aaa2", body="Half a thought"))
    dirty.write("staged.txt", "not yet")
    dirty.git("add", "staged.txt")
    before = tip(origin)
    assert dirty.msgrun("lock", "push").code == 0
    assert git_output(origin, "diff", "--name-only", before, "main") == "messages.lock"
    assert dirty.git("diff", "--name-only") == "messages/first.yaml"
    assert dirty.git("diff", "--cached", "--name-only") == "staged.txt"


def test_the_branch_that_is_checked_out_follows(clone, origin):
    person = clone("person")
    person.msgrun("apply", "--yes")
    person.msgrun("lock", "push")
    assert person.git("rev-parse", "HEAD") == tip(origin)
    assert person.git("status", "--porcelain") == ""
    assert person.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"


def test_after_a_push_the_next_pull_stumbles_over_nothing(clone):
    person, other = clone("person"), clone("other")
    person.msgrun("apply", "--yes", "messages/first.yaml")
    assert person.msgrun("lock", "push").code == 0
    other.msgrun("apply", "--yes")
    assert other.msgrun("lock", "push").code == 0
    person.git("pull", "--quiet", "--ff-only")
    assert "nothing to do" in person.msgrun("apply", "--yes", "--no-fetch").out


def test_torn_lines_of_the_lockfile_stay_where_they_are(clone):
    person = clone("person")
    person.msgrun("apply", "--yes")
    with (person.path / "messages.lock").open("ab") as file:
        file.write(b'{"key":"torn\n')
    assert person.msgrun("lock", "push").code == 0
    assert (person.path / "messages.lock").read_bytes().endswith(b'{"key":"torn\n')


@pytest.mark.parametrize(
    "options",
    [("--depth=1",), ("--depth=1", "--no-single-branch"), ("--filter=blob:none",), ("--filter=tree:0",)],
    ids=["shallow", "shallow branches", "blobless", "treeless"],
)
def test_a_clone_that_lacks_history_or_blobs_pushes_too(options, author, clone, origin):
    author.write("other/large.txt", "x" * 10_000)
    author.commit()
    author.git("push", "--quiet")
    poor = clone("poor", *options)
    poor.msgrun("apply", "--yes")
    before = tip(origin)
    assert poor.msgrun("lock", "push").code == 0
    assert recorded(origin) == ALL
    assert git_output(origin, "diff", "--name-only", before, "main") == "messages.lock"
    assert git_output(origin, "show", "main:other/large.txt") == "x" * 10_000


def test_what_others_pushed_meanwhile_stays(job, clone, origin):
    slow = job("slow", tip(origin))
    assert slow.msgrun("apply", "--yes", "--limit", "1").code == 0
    other = clone("other")
    other.write("messages/second.yaml", message("second", "bbb1", "bbb2"))
    other.write("messages/third.yaml", message("third", "ccc1"))
    other.commit("messages")
    assert other.msgrun("apply", "--yes", "messages/third.yaml").code == 0
    other.commit()
    other.git("push", "--quiet")
    theirs = tip(origin)
    assert slow.msgrun("lock", "push").code == 0
    assert git_output(origin, "rev-parse", "main^") == theirs
    assert ("third", "id:ccc1", "sent") in recorded(origin)
    assert ("first", "id:aaa1", "sent") in recorded(origin)


@pytest.mark.proof
def test_many_who_push_at_once_all_get_through(author, job, origin):
    for number in range(5):
        author.write(f"messages/m{number}.yaml", message(f"m{number}", f"x{number}"))
    commit = author.commit()
    author.git("push", "--quiet")
    runners = [job(str(number), commit) for number in range(5)]
    for number, runner in enumerate(runners):
        assert runner.msgrun("apply", "--yes", f"messages/m{number}.yaml").code == 0
    with ThreadPoolExecutor() as pool:
        codes = list(pool.map(lambda runner: runner.process("lock", "push").code, runners))
    assert codes == [0] * 5
    assert [name for name, _, _ in recorded(origin)] == [f"m{number}" for number in range(5)]
    assert git_output(origin, "rev-list", "--count", f"{commit}..main") == "5"


def test_a_branch_that_is_protected_is_said_at_once_and_nothing_is_lost(job, origin):
    hook(origin, 'echo "error: GH006: Protected branch update failed for refs/heads/main." >&2; exit 1')
    runner = job("1", tip(origin))
    runner.msgrun("apply", "--yes")
    refused = runner.msgrun("lock", "push")
    assert refused.code == 6
    assert "origin/main did not take messages.lock" in refused.err
    assert "GH006: Protected branch update failed" in refused.err
    assert "let this job push to origin/main" in refused.err
    assert runner.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    (origin / "hooks" / "pre-receive").unlink()
    assert runner.msgrun("lock", "push").code == 0
    assert recorded(origin) == ALL


def test_a_lockfile_that_was_carried_out_of_a_lost_job_is_pushed_from_another_clone(author, job, clone, origin):
    runner = job("1", tip(origin))
    runner.msgrun("lock", "hold")
    runner.msgrun("apply", "--yes")
    artifact = (runner.path / "messages.lock").read_bytes()
    person = clone("person")
    assert person.msgrun("apply", "--yes").code == 6
    with (person.path / "messages.lock").open("ab") as file:
        file.write(artifact)
    assert person.msgrun("lock", "push").code == 0
    assert recorded(origin) == ALL
    assert person.msgrun("lock", "free", "--yes").code == 0
    assert person.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(author.sent()) == 3


@pytest.mark.parametrize(("system", "branch"), [("github", "release/winter"), ("gitlab", "release/winter")])
def test_a_job_of_a_branch_pushes_to_it_and_asks_it_first(system, branch, author, job, origin):
    author.git("checkout", "--quiet", "-b", branch)
    author.git("push", "--quiet", "origin", branch)
    first = job("first", tip(origin, branch), branch, system=system)
    assert first.msgrun("apply", "--yes").code == 0
    assert f"to origin/{branch} as" in first.msgrun("lock", "push").out
    assert recorded(origin, branch) == ALL
    assert recorded(origin) == []
    again = job("again", git_output(origin, "rev-parse", f"{branch}^"), branch, system=system)
    assert again.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(author.sent()) == 3


def test_a_pull_requests_ref_is_no_branch_so_the_default_one_is_meant(job, origin):
    runner = job("1", tip(origin))
    runner.env["GITHUB_REF"] = "refs/pull/7/merge"
    runner.msgrun("apply", "--yes")
    assert "to origin/main as" in runner.msgrun("lock", "push").out


def test_the_branch_that_is_named_wins(author, clone, origin):
    author.git("push", "--quiet", "origin", "main:refs/heads/ledger")
    person = clone("person")
    person.msgrun("apply", "--yes")
    assert "to origin/ledger as" in person.msgrun("lock", "push", "--branch", "ledger").out
    assert recorded(origin, "ledger") == ALL
    missing = person.msgrun("lock", "push", "--branch", "legder")
    assert (missing.code, "there is no branch origin/legder" in missing.err) == (6, True)


def test_a_lockfile_may_live_on_a_branch_that_is_not_protected(author, job, origin):
    author.git("push", "--quiet", "origin", "main:refs/heads/ledger")
    hook(origin, "grep -q refs/heads/main && exit 1 || exit 0")
    for number, ending in (("1", "3 sent"), ("2", "nothing to do")):
        runner = job(number, tip(origin))
        runner.git("fetch", "--quiet", "origin", "ledger")
        runner.write("messages.lock", runner.git("show", "FETCH_HEAD:messages.lock") + "\n")
        assert runner.msgrun("lock", "hold").code == 0
        assert runner.msgrun("apply", "--yes").out.splitlines()[-1] == ending
        assert runner.msgrun("lock", "push", "--branch", "ledger").code == 0
    assert (recorded(origin, "ledger"), recorded(origin)) == (ALL, [])


def test_gitlab_is_told_to_start_no_pipeline(job, origin, tmp_path):
    hook(origin, f'echo "$GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_0" > {tmp_path}/options')
    runner = job("1", tip(origin), system="gitlab")
    runner.msgrun("apply", "--yes")
    assert runner.msgrun("lock", "push").code == 0
    assert (tmp_path / "options").read_text() == "1 ci.skip\n"


def test_an_unreachable_remote_is_tried_again_and_then_said(clone, origin, monkeypatch, capsys):
    person = clone("person")
    person.msgrun("apply", "--yes")
    origin.rename(origin.with_name("gone.git"))
    pauses = []
    monkeypatch.setattr(push_command, "back_off", pauses.append)
    assert run(["-C", str(person.path), "lock", "push"]) == 6
    assert len(pauses) == MAX_TRIES - 1
    assert "fatal:" in capsys.readouterr().err


def test_a_race_that_is_always_lost_ends_with_a_word(clone, origin, monkeypatch, capsys):
    person = clone("person")
    person.msgrun("apply", "--yes")
    make, pauses = _create_file_commit, []

    def overtaken(*args):
        made = make(*args)
        faster = git_output(origin, "commit-tree", "-p", "main", "-m", "faster", "main^{tree}")
        git_output(origin, "update-ref", "refs/heads/main", faster)
        return made

    monkeypatch.setattr("runner.ledger.lockfile.upload._create_file_commit", overtaken)
    monkeypatch.setattr(push_command, "back_off", pauses.append)
    assert run(["-C", str(person.path), "lock", "push"]) == 6
    assert pauses == list(range(1, MAX_TRIES))
    assert "did not take messages.lock: [rejected] (stale info)" in capsys.readouterr().err
    monkeypatch.setattr("runner.ledger.lockfile.upload._create_file_commit", make)
    assert run(["-C", str(person.path), "lock", "push"]) == 0
    assert recorded(origin) == ALL


def test_a_hold_or_a_push_whose_answer_is_lost_is_found_to_have_arrived(job, origin):
    runner = job("1", tip(origin))
    runner.msgrun("apply", "--yes")
    dying = origin / "hooks" / "post-receive"
    dying.write_text("#!/bin/sh\nkill -9 $PPID\n")
    dying.chmod(0o755)
    assert runner.msgrun("lock", "hold").code == 0
    pushed = runner.msgrun("lock", "push")
    assert (pushed.code, pushed.out) == (0, "origin/main has all of messages.lock\n")
    assert recorded(origin) == ALL
    assert "held" not in git_output(origin, "for-each-ref")
    assert git_output(origin, "rev-list", "--count", "main") == "2"


def test_whom_git_knows_is_the_author_and_else_msgrun(job, origin, monkeypatch):
    runner = job("1", tip(origin))
    runner.msgrun("apply", "--yes", "--limit", "1")
    runner.msgrun("lock", "push")
    assert git_output(origin, "show", "--no-patch", "--format=%an %ae", "main") == "Test test@example.com"
    for role in ("AUTHOR", "COMMITTER"):
        for field in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{field}")
    runner.msgrun("apply", "--yes")
    assert runner.msgrun("lock", "push").code == 0
    assert git_output(origin, "show", "--no-patch", "--format=%an %ce", "main") == "msgrun msgrun@users.noreply.invalid"


def test_an_environment_has_a_lockfile_of_its_own_to_push(author, clone, origin):
    author.write("msgrun.yaml", SETTINGS + "environments: {eu: {region: eu}}\n")
    author.write("messages.eu.lock", (author.path / "messages.lock").read_text())
    author.commit()
    author.git("push", "--quiet")
    person = clone("person")
    person.msgrun("-e", "eu", "apply", "--yes")
    assert "messages.eu.lock to origin/main" in person.msgrun("-e", "eu", "lock", "push").out
    assert (recorded(origin), recorded(origin, path="messages.eu.lock")) == ([], ALL)


def test_a_project_in_a_folder_of_the_repository_pushes_its_own(author, clone, origin):
    (author.path / "ops").mkdir()
    for name in ("msgrun.yaml", "messages", "messages.lock"):
        author.git("mv", name, f"ops/{name}")
    author.commit()
    author.git("push", "--quiet")
    person = clone("person")
    person.msgrun("-C", "ops", "apply", "--yes")
    assert person.msgrun("-C", "ops", "lock", "push").code == 0
    assert recorded(origin, path="ops/messages.lock") == ALL


def test_where_nothing_can_be_pushed_it_is_said(author, tmp_path, monkeypatch):
    assert author.msgrun("--sandbox", "lock", "push").code == 64
    monkeypatch.setenv("MSGRUN_LOCK", str(tmp_path / "outside.lock"))
    outside = author.msgrun("lock", "push")
    assert (outside.code, "outside of the git repository" in outside.err) == (6, True)
    monkeypatch.delenv("MSGRUN_LOCK")
    author.git("remote", "remove", "origin")
    alone = author.msgrun("lock", "push")
    assert (alone.code, "no remote to push to" in alone.err) == (6, True)
    author.git("remote", "add", "origin", str(tmp_path / "empty.git"))
    author.git("init", "--quiet", "--bare", str(tmp_path / "empty.git"))
    empty = author.msgrun("lock", "push")
    assert (empty.code, "origin has no branch" in empty.err) == (6, True)


def test_a_lockfile_that_is_gone_is_not_pushed(clone):
    person = clone("person")
    (person.path / "messages.lock").unlink()
    assert person.msgrun("lock", "push").code == 5


def test_another_workspaces_lockfile_is_not_mixed_in(author, clone):
    person = clone("person")
    person.msgrun("apply", "--yes")
    text = (author.path / "messages.lock").read_text().replace('"workspace":""', '"workspace":"other"')
    author.write("messages.lock", text)
    author.commit()
    author.git("push", "--quiet")
    refused = person.msgrun("lock", "push")
    assert (refused.code, "two workspaces" in refused.err) == (5, True)


def test_duplicates_are_pushed_and_told(clone, origin):
    person = clone("person")
    line = '{"key":"%s","attempt":"%d","status":"sent","message":"first","revision":1,"to":"id:a","id":"%d"}\n'
    with (person.path / "messages.lock").open("a") as file:
        file.writelines(line % ("a" * 32, number, number) for number in (1, 2))
    assert person.msgrun("lock", "push").code == 5
    assert len(recorded(origin)) == 2


# A pull request's commits and the lockfile


def branch(author, lock=None):
    author.git("checkout", "--quiet", "-b", "change")
    author.write("messages/third.yaml", message("third", "ccc1"))
    if lock is not None:
        author.write("messages.lock", lock)
    author.commit()


RECORD = '{"key":"%s","attempt":"1","status":"sent","message":"first","revision":1,"to":"id:a","id":"1"}\n' % ("a" * 32)


def test_a_pull_request_that_leaves_the_lockfile_alone_passes(author):
    branch(author)
    assert author.msgrun("lock", "verify", "--against", "main").code == 0


def test_what_the_main_branch_recorded_meanwhile_is_no_change_of_the_pull_request(author, clone):
    branch(author)
    person = clone("person")
    person.msgrun("apply", "--yes")
    person.msgrun("lock", "push")
    author.git("fetch", "--quiet", "origin")
    assert author.msgrun("lock", "verify", "--against", "origin/main").code == 0
    author.git("merge", "--quiet", "--no-edit", "origin/main")
    assert author.msgrun("lock", "verify", "--against", "origin/main").code == 0


def test_a_pull_request_that_adds_or_removes_records_is_stopped(author):
    header = (author.path / "messages.lock").read_text()
    branch(author, header + RECORD)
    added = author.msgrun("lock", "verify", "--against", "main")
    assert (added.code, "change messages.lock: 1 records added, 0 removed" in added.err) == (5, True)
    assert "git checkout main -- messages.lock" in added.err
    author.git("checkout", "--quiet", "-b", "removal")
    author.write("messages.lock", header)
    author.commit()
    removed = author.msgrun("lock", "verify", "--against", "change")
    assert (removed.code, "0 records added, 1 removed" in removed.err) == (5, True)


def test_a_pull_request_may_bring_the_first_lockfile_if_it_is_empty(author):
    header = (author.path / "messages.lock").read_text()
    author.git("rm", "--quiet", "messages.lock")
    author.commit()
    branch(author, header)
    assert author.msgrun("lock", "verify", "--against", "main").code == 0
    author.write("messages.lock", header + RECORD)
    author.commit()
    assert author.msgrun("lock", "verify", "--against", "main").code == 5


def test_a_pull_request_that_names_another_lockfile_is_stopped(author):
    header = (author.path / "messages.lock").read_text()
    author.write("messages.lock", header + RECORD)
    author.commit()
    branch(author)
    author.write("fresh.lock", header)
    author.write("msgrun.yaml", f"lock: fresh.lock\n{(author.path / 'msgrun.yaml').read_text()}")
    author.commit()
    told = "these commits move the lockfile from messages.lock to fresh.lock: 0 records added, 1 removed"
    ran = author.msgrun("lock", "verify", "--against", "main")
    assert (ran.code, told in ran.err) == (5, True)
    assert f"{told}; what is removed would be sent again" in author.msgrun("plan", "--against", "main").err


def test_in_a_clone_too_shallow_to_tell_it_says_what_to_fetch(author, clone):
    branch(author)
    author.git("push", "--quiet", "origin", "change")
    shallow = clone("shallow", "--depth=1", "--branch=change")
    told = shallow.msgrun("lock", "verify", "--against", "origin/main")
    assert (told.code, "fetch-depth" in told.err) == (64, True)


def test_outside_of_git_there_is_nothing_to_compare(folder):
    ran = folder.run("lock", "verify", "--against", "main")
    assert (ran.code, "no git repository" in ran.err) == (64, True)
