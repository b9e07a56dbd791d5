"""What tests of the whole command share: a clean environment, a project folder, and an Intercom to talk to."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from runner.cli import run
from runner.sandbox import Sandbox

ROOT = Path(__file__).parent.parent
# Machines are shared and noisy: how long an example takes says nothing about the promise that it tests.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
SEED = """\
name: seed
message_type: email
subject: Hey
body: Ponies, cute small horses or something more sinister?
template: plain
from: {type: admin, id: "394051"}
to: {type: user, id: 536e564f316c83104c000020}
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


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
        code = run(["-C", str(self.path), *args])
        told = self.capture.readouterr()
        return Ran(code, told.out, told.err)

    def process(self, *args: str, env: dict[str, str] | None = None, stdin: str | None = None) -> Ran:
        """Runs the command in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "runner", "-C", str(self.path), *args],
            env={**os.environ, **(env or {})}, input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("INTERCOM_", "MSGRUN_", "GITHUB_")) or name in {"CI", "NO_COLOR", "FORCE_COLOR"}:
            monkeypatch.delenv(name)
    for name, value in {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.com",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.com",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    """An empty project: messages/ and a lockfile of an empty salt."""
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages.lock").write_text('{"msgrun_lock":1,"workspace":"","salt_check":"9165df25"}\n')
    return Folder(tmp_path, capsys)


@pytest.fixture
def intercom(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An Intercom of workspace acme, which the command talks to as if it were the real one."""
    with Sandbox(workspace="acme", rate_limit=10**9) as sandbox:
        monkeypatch.setenv("INTERCOM_BASE_URL", sandbox.url)
        monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "secret-token")
        yield sandbox
