"""What is installed is whole: the schemas travel inside the wheel, the tests and examples do not."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_the_package_and_its_schemas(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("msgrun-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"runner/schema/{kind}.schema.json" for kind in ("message", "project", "payload")} <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"runner"}
    assert {"runner/sandbox/__main__.py", "runner/cli/workflows/github.yml", "runner/cli/workflows/gitlab.yml"} <= names


def test_an_installed_wheel_runs_without_the_checkout(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("msgrun-*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "import runner; from runner.cli import run; print(runner.__file__); run(['schema', 'payload'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site"), "PATH": ""},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert str(tmp_path) in done.stdout.splitlines()[0]
    assert '"urn:msgrun:schema:payload"' in done.stdout
