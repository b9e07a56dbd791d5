"""`python -m runner.sandbox` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from runner.sandbox.__main__ import main

ROOT = Path(__file__).parents[2]


def begin(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "runner.sandbox", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_on_a_signal(number, tmp_path):
    log = tmp_path / "log"
    with begin("--workspace", "acme", "--log", str(log), "--trouble", "GET /me next=401", "--seed", "3") as process:
        line = process.stdout.readline()
        assert line.startswith("sandbox on http://127.0.0.1:")
        url = line.split()[-1]
        for status in (401, 200):
            request = urllib.request.Request(f"{url}/me", headers={"Authorization": "Bearer x"})
            try:
                with urllib.request.urlopen(request) as answer:
                    assert (status, json.load(answer)["app"]["id_code"]) == (200, "acme")
            except urllib.error.HTTPError as refusal:
                assert status == 401
                refusal.close()
        process.send_signal(number)
        rest, complaints = process.communicate(timeout=5)
    assert (process.returncode, rest, complaints) == (0, "", "")
    assert len(log.read_text().splitlines()) == 2


def test_trouble_that_means_nothing_is_wrong_usage(capsys):
    assert main(["--trouble", "next=nonsense"]) == 64
    assert "nonsense" in capsys.readouterr().err


def test_a_port_that_is_taken_is_an_error_of_one_line(start, capsys):
    port = start().sandbox.url.rpartition(":")[2]
    assert main(["--port", port]) == 1
    assert capsys.readouterr().err.count("\n") == 1
