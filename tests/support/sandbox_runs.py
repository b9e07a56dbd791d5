"""A project, the sandbox in a process of its own, and applies that may be killed.

The sandbox's log is the witness: it is written before any answer leaves.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from runner.ledger.lockfile.files import LockfilePaths, read_lockfile
from tests.support.forked import Forked
from tests.support.processes import environment
from tests.support.project import people_message

# Sixty a second, so that a run lasts long enough to be killed in its middle.
SETTINGS = """\
salt: s3cret
abort_if: {unknown: 1000, refused: "100%", after: 1000}
rate: {share: 1, max_per_10s: 600}
"""


@dataclass
class SandboxRuns:
    """`trouble` and `options` are the sandbox's. The recipients are addressed by `kind`: id or email."""

    root: Path
    trouble: tuple[str, ...] = ()
    people: int = 60
    kind: str = "id"
    options: tuple[str, ...] = ()
    running: list[Forked] = field(default_factory=list)
    printed: str = ""

    def __post_init__(self) -> None:
        (self.root / "messages").mkdir()
        (self.root / "messages" / "seed.yaml").write_text(people_message("seed", self.kind))
        rows = "".join(f"b{number:03}{'@example.com' * (self.kind == 'email')}\n" for number in range(self.people))
        (self.root / "people.csv").write_text("who\n" + rows)
        (self.root / "msgrun.yaml").write_text(SETTINGS)
        (self.root / "messages.lock").write_text('{"msgrun_lock":1,"workspace":"acme","salt_check":""}\n')
        script = str(Path(__file__).with_name("sandbox_process.py"))
        command = [sys.executable, script, "--workspace", "acme"]
        command += ["--log", str(self.root / "log.jsonl"), *self.options]
        command += [part for spec in self.trouble for part in ("--trouble", spec)]
        self.sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.sandbox.stdout is not None
        self.environment = environment(self.sandbox.stdout.readline().split()[-1])

    def start(self, *args: str) -> Forked:
        process = Forked(["-C", str(self.root), "apply", "--yes", *args], subprocess.PIPE, self.environment)
        self.running.append(process)
        return process

    def apply(self, *args: str) -> int:
        process = self.start(*args)
        self.printed, _ = process.communicate(timeout=60)
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
        facts = read_lockfile(LockfilePaths(self.root / "messages.lock", None, "messages.lock"))
        states = [state for key in facts if (state := facts.state(key))]
        known = {record.contact for state in states for record in (*state.sent_records, *state.open_attempts)}
        assert {contact for _, contact in made} <= known
        assert facts.duplicates() == []
        return Counter(state.status for state in states)

    def close(self) -> None:
        for process in (*self.running, self.sandbox):
            process.kill()
            process.communicate()
