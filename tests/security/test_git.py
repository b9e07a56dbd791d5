"""No file of a pull request makes git run a program, and git is told no secret of msgrun's.

The project lies in a subfolder of its repository, whose author commits there what a bare repository consists of: git
took such a folder for one, with the configuration that it holds.
"""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import LedgerUnavailable
from runner.git import process
from runner.git.repository import find_repository
from runner.ledger.record import salt_check
from runner.sandbox import Sandbox
from tests.support.clones import HEADER, Clone, message

# What a configuration can make git run. WITNESS is a program that leaves a file.
WORKTREE = "[core]\n\tbare = false\n\tworktree = .\n"
CONFIGS = {
    "fsmonitor": "[core]\n\tfsmonitor = WITNESS\n",
    "hooks": "[core]\n\thooksPath = FOLDER/hooks\n",
    "ssh": '[core]\n\tsshCommand = WITNESS\n[remote "origin"]\n\turl = ssh://host/x\n',
    "ext": '[protocol "ext"]\n\tallow = always\n[remote "origin"]\n\turl = ext::WITNESS\n',
    "uploadpack": '[remote "origin"]\n\turl = FOLDER\n\tuploadpack = WITNESS\n',
    "proxy": '[core]\n\tgitProxy = WITNESS\n[remote "origin"]\n\turl = git://127.0.0.1:9/x\n',
    "credential": '[credential]\n\thelper = !WITNESS\n[remote "origin"]\n\turl = http://127.0.0.1:9/x\n',
    "insteadof": '[protocol "ext"]\n\tallow = always\n[url "ext::WITNESS "]\n\tinsteadOf = http\n'
    '[remote "origin"]\n\turl = http://x\n',
    "include": "[include]\n\tpath = FOLDER/more\n[core]\n\tfsmonitor = WITNESS\n",
    "bare": "[core]\n\tbare = true\n\tfsmonitor = WITNESS\n",
    "alternates": "[core]\n\talternateRefsCommand = WITNESS\n\tfsmonitor = WITNESS\n",
    "pager": "[core]\n\tpager = WITNESS\n\tfsmonitor = WITNESS\n[pager]\n\tlog = WITNESS\n",
}
COMMANDS = [
    ("plan",),
    ("plan", "--against", "HEAD"),
    ("plan", "--write"),
    ("status",),
    ("lock", "verify", "--against", "HEAD"),
    ("apply", "--yes"),
]


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    """A program that leaves the file `ran` beside it."""
    return executable(tmp_path / "witness", f"#!/bin/sh\nenv > {tmp_path}/ran\n")


@pytest.fixture
def project(tmp_path: Path, intercom: Sandbox) -> Callable[[str], Clone]:
    """A repository with a project in `mail/`, which is also what git needs to take it for a bare repository."""

    def make(config: str) -> Clone:
        clone = Clone(tmp_path / "repository", intercom)
        folder = clone.path / "mail"
        clone.path.mkdir()
        clone.git("init", "--quiet", "--initial-branch=main")
        clone.write("mail/msgrun.yaml", 'salt: "x"\nfrom: {type: admin, id: "394051"}\n')
        clone.write("mail/messages.lock", HEADER % salt_check("x"))
        clone.write("mail/messages/first.yaml", message("first", "aaa1"))
        clone.write("mail/HEAD", "ref: refs/heads/main\n")
        for name in ("objects", "refs"):
            clone.write(f"mail/{name}/.keep", "")
        text = config.replace("FOLDER", str(folder))
        clone.write("mail/config", f"[core]\n\trepositoryformatversion = 0\n{WORKTREE}{text}")
        clone.write("mail/more", text)
        clone.commit()
        return clone

    return make


@pytest.mark.parametrize("name", CONFIGS)
def test_a_folder_that_looks_like_a_repository_makes_git_run_nothing(name, project, witness):
    clone = project(CONFIGS[name].replace("WITNESS", str(witness)))
    for hook in ("reference-transaction", "pre-push", "post-index-change"):
        executable(clone.path / "mail" / "hooks" / hook, witness.read_text())
    for command in COMMANDS:
        refusal = 5 if command[:2] == ("lock", "verify") else 0  # which names the folder
        assert clone.msgrun("-C", "mail", *command).code == refusal, command
        assert not (witness.parent / "ran").exists(), command


def test_the_same_folder_makes_plain_git_run_a_program(project, witness):
    clone = project(CONFIGS["fsmonitor"].replace("WITNESS", str(witness)))
    command = ["git", "-c", "safe.bareRepository=all", "status"]
    subprocess.run(command, cwd=clone.path / "mail", capture_output=True, check=False)
    assert (witness.parent / "ran").exists()  # else the test above proves nothing


@pytest.mark.parametrize("address", ["ext::WITNESS", "ext::sh -c WITNESS%20%S", "ext::WITNESS %G/x"])
def test_a_remote_is_never_a_command(address, project, witness):
    clone = project("")
    clone.git("remote", "add", "origin", address.replace("WITNESS", str(witness)))
    clone.git("config", "protocol.ext.allow", "always")  # git itself says never where nobody says otherwise
    for command in COMMANDS:
        clone.msgrun("-C", "mail", *command)
        assert not (witness.parent / "ran").exists(), command


def test_hooks_of_the_clone_are_not_run(project, witness, tmp_path):
    clone = project("")
    clone.git("init", "--quiet", "--bare", str(tmp_path / "origin.git"))
    clone.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    clone.git(
        "push", "--quiet", "--set-upstream", "origin", "main"
    )  # what is fetched moves a ref: that is a hook's cue
    for hook in ("reference-transaction", "post-index-change"):
        executable(clone.path / ".git" / "hooks" / hook, witness.read_text())
    for command in COMMANDS:
        clone.msgrun("-C", "mail", *command)
    assert not (witness.parent / "ran").exists()


@pytest.mark.parametrize("name", ["INTERCOM_ACCESS_TOKEN", "INTERCOM_TOKEN", "MSGRUN_SALT", "PGPASSWORD"])
def test_git_sees_no_secret(name, tmp_path, monkeypatch):
    shim = executable(tmp_path / "bin" / "git", f'#!/bin/sh\nenv > {tmp_path}/seen\nexec {_git()} "$@"\n')
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    monkeypatch.setenv(name, "s3cret")
    monkeypatch.setenv("GIT_ASKPASS", "/bin/true")
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "clone")], check=True)
    found = find_repository(tmp_path / "clone")
    assert found is not None
    found.git("remote")
    seen = (tmp_path / "seen").read_text()
    assert "s3cret" not in seen
    assert "GIT_ASKPASS=/bin/true" in seen  # what git itself needs to sign in stays


def test_every_call_names_the_repository_that_was_found(project, monkeypatch):
    clone = project("")
    calls = []
    start = subprocess.Popen

    def noted(*args, **kwargs):
        calls.append(kwargs["env"].get("GIT_DIR"))
        return start(*args, **kwargs)

    found = find_repository(clone.path / "mail" / "messages")
    monkeypatch.setattr("runner.git.process.subprocess.Popen", noted)
    assert found.read_blob("HEAD", "mail/msgrun.yaml")
    assert set(calls) == {str(clone.path.resolve() / ".git")}


def _git() -> str:
    return subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()


def plant_repository(clone: Clone, witness: Path) -> None:
    """Commits what a bare repository consists of, with a configuration that runs a program, beside the project."""
    for folder in ("vendor/repo", "mail/origin"):
        config = f"[core]\n\tbare = true\n\talternateRefsCommand = {witness}\n"
        files = {
            "HEAD": "ref: refs/heads/main\n",
            "config": config,
            "objects/info/alternates": "../../../mail/objects\n",
        }
        for name, text in {**files, "refs/heads/.keep": ""}.items():
            clone.write(f"{folder}/{name}", text)


PLANTED = [
    "lock: git+vendor/repo", "lock: git+mail/origin", "lock: git+origin", "lock: git+file://TOP/vendor/repo",
    "lock: git+file://TOP/mail/../vendor/repo", "remote: vendor/repo", "remote: '--upload-pack=WITNESS'",
    "remote: '--receive-pack=WITNESS'", "remote: file://TOP/vendor/repo", "remote: 'ext::WITNESS'",
]  # fmt: skip
ASKING = [
    *COMMANDS, ("doctor",), ("lock", "begin"), ("lock", "move", "git+origin", "--yes"), ("reconcile",),
    ("forget", "--to", "id:1", "--yes"), ("adopt", "first", "--yes"), ("init", "--github", "--from", "msgrun==1"),
]  # fmt: skip


@pytest.mark.parametrize("setting", PLANTED)
def test_no_remote_of_msgrun_yaml_is_an_option_or_a_repository_of_the_work_tree(setting, project, witness):
    clone = project("")
    plant_repository(clone, witness)
    setting = setting.replace("TOP", str(clone.path)).replace("WITNESS", str(witness))
    settings = (clone.path / "mail/msgrun.yaml").read_text() + setting + "\n"
    clone.write("mail/msgrun.yaml", settings)
    clone.commit()
    for command in ASKING:
        clone.msgrun("-C", "mail", *command)
        assert not (witness.parent / "ran").exists(), command


def test_git_itself_runs_the_program_of_a_planted_repository(project, witness):
    clone = project("")
    plant_repository(clone, witness)
    subprocess.run(["git", "push", "vendor/repo", "HEAD:x"], cwd=clone.path, capture_output=True, check=False)
    assert (witness.parent / "ran").exists()  # else the test above proves nothing


ENDLESS = "while True: os.write({fd}, b'remote: y\\n' * 1000)"
UNBOUNDED_GITS = {
    # what a remote makes git do, and what msgrun says of it
    "messages without end": (ENDLESS.format(fd=2), "did not answer in 0.3 seconds"),
    "many messages, and why it failed": (
        "os.write(2, b'remote: y\\n' * 1_000_000 + b'fatal: no such remote\\n'); sys.exit(128)",
        "failed: fatal: no such remote",
    ),
    "output without end": (ENDLESS.format(fd=1), "git ls-remote prints more than 1 MiB"),
    "memory": ("b'x' * 900_000_000", "failed: MemoryError"),
    "a large file": (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); open('pack', 'wb').write(b'x' * 9_000_000)",
        "failed: OSError: [Errno 27] File too large",
    ),
    "silence": ("time.sleep(60)", "did not answer in 0.3 seconds"),
}


@pytest.mark.parametrize("name", UNBOUNDED_GITS)
def test_what_a_remote_makes_git_print_or_keep_has_a_limit(
    author: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    repository = find_repository(author.path)
    assert repository
    work, reason = UNBOUNDED_GITS[name]
    header = f"#!{sys.executable} -IS\nimport os, signal, sys, time\n"
    executable(tmp_path / "bin" / "git", f"{header}{work}\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(process, "_MAX_FILE", 8_000_000)
    monkeypatch.setattr(process, "_MAX_MEMORY", 500_000_000)
    if "did not answer" in reason:
        monkeypatch.setattr(process, "TIMEOUT", 0.3)
    with pytest.raises(LedgerUnavailable) as refused:
        repository.git("ls-remote", max_output=1 << 20)
    assert reason in refused.value.message
    assert len(getattr(refused.value, "output", "")) <= 64 * 1024
