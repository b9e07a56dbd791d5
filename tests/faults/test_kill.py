"""Real processes that are killed at random moments: nobody gets a message twice, and nothing made is forgotten.

Each campaign is a seed; the sandbox's log is the witness, because it is written before any answer leaves.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner.ledger.lockfile import Places, read

# Sixty a second, so that a run lasts long enough to be killed in its middle.
SETTINGS = """\
salt: s3cret
abort_if: {unknown: 1000, refused: "100%", after: 1000}
rate: {share: 1, max_per_10s: 600}
"""
MESSAGE = """\
name: {name}
message_type: inapp
body: "Ponies for {{{{ who }}}}"
from: {{type: admin, id: "394051"}}
to: {{csv: ../people.csv, type: user, {kind}: "{{{{ who }}}}"}}
"""


@dataclass
class Campaign:
    """A project, a sandbox in a process of its own, and applies that may be killed."""

    root: Path
    sandbox: subprocess.Popen[str]
    environment: dict[str, str]
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "runner", "-C", str(self.root), "apply", "--yes", *args]
        process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.running.append(process)
        return process

    def apply(self, *args: str) -> int:
        process = self.start(*args)
        self.said, _ = process.communicate(timeout=60)
        return process.returncode

    def created(self) -> list[tuple[str, str]]:
        """Every message that Intercom made: its text, and the recipient's id on the wire."""
        whole, _, _ = (self.root / "log.jsonl").read_text().rpartition("\n")  # without a line that is being written
        lines = whole.splitlines()
        entries = [entry for entry in map(json.loads, lines) if entry["created"]]
        return [(entry["payload"]["body"], entry["payload"]["to"]["id"]) for entry in entries]

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 30
        while len(self.created()) < count:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def check(self) -> Counter[str]:
        """Nothing was made twice, and all that was made is known; returns the ledger's statuses."""
        made = Counter(self.created())
        assert [pair for pair, times in made.items() if times > 1] == []
        facts = read(Places(self.root / "messages.lock", None, "messages.lock"))
        states = [state for key in facts if (state := facts.state(key))]
        known = {record.contact for state in states for record in (*state.sent, *state.open)}
        assert {contact for _, contact in made} <= known
        assert facts.duplicates() == []
        return Counter(state.status for state in states)


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Callable[..., Campaign]]:
    started: list[Campaign] = []

    def begin(*trouble: str, people: int = 60, kind: str = "id", options: tuple[str, ...] = ()) -> Campaign:
        (tmp_path / "messages").mkdir()
        (tmp_path / "messages" / "seed.yaml").write_text(MESSAGE.format(name="seed", kind=kind))
        rows = "".join(f"b{number:03}{'@example.com' * (kind == 'email')}\n" for number in range(people))
        (tmp_path / "people.csv").write_text("who\n" + rows)
        (tmp_path / "msgrun.yaml").write_text(SETTINGS)
        (tmp_path / "messages.lock").write_text('{"msgrun_lock":1,"workspace":"acme","salt_check":""}\n')
        command = [sys.executable, "-m", "runner.sandbox", "--workspace", "acme", "--log", str(tmp_path / "log.jsonl")]
        command += ["--rate-limit", "1000000", *options, *(part for spec in trouble for part in ("--trouble", spec))]
        sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert sandbox.stdout is not None
        url = sandbox.stdout.readline().split()[-1]
        environment = {
            name: value for name, value in os.environ.items() if not re.match(r"MSGRUN_|INTERCOM_|CI$", name)
        }
        environment |= {"INTERCOM_BASE_URL": url, "INTERCOM_ACCESS_TOKEN": "x"}
        started.append(Campaign(tmp_path, sandbox, environment))
        return started[-1]

    yield begin
    for one in started:
        for process in (*one.running, one.sandbox):
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    ("seed", "kind", "trouble"),
    [
        (1, "id", ()),
        (2, "id", ("share=500_after:0.1", "share=drop_after:0.05", "share=429:0.02")),
        (3, "email", ("share=reset_after:0.1", "share=400:0.05", "share=cut_body:0.05")),
        (4, "id", ("share=drop_before:0.1", "share=close:0.3", "share=gzip:0.2")),
    ],
)
def test_killed_at_any_moment_nothing_is_made_twice_and_nothing_made_is_forgotten(seed, kind, trouble, campaign):
    chance = random.Random(seed)
    run = campaign(*trouble, kind=kind, options=("--latency", "0.004", "--seed", str(seed)))
    killed = 0
    for _ in range(5):
        process = run.start()
        before = len(run.created())
        while process.poll() is None and len(run.created()) < min(before + 1, 50):
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        run.check()
    assert killed >= 3  # else this proves little
    code = run.apply()
    statuses = run.check()
    assert sum(statuses.values()) == 60, run.said
    assert code == (4 if statuses["unknown"] else 3 if "refused" in run.said.split("sent")[-1] else 0), run.said
    before = len(run.created())
    assert run.apply() == (4 if statuses["unknown"] else 0)
    assert len(run.created()) == before
    assert statuses["free"] == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_in_order_and_the_next_one_goes_on(number, code, campaign):
    run = campaign(options=("--latency", "0.02"))
    process = run.start()
    run.wait_for(5)
    process.send_signal(number)
    said, _ = process.communicate(timeout=10)
    assert process.returncode == code, said
    assert run.check()["unknown"] == 0
    assert run.apply() == 0
    assert run.check() == {"sent": 60}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_a_run_at_once_and_what_was_in_flight_is_unknown(number, code, campaign):
    run = campaign("next=ok,slow:20")
    process = run.start()
    run.wait_for(2)
    process.send_signal(number)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(number)
    process.communicate(timeout=5)
    assert process.returncode == code
    assert run.check()["unknown"] == 1
    assert run.apply() == 4
    assert run.check() == {"sent": 59, "unknown": 1}


def test_of_two_applies_at_once_one_is_told_who_holds_the_ledger(campaign):
    run = campaign(people=300)
    first = run.start()
    run.wait_for(1)
    assert run.apply() == 6
    assert f"msgrun apply, process {first.pid}" in run.said
    first.communicate(timeout=30)
    assert first.returncode == 0
    assert run.check() == {"sent": 300}


def test_while_something_is_unknown_every_apply_exits_with_4(campaign):
    run = campaign("next=500_after", people=3)
    assert run.apply() == 4
    assert run.apply() == 4
    assert run.check() == {"sent": 2, "unknown": 1}


def test_a_token_of_another_workspace_sends_nothing(campaign):
    run = campaign(people=3)
    lock = run.root / "messages.lock"
    lock.write_text('{"msgrun_lock":1,"workspace":"other","salt_check":""}\n')
    assert run.apply() == 5, run.said
    assert run.created() == []


def test_a_sandbox_is_never_taken_for_the_real_thing(campaign):
    run = campaign(people=3, options=("--workspace", "msgrun-sandbox"))
    (run.root / "messages.lock").write_text('{"msgrun_lock":1,"workspace":"","salt_check":""}\n')
    assert run.apply() == 5, run.said
    assert run.created() == []
