"""What a CI job installs is one version for good, and the one that is running."""

import json
import subprocess
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from runner import __version__
from runner.cli import ci_packages
from runner.cli.ci_packages import find_requirement
from runner.errors import UsageMistake
from runner.report.layout import wrap_hint
from tests.support.clones import git_output

COMMAND = "msgrun init --github"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "ab" * 32


class Installed(Distribution):
    def __init__(self, source: Any) -> None:
        self._source = source

    def read_text(self, filename: str) -> str | None:
        assert filename == "direct_url.json"
        return None if self._source is None else json.dumps(self._source)

    def locate_file(self, path: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("source", "requirement"),
    [
        (None, f"msgrun=={__version__}"),
        (
            {
                "url": "https://git.example/msgrun.git",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT, "requested_revision": "main"},
            },
            f"msgrun @ git+https://git.example/msgrun.git@{COMMIT}",
        ),
        (
            {
                "url": "ssh://git@git.example/a/msgrun.git",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT},
                "subdirectory": "py",
            },
            f"msgrun @ git+ssh://git@git.example/a/msgrun.git@{COMMIT}#subdirectory=py",
        ),
        (
            {"url": "https://files.example/msgrun.whl", "archive_info": {"hashes": {"sha256": DIGEST}}},
            f"msgrun @ https://files.example/msgrun.whl#sha256={DIGEST}",
        ),
        (
            {"url": "https://files.example/msgrun.whl", "archive_info": {"hash": f"sha256={DIGEST}"}},
            f"msgrun @ https://files.example/msgrun.whl#sha256={DIGEST}",
        ),
    ],
)
def test_what_is_running_is_what_is_installed(monkeypatch: pytest.MonkeyPatch, source: Any, requirement: str) -> None:
    monkeypatch.setattr(ci_packages, "distribution", lambda _: Installed(source))
    assert find_requirement(None, COMMAND) == requirement


@pytest.mark.parametrize(
    "source",
    [
        {"url": "file:///home/ann/msgrun", "dir_info": {"editable": True}},
        {"url": "file:///home/ann/msgrun.whl", "archive_info": {"hash": f"sha256={DIGEST}"}},
        {"url": "https://files.example/msgrun.whl", "archive_info": {}},
        {"url": "https://hg.example/msgrun", "vcs_info": {"vcs": "hg", "commit_id": COMMIT}},
        {"url": "https://git.example/msgrun", "vcs_info": {"vcs": "git", "commit_id": "main"}},
        {"url": "https://ann:secret@git.example/msgrun", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
    ],
)
def test_a_source_that_a_job_cannot_reach_or_trust_is_asked_for(monkeypatch: pytest.MonkeyPatch, source: Any) -> None:
    monkeypatch.setattr(ci_packages, "distribution", lambda _: Installed(source))
    with pytest.raises(UsageMistake) as raised:
        find_requirement(None, COMMAND)
    assert "secret" not in raised.value.hint


@pytest.fixture
def clone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A clone from which this msgrun was installed. Its commit, without a file of the program, is on its remote."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    git_output(tmp_path, "remote", "add", "origin", "https://git.example/a/msgrun.git")
    git_output(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "one")
    git_output(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
    source = {"url": tmp_path.as_uri(), "dir_info": {}}
    monkeypatch.setattr(ci_packages, "distribution", lambda _: Installed(source))
    return tmp_path


def refuse_clone() -> str:
    """Asserts that the source is asked for, with a command that gives it. Returns the error and this command."""
    with pytest.raises(UsageMistake) as raised:
        find_requirement(None, "msgrun init --gitlab")
    assert "secret" not in raised.value.hint
    wanted = raised.value.hint.partition("msgrun init --gitlab --from ")[2].partition("; or")[0]
    assert find_requirement(wanted.replace("HOST/PATH", "git.example/a"), COMMAND).endswith(wanted.rpartition("@")[2])
    return f"{raised.value.message}\n{wanted}"


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("https://git.example/a/msgrun.git", "git+https://git.example/a/msgrun.git@"),
        ("git@git.example:a/msgrun.git", "git+ssh://git@git.example/a/msgrun.git@"),
    ],
)
def test_the_commit_of_a_clone_is_installed_from_its_remote(clone: Path, origin: str, url: str) -> None:
    git_output(clone, "remote", "set-url", "origin", origin)
    assert find_requirement(None, COMMAND) == f"msgrun @ {url}{git_output(clone, 'rev-parse', 'HEAD')}"


@pytest.mark.parametrize("origin", ["/srv/git/msgrun.git", "https://ann:secret@git.example/msgrun.git"])
def test_a_remote_that_a_job_cannot_reach_is_asked_for(clone: Path, origin: str) -> None:
    git_output(clone, "remote", "set-url", "origin", origin)
    assert "git+https://HOST/PATH@" in refuse_clone()


def test_a_commit_that_was_not_pushed_and_another_program_are_not_installed(clone: Path) -> None:
    git_output(clone, "commit", "--quiet", "--allow-empty", "--message", "two")
    assert "; origin does not have its commit " in refuse_clone()
    (clone / "runner").mkdir()
    (clone / "runner/other.py").touch()
    git_output(clone, "add", ".")
    git_output(clone, "commit", "--quiet", "--message", "three")
    git_output(clone, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert "; what runs here differs from its commit " in refuse_clone()


@pytest.mark.parametrize(
    "given",
    [
        "msgrun==0.1.0", f"msgrun @ git+https://git.example/m.git@{COMMIT}",
        f"msgrun @ https://files.example/m.whl#sha256={DIGEST}",
    ],
)  # fmt: skip
def test_a_pinned_source_is_taken_as_it_is_given(given: str) -> None:
    assert find_requirement(given, COMMAND) == given
    if given.startswith("msgrun @ "):
        assert find_requirement(given.removeprefix("msgrun @ "), COMMAND) == given


@pytest.mark.parametrize(
    "given",
    [
        "msgrun", "msgrun>=0.1", "msgrun==0.*", "msgrun @ git+https://git.example/m.git@main", "other==1.0", ".",
        "msgrun @ http://files.example/m.whl", f"msgrun @ git+https://git.example/m.git@{COMMIT[:12]}",
        f"git+file:///srv/m.git@{COMMIT}",
        "msgrun[sql]==0.1.0",
        "msgrun==0.1.0 --pre",
        f"msgrun @ git+https://git.example/m.git@{COMMIT}; curl evil", "msgrun==0.1.0\n-r x", "msgrun==0.1.0 $(x)",
    ],
)  # fmt: skip
def test_what_somebody_could_replace_is_refused(given: str) -> None:
    with pytest.raises(UsageMistake) as raised:
        find_requirement(given, COMMAND)
    lines = wrap_hint("  hint: ", raised.value.hint, 60).split("\n")
    assert [line.strip() for line in lines if COMMAND in line] == [
        f"{COMMAND} --from git+https://HOST/PATH@COMMIT",
        f"{COMMAND} --from msgrun==VERSION",
    ]
