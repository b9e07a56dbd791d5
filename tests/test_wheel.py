"""What is installed is whole: the schemas travel inside the wheel, the tests and examples do not."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from runner.report.explanations import GROUPS
from tests.support.project import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    (built,) = folder.glob("msgrun-*.whl")
    return built


def test_the_wheel_holds_the_package_and_its_schemas(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"runner/schema/{kind}.schema.json" for kind in ("message", "project", "payload")} <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"runner"}
    assert {f"runner/report/explanations/{group}.md" for group in GROUPS} <= names
    preview = ROOT / "runner" / "preview"
    shown = [*preview.glob("templates/*.j2"), *preview.glob("assets/*")]
    assert len(shown) > 8
    assert {path.relative_to(ROOT).as_posix() for path in shown} <= names
    assert {"runner/cli/workflows/github.yml", "runner/cli/workflows/gitlab.yml"} <= names


def test_an_installed_wheel_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "import runner; from runner.cli import run; print(runner.__file__); run(['schema', 'payload'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site"), "PATH": ""},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert str(tmp_path) in done.stdout.splitlines()[0]
    assert '"urn:msgrun:schema:payload"' in done.stdout
