"""A project's folder, and the command in it: in this process, or in one of its own."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.cli import run

PACKAGE = "msgrun==0.1.0"  # what the workflows of tests would install
ROOT = Path(__file__).parent.parent.parent
GIT_CONFIG = str(Path(__file__).parent / "git.config")
SEED = """\
name: seed
message_type: email
subject: Hey
body: Ponies, cute small horses or something more sinister?
template: plain
from: {type: admin, id: "394051"}
to: {type: user, id: 536e564f316c83104c000020}
"""


def people_message(name: str, kind: str = "id", more: str = "") -> str:
    """A declaration whose recipients are the rows of people.csv: its column `who` is their address of this kind.

    `more` is YAML that follows.
    """
    return f"""\
name: {name}
message_type: inapp
body: "Ponies for {{{{ who }}}}"
from: {{type: admin, id: "394051"}}
to: {{csv: ../people.csv, type: user, {kind}: "{{{{ who }}}}"}}
{more}"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


def run_in_process(args: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Ran:
    """`msgrun ARGS` in the folder with exactly this environment, by the entry point of the command.

    It saves the start of a Python. What is killed, races or needs a terminal is a process of its own instead.
    """
    before, at = dict(os.environ), Path.cwd()
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(args))
    finally:
        os.chdir(at)
        os.environ.clear()
        os.environ.update(before)
    return Ran(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Folder:
    """A project's folder, and the command in it."""

    path: Path
    capture: pytest.CaptureFixture[str]

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def message(self, text: str, name: str = "message") -> Path:
        return self.write(f"messages/{name}.yaml", text)

    def run(self, *args: str) -> Ran:
        """Runs the command in this process, as `msgrun ARGS` in the folder."""
        self.capture.readouterr()
        with contextlib.chdir(self.path):  # not -C, which every command that is shown would repeat
            code = run(list(args))
        told = self.capture.readouterr()
        return Ran(code, told.out, told.err)

    def process(self, *args: str, env: dict[str, str] | None = None, stdin: str | None = None) -> Ran:
        """Runs the command in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "runner", *args], cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)
