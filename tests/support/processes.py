"""The fake Intercom in a process of its own, and the environment of a msgrun that talks to it."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.project import ROOT

SUPPORT = Path(__file__).parent
# What msgrun reads from its environment, and what a machine may have set.
_READ = re.compile(r"MSGRUN_|INTERCOM_|GITHUB_|GITLAB_|FAULTS_|CI$|CI_|(?i:.*_proxy$|.*_ca_bundle$)")


@dataclass(frozen=True, slots=True)
class IntercomProcess:
    """A running intercom_server.py. `secure_port` is 0 without --tls; `hosts` are the addresses that it listens on."""

    process: subprocess.Popen[str]
    url: str
    secure_port: int
    hosts: tuple[str, ...]

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen[Any]]:
    """Starts a program whose output is read from pipes. It is killed if it still runs at the end of the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def start_intercom(log: Path, *options: str) -> IntercomProcess:
    """Starts the server; every message that it makes is a line of `log` before any answer leaves."""
    command = [sys.executable, str(SUPPORT / "intercom_server.py"), "--log", str(log), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port, secure_port, *hosts = process.stdout.readline().split()
    return IntercomProcess(process, f"http://127.0.0.1:{port}", int(secure_port), tuple(hosts))


def environment(url: str) -> dict[str, str]:
    """The environment of a msgrun that takes the server at `url` for Intercom."""
    kept = {name: value for name, value in os.environ.items() if not _READ.match(name)}
    return kept | {"PYTHONPATH": str(ROOT), "INTERCOM_BASE_URL": url, "INTERCOM_ACCESS_TOKEN": "x"}
