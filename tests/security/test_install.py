"""What a job runs before msgrun itself runs imports nothing from the checkout: a pull request may bring any module."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from runner.cli import scaffold
from tests.support.project import ROOT
from tests.support.proof import one_of

# What `python3 -m venv` or a script of ours imports, and what Python imports by itself.
MODULES = [
    "venv", "ensurepip", "json", "subprocess", "sysconfig", "shutil", "logging", "types", "pathlib", "argparse",
    "sitecustomize", "usercustomize", "site", "re", "pip",
]  # fmt: skip


def _github() -> list[str]:
    jobs = yaml.safe_load(scaffold.workflow("github", "main", "."))["jobs"]
    return [step["run"] for job in jobs.values() for step in job["steps"] if step.get("name") == "Install"]


def _gitlab() -> list[str]:
    return ["\n".join(yaml.safe_load(scaffold.workflow("gitlab", "main", "."))[".msgrun"]["before_script"])]


def _action() -> list[str]:
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    return [step["run"] for step in steps if step["name"] == "Install"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with modules that write their name to the file `imported` when they are imported."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write({name!r} + '\\n')\n")
    return folder


def _run(script: str, checkout: Path) -> subprocess.CompletedProcess[str]:
    """Runs a script as a job does, with the real Python and pip, which says its version: to install needs a network."""
    temp = checkout.parent / "temp"
    temp.mkdir()
    environment = {
        **os.environ, "RUNNER_TEMP": str(temp), "GITHUB_PATH": str(temp / "path"), "COMMAND": "plan", "PLAN": "",
        "MSGRUN_VERSION": "0", "MSGRUN_DIRECTORY": ".", "GITHUB_ACTION_PATH": str(temp / "action"),
    }  # fmt: skip
    script = script.replace("/tmp/msgrun", str(temp / "msgrun")).replace("cd /tmp ", f"cd {temp} ")
    script = re.sub(r"(bin/pip\"?) install [^)\n]*", r"\1 --version", script)
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=checkout, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.proof
@pytest.mark.parametrize("scripts", one_of(_gitlab, _github, _action))
def test_no_module_of_the_checkout_is_imported_while_msgrun_is_installed(scripts, checkout):
    found = scripts()
    assert found
    assert len(set(found)) == 1  # every job of a workflow installs in the same way
    done = _run(found[0], checkout)
    assert (done.returncode, done.stdout.split()[:1]) == (0, ["pip"]), done.stderr
    assert (checkout.parent / "temp" / "msgrun" / "bin" / "python").exists(), done.stderr
    assert not (checkout.parent / "imported").exists(), (checkout.parent / "imported").read_text()


def test_without_isolation_they_would_be(checkout):
    subprocess.run(["python3", "-m", "venv", "--help"], cwd=checkout, capture_output=True, check=False)
    assert (checkout.parent / "imported").exists()  # else the test above proves nothing


@pytest.mark.parametrize("text", [scaffold.workflow("github", "main", "."), scaffold.workflow("gitlab", "main", ".")])
def test_every_python_of_a_workflow_is_isolated(text):
    assert text.count("python3 ") == text.count("python3 -I ") > 0
