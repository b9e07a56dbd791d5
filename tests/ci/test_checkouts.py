"""Clones and files of all kinds: each command gives the right result there, or a clear word."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clones import SETTINGS, Clone, git_output, message, tip
from tests.support.proof import one_of, proofs, table

LOCKFILE = pytest.mark.parametrize("ledger", ["lockfile"], indirect=True)
CLONES = {
    "full": (),
    "shallow": ("--depth=1",),
    "shallow branches": ("--depth=1", "--no-single-branch"),
    "blobless": ("--filter=blob:none",),
    "treeless": ("--filter=tree:0",),
}
COMMANDS = {"validate": 0, "plan": 0, "apply --yes": 0, "apply --yes --limit 1": 0, "lock verify": 0, "status": 0}


@pytest.mark.parametrize("ledger", ["branch", "main", "lockfile"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("full", "branch"),
        *proofs([("shallow", "detached")]),  # as CI systems check out
        *table((kind, head) for kind in CLONES for head in ("branch", "detached")
               if (kind, head) not in {("full", "branch"), ("shallow", "detached")}),
    ],
)  # fmt: skip
def test_every_kind_of_clone_works(
    kind: str, author: Clone, clone: Callable[..., Clone], origin: Path, ledger: str, head: str
) -> None:
    author.write("other/large.txt", "x" * 10_000)
    author.commit()
    author.git("push", "--quiet")
    before = tip(origin)
    made = clone("made", *CLONES[kind])
    if head == "detached":
        made.git("checkout", "--quiet", "--detach")
    for command, code in COMMANDS.items():
        ran = made.msgrun(*command.split())
        assert ran.code == code, (command, ran.out, ran.err)
    assert len(made.sent()) == 3
    if ledger == "lockfile":
        made.commit()
        made.git("push", "--quiet", "origin", "HEAD:main")
    # What the clone lacks is still on the branch.
    changed = git_output(origin, "diff", "--name-only", before, "main")
    assert changed == ("" if ledger == "branch" else "messages.lock")
    assert git_output(origin, "show", "main:other/large.txt") == "x" * 10_000
    for name, options in CLONES.items():
        assert clone(f"fresh {name}", *options).msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(made.sent()) == 3


@LOCKFILE
def test_a_fork_asks_its_own_remote_and_origin(origin: Path, clone: Callable[..., Clone], tmp_path: Path) -> None:
    fork = tmp_path / "fork.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", origin.as_uri(), str(fork)], check=True)
    person = clone("person")
    person.msgrun("apply", "--yes")
    person.commit()
    person.git("push", "--quiet")
    theirs = Clone(tmp_path / "theirs", person.intercom)
    subprocess.run(["git", "clone", "--quiet", "--origin=fork", fork.as_uri(), str(theirs.path)], check=True)
    theirs.git("remote", "add", "origin", origin.as_uri())
    assert theirs.msgrun("plan", token="").code == 0
    assert theirs.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    theirs.git("push", "--quiet", "fork", "main")
    assert len(person.sent()) == 3


@LOCKFILE
def test_a_clone_of_a_fork_reads_the_lockfile_of_the_repository_that_msgrun_yaml_names(
    origin: Path, clone: Callable[..., Clone], tmp_path: Path
) -> None:
    fork = tmp_path / "fork.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", origin.as_uri(), str(fork)], check=True)
    person = clone("person")
    person.msgrun("apply", "--yes")
    person.commit()
    person.git("push", "--quiet")
    theirs = Clone(tmp_path / "theirs", person.intercom)
    subprocess.run(["git", "clone", "--quiet", fork.as_uri(), str(theirs.path)], check=True)
    assert theirs.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(person.sent()) == 3


@LOCKFILE
def test_an_old_commit_sends_nothing_once_the_folder_of_the_project_was_renamed(
    author: Clone, clone: Callable[..., Clone]
) -> None:
    old, shallow = clone("old"), clone("shallow", "--depth=1")
    (author.path / "mail").mkdir()
    author.git("mv", "msgrun.yaml", "messages", "messages.lock", "mail")
    ran = author.msgrun("-C", "mail", "apply", "--yes")
    assert (ran.code, "merge this commit first" in ran.err) == (5, True)
    author.commit()
    author.git("push", "--quiet")
    assert author.msgrun("-C", "mail", "apply", "--yes").code == 0
    author.commit()
    author.git("push", "--quiet")
    for checkout in (old, shallow):
        ran = checkout.msgrun("apply", "--yes")
        assert (ran.code, "mail/msgrun.yaml declares this ledger" in ran.err) == (5, True)
        checkout.git("pull", "--quiet")
        assert checkout.msgrun("-C", "mail", "apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(author.sent()) == 3


@LOCKFILE
def test_an_old_commit_sends_nothing_once_the_environment_was_renamed(
    author: Clone, clone: Callable[..., Clone]
) -> None:
    settings = (author.path / "msgrun.yaml").read_text()
    author.write("msgrun.yaml", f"{settings}environments:\n  staging: {{vars: {{a: b}}}}\n")
    assert author.msgrun("-e", "staging", "lock", "begin").code == 0
    author.commit()
    author.git("push", "--quiet")
    old = clone("old")
    author.write("msgrun.yaml", (author.path / "msgrun.yaml").read_text().replace("staging:", "prod:"))
    author.git("mv", "messages.staging.lock", "messages.prod.lock")
    author.commit()
    author.git("push", "--quiet")
    assert author.msgrun("-e", "prod", "apply", "--yes").code == 0
    author.commit()
    author.git("push", "--quiet")
    ran = old.msgrun("-e", "staging", "apply", "--yes")
    assert (ran.code, "declares this ledger for another folder or environment" in ran.err) == (5, True)
    assert len(author.sent()) == 3


CSV = "id,first_name\nccc1,Cy\nccc2,Di\n"
FANOUT = """\
name: fanout
message_type: inapp
body: "Hi {{ first_name }}"
to: {csv: ../audiences/a.csv, type: user, id: "{{ id }}"}
"""


@LOCKFILE
def test_windows_line_ends_mean_the_same(author: Clone, clone: Callable[..., Clone]) -> None:
    author.write("messages/fanout.yaml", FANOUT)
    author.write("messages/letter.yaml", FANOUT.replace("fanout", "letter").replace("body:", "body_file: l.j2 #"))
    author.write("messages/l.j2", "Hi {{ first_name }},\n\n{% if true %}\nyes\n{% endif %}\n")
    author.write("audiences/a.csv", CSV)
    author.commit()
    author.git("push", "--quiet")
    plain = clone("plain")
    windows = clone("windows", "--config", "core.autocrlf=true")
    for name in ("messages/fanout.yaml", "messages/l.j2", "audiences/a.csv", "msgrun.yaml"):
        assert b"\r\n" in (windows.path / name).read_bytes()
    assert b"\r" not in (windows.path / "messages.lock").read_bytes()  # what .gitattributes is for
    assert windows.msgrun("validate").out == plain.msgrun("validate").out
    assert windows.msgrun("plan", "--format", "json").out == plain.msgrun("plan", "--format", "json").out
    assert windows.msgrun("apply", "--yes").code == 0
    windows.commit()
    windows.git("push", "--quiet")
    plain.git("fetch", "--quiet")
    assert plain.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"


@LOCKFILE
def test_a_lockfile_with_windows_line_ends_is_read_and_shared(author: Clone, clone: Callable[..., Clone]) -> None:
    (author.path / ".gitattributes").unlink()
    author.commit()
    author.git("push", "--quiet")
    person = clone("person", "--config", "core.autocrlf=true")
    assert b"\r\n" in (person.path / "messages.lock").read_bytes()
    assert person.msgrun("apply", "--yes").code == 0
    text = (person.path / "messages.lock").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    person.write("messages.lock", text)
    assert person.msgrun("lock", "verify").code == 0
    person.commit()
    person.git("push", "--quiet")
    assert person.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    fresh = clone("fresh", "--config", "core.autocrlf=true")
    assert fresh.msgrun("lock", "verify").code == 0
    assert fresh.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(person.sent()) == 3


@LOCKFILE
def test_without_git_the_lockfile_alone_remembers(author: Clone, tmp_path: Path) -> None:
    bare = Clone(tmp_path / "bare", author.intercom)
    bare.write("msgrun.yaml", SETTINGS)
    bare.write("messages.lock", (author.path / "messages.lock").read_bytes())
    bare.write("messages/first.yaml", message("first", "aaa1"))
    for args in (["validate"], ["plan"], ["apply", "--yes"]):
        assert bare.msgrun(*args).code == 0
    assert bare.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    ran = bare.msgrun("lock", "move", "--yes", "git+origin")
    assert (ran.code, "is in no git repository" in ran.err) == (6, True)
    assert bare.msgrun("plan").code == 0


@LOCKFILE
def test_a_ledger_at_a_url_needs_a_repository_and_the_hint_makes_one(author: Clone, tmp_path: Path) -> None:
    git_output(tmp_path, "init", "--quiet", "--bare", "ledger.git")
    copy = Clone(tmp_path / "copy", author.intercom)
    copy.write("msgrun.yaml", f"{SETTINGS}lock: git+{(tmp_path / 'ledger.git').as_uri()}\n")
    copy.write("messages/first.yaml", message("first", "aaa1"))
    for args in (["plan"], ["apply", "--yes", "--new-lock"]):
        ran = copy.msgrun(*args)
        assert (ran.code, "a ledger on a branch needs one\n  hint: git init\n" in ran.err) == (6, True)
    git_output(copy.path, "init", "--quiet")
    assert copy.msgrun("lock", "begin", "--yes").code == 0
    assert copy.msgrun("apply", "--yes").code == 0
    assert copy.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"


@pytest.mark.parametrize("ledger", one_of("branch", "lockfile"), indirect=True)
def test_in_a_repository_without_a_git_to_run_it_is_said(author: Clone, ledger: str) -> None:
    author.env["PATH"] = "/nowhere"
    assert author.process("validate").code == 0
    planned = author.process("plan")
    assert (planned.code, "git cannot be run" in planned.err) == (0 if ledger == "lockfile" else 6, True)
    for args in (["apply", "--yes"], ["lock", "begin"], ["lock", "move", "other.lock"]):
        ran = author.process(*args)
        assert (ran.code, "git cannot be run" in ran.err) == (6, True)
    assert author.sent() == []


def test_a_checkout_of_the_wrong_owner_is_said_with_gits_own_way_out(author: Clone, origin: Path) -> None:
    # A container's job often runs as another user than the one that made the checkout.
    author.env |= {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "true"}
    for args in (["apply", "--yes"], ["lock", "begin"], ["lock", "move", "other.lock"]):
        ran = author.process(*args)
        assert (ran.code, "dubious ownership" in ran.err, "safe.directory" in ran.err) == (6, True, True)
    assert tip(origin) == author.git("rev-parse", "HEAD")


def test_an_apply_of_another_commit_than_the_newest_says_so(author: Clone, clone: Callable[..., Clone]) -> None:
    note = "warning: HEAD lacks commits of origin/main. What was withdrawn or edited there is still sent as it is here."
    note += "\n  hint: git pull --no-rebase --no-edit --autostash origin main\n"
    old = clone("old")
    assert note not in author.msgrun("apply", "--yes", "--limit", "1").err
    author.write("messages/first.yaml", "# withdrawn\n")
    author.commit()
    assert note not in author.msgrun("apply", "--yes", "--limit", "1").err  # it is ahead of the newest
    author.git("push", "--quiet", "origin", "main")
    assert note in old.msgrun("apply", "--yes", "--limit", "1").err
    old.git("fetch", "--quiet")
    assert note in old.msgrun("apply", "--yes", "--limit", "1").err
