"""The whole way, with the workflow that `init --github` writes: pull request, merge, approval, apply, ledger.

The steps of its jobs run in real shells, with real git against a bare remote, and an Intercom that counts. Each job has
a machine of its own, of which nothing is left when it ends.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from runner.cli import scaffold
from tests.support.clones import Clone, git_output, message, tip
from tests.support.github_runner import Job
from tests.support.project import PACKAGE
from tests.support.proof import one_of

SECRETS = {"INTERCOM_ACCESS_TOKEN": "secret-token"}
LOCKFILE = pytest.mark.parametrize("ledger", ["lockfile"], indirect=True)
KEEP = "Keep the rescue file"


class Host:
    """GitHub for one repository: runs the workflow's jobs, keeps artifacts and comments."""

    def __init__(self, origin: Path, author: Clone, home: Path) -> None:
        self.origin = origin
        self.author = author
        self.home = home
        self.comments = home / "comments.json"
        self.comments.write_text("[]")
        self.runs = 0
        self.attempt = 1
        self.workflow = yaml.safe_load(scaffold.workflow("github", "main", ".", PACKAGE))

    def move_to(self, folder: str) -> None:
        """Moves the project to a folder of its repository."""
        if folder == ".":
            return
        (self.author.path / folder).mkdir(parents=True)
        for name in ("msgrun.yaml", "messages"):
            self.author.git("mv", name, f"{folder}/{name}")
        self.author.commit()
        self.author.git("push", "--quiet")
        self.author.path /= folder
        self.workflow = yaml.safe_load(scaffold.workflow("github", "main", folder, PACKAGE))
        for job in self.workflow["jobs"].values():
            job["directory"] = self.workflow["defaults"]["run"]["working-directory"]

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
        return job.run(self.workflow["jobs"]["review"], self.workflow["env"])

    def plan(self, commit: str, run: str) -> Job:
        job = self._job(commit, {"event_name": "push", "ref": "refs/heads/main"}, run)
        return job.run(self.workflow["jobs"]["plan"], self.workflow["env"])

    def apply(self, planned: Job, run: str, **how: object) -> Job:
        """Somebody approved the deployment."""
        needs = {"plan": {"outputs": planned.outputs}}
        event = {"event_name": "push", "ref": "refs/heads/main"}
        job = self._job(planned.event["sha"], event, run, needs=needs, **{"secrets": SECRETS, **how})
        return job.run(self.workflow["jobs"]["apply"], self.workflow["env"])

    def _job(self, commit: str, event: dict, run: str = "0", **how: object) -> Job:
        self.runs += 1
        known = {"repository": "acme/mail", "token": "github-token", "sha": commit, "run_attempt": self.attempt}
        known |= event
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
    assert host.author.msgrun("apply", "--yes").code == 0


def _count(clone: Clone, status: str) -> int:
    return json.loads(clone.msgrun("status", "--format", "json").out)["counts"][status]


def test_from_the_pull_request_to_the_ledger(host):
    settled(host)
    commit = host.change("third", **THIRD)
    reviewed = host.review(commit)
    assert not reviewed.failed
    (comment,) = json.loads(host.comments.read_text())
    assert comment["body"].startswith("<!-- msgrun plan: default -->\n")
    assert "**2 to send, of 1 message**" in comment["body"]
    assert "  + third  inapp" in reviewed.log
    assert "Changes against HEAD^1" in reviewed.log
    plan, link = comment["body"].strip().rsplit("\n\n", 1)
    assert plan in reviewed.summary
    assert link.startswith("[Preview of each message](https://github.example/artifacts/msgrun-preview)")
    assert list(host.home.glob("artifacts-*/msgrun-preview/index.html"))
    merged = host.merge()
    planned = host.plan(merged, "1")
    assert (planned.outputs["has_changes"], planned.outputs["recipients"]) == ("true", "2")
    assert planned.outputs["digest"] in comment["body"]
    applied = host.apply(planned, "1")
    assert not applied.failed
    assert host.author.sent()[-2:] == [("ccc1", "Ponies"), ("ccc2", "Ponies")]
    assert tip(host.origin) == merged
    link = "https://github.example/acme/mail/actions/runs/1"
    assert git_output(host.origin, "log", "-1", "--format=%b", "msgrun-ledger") == link
    assert not list(host.home.glob("artifacts-*/msgrun-rescue*"))
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


@LOCKFILE
def test_a_pull_request_that_carries_lockfile_changes_fails(host):
    author = host.author
    assert author.msgrun("apply", "--yes").code == 0
    author.commit()
    author.git("push", "--quiet")
    lock = (author.path / "messages.lock").read_text()
    reviewed = host.review(host.change("third", **THIRD, **{"messages.lock": lock.splitlines()[0] + "\n"}))
    assert reviewed.codes["Check that the ledger is left alone"] == 5
    assert "change messages.lock: 0 records added, 3 removed" in reviewed.log


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
        assert job.codes["Apply"] in {4, 6}
        assert not host.apply(second, "2").failed
    assert sorted(host.author.sent()) == [(name, "Ponies") for name in ("aaa1", "aaa2", "bbb1", "ccc1", "ccc2")]
    assert clone("fresh").msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"


@pytest.mark.proof
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
def test_what_was_withdrawn_or_edited_after_the_approval_is_not_sent(host):
    planned = host.plan(tip(host.origin), "1")
    host.change("calm", messages__first_yaml=message("first", "aaa1", "aaa2", body="Better"))
    later = host.merge()
    applied = host.apply(planned, "1")
    assert not applied.failed, "an old plan is no failure: the newest run has the new one"
    assert "is out of date for first" in applied.log
    assert "\n::warning title=msgrun::Nothing was sent: " in applied.log
    assert host.author.sent() == []
    assert not host.apply(host.plan(later, "2"), "2").failed
    assert host.author.sent() == [("aaa1", "Better"), ("aaa2", "Better"), ("bbb1", "Ponies")]


@pytest.mark.proof
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
def test_a_run_that_was_cancelled_while_it_waited_is_made_good_by_the_next(host):
    host.plan(tip(host.origin), "1")  # GitHub cancels it: a newer run waits
    host.change("third", **THIRD)
    planned = host.plan(host.merge(), "2")
    assert planned.outputs["recipients"] == "5"
    assert not host.apply(planned, "2").failed
    assert len(host.author.sent()) == 5


@pytest.mark.proof
def test_a_run_that_fails_half_way_pushes_what_it_sent(host, intercom):
    planned = host.plan(tip(host.origin), "1")
    intercom.trouble.replace({"next": ["ok", "500_after", "401"]})
    applied = host.apply(planned, "1")
    assert applied.codes["Apply"] == 4
    assert applied.codes[KEEP] == 0
    intercom.trouble.replace({})
    again = host.apply(host.plan(tip(host.origin), "2"), "2")
    assert again.codes["Apply"] == 4  # one is unknown, and stays so
    assert len(host.author.sent()) == 3


def test_without_the_secret_nothing_is_claimed_or_sent(host):
    before = tip(host.origin, "msgrun-ledger")
    planned = host.plan(tip(host.origin), "1")
    job = host.apply(planned, "1", secrets={})
    assert job.codes["Apply"] == 1
    assert "INTERCOM_ACCESS_TOKEN" in job.log
    assert tip(host.origin, "msgrun-ledger") == before
    assert host.author.sent() == []


@pytest.mark.proof
def test_a_runner_that_is_lost_after_it_sent_has_told_the_branch_all(host):
    planned = host.plan(tip(host.origin), "1")
    host.apply(planned, "1", lost_before=KEEP)
    assert len(host.author.sent()) == 3
    assert not host.apply(planned, "1").failed
    assert host.plan(tip(host.origin), "2").outputs["has_changes"] == "false"
    assert len(host.author.sent()) == 3


@pytest.mark.proof
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


@pytest.mark.parametrize("folder", one_of("ops/mail", "."))
def test_outcomes_that_cannot_be_pushed_are_an_artifact_that_any_clone_imports(host, clone, folder):
    host.move_to(folder)
    planned = host.plan(tip(host.origin), "1")
    # The claims arrive, and then the branch is protected.
    refuse(host.origin, "GH006: Protected branch", UNTIL_SENT)
    applied = host.apply(planned, "1")
    assert (applied.codes["Apply"], applied.codes[KEEP]) == (6, 0)
    assert host.plan(tip(host.origin), "2").outputs["has_changes"] == "false"  # all are unknown: nobody sends them
    (host.origin / "hooks/update").unlink()
    (kept,) = (host.home / "artifacts-1").glob("msgrun-rescue-1/**/*.rescue")
    person = clone("person")
    person.path /= folder
    asked = person.msgrun("lock", "import", str(kept))
    assert (asked.code, "--yes" in asked.err) == (5, True)
    assert _count(person, "sent") == 0
    assert person.msgrun("lock", "import", str(kept), "--yes").code == 0
    assert _count(person, "sent") == 3
    again = host.apply(planned, "1")
    assert (again.failed, "nothing to do" in again.log) == (False, True)
    assert host.author.msgrun("lock", "import", str(kept)).code == 0  # once more changes nothing, so nothing is asked
    assert len(host.author.sent()) == 3


@pytest.mark.proof
def test_a_second_attempt_leaves_the_artifact_of_the_first_alone(host):
    refuse(host.origin, "GH006: Protected branch", UNTIL_SENT)
    first = host.apply(host.plan(tip(host.origin), "1"), "1")
    host.change("third", **THIRD)
    host.attempt = 2
    second = host.apply(host.plan(host.merge(), "1"), "1")
    assert [(job.codes["Apply"], job.codes[KEEP]) for job in (first, second)] == [(6, 0), (4, 0)]
    (host.origin / "hooks/update").unlink()
    kept = sorted((host.home / "artifacts-1").glob("msgrun-rescue-*/**/*.rescue"))
    assert [path.relative_to(host.home / "artifacts-1").parts[0][-1] for path in kept] == ["1", "2"]
    for path in kept:
        assert host.author.msgrun("lock", "import", str(path), "--yes").code == 0
    assert _count(host.author, "unknown") == 0
    assert len(host.author.sent()) == 5


@pytest.mark.proof
def test_outcomes_that_could_not_be_pushed_are_pushed_by_the_next_command_in_that_clone(host, clone):
    person = clone("person")
    refuse(host.origin, "for a while", UNTIL_SENT)
    assert person.msgrun("apply", "--yes").code == 6
    (host.origin / "hooks/update").unlink()
    (kept,) = (person.path / ".git/msgrun").glob("*.rescue")
    assert person.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert not kept.exists()
    assert _count(clone("fresh"), "sent") == 3
    assert len(host.author.sent()) == 3


@pytest.mark.proof
def test_before_somebody_began_the_ledger_a_plan_says_so_and_nothing_is_sent(host):
    git_output(host.origin, "update-ref", "-d", "refs/heads/msgrun-ledger")
    author = host.author
    author.git("update-ref", "-d", "refs/msgrun/origin%23msgrun-ledger")
    author.remove_settings("ledger")
    author.commit()
    author.git("push", "--quiet")
    reviewed = host.review(host.change("third", **THIRD))
    assert not reviewed.failed
    assert "there is no ledger origin" in reviewed.summary
    assert "msgrun lock begin" in reviewed.summary
    planned = host.plan(host.merge(), "1")
    stopped = host.apply(planned, "1")
    assert (stopped.codes["Apply"], host.author.sent()) == (5, [])
    assert "if nothing was sent yet: msgrun lock begin" in stopped.log
    # The history names the ledger that was removed.
    assert author.msgrun("lock", "begin", "--abandon-previous", "--yes").code == 0
    author.commit()
    author.git("push", "--quiet")
    assert not host.apply(planned, "1").failed
    assert len(host.author.sent()) == 5


def test_a_pull_request_that_names_an_empty_ledger_is_shown_on_top_and_sends_nothing_after_its_merge(host):
    settled(host)
    settings = (host.author.path / "msgrun.yaml").read_text()
    files = {"msgrun.yaml": settings.replace("lock: git+origin", "lock: git+origin#other"), **THIRD}
    reviewed = host.review(host.change("other", **files))
    assert reviewed.codes["Plan"] == 5
    (comment,) = json.loads(host.comments.read_text())
    top, _, guards = comment["body"].partition(" to send")
    assert "`lock`: `git+origin` → `git+origin#other`" in top
    assert "These commits make msgrun read and write another ledger" in guards
    assert "start it" not in guards
    planned = host.plan(host.merge(), "2")
    assert planned.codes["Plan"] == 5
    assert "msgrun lock move git+origin#other" in planned.log.replace("'", "")
    ran = host.author.msgrun("apply", "--yes")
    assert (ran.code, len(host.author.sent())) == (5, 3)


@pytest.mark.proof
@LOCKFILE
def test_a_lockfile_in_ci_is_refused_with_the_command_that_moves_it(host):
    author = host.author
    assert author.msgrun("apply", "--yes", "--limit", "1").code == 0
    author.commit()
    author.git("push", "--quiet")
    applied = host.apply(host.plan(tip(host.origin), "1"), "1")
    assert (applied.codes["Apply"], len(author.sent())) == (5, 1)
    (command,) = set(re.findall(r"msgrun (lock move \S+?);", applied.log))
    assert author.msgrun(*command.split(), "--yes").code == 0
    author.git("rm", "--quiet", "messages.lock")
    reviewed = host.review(host.change("move", **THIRD))
    assert not reviewed.failed
    planned = host.plan(host.merge(), "2")
    assert planned.outputs["recipients"] == "4"
    assert not host.apply(planned, "2").failed
    assert len(author.sent()) == 5


@LOCKFILE
def test_a_lockfile_in_ci_is_permitted_where_its_disk_outlives_the_job(job, origin, author):
    runner = job("1", tip(origin))
    refused = runner.msgrun("apply", "--yes")
    assert (refused.code, "--lockfile-in-ci" in refused.err, author.sent()) == (5, True, [])
    assert runner.msgrun("--sandbox", "apply", "--yes").code == 0
    assert runner.msgrun("apply", "--yes", "--lockfile-in-ci").code == 0
    assert runner.msgrun("apply", "--yes", "--lockfile-in-ci").out.splitlines()[-1] == "nothing to do"
    assert len(author.sent()) == 3


# Lets the claims through, and refuses the first push that has an outcome.
UNTIL_SENT = "git show $3:messages.lock | grep -q sent || exit 0"


def refuse(origin, words, unless=":"):
    """A rule of the remote: branches take no push."""
    hook = origin / "hooks" / "update"
    hook.write_text(f'#!/bin/sh\ncase "$1" in refs/heads/*) {unless}; echo "{words}" >&2; exit 1;; esac\n')
    hook.chmod(0o755)
