"""A mark on the remote outlives every restored lockfile, and of two clones that push one the first wins."""

import subprocess
from pathlib import Path

import pytest

from runner.errors import LedgerUnavailable
from runner.git.repository import find_repository
from runner.ledger.mark import MAX_GENERATION, MoveMark
from runner.ledger.remote_marks import RemoteAnswer, ask_remotes, push_mark
from tests.support.clones import git_output
from tests.support.ledger_contexts import ID_A, ID_B, ledger_context, make_clone, make_origin, push_all

MOVED = MoveMark(1, "moved", "git+origin")
REF, BRANCH = f"refs/msgrun/moved/{ID_A}", f"refs/heads/msgrun/moved/{ID_A}"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return make_origin(tmp_path)


@pytest.fixture
def clone(tmp_path: Path, origin: Path) -> Path:
    del origin
    return make_clone(tmp_path, "clone")


def refuse(origin: Path, *patterns: str) -> None:
    """Lets the remote refuse pushes to these refs, as hosts do."""
    cases = "".join(f"    {pattern}) exit 1;;\n" for pattern in patterns)
    hook = origin / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}esac\n')
    hook.chmod(0o755)


def push_text(clone: Path, text: str, ref: str = REF) -> None:
    """Pushes a commit with this message, as anybody can who may push."""
    tree = subprocess.run(["git", "mktree"], cwd=clone, input=b"", capture_output=True, check=True).stdout.decode()
    commit = git_output(clone, "commit-tree", tree.strip(), "-m", text)
    git_output(clone, "push", "--quiet", "--force", "origin", f"{commit}:{ref}")


def only(answers: list[RemoteAnswer]) -> RemoteAnswer:
    (answer,) = answers
    return answer


def test_a_mark_is_a_commit_with_its_project_environment_turn_and_address(clone: Path, origin: Path) -> None:
    assert push_mark(ledger_context(clone), ID_A, MOVED) == MOVED
    assert git_output(origin, "log", "-1", "--format=%B", REF) == (
        '{"project":".","environment":"default","turn":1,"moved":"git+origin"}'
    )
    assert git_output(origin, "ls-tree", REF) == ""
    assert git_output(clone, "rev-parse", REF) == git_output(origin, "rev-parse", REF)


def test_every_clone_reads_it_with_its_project_and_environment(clone: Path, tmp_path: Path) -> None:
    folder = clone / "ops" / "mail"
    folder.mkdir(parents=True)
    push_mark(ledger_context(folder, environment="eu", stem="messages.eu"), ID_A, MOVED)
    push_mark(ledger_context(clone), ID_B, MoveMark(7, "moved", "sent.lock"))
    answer = only(ask_remotes(ledger_context(make_clone(tmp_path, "other"))))
    assert answer.remote == "origin"
    assert {(one.ledger_id, one.project, one.environment, one.mark) for one in answer.marks} == {
        (ID_A, "ops/mail", "eu", MOVED),
        (ID_B, ".", "default", MoveMark(7, "moved", "sent.lock")),
    }


def test_a_shallow_clone_can_be_pulled_after_the_question(clone: Path, origin: Path, tmp_path: Path) -> None:
    git_output(tmp_path, "clone", "--quiet", "--depth=1", origin.as_uri(), "shallow")
    for _ in range(3):
        push_all(clone)
    only(ask_remotes(ledger_context(tmp_path / "shallow")))
    git_output(tmp_path / "shallow", "pull", "--quiet", "--ff-only")
    assert git_output(tmp_path / "shallow", "rev-parse", "HEAD") == git_output(clone, "rev-parse", "HEAD")


def test_a_shallow_clone_of_a_clone_can_be_pulled_after_the_question(clone: Path, tmp_path: Path) -> None:
    git_output(clone, "remote", "set-head", "origin", "main")  # so that it has refs/remotes/origin/HEAD
    git_output(tmp_path, "clone", "--quiet", "--depth=1", clone.as_uri(), "shallow")
    git_output(clone, "commit", "--quiet", "--allow-empty", "--message=one")
    git_output(clone, "commit", "--quiet", "--allow-empty", "--message=two")
    only(ask_remotes(ledger_context(tmp_path / "shallow")))
    git_output(tmp_path / "shallow", "pull", "--quiet", "--ff-only")
    assert git_output(tmp_path / "shallow", "rev-parse", "HEAD") == git_output(clone, "rev-parse", "HEAD")


def test_a_shallow_checkout_of_an_older_commit_reads_it_and_the_default_branch(clone: Path, tmp_path: Path) -> None:
    older = git_output(clone, "rev-parse", "HEAD")
    (clone / "msgrun.yaml").write_text(f"lock: git+origin\nledger: {ID_A}\n")
    push_all(clone)
    push_mark(ledger_context(clone), ID_A, MOVED)
    job = tmp_path / "job"
    job.mkdir()
    git_output(job, "init", "--quiet")
    git_output(job, "remote", "add", "origin", (tmp_path / "origin.git").as_uri())
    git_output(job, "fetch", "--quiet", "--no-tags", "--depth=1", "origin", older)
    git_output(job, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    answer = only(ask_remotes(ledger_context(job)))
    assert [one.mark for one in answer.marks] == [MOVED]
    assert answer.default is not None
    assert (answer.default.address.setting, answer.default.ledger_id) == ("git+origin", ID_A)


def test_asking_changes_no_branch_and_no_remote_tracking_branch_of_the_clone(clone: Path, tmp_path: Path) -> None:
    other = make_clone(tmp_path, "other")
    push_mark(ledger_context(other), ID_A, MOVED)
    push_all(other)
    before = git_output(clone, "for-each-ref")
    ask_remotes(ledger_context(clone))
    assert git_output(clone, "for-each-ref") == before


def test_of_two_clones_that_push_a_mark_the_first_wins_and_the_second_hears_it(clone: Path, tmp_path: Path) -> None:
    other, second = ledger_context(make_clone(tmp_path, "other")), MoveMark(1, "moved", "sent.lock")
    assert push_mark(ledger_context(clone), ID_A, MOVED) == MOVED
    assert push_mark(other, ID_A, second) == MOVED
    later = MoveMark(3, "moved", "sent.lock")
    assert push_mark(other, ID_A, later) == later
    assert push_mark(ledger_context(clone), ID_A, MoveMark(2, "moved", "x.lock")) == later
    assert [one.mark for one in only(ask_remotes(other)).marks] == [later]


def test_a_push_that_lost_the_race_does_not_use_the_other_name(
    clone: Path, tmp_path: Path, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    winner = ledger_context(make_clone(tmp_path, "winner"))
    repository_type = type(find_repository(clone))
    git, raced = repository_type.git, []

    def race(self: object, *args: str, **more: object) -> bytes:
        if args[0] == "push" and not raced:
            raced.append(True)
            push_mark(winner, ID_A, MoveMark(1, "moved", "winner.lock"))
        return git(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(repository_type, "git", race)
    assert push_mark(ledger_context(clone), ID_A, MOVED) == MoveMark(1, "moved", "winner.lock")
    assert "refs/heads/msgrun/moved" not in git_output(origin, "for-each-ref")


def test_a_mark_that_was_pushed_already_is_pushed_again_without_a_change(clone: Path, origin: Path) -> None:
    push_mark(ledger_context(clone), ID_A, MOVED)
    before = git_output(origin, "rev-parse", REF)
    assert push_mark(ledger_context(clone), ID_A, MOVED) == MOVED
    assert git_output(origin, "rev-parse", REF) == before


def test_where_the_host_refuses_such_refs_the_mark_is_a_branch(clone: Path, origin: Path, tmp_path: Path) -> None:
    refuse(origin, "refs/msgrun/*")
    assert push_mark(ledger_context(clone), ID_A, MOVED) == MOVED
    assert "project" in git_output(origin, "log", "-1", "--format=%B", BRANCH)
    other = ledger_context(make_clone(tmp_path, "other"))
    assert [(one.ledger_id, one.mark) for one in only(ask_remotes(other)).marks] == [(ID_A, MOVED)]
    later = MoveMark(2, "moved", "sent.lock")
    assert push_mark(other, ID_A, later) == later
    assert [one.mark for one in only(ask_remotes(ledger_context(clone))).marks] == [later]


def test_a_host_that_refuses_both_stops_the_move(clone: Path, origin: Path) -> None:
    refuse(origin, "refs/msgrun/*", "refs/heads/msgrun/*")
    with pytest.raises(LedgerUnavailable, match="origin does not take the mark that the ledger moved"):
        push_mark(ledger_context(clone), ID_A, MOVED)
    assert "msgrun" not in git_output(origin, "for-each-ref")
    assert REF not in git_output(clone, "for-each-ref")


def test_without_a_remote_the_mark_stays_in_the_clone_and_outside_of_git_there_is_none(tmp_path: Path) -> None:
    context = ledger_context(tmp_path)
    assert push_mark(context, ID_A, MOVED) == MOVED
    assert ask_remotes(context) == []
    git_output(tmp_path, "init", "--quiet")
    assert push_mark(context, ID_A, MOVED) == MOVED
    assert REF in git_output(tmp_path, "for-each-ref")
    assert ask_remotes(context) == []


def test_the_sandbox_asks_nobody(clone: Path) -> None:
    assert ask_remotes(ledger_context(clone, is_sandbox=True)) == []


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "7",
        '{"project":".","environment":"default","moved":"x"}',
        '{"project":".","environment":"default","turn":"1","moved":"x"}',
        '{"project":".","environment":"default","turn":-1,"moved":"x"}',
        f'{{"project":".","environment":"default","turn":{MAX_GENERATION},"moved":"x"}}',
        '{"project":".","environment":"default","turn":1}',
        '{"environment":"default","turn":1,"moved":"x"}',
    ],
)
def test_a_mark_that_cannot_be_read_counts_as_the_highest(clone: Path, text: str) -> None:
    push_text(clone, text)
    (mark,) = only(ask_remotes(ledger_context(clone))).marks
    assert (mark.ledger_id, mark.mark.generation, mark.mark.status) == (ID_A, MAX_GENERATION, "moved")
    assert push_mark(ledger_context(clone), ID_A, MOVED) == mark.mark


def test_control_characters_of_an_address_are_never_printed(clone: Path) -> None:
    push_text(clone, '{"project":".","environment":"default","turn":1,"moved":"git+x\\u001b[2J\\n::error::"}')
    (mark,) = only(ask_remotes(ledger_context(clone))).marks
    assert mark.mark.address == "git+x[2J::error::"


def test_other_refs_that_end_alike_are_no_marks(clone: Path) -> None:
    push_text(clone, "{}", f"refs/heads/x/refs/msgrun/moved/{ID_A}")
    assert only(ask_remotes(ledger_context(clone))).marks == ()


def test_a_remote_that_does_not_answer_is_said_with_the_way_out(clone: Path, origin: Path) -> None:
    origin.rename(origin.with_name("away"))
    with pytest.raises(LedgerUnavailable, match="origin cannot be asked whether the ledger moved") as caught:
        ask_remotes(ledger_context(clone))
    assert caught.value.hint.endswith("if the repository is gone for good: git remote remove origin")


def test_a_remote_that_is_gone_is_removed_from_msgrun_yaml_too(clone: Path, origin: Path) -> None:
    origin.rename(origin.with_name("away"))
    with pytest.raises(LedgerUnavailable) as caught:
        ask_remotes(ledger_context(clone, remote=origin.as_uri()))
    assert caught.value.hint.endswith("for good: remove remote: from msgrun.yaml, then: git remote remove origin")
    git_output(clone, "remote", "remove", "origin")
    with pytest.raises(LedgerUnavailable) as caught:
        ask_remotes(ledger_context(clone, remote=origin.as_uri()))
    assert caught.value.hint.endswith("for good: remove remote: from msgrun.yaml, or correct it")
    assert ask_remotes(ledger_context(clone)) == []


def test_the_remote_of_the_ledger_itself_is_not_removed_but_replaced(clone: Path, origin: Path) -> None:
    origin.rename(origin.with_name("away"))
    with pytest.raises(LedgerUnavailable) as caught:
        ask_remotes(ledger_context(clone, "git+origin"))
    assert caught.value.hint.endswith("moved, or another takes its place: git remote set-url origin URL")


def test_the_remote_of_msgrun_yaml_is_asked_beside_the_clones_own_once_it_was_reviewed(
    clone: Path, tmp_path: Path
) -> None:
    git_output(tmp_path, "init", "--quiet", "--bare", "main.git")
    url = (tmp_path / "main.git").as_uri()
    git_output(clone, "push", "--quiet", url, "HEAD:main")
    context = ledger_context(clone, remote=url)
    assert [answer.remote for answer in ask_remotes(context)] == ["origin"]
    (clone / "msgrun.yaml").write_text(f"remote: {url}\n")
    push_all(clone)
    git_output(clone, "fetch", "--quiet")
    assert [answer.remote for answer in ask_remotes(context)] == ["origin", url]
    assert push_mark(context, ID_A, MOVED) == MOVED
    assert REF in git_output(tmp_path / "main.git", "for-each-ref")
    assert [one.mark for answer in ask_remotes(context) for one in answer.marks] == [MOVED]
