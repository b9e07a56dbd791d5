"""Whatever a remote, a branch or a commit holds in place of the ledger's file, msgrun refuses it and runs nothing."""

import subprocess
from pathlib import Path

import pytest

from runner.git import repository
from runner.ledger.record import salt_check
from tests.security.test_git import executable
from tests.support.clones import HEADER, Clone
from tests.support.proof import one_of, table

LEDGER = HEADER % salt_check("rehearsal")
BRANCH = "refs/heads/msgrun-ledger"


def git(folder: Path, *args: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", *args], cwd=folder, input=stdin, capture_output=True, check=True)
    return done.stdout.decode(errors="surrogateescape").strip()


def commit_entries(origin: Path, *entries: tuple[str, bytes, bytes], subject: str = "x") -> str:
    """Makes a commit on the remote from (mode, name, content): a submodule has no content, a folder has one file."""
    lines = []
    for mode, name, content in entries:
        kind, blob = "blob", ""
        if mode == "160000":
            kind, blob = "commit", "1" * 40
        else:
            blob = git(origin, "hash-object", "-w", "--stdin", stdin=content)
        if mode == "040000":
            kind, blob = "tree", git(origin, "mktree", stdin=f"100644 blob {blob}\ta\n".encode())
        lines.append(f"{mode} {kind} {blob}\t".encode() + name)
    tree = git(origin, "mktree", "-z", "--missing", stdin=b"\0".join(lines) + b"\0")
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    return git(origin, *who, "commit-tree", "-m", subject, tree)


def set_branch(origin: Path, commit: str, ref: str = BRANCH) -> None:
    """Writes a ref as a server may tell it, whatever git itself would refuse."""
    file = origin / ref
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{commit}\n")


LOCK = b"messages.lock"
HEAVY = [("100644", f"f{number}".encode(), b"x") for number in range(500)]
TREES = {
    "a link": [("120000", LOCK, b"/etc/passwd")],
    "a link whose text is a ledger": [("120000", LOCK, LEDGER.encode())],
    "a link to the clone's own files": [("120000", LOCK, b".git/config")],
    "a submodule": [("160000", LOCK, b"")],
    "a folder": [("040000", LOCK, b"x")],
    "a file that is too large": [("100644", LOCK, LEDGER.encode() + b"\n" * (3 << 20))],
    "a file of zeros": [("100644", LOCK, bytes(3 << 20))],
    "an LFS pointer": [("100644", LOCK, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")],
    "an empty file": [("100644", LOCK, b"")],
    "text with escapes": [("100644", LOCK, b"\x1b[2J\n::error::x\n##[add-mask]x\n")],
}
TORN = {"JSON that never closes": b'{"' * 300_000, "deep JSON": b'{"a":' * 300_000}
BESIDE = {
    "attributes": [("100644", b".gitattributes", b"* filter=witness diff=witness merge=witness text eol=crlf ident\n")],
    "submodules": [
        ("100644", b".gitmodules", b'[submodule "x"]\n\tpath = x\n\turl = ext::WITNESS\n'), ("160000", b"x", b""),
    ],
    "a name with a line break": [("100644", b"a\nb.lock", b"x"), ("100644", b"::error::x\n", b"x")],
    "a name with escapes": [("100644", b"\x1b]0;x\x07", b"x"), ("100644", b"\xff\xfe", b"x")],
    "a name that is an option": [("100644", b"--upload-pack=x", b"x"), ("100644", b"-x", b"x")],
    "links beside it": [("120000", b"messages.plan", b"/etc/passwd"), ("120000", b"msgrun.yaml", b"/etc/passwd")],
    "an executable": [("100755", b"hooks", b"#!/bin/sh\ntouch RAN\n")],
    "many files": HEAVY,
    "other ledgers": [("100644", b"messages.x.lock", b"x"), ("120000", b"messages.y.lock", b"x")],
    "what looks like git's": [("100644", b"HEAD", b"ref: refs/heads/main\n"), ("100644", b"config", b"[core]\n")],
}  # fmt: skip


@pytest.fixture
def on_branch(author: Clone, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A project whose ledger is the branch msgrun-ledger of origin; it does not exist yet."""
    monkeypatch.setattr(repository, "MAX_BLOB", 2 << 20)
    author.git("rm", "--quiet", "messages.lock")
    settings = (author.path / "msgrun.yaml").read_text()
    author.write("msgrun.yaml", settings + "lock: git+origin\n")
    author.commit()
    author.git("push", "--quiet")
    return author


def refuses(clone: Clone, *args: str) -> str:
    """Runs a command that must refuse the ledger. Returns what it printed."""
    ran = clone.msgrun(*args)
    printed = ran.out + ran.err
    assert ran.code in {5, 6}, printed
    assert "a bug in msgrun" not in printed
    assert not {"\x1b", "\x07"} & set(printed)
    assert not any(line.startswith(("::", "##[")) for line in printed.splitlines()), printed
    assert "root:" not in printed
    assert not clone.sent()
    return printed


@pytest.mark.parametrize("name", TREES)
def test_what_is_no_file_of_a_ledger_on_the_branch_is_refused(on_branch: Clone, origin: Path, name: str) -> None:
    set_branch(origin, commit_entries(origin, *TREES[name]))
    for command in (["status"], ["apply", "--yes"]):
        if name == "an empty file" and command == ["status"]:
            continue
        refuses(on_branch, *command)


@pytest.mark.parametrize("name", TORN)
def test_a_line_that_is_no_record_is_reported_and_survived(on_branch: Clone, origin: Path, name: str) -> None:
    set_branch(origin, commit_entries(origin, ("100644", LOCK, LEDGER.encode() + TORN[name])))
    ran = on_branch.msgrun("apply", "--yes")
    assert ran.code == 0, ran
    assert "is torn" in ran.err
    assert TORN[name][:100].decode() not in ran.out + ran.err
    assert len(on_branch.sent()) == 3


@pytest.mark.parametrize("name", TREES)
def test_it_is_refused_as_the_lockfile_of_a_remotes_branch_too(
    author: Clone, origin: Path, name: str, monkeypatch
) -> None:
    monkeypatch.setattr(repository, "MAX_BLOB", 2 << 20)
    if name == "an empty file":
        pytest.skip("it has no records that this clone lacks")
    set_branch(origin, commit_entries(origin, *TREES[name]), "refs/heads/main")
    refuses(author, "apply", "--yes")


@pytest.mark.parametrize("name", ["all", *table(BESIDE)])
def test_what_lies_beside_the_ledger_is_kept_and_never_obeyed(
    on_branch: Clone, origin: Path, tmp_path: Path, name: str
) -> None:
    witness = executable(tmp_path / "witness", f"#!/bin/sh\ntouch {tmp_path}/RAN\ncat\n")
    for key in ("filter.witness.clean", "filter.witness.smudge", "diff.witness.textconv", "merge.witness.driver"):
        on_branch.git("config", key, str(witness))
    on_branch.git("config", "filter.witness.required", "true")
    beside = [entry for entries in BESIDE.values() for entry in entries] if name == "all" else BESIDE[name]
    set_branch(origin, commit_entries(origin, ("100644", LOCK, LEDGER.encode()), *beside))
    before = {line for line in git(origin, "ls-tree", "-z", BRANCH).split("\0") if not line.endswith("messages.lock")}
    ran = on_branch.msgrun("apply", "--yes")
    assert ran.code == 0, ran
    assert len(on_branch.sent()) == 3
    after = {line for line in git(origin, "ls-tree", "-z", BRANCH).split("\0") if not line.endswith("messages.lock")}
    assert before == after
    assert not list(tmp_path.rglob("RAN"))
    assert not {"\x1b", "\x07"} & set(ran.out + ran.err)


def object_of(origin: Path, kind: str) -> str:
    commit = commit_entries(origin, ("100644", LOCK, LEDGER.encode()))
    match kind:
        case "a blob":
            return git(origin, "rev-parse", f"{commit}:messages.lock")
        case "a tree":
            return git(origin, "rev-parse", f"{commit}^{{tree}}")
        case "a missing commit":
            return "1" * 40
        case "no id":
            return "x" * 40
        case "a ref that names itself":
            return f"ref: {BRANCH}"
        case "a commit without its tree":
            tree = git(origin, "rev-parse", f"{commit}^{{tree}}")
            (origin / "objects" / tree[:2] / tree[2:]).unlink()
            return commit
        case "a torn object":
            file = origin / "objects" / commit[:2] / commit[2:]
            file.chmod(0o644)
            file.write_bytes(file.read_bytes()[:20])
            return commit
        case "a remote with wrong alternates":
            (origin / "objects/info").mkdir(exist_ok=True)
            (origin / "objects/info/alternates").write_text("/dev/zero\n/nowhere\n\x1b[2J\n")
            return "2" * 40
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    ["a blob", "a tree", "a missing commit", "no id", "a ref that names itself", "a commit without its tree",
     "a torn object", "a remote with wrong alternates"],
)  # fmt: skip
def test_a_branch_that_is_no_commit_is_refused(on_branch: Clone, origin: Path, kind: str) -> None:
    set_branch(origin, object_of(origin, kind))
    refuses(on_branch, "apply", "--yes")


REFS = (
    "$(touch RAN)", "`touch RAN`", ";touch${IFS}RAN", "-x", "--upload-pack=touch", "a'b", 'a"b', "a|b", "a&&b", "%s%n",
    "::error", "\u202eb", "a/b/c", "msgrun-ledger/x",
)  # fmt: skip


@pytest.mark.parametrize("ref", one_of(*REFS))
def test_the_name_of_a_default_branch_is_no_command(author: Clone, origin: Path, tmp_path: Path, ref: str) -> None:
    tip = git(origin, "rev-parse", "refs/heads/main")
    set_branch(origin, tip, f"refs/heads/{ref}")
    (origin / "HEAD").write_text(f"ref: refs/heads/{ref}\n")
    ran = author.msgrun("apply", "--yes")
    assert ran.code in {0, 6}, ran
    assert "a bug in msgrun" not in ran.err
    assert not list(tmp_path.rglob("RAN"))
    assert len(author.sent()) == (3 if ran.code == 0 else 0)


@pytest.mark.parametrize("subject", ["\x1b[2J", "::error::x", "Ledger-Branch: x\n" * 1000, "x" * 100_000, "\u202e"])
def test_the_text_of_a_commit_is_not_obeyed(on_branch: Clone, origin: Path, subject: str) -> None:
    set_branch(
        origin, commit_entries(origin, ("100644", LOCK, LEDGER.encode()), ("100644", b"a", b"a"), subject=subject)
    )
    ran = on_branch.msgrun("apply", "--yes")
    assert ran.code == 0, ran
    assert "\x1b" not in ran.out + ran.err
    assert len(on_branch.sent()) == 3


def test_a_ledger_of_5_gb_on_the_branch_ends_early(on_branch: Clone, origin: Path) -> None:
    """64 MiB of zeros, with a limit of 2 MiB, stand for them. Nothing writes them to a file."""
    with (origin / "big").open("wb") as file:
        file.truncate(64 << 20)
    blob = git(origin, "hash-object", "-w", "big")
    (origin / "big").unlink()
    tree = git(origin, "mktree", stdin=f"100644 blob {blob}\tmessages.lock\n".encode())
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    set_branch(origin, git(origin, *who, "commit-tree", "-m", "x", tree))
    assert "more than 2 MiB" in refuses(on_branch, "apply", "--yes")
    assert sum(file.stat().st_size for file in on_branch.path.rglob("*") if file.is_file()) < 8 << 20
