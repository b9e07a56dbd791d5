"""The lines of the house, held by machine in the one test command."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = {
    "ruff check": ["ruff", "check", "--no-cache", "."],
    "ruff format": ["ruff", "format", "--check", "--no-cache", "."],
    "mypy --strict": ["mypy", "--strict", "--cache-dir", "{tmp}", "-p", "runner"],
    "import-linter": ["lint-imports", "--no-cache"],
}


@pytest.mark.parametrize("name", TOOLS)
def test_the_house_passes(name: str, tmp_path: Path) -> None:
    program, *args = [part.replace("{tmp}", str(tmp_path)) for part in TOOLS[name]]
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
