"""Holes that are known and not mended yet: each of these tests is expected to fail, and says so when it does not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.ledger.record import salt_check
from tests.support.clones import HEADER, Clone
from tests.support.project import ROOT


def declared(body: str, subject: str = "S", to: str = "{type: user, id: a1}") -> str:
    return (
        f"name: a\nmessage_type: email\nsubject: {json.dumps(subject)}\nbody: {json.dumps(body)}\n"
        f'from: {{type: admin, id: "1"}}\nto: {to}\n'
    )


@pytest.fixture
def project(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "project", None)  # type: ignore[arg-type]  # it talks to nobody
    made.write("msgrun.yaml", "")
    made.write("messages.lock", HEADER % salt_check(""))
    made.write("messages/a.yaml", declared("Hi"))
    return made


@pytest.mark.proof
@pytest.mark.xfail(strict=True, raises=subprocess.TimeoutExpired, reason="a torn line is read again from each bracket")
def test_a_lockfile_of_open_brackets_is_read_to_its_end(project: Clone) -> None:
    project.write("messages.lock", HEADER % salt_check("") + '{"a":' * 100_000)
    command = [sys.executable, "-m", "runner", "-C", str(project.path), "status"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, capture_output=True, timeout=10, check=False)
