"""What CI jobs install besides msgrun is in a file with a hash for each package, or the user reads how to write it."""

import json
import re
import subprocess
from typing import Any

import pytest

from runner.cli import ci_packages
from runner.cli.ci_packages import (
    BUILD_REQUIREMENT,
    HashesUnknown,
    pin_requirements,
)
from tests.support.project import PACKAGE, ROOT, Folder

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT = f"msgrun @ git+https://git.example/m.git@{COMMIT}"


class Pip:
    """Answers as pip does: each requirement is one package, whose hash depends on the machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: str = "") -> None:
        self.error, self.commands = error, list[list[str]]()
        monkeypatch.setattr(ci_packages.subprocess, "run", self.run)

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        digest = "b" * 64 if "--platform=manylinux2014_aarch64" in command else "a" * 64
        names = [re.split(r"[<>=\\[]", word)[0] for word in self.requirements(command)]
        install = [
            {
                "metadata": {"name": name, "version": "1.0"},
                "download_info": {"archive_info": {"hashes": {"sha256": digest}}},
            }
            for name in names
        ]
        return subprocess.CompletedProcess(command, bool(self.error), json.dumps({"install": install}), self.error)

    @staticmethod
    def requirements(command: list[str]) -> list[str]:
        return [word for word in command[command.index("install") + 1 :] if not word.startswith("--")]


def test_the_file_has_every_package_with_the_hashes_of_all_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    pip = Pip(monkeypatch)
    text = pin_requirements(GIT, "gitlab")
    both = f"    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n"
    assert f"\nclick==1.0 \\\n{both}" in text
    assert f"\nhatchling==1.0 \\\n{both}" in text
    assert all("--python-version=3.13" in command for command in pip.commands)


def test_extras_that_a_job_may_need_are_resolved_too(monkeypatch: pytest.MonkeyPatch) -> None:
    Pip(monkeypatch)
    text = pin_requirements(GIT, "github")
    assert "duckdb==1.0" in text
    assert "psycopg==1.0" in text
    assert "playwright" not in text


def test_a_version_of_the_index_is_in_the_file_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    pip = Pip(monkeypatch)
    pin_requirements("msgrun==0.1.0", "github")
    assert pip.requirements(pip.commands[0])[0] == "msgrun[postgres,sql]==0.1.0"


def test_without_an_index_the_reason_is_that_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    Pip(monkeypatch, "WARNING: x\nERROR: No matching distribution found for click\n")
    with pytest.raises(HashesUnknown, match="No matching distribution found for click"):
        pin_requirements(GIT, "github")


def test_init_writes_the_file_and_keeps_it(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("msgrun.yaml", "region: eu\n")
    with monkeypatch.context() as patch:
        Pip(patch)
        assert "wrote    .github/msgrun-requirements.txt" in folder.run("init", "--github", "--from", PACKAGE).out
    assert "msgrun==0.1.0" in (folder.path / ".github/workflows/msgrun.yml").read_text()
    assert "kept     .github/msgrun-requirements.txt" in folder.run("init", "--github", "--from", PACKAGE).out


def test_init_without_an_index_names_the_command_that_writes_the_file(folder: Folder) -> None:
    folder.write("msgrun.yaml", "region: eu\n")
    ran = folder.run("init", "--github", "--from", PACKAGE)
    assert (ran.code, "the jobs fail without it" in ran.err) == (0, True)
    assert f"msgrun init --github --from {PACKAGE}" in ran.err
    assert not (folder.path / ".github/msgrun-requirements.txt").exists()


def test_what_builds_msgrun_is_what_its_project_file_names() -> None:
    assert f'requires = ["{BUILD_REQUIREMENT}"]' in (ROOT / "pyproject.toml").read_text()
