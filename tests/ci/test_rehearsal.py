"""The whole way, with the workflow that `init --github` writes: pull request, merge, approval, apply, ledger.

The steps of its jobs run in real shells, with real git against a bare remote, and an Intercom that counts. Each job has
a machine of its own, of which nothing is left when it ends.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from runner.cli import scaffold
from runner.ledger.record import salt_check
from tests.support.clones import HEADER, Clone, git_output, message, tip
from tests.support.github_runner import Job
from tests.support.proof import one_of

WORKFLOW = yaml.safe_load(scaffold.workflow("github", "main", "."))
SECRETS = {"INTERCOM_ACCESS_TOKEN": "secret-token"}
LOCKFILE, BRANCH = (pytest.mark.parametrize("ledger", [kind], indirect=True) for kind in ("lockfile", "branch"))
EITHER = pytest.mark.parametrize("ledger", one_of("branch", "lockfile"), indirect=True)


class Host:
    """GitHub for one repository: runs the workflow's jobs, keeps artifacts and comments."""

    def __init__(self, origin: Path, author: Clone, home: Path) -> None:
        self.origin = origin
        self.author = author
        self.home = home
        self.comments = home / "comments.json"
        self.comments.write_text("[]")
        self.runs = 0

    def change(self, name: str, **files: str) -> str:
        """A branch of the author with files, pushed; returns the merge commit that a pull request of it has."""
        git = self.author.git
        git("checkout", "--quiet", "-B", name, "main")
        for path, text in files.items():
            self.author.write(path.replace("__", "/").replace("_yaml", ".yaml"), text)
        git("add", "--all")
        git("commit", "--quiet", "--message", name)
        git("fetch", "--quiet", "origin")
        git("checkout", "--quiet", "--detach", "origin/main")
        git("merge", "--quiet", "--no-ff", "--no-edit", name)
        git("push", "--quiet", "--force", "origin", f"{name}:refs/heads/{name}", "HEAD:refs/pull/7/merge")
        return git("rev-parse", "HEAD")

    def merge(self) -> str:
        """Merges the pull request, as GitHub's button does."""
        git_output(self.origin, "update-ref", "refs/heads/main", "refs/pull/7/merge")
        self.author.git("checkout", "--quiet", "main")
        self.author.git("pull", "--quiet", "--ff-only")
        return tip(self.origin)

    def review(self, commit: str, *, fork: bool = False) -> Job:
        event = {"event_name": "pull_request", "ref": "refs/pull/7/merge", "event": {"pull_request": {"number": 7}}}
        job = self._job(commit, {**event}, comments=None if fork else self.comments)
        return job.run(WORKFLOW["jobs"]["review"], WORKFLOW["env"])

    def plan(self, commit: str, run: str) -> Job:
        job = self._job(commit, {"event_name": "push", "ref": "refs/heads/main"}, run)
        return job.run(WORKFLOW["jobs"]["plan"], WORKFLOW["env"])

    def apply(self, planned: Job, run: str, **how: object) -> Job:
        """Somebody approved the deployment."""
        needs = {"plan": {"outputs": planned.outputs}}
        event = {"event_name": "push", "ref": "refs/heads/main"}
        job = self._job(planned.event["sha"], event, run, needs=needs, **{"secrets": SECRETS, **how})
        return job.run(WORKFLOW["jobs"]["apply"], WORKFLOW["env"])

    def _job(self, commit: str, event: dict, run: str = "0", **how: object) -> Job:
        self.runs += 1
        known = {"repository": "acme/mail", "token": "github-token", "sha": commit, **event}
        env = {"GITHUB_REF": event["ref"], "GITHUB_RUN_ID": run, "GITHUB_REPOSITORY": "acme/mail"}
        env |= {"GITHUB_SERVER_URL": "https://github.example", "INTERCOM_BASE_URL": self.author.intercom.url}
        return Job(
            self.home / f"job-{self.runs}",
            self._checkout,
            known,
            artifacts=self.home / f"artifacts-{run}",
            env=env,
            **how,
        )

    def _checkout(self, path: Path, ref: str, depth: int) -> Clone:
        """What actions/checkout does."""
        made = Clone(path, self.author.intercom)
        path.mkdir()
        made.git("init", "--quiet")
        made.git("remote", "add", "origin", self.origin.as_uri())
        is_branch = ref.startswith("refs/heads/")
        ours = f"refs/remotes/origin/{ref.removeprefix('refs/heads/')}" if is_branch else "refs/remotes/pull/7/merge"
        made.git("fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", f"+{ref}:{ours}")
        branch = ["-B", ref.removeprefix("refs/heads/")] if is_branch else []
        made.git("checkout", "--quiet", "--force", *branch, ours)
        return made


@pytest.fixture
def host(origin: Path, author: Clone, tmp_path: Path) -> Host:
    return Host(origin, author, tmp_path)


THIRD = {"messages__third_yaml": message("third", "ccc1", "ccc2")}


def settled(host):
    """Sends what the project began with, so that a test is about its own change."""
    planned = host.plan(tip(host.origin), "settled")
    assert not host.apply(planned, "settled").failed
    host.author.git("pull", "--quiet", "--ff-only")


@EITHER
def test_from_the_pull_request_to_the_ledger(host, ledger):
    settled(host)
    commit = host.change("third", **THIRD)
    reviewed = host.review(commit)
    assert not reviewed.failed
    (comment,) = json.loads(host.comments.read_text())
    assert comment["body"].startswith("<!-- msgrun plan: default -->\n")
    assert "**2 to send, of 1 message**" in comment["body"]
    assert comment["body"].strip() in reviewed.summary
    merged = host.merge()
    planned = host.plan(merged, "1")
    assert (planned.outputs["has_changes"], planned.outputs["recipients"]) == ("true", "2")
    assert planned.outputs["digest"] in comment["body"]
    applied = host.apply(planned, "1")
    assert not applied.failed
    assert host.author.sent()[-2:] == [("ccc1", "Ponies"), ("ccc2", "Ponies")]
    assert git_output(host.origin, "diff", "--name-only", merged, "main") == (
        "messages.lock" if ledger == "lockfile" else ""
    )
    where = "main" if ledger == "lockfile" else "msgrun-ledger"
    assert (
        git_output(host.origin, "log", "-1", "--format=%b", where) == "https://github.example/acme/mail/actions/runs/1"
    )
    assert "held" not in git_output(host.origin, "for-each-ref")
    assert host.plan(tip(host.origin), "2").outputs["has_changes"] == "false"


@pytest.mark.proof
def test_a_comment_is_updated_in_place_and_other_peoples_are_left_alone(host):
    others = [{"id": 1, "user": {"login": "mallory"}, "body": "<!-- msgrun plan: default -->\nnothing to see"}]
    host.comments.write_text(json.dumps(others))
    host.review(host.change("third", **THIRD))
    host.review(host.change("third", messages__third_yaml=message("third", "ccc1", "ccc2", "ccc3")))
    first, own = json.loads(host.comments.read_text())
    assert first == others[0]
    assert "third</code>: 3 to send" in own["body"]


@EITHER
def test_a_fork_without_a_token_has_its_plan_in_the_summary(host):
    reviewed = host.review(host.change("third", **THIRD), fork=True)
    assert not reviewed.failed
    assert "No comment could be written" in reviewed.log
    assert "third" in reviewed.summary
    assert "secret-token" not in reviewed.log + reviewed.summary
    assert host.author.sent() == []


def test_a_pull_request_with_a_mistake_fails_and_says_so_at_its_line_and_in_the_comment(host):
    reviewed = host.review(host.change("third", messages__third_yaml=message("third", "ccc1", body='"{{ nam }}"')))
    assert reviewed.failed
    assert reviewed.codes == {
        **reviewed.codes, "Lint": 1, "Plan": 1, "Comment": 0, "Check that the ledger is left alone": 0
    }  # fmt: skip
    assert "::error file=messages/third.yaml,line=3," in reviewed.log
    (comment,) = json.loads(host.comments.read_text())
    assert "There is no plan" in comment["body"]


@pytest.mark.proof
def test_a_pull_request_that_carries_lockfile_changes_fails(host):
    settled(host)
    lock = (host.author.path / "messages.lock").read_text()
    reviewed = host.review(host.change("third", **THIRD, **{"messages.lock": lock.splitlines()[0] + "\n"}))
    assert reviewed.codes["Check that the ledger is left alone"] == 5
    assert "change messages.lock: 0 records added, 3 removed" in reviewed.log


@EITHER
def test_two_merges_at_once_send_each_message_once_and_keep_both_records(host, clone):
    first = host.plan(tip(host.origin), "1")
    host.change("third", **THIRD)
    second = host.plan(host.merge(), "2")
    # Both were approved at the same moment, and no concurrency group holds one back: the second finds the first.
    with ThreadPoolExecutor() as pool:
        jobs = list(pool.map(lambda pair: host.apply(*pair), [(first, "1"), (second, "2")]))
    failed = [job for job in jobs if job.failed]
    assert len(failed) <= 1
    for job in failed:
        assert job.codes["Hold the ledger"] == 6 or job.codes["Apply"] in {4, 6}
        assert not host.apply(second, "2").failed
    assert sorted(host.author.sent()) == [(name, "Ponies") for name in ("aaa1", "aaa2", "bbb1", "ccc1", "ccc2")]
    assert clone("fresh").msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert "held" not in git_output(host.origin, "for-each-ref")


@pytest.mark.proof
@EITHER
def test_a_merge_between_approval_and_apply_adds_nothing_to_what_was_approved(host):
    planned = host.plan(tip(host.origin), "1")
    host.change("third", **THIRD)
    later = host.merge()
    applied = host.apply(planned, "1")
    assert not applied.failed
    assert [to for to, _ in host.author.sent()] == ["aaa1", "aaa2", "bbb1"]
    next_plan = host.plan(later, "2")
    assert next_plan.outputs["recipients"] == "2"
    assert not host.apply(next_plan, "2").failed
    assert len(host.author.sent()) == 5


@pytest.mark.proof
@EITHER
def test_what_was_withdrawn_or_edited_after_the_approval_is_not_sent(host):
    planned = host.plan(tip(host.origin), "1")
    host.change("calm", messages__first_yaml=message("first", "aaa1", "aaa2", body="Better"))
    later = host.merge()
    applied = host.apply(planned, "1")
    assert applied.codes["Apply"] == 5
    assert "no longer fits first" in applied.log
    assert host.author.sent() == []
    assert not host.apply(host.plan(later, "2"), "2").failed
    assert host.author.sent() == [("aaa1", "Better"), ("aaa2", "Better"), ("bbb1", "Ponies")]


@EITHER
def test_a_run_that_is_run_again_on_its_old_commit_sends_nothing_twice(host):
    old = tip(host.origin)
    planned = host.plan(old, "1")
    host.apply(planned, "1")
    again = host.apply(planned, "1")
    assert not again.failed
    assert "nothing to do" in again.log
    assert host.plan(old, "1").outputs["has_changes"] == "false"
    assert len(host.author.sent()) == 3


@pytest.mark.proof
@EITHER
def test_a_run_that_was_cancelled_while_it_waited_is_made_good_by_the_next(host):
    host.plan(tip(host.origin), "1")  # GitHub cancels it: a newer run waits
    host.change("third", **THIRD)
    planned = host.plan(host.merge(), "2")
    assert planned.outputs["recipients"] == "5"
    assert not host.apply(planned, "2").failed
    assert len(host.author.sent()) == 5


@pytest.mark.proof
def test_a_runner_that_is_lost_before_it_pushed_lets_nobody_send_again(host, clone):
    planned = host.plan(tip(host.origin), "1")
    host.apply(planned, "1", lost_before="Bring the ledger home")
    assert len(host.author.sent()) == 3
    for again, run in ((planned, "1"), (host.plan(tip(host.origin), "2"), "2")):
        stopped = host.apply(again, run)
        assert stopped.codes["Hold the ledger"] == 6
        assert "held on origin by https://github.example/acme/mail/actions/runs/1" in stopped.log
        assert "Apply" not in stopped.codes
    assert len(host.author.sent()) == 3
    person = clone("person")
    for name in ("first", "second"):
        assert person.msgrun("adopt", name, "--yes", "--no-fetch").code == 0
    assert person.msgrun("lock", "push").code == 0
    assert person.msgrun("lock", "free", "--yes").code == 0
    assert host.plan(tip(host.origin), "3").outputs["has_changes"] == "false"


@pytest.mark.proof
def test_a_push_that_is_refused_keeps_the_lockfile_and_lets_nobody_send_again(host, clone):
    planned = host.plan(tip(host.origin), "1")
    refusing = host.origin / "hooks" / "update"
    refusing.write_text('#!/bin/sh\ncase "$1" in refs/heads/*) echo "GH006: Protected branch" >&2; exit 1;; esac\n')
    refusing.chmod(0o755)
    applied = host.apply(planned, "1")
    assert applied.codes["Apply"] == 0
    assert applied.codes["Bring the ledger home"] == 6
    assert "GH006: Protected branch" in applied.log
    assert host.apply(host.plan(tip(host.origin), "2"), "2").codes["Hold the ledger"] == 6
    refusing.unlink()
    person = clone("person")
    kept = (host.home / "artifacts-1" / "msgrun-ledger" / "messages.lock").read_bytes()
    with (person.path / "messages.lock").open("ab") as file:
        file.write(kept)
    assert person.msgrun("lock", "push").code == 0
    assert person.msgrun("lock", "free", "--yes").code == 0
    assert host.plan(tip(host.origin), "3").outputs["has_changes"] == "false"
    assert len(host.author.sent()) == 3


@pytest.mark.proof
@EITHER
def test_a_run_that_fails_half_way_pushes_what_it_sent(host, intercom):
    planned = host.plan(tip(host.origin), "1")
    intercom.trouble.replace({"next": ["ok", "500_after", "401"]})
    applied = host.apply(planned, "1")
    assert applied.codes["Apply"] == 4
    assert applied.codes["Bring the ledger home"] == 0
    intercom.trouble.replace({})
    again = host.apply(host.plan(tip(host.origin), "2"), "2")
    assert again.codes["Apply"] == 4  # one is unknown, and stays so
    assert len(host.author.sent()) == 3


@EITHER
def test_without_the_secret_nothing_is_sent_and_nothing_stays_held(host):
    planned = host.plan(tip(host.origin), "1")
    job = host.apply(planned, "1", secrets={})
    assert job.codes["Apply"] == 1
    assert "INTERCOM_ACCESS_TOKEN" in job.log
    assert "held" not in git_output(host.origin, "for-each-ref")
    assert host.author.sent() == []


@pytest.mark.proof
@BRANCH
def test_a_runner_that_is_lost_after_it_sent_has_told_the_branch_all(host):
    planned = host.plan(tip(host.origin), "1")
    host.apply(planned, "1", lost_before="Bring the ledger home")
    assert len(host.author.sent()) == 3
    assert not host.apply(planned, "1").failed
    assert host.plan(tip(host.origin), "2").outputs["has_changes"] == "false"
    assert len(host.author.sent()) == 3


@pytest.mark.proof
@BRANCH
def test_a_branch_that_nobody_may_push_to_keeps_everything_from_being_sent(host):
    refuse(host.origin, "GH006: Protected branch")
    planned = host.plan(tip(host.origin), "1")
    applied = host.apply(planned, "1")
    assert applied.codes["Apply"] == 6
    assert "GH006: Protected branch" in applied.log
    assert "contents: write" in applied.log
    assert host.author.sent() == []
    (host.origin / "hooks/update").unlink()
    assert not host.apply(planned, "1").failed
    assert len(host.author.sent()) == 3


@pytest.mark.proof
@BRANCH
def test_outcomes_that_cannot_be_pushed_are_an_artifact_that_any_clone_imports(host, clone):
    planned = host.plan(tip(host.origin), "1")
    # The claims arrive, and then the branch is protected.
    refuse(host.origin, "GH006: Protected branch", "git show $3:messages.lock | grep -q sent || exit 0")
    applied = host.apply(planned, "1")
    assert applied.codes["Apply"] == 6
    assert applied.codes["Bring the ledger home"] == 6
    assert host.plan(tip(host.origin), "2").outputs["has_changes"] == "false"  # all are unknown: nobody sends them
    (host.origin / "hooks/update").unlink()
    kept = host.home / "artifacts-1" / "msgrun-ledger" / "messages.lock.rescue"
    person = clone("person")
    assert person.msgrun("lock", "import", str(kept)).code == 0
    assert person.msgrun("status").out.count("sent") == 2
    assert not host.apply(planned, "1").failed
    assert len(host.author.sent()) == 3


@pytest.mark.proof
@BRANCH
def test_outcomes_that_could_not_be_pushed_are_brought_home_by_the_next_step(host):
    planned = host.plan(tip(host.origin), "1")
    applies = "git log -1 --format=%s $3 | grep -q ^apply && git show $3:messages.lock | grep -q sent || exit 0"
    refuse(host.origin, "for a while", applies)
    applied = host.apply(planned, "1")
    assert (applied.codes["Apply"], applied.codes["Bring the ledger home"]) == (6, 0)
    assert "origin#msgrun-ledger:messages.lock has all of messages.lock.rescue now" in applied.log
    assert not host.apply(planned, "1").failed
    assert len(host.author.sent()) == 3


@pytest.mark.proof
@BRANCH
def test_before_somebody_began_the_ledger_a_plan_says_so_and_nothing_is_sent(host):
    git_output(host.origin, "update-ref", "-d", "refs/heads/msgrun-ledger")
    host.author.git("update-ref", "-d", "refs/msgrun/origin%23msgrun-ledger")
    reviewed = host.review(host.change("third", **THIRD))
    assert not reviewed.failed
    assert "there is no ledger origin" in reviewed.summary
    assert "msgrun lock begin starts it" in reviewed.summary
    planned = host.plan(host.merge(), "1")
    stopped = host.apply(planned, "1")
    assert (stopped.codes["Apply"], host.author.sent()) == (5, [])
    assert "if nothing was sent yet, msgrun lock begin" in stopped.log
    assert host.author.msgrun("lock", "begin").code == 0
    assert not host.apply(planned, "1").failed
    assert len(host.author.sent()) == 5


@pytest.mark.proof
@BRANCH
def test_a_pull_request_that_moves_the_ledger_and_forgets_its_records_fails(host):
    settled(host)
    git = host.author.path / "msgrun.yaml"
    files = {
        "msgrun.yaml": git.read_text().replace("lock: git+origin\n", ""),
        "messages.lock": HEADER % salt_check("rehearsal"),
    }
    reviewed = host.review(host.change("back", **files))
    assert reviewed.codes["Check that the ledger is left alone"] == 5
    assert "move the ledger from git+origin to messages.lock, which lacks 3 records" in reviewed.log


@pytest.mark.proof
@LOCKFILE
def test_a_pull_request_that_moves_the_ledger_with_its_records_passes(host):
    settled(host)
    author, settings = host.author, (host.author.path / "msgrun.yaml").read_text() + "lock: git+origin\n"
    assert author.msgrun("lock", "export", str(host.home / "sent.lock")).code == 0
    reviewed = host.review(host.change("early", **{"msgrun.yaml": settings}))
    assert reviewed.codes["Check that the ledger is left alone"] == 5
    assert "move the ledger from messages.lock to git+origin, which lacks 3 records" in reviewed.log
    assert author.msgrun("lock", "export", "again.lock").code == 5
    assert author.msgrun("lock", "import", str(host.home / "sent.lock"), "--new-lock").code == 0
    (author.path / "messages.lock").unlink()
    assert not host.review(host.change("move", **{"msgrun.yaml": settings, **THIRD})).failed
    planned = host.plan(host.merge(), "2")
    assert planned.outputs["recipients"] == "2"
    assert not host.apply(planned, "2").failed
    assert len(author.sent()) == 5


def refuse(origin, words, unless=":"):
    """A rule of the remote: branches take no push."""
    hook = origin / "hooks" / "update"
    hook.write_text(f'#!/bin/sh\ncase "$1" in refs/heads/*) {unless}; echo "{words}" >&2; exit 1;; esac\n')
    hook.chmod(0o755)
