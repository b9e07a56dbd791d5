"""The rules of the code, held by machine in the one test command: ruff, mypy, layers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT

TOOLS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy --strict": ["mypy", "--strict", "-p", "runner"],
    "import-linter": ["lint-imports"],
}


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.lint
def test_the_code_is_clean(name: str) -> None:
    program, *args = TOOLS[name]
    done = subprocess.run(
        [str(Path(sys.executable).parent / program), *args],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_project_speaks_of_itself_alone() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    for name in filter(None, tracked):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            text = path.read_bytes()
            assert b"/work" + b"/main" not in text, name
            assert b"TO" + b"DO" not in text, name
