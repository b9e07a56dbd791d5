"""With real repositories: nothing that git does to a work tree makes the ledger forget, and clones learn of each other.

The command runs against an embedded Intercom, because what counts is that nothing is sent a second time.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.errors import LedgerUnavailable
from runner.git.repository import find_repository
from runner.ledger.facts import Facts
from runner.ledger.lockfile.files import read_versions
from runner.ledger.remote_marks import ask_commits
from runner.sandbox import Sandbox
from tests.support.clones import Clone
from tests.support.ledger_contexts import ledger_context
from tests.support.project import GIT_CONFIG
from tests.support.proof import one_of

MESSAGE = """\
name: seed
message_type: inapp
body: Ponies
from: {type: admin, id: "394051"}
to:
  - {type: user, id: aaa1}
  - {type: user, id: aaa2}
"""


@pytest.fixture(autouse=True)
def _own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "GIT_CONFIG_GLOBAL": GIT_CONFIG,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "Test",
        "GIT_CONFIG_KEY_1": "user.email",
        "GIT_CONFIG_VALUE_1": "test@example.com",
        "GIT_CONFIG_KEY_2": "init.defaultBranch",
        "GIT_CONFIG_VALUE_2": "main",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def intercom() -> Iterator[Sandbox]:
    with Sandbox(workspace="acme", rate_limit=100_000) as sandbox:
        yield sandbox


class Project(Clone):
    """A clone whose applies count what Intercom made; the project may lie in a subfolder."""

    folder = "."

    def apply(self, *args: str) -> tuple[int, int]:
        """The exit code of an apply, and how many messages Intercom made."""
        before = len(self.intercom.messages)
        ran = self.msgrun("-C", self.folder, "apply", "--yes", *args)
        self.said = ran.out + ran.err
        return ran.code, len(self.intercom.messages) - before


def versions(clone: Clone, lockfile: Path | None = None) -> list[tuple[str, bytes]]:
    """The lockfile on the branches of the clone's remotes, with their names."""
    repository = find_repository(clone.path)
    assert repository
    commits = ask_commits(ledger_context(clone.path))
    return list(read_versions(repository, lockfile or clone.path / "messages.lock", commits))


def scaffold(project: Path) -> None:
    (project / "messages").mkdir(parents=True)
    (project / "messages" / "seed.yaml").write_text(MESSAGE)
    (project / "messages.lock").write_text('{"msgrun_lock":1,"workspace":"","salt_check":""}\n')
    (project / ".gitignore").write_text(".msgrun/\n")


@pytest.fixture
def clone(tmp_path: Path, intercom: Sandbox) -> Project:
    """A repository without a remote, the project at its top, all committed."""
    made = Project(tmp_path / "repo", intercom)
    scaffold(made.path)
    made.git("init", "--quiet")
    made.commit()
    return made


@pytest.fixture
def remote(tmp_path: Path, clone: Project) -> Path:
    """A bare remote that the clone's main branch tracks."""
    path = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    clone.git("remote", "add", "origin", str(path))
    clone.git("push", "--quiet", "--set-upstream", "origin", "main")
    return path


@pytest.fixture
def another(tmp_path: Path, remote: Path, clone: Project) -> Callable[..., Project]:
    def make(*options: str, url: str = "") -> Project:
        path = tmp_path / "other"
        subprocess.run(["git", "clone", "--quiet", *options, url or str(remote), str(path)], check=True)
        return Project(path, clone.intercom)

    return make


@pytest.mark.parametrize("command", ["reset --quiet --hard", "stash --quiet", "checkout --quiet -- ."])
def test_what_was_sent_survives(command, clone):
    assert clone.apply() == (0, 2)
    clone.git(*command.split())
    assert clone.git("status", "--porcelain") == ""
    assert clone.apply() == (0, 0)
    assert clone.git("status", "--porcelain") == "M messages.lock"


def test_what_was_sent_survives_a_checkout_of_an_older_commit(clone):
    older = clone.git("rev-parse", "HEAD")
    clone.apply()
    clone.commit()
    clone.git("checkout", "--quiet", older)
    assert clone.apply() == (0, 0)


def test_the_journal_lies_where_no_git_command_touches_it(clone):
    clone.apply()
    assert (clone.path / ".git" / "msgrun" / "messages.lock.journal").exists()
    clone.git("clean", "--quiet", "-fdx")
    clone.git("gc", "--quiet", "--prune=now")
    clone.git("checkout", "--quiet", "--", "messages.lock")
    assert clone.apply() == (0, 0)


def test_work_trees_share_what_was_sent(clone, tmp_path):
    clone.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    clone.apply()
    side = Project(tmp_path / "side", clone.intercom)
    assert side.apply() == (0, 0)


def test_a_second_clone_at_an_older_commit_sends_nothing_again(clone, another):
    older = clone.git("rev-parse", "HEAD")
    second = another()
    clone.apply()
    clone.commit()
    clone.git("push", "--quiet")
    second.git("checkout", "--quiet", older)
    assert second.apply() == (0, 0)
    assert "lacked 2 records" in second.said


def test_a_ci_checkout_without_origin_head_and_branches_sends_nothing_again(clone, remote, tmp_path):
    older = clone.git("rev-parse", "HEAD")
    clone.apply()
    clone.commit()
    clone.git("push", "--quiet")
    job = Project(tmp_path / "job", clone.intercom)
    job.path.mkdir()
    job.git("init", "--quiet")
    job.git("remote", "add", "origin", remote.as_uri())
    subprocess.run(["git", "-C", str(remote), "config", "uploadpack.allowAnySHA1InWant", "true"], check=True)
    job.git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", older)
    job.git("checkout", "--quiet", "--detach", older)
    assert job.apply() == (0, 0)


def test_a_shallow_clone_learns_what_was_sent_since(clone, another, remote):
    shallow = another("--depth=1", url=remote.as_uri())
    clone.apply()
    clone.commit()
    clone.git("push", "--quiet")
    assert shallow.apply() == (0, 0)


def test_the_upstreams_lockfile_counts_and_so_does_the_default_branchs(clone, another):
    clone.git("checkout", "--quiet", "-b", "news/winter")
    clone.apply("--limit", "1")
    clone.commit()
    clone.git("push", "--quiet", "--set-upstream", "origin", "news/winter")
    tracking = another()
    tracking.git("checkout", "--quiet", "-b", "news/winter", "--track", "origin/main")
    tracking.git("config", "branch.news/winter.merge", "refs/heads/news/winter")
    assert tracking.apply("--limit", "1") == (0, 1)
    tracking.git("checkout", "--quiet", "main")
    tracking.commit()
    tracking.git("push", "--quiet", "origin", "HEAD:main")
    assert clone.apply() == (0, 0)


def test_a_fork_as_upstream_does_not_hide_what_origin_knows(clone, another, tmp_path):
    second = another()
    clone.apply()
    clone.commit()
    fork = tmp_path / "fork.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(fork)], check=True)
    second.git("remote", "add", "fork", str(fork))
    second.git("push", "--quiet", "--set-upstream", "fork", "main")
    clone.git("push", "--quiet")
    assert second.apply() == (0, 0)


@pytest.mark.usefixtures("remote")
def test_a_branch_that_gave_way_to_a_folder_of_branches_is_no_hindrance(clone):
    clone.git("checkout", "--quiet", "-b", "news")
    clone.git("push", "--quiet", "--set-upstream", "origin", "news")
    assert len(versions(clone)) == 2
    clone.git("push", "--quiet", "origin", "--delete", "news")
    clone.git("branch", "--quiet", "--move", "news", "news/winter")
    clone.git("push", "--quiet", "--set-upstream", "origin", "news/winter")
    shown = [shown for shown, _ in versions(clone)]
    assert shown == ["origin/main:messages.lock", "origin/news/winter:messages.lock"]


@pytest.mark.usefixtures("remote")
def test_a_detached_head_asks_for_the_default_branch(clone):
    clone.git("checkout", "--quiet", "--detach")
    shown = [shown for shown, _ in versions(clone)]
    assert shown == ["origin/main:messages.lock"]


def test_without_a_remote_nobody_is_asked(clone):
    assert versions(clone) == []


def test_a_branch_that_was_never_pushed_is_pushed_with_its_name(clone, tmp_path):
    assert find_repository(clone.path).push_command == ""
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "empty.git")], check=True)
    clone.git("remote", "add", "origin", str(tmp_path / "empty.git"))
    command = find_repository(clone.path).push_command
    assert command == "git push -u origin HEAD"
    clone.git(*command.split()[1:])
    assert find_repository(clone.path).push_command == "git push"


def test_an_empty_remote_knows_nothing(clone, tmp_path):
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "empty.git")], check=True)
    clone.git("remote", "add", "origin", str(tmp_path / "empty.git"))
    assert clone.apply() == (0, 2)


@pytest.mark.usefixtures("remote")
def test_a_remote_without_the_lockfile_knows_nothing(clone):
    clone.git("rm", "--quiet", "--cached", "messages.lock")
    clone.commit("messages")
    clone.git("push", "--quiet")
    assert versions(clone) == []


@pytest.mark.usefixtures("remote")
def test_an_upstream_that_was_deleted_is_no_hindrance(clone):
    clone.git("checkout", "--quiet", "-b", "gone")
    clone.git("config", "branch.gone.remote", "origin")
    clone.git("config", "branch.gone.merge", "refs/heads/gone")
    assert clone.apply() == (0, 2)


@pytest.mark.parametrize("more", [(), ("--no-fetch",)])
def test_a_remote_that_is_gone_stops_apply_until_it_is_removed(clone, remote, more):
    shutil.rmtree(remote)
    assert clone.apply(*more) == (6, 0)
    assert "cannot be asked whether the ledger moved" in clone.said
    assert "if the repository is gone for good: git remote remove" in clone.said
    clone.git("remote", "remove", "origin")
    assert clone.apply(*more) == (0, 2)


def test_no_fetch_leaves_out_what_other_branches_know(clone, another):
    second = another()
    clone.apply("--limit", "1")
    clone.commit()
    clone.git("push", "--quiet")
    assert second.apply("--no-fetch", "--limit", "1") == (0, 1)
    assert "lacked" not in second.said
    assert second.apply() == (5, 1)
    assert "lacked 1 records" in second.said


@pytest.mark.parametrize("begin", one_of("apply --yes --new-lock", "lock begin", "lock import old.lock --new-lock"))
@pytest.mark.parametrize("depth", one_of("--depth=1", "--no-single-branch"))
def test_a_lockfile_that_a_commit_removed_is_not_started_anew(clone, remote, tmp_path, begin, depth):
    assert clone.msgrun("lock", "begin").code == 0
    old = (clone.path / "messages.lock").read_bytes()
    assert clone.apply() == (0, 2)
    clone.commit()
    clone.git("rm", "--quiet", "messages.lock")
    clone.git("commit", "--quiet", "--message", "remove")
    clone.git("push", "--quiet")
    (tmp_path / "old.lock").write_bytes(old)
    subprocess.run(["git", "clone", "--quiet", depth, remote.as_uri(), str(tmp_path / "fresh")], check=True)
    fresh = Project(tmp_path / "fresh", clone.intercom)
    ran = fresh.msgrun(*begin.replace("old.lock", str(tmp_path / "old.lock")).split())
    assert ran.code == 5
    assert "there is no ledger messages.lock, and msgrun.yaml names one" in ran.err
    assert not (fresh.path / "messages.lock").exists()
    clone.git("revert", "--quiet", "--no-edit", "HEAD")
    clone.git("push", "--quiet")
    fresh.git("pull", "--quiet")
    assert fresh.apply() == (0, 0)


@pytest.mark.usefixtures("remote")
def test_a_lock_that_a_killed_git_left_is_named_with_what_to_do(clone):
    clone.write("msgrun.yaml", "lock: git+origin\n")
    assert clone.msgrun("lock", "begin").code == 0
    clone.commit()
    clone.git("push", "--quiet")
    left = clone.path / ".git" / "refs" / "msgrun" / "origin%23msgrun-ledger.lock"
    left.touch()
    assert clone.apply() == (6, 0)
    said = "File exists. If no git is at work here, one was killed and left that file: remove it"
    assert f"'{left}': {said}" in clone.said
    left.unlink()
    assert clone.apply() == (0, 2)


def test_a_project_in_a_subfolder_finds_its_lockfile_on_the_remote(clone, another):
    clone.folder = "ops/mail"
    scaffold(clone.path / clone.folder)
    clone.commit()
    clone.git("push", "--quiet")
    second = another()
    second.folder = clone.folder
    clone.apply()
    clone.commit()
    clone.git("push", "--quiet")
    assert second.apply() == (0, 0)
    assert (clone.path / ".git" / "msgrun" / "ops%2Fmail%2Fmessages.lock.journal").exists()


@pytest.mark.usefixtures("remote")
def test_a_lockfile_outside_of_the_repository_has_a_journal_and_no_remote(clone, tmp_path, monkeypatch):
    outside = tmp_path / "kept" / "messages.lock"
    monkeypatch.setenv("MSGRUN_LOCK", str(outside))
    assert clone.apply("--new-lock") == (0, 2)
    outside.unlink()
    assert clone.apply() == (5, 0)
    assert clone.apply("--new-lock") == (0, 0)
    assert versions(clone, outside) == []


@pytest.mark.usefixtures("remote")
def test_inside_a_hook_git_looks_at_the_project_all_the_same(clone, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere" / "index"))
    repository = find_repository(clone.path / "messages")
    assert (repository.toplevel, repository.common_dir) == (clone.path.resolve(), clone.path.resolve() / ".git")
    assert len(versions(clone)) == 1


@pytest.mark.usefixtures("remote")
def test_the_blob_is_read_as_it_was_committed(clone):
    (clone.path / ".gitattributes").write_text("messages.lock diff=loud\n")
    clone.git("config", "diff.loud.textconv", "tr a-z A-Z <")
    ((_, data),) = versions(clone)
    facts = Facts()
    facts.read(data, "remote")
    assert facts.headers


def test_outside_of_git_there_is_no_repository(tmp_path):
    assert find_repository(tmp_path) is None


def test_a_repository_that_git_cannot_read_is_said(clone):
    (clone.path / ".git" / "HEAD").unlink()
    with pytest.raises(LedgerUnavailable, match="git cannot read"):
        find_repository(clone.path)


def test_a_repository_without_a_git_to_run_is_said(clone, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LedgerUnavailable, match="git cannot be run"):
        find_repository(clone.path)


def test_a_git_too_old_to_answer_is_said(clone, tmp_path, monkeypatch):
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho --path-format=absolute\necho /top\necho .git\necho /top/.git\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent))
    with pytest.raises(LedgerUnavailable, match="too old"):
        find_repository(clone.path)


@pytest.mark.usefixtures("remote")
def test_a_remote_that_does_not_answer_in_time_is_said(clone, monkeypatch):
    assert find_repository(clone.path)
    monkeypatch.setattr("runner.git.process.TIMEOUT", 0)
    with pytest.raises(LedgerUnavailable, match="did not answer"):
        versions(clone)
