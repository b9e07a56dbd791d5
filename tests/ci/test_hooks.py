"""The hooks for pre-commit, run by pre-commit itself: which files wake them, what they say, and how long they take."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.clones import SETTINGS, message
from tests.support.forked import install
from tests.support.project import ROOT

TOOLS = Path(sys.executable).parent
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
Commit = Callable[..., tuple[int, str]]


@pytest.fixture
def commit(tmp_path: Path) -> Commit:
    """A small project; writes a file, commits it with the hooks on, and gives the exit code and what was said."""
    path = tmp_path / "project"
    # Installed by pre-commit they come from a package index; here the same entries run the msgrun that is tested.
    hooks = [{**hook, "language": "system"} for hook in yaml.safe_load(MANIFEST.read_text())]
    config = yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]})
    start = {
        "msgrun.yaml": SETTINGS,
        "messages/first.yaml": message("first", "aaa1"),
        ".pre-commit-config.yaml": config,
    }
    environment = {
        **os.environ,
        "PRE_COMMIT_HOME": str(tmp_path / "home"),
        "PATH": f"{install(tmp_path / 'bin')}:{TOOLS}:{os.environ['PATH']}",
    }

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(args, cwd=path, env=environment, capture_output=True, text=True, timeout=120, check=False)

    def make(name: str, text: str) -> tuple[int, str]:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
        run("git", "add", "--all")
        done = run("git", "commit", "--quiet", "--message", "change")
        return done.returncode, done.stdout + done.stderr

    path.mkdir()
    run("git", "init", "--quiet")
    for name, text in start.items():
        make(name, text)
    assert run("pre-commit", "install").returncode == 0
    return make


def test_the_manifest_is_valid() -> None:
    subprocess.run([str(TOOLS / "pre-commit"), "validate-manifest", str(MANIFEST)], check=True)


def test_a_sound_change_passes_both(commit: Commit) -> None:
    code, said = commit("messages/second.yaml", message("second", "bbb1"))
    assert (code, said.count("Passed")) == (0, 2)


def test_a_mistake_keeps_the_commit_from_being_made(commit: Commit) -> None:
    code, said = commit("messages/second.yaml", message("second", "bbb1", body='"{{ nobody }}"'))
    assert code == 1
    assert "messages/second.yaml:3:" in said
    code, said = commit("messages/second.yaml", message("second", "bbb1", body="see http://localhost/x"))
    assert (code, "msgrun validate" in said, said.count("Failed")) == (1, True, 1)


def test_other_files_wake_nobody(commit: Commit) -> None:
    code, said = commit("src/app.py", "print('hello')\n")
    assert (code, said.count("Skipped")) == (0, 2)


@pytest.mark.parametrize("hook", yaml.safe_load(MANIFEST.read_text()), ids=lambda hook: hook["id"])
def test_a_small_project_takes_less_than_a_second_and_nothing_from_outside(hook: dict[str, str]) -> None:
    started = os.times()
    program, *args = hook["entry"].split()
    # Whoever asked the network would be sent to a proxy that is not there.
    nowhere = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [str(TOOLS / program), *args],
        cwd=ROOT,
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
        check=False,
    )
    ended = os.times()
    taken = ended.children_user + ended.children_system - started.children_user - started.children_system
    assert done.returncode == 0, done.stdout
    assert taken < 1  # of processor time: how busy the machine is says nothing about it
