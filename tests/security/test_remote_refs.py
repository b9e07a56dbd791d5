"""Whatever refs a git remote names, they become neither options nor refspecs of git, and thousands of them no work."""

import shutil
from pathlib import Path

import pytest

from runner.errors import LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.ledger.mark import MoveMark
from runner.ledger.remote_marks import ask_remotes, push_mark
from tests.security.test_git import executable
from tests.support.clones import git_output
from tests.support.ledger_contexts import ID_A, ledger_context, make_clone, make_origin

GIT = shutil.which("git")
MARK = f"refs/msgrun/moved/{ID_A}"
REPLACED_GIT = '#!/bin/sh\nfor word; do [ "$word" = ls-remote ] && exec cat {answer}; done\nexec {git} "$@"\n'
ANSWERS = {
    "an option of git log": "--output={witness}\t" + MARK,
    "an option of git grep": "-O{witness}\tHEAD",
    "an expression": "HEAD~1\t" + MARK,
    "no commit": "\t" + MARK,
    "a refspec": "{commit}\trefs/msgrun/moved/x:refs/heads/release",
    "a pattern": "{commit}\trefs/msgrun/moved/*",
    "an option as a name": "{commit}\t--upload-pack={witness}",
    "a name from another side": "{commit}\tmain",
    "a line end in a name": "ref: x\n--output={witness}\t" + MARK + "\ny\trefs/msgrun/moved/A",
    "a default branch that is an option": "ref: --upload-pack={witness}\tHEAD",
    "a default branch that is a refspec": "ref: refs/heads/main:refs/heads/release\tHEAD",
    "no line": "{commit}",
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    make_origin(tmp_path)
    return make_clone(tmp_path, "clone")


def answer(monkeypatch: pytest.MonkeyPatch, clone: Path, text: str) -> None:
    """Lets the remote answer `git ls-remote` with these lines, as a server can."""
    (clone.parent / "answer").write_text(text)
    script = REPLACED_GIT.format(answer=clone.parent / "answer", git=GIT)
    executable(clone.parent / "bin" / "git", script)
    monkeypatch.setenv("PATH", str(clone.parent / "bin"), prepend=":")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_holds_more_than_commits_and_names_is_refused(
    clone: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    witness = clone.parent / "witness"
    refs = git_output(clone, "for-each-ref")
    text = ANSWERS[name].format(witness=witness, commit=git_output(clone, "rev-parse", "HEAD"))
    answer(monkeypatch, clone, f"{text}\n")
    with pytest.raises(LedgerUnavailable, match="origin answers with a line that names no ref: "):
        ask_remotes(ledger_context(clone))
    assert (git_output(clone, "for-each-ref"), witness.exists()) == (refs, False)


def test_names_that_git_allows_are_read(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = git_output(clone, "rev-parse", "HEAD")
    names = ["refs/heads/größe", "refs/heads/a\x85b\u2028c", "refs/heads/a@b$(x);'\"", "refs/tags/v1.0"]
    lines = ["ref: refs/heads/größe\tHEAD", f"{commit}\tHEAD", *(f"{commit}\t{name}" for name in names)]
    answer(monkeypatch, clone, "\n".join([*lines, f"{commit}\trefs/tags/v1.0^{{}}", ""]))
    repository = find_repository(clone)
    assert repository
    assert repository.list_remote_refs("origin") == (dict.fromkeys(["HEAD", *names], commit), "refs/heads/größe")


def test_thousands_of_marks_are_refused_before_one_is_read(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = git_output(clone, "rev-parse", "HEAD")
    answer(monkeypatch, clone, "".join(f"{commit}\trefs/msgrun/moved/{number:026}\n" for number in range(20_000)))
    with pytest.raises(LedgerUnavailable) as refused:
        ask_remotes(ledger_context(clone))
    assert refused.value.message == "origin has 20,000 refs for ledgers that moved, and msgrun reads 1,000"


def test_all_marks_are_read_by_two_git_processes(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = MoveMark(3, "moved", "git+origin")
    push_mark(ledger_context(clone), ID_A, mark)
    commit = git_output(clone, "rev-parse", MARK)
    answer(monkeypatch, clone, "".join(f"{commit}\trefs/msgrun/moved/{number:026}\n" for number in range(1000)))
    commands: list[str] = []
    run = Repository.git
    monkeypatch.setattr(
        Repository, "git", lambda self, *args, **more: commands.append(args[0]) or run(self, *args, **more)
    )
    [found] = ask_remotes(ledger_context(clone))
    assert ({one.mark for one in found.marks}, len(found.marks)) == ({mark}, 1000)
    assert commands.count("cat-file") == 2  # which are missing, and what they say
    assert "log" not in commands


@pytest.mark.parametrize("name", ["$(touch${IFS}x)/" + ID_A, "`id`", f"a;b/{ID_A}", ID_A.lower(), f"{ID_A}x"])
def test_a_branch_that_only_looks_like_a_mark_is_none(clone: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    commit = git_output(clone, "rev-parse", "HEAD")
    for prefix in ("refs/msgrun/moved", "refs/heads/msgrun/moved"):
        answer(monkeypatch, clone, f"{commit}\t{prefix}/{name}\n")
        [found] = ask_remotes(ledger_context(clone))
        assert found.marks == ()


def test_the_address_in_a_mark_fills_no_log(clone: Path) -> None:
    push_mark(ledger_context(clone), ID_A, MoveMark(3, "moved", "x" * 100_000))
    [found] = ask_remotes(ledger_context(clone))
    [one] = found.marks
    assert one.mark == MoveMark(3, "moved", "x" * 4096)
