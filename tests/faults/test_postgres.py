"""Many applies of one saved plan on one database, while workers and the server are killed: nobody gets it twice."""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Server, created

PEOPLE = 900
SETTINGS = """\
workspace: acme
abort_if: {{unknown: 1000, refused: "100%", after: 1000}}
rate: {{share: 1, max_per_10s: 600}}
lock: {lock}
"""
MESSAGE = """\
name: seed
message_type: inapp
body: "Ponies for {{ who }}"
from: {type: admin, id: "394051"}
to: {csv: ../people.csv, type: user, id: "{{ who }}"}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    one = created()
    yield one
    one.remove()


class Fleet:
    """A project, an Intercom in a process of its own, and workers on one plan."""

    def __init__(self, root: Path, server: Server) -> None:
        self.root = root
        (root / "messages").mkdir()
        (root / "messages" / "seed.yaml").write_text(MESSAGE)
        (root / "people.csv").write_text("who\n" + "".join(f"p{number}\n" for number in range(PEOPLE)))
        (root / "msgrun.yaml").write_text(SETTINGS.format(lock=server.lock))
        command = [sys.executable, str(Path(__file__).parent / "server.py"), "--log", str(root / "made.jsonl")]
        self.intercom = subprocess.Popen([*command, "--limit", "100000"], stdout=subprocess.PIPE, text=True)
        assert self.intercom.stdout is not None
        url = f"http://127.0.0.1:{self.intercom.stdout.readline().split()[0]}"
        kept = {name: value for name, value in os.environ.items() if not re.match(r"MSGRUN_|INTERCOM_|CI$", name)}
        self.environment = {**kept, "INTERCOM_BASE_URL": url, "INTERCOM_ACCESS_TOKEN": "x"}
        self.workers: list[subprocess.Popen[str]] = []

    def start(self, *args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "runner", "-C", str(self.root), *args]
        pipe = subprocess.PIPE
        worker = subprocess.Popen(command, env=self.environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self.workers.append(worker)
        return worker

    def run(self, *args: str) -> tuple[int, str]:
        worker = self.start(*args)
        said, _ = worker.communicate(timeout=120)
        return worker.returncode, said

    def made(self) -> Counter[str]:
        whole, _, _ = (self.root / "made.jsonl").read_text().rpartition("\n")  # without a line that is being written
        return Counter(json.loads(line)["to"] for line in whole.splitlines())

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while self.made().total() < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def end(self) -> None:
        for one in (*self.workers, self.intercom):
            one.kill()
            one.communicate()


@pytest.fixture
def fleet(tmp_path: Path, server: Server) -> Iterator[Fleet]:
    one = Fleet(tmp_path, server)
    yield one
    one.end()


def test_workers_share_a_plan_and_nobody_gets_it_twice_whatever_is_killed(fleet: Fleet, server: Server):
    code, said = fleet.run("apply", "--yes", "--new-lock", "--limit", "1")
    assert code == 0, said
    plan = str(fleet.root / "plan.json")
    assert fleet.run("plan", "--out", plan)[0] == 0
    workers = [fleet.start("apply", "--yes", "--plan", plan) for _ in range(3)]
    fleet.wait_for(100)
    workers[0].kill()
    fleet.wait_for(250)
    server.kill()
    time.sleep(1)
    server.start()
    fleet.wait_for(400)
    assert fleet.run("resolve", "--message", "seed", "--all", "--not-sent", "--yes")[0] == 5
    fleet.wait_for(PEOPLE - 50)
    time.sleep(7)  # a worker that lives is heard of every five seconds
    server.rows("UPDATE msgrun.runs SET beat = 'epoch' WHERE beat < clock_timestamp() - interval '6 s'")
    for worker in workers[1:]:
        said, _ = worker.communicate(timeout=120)
        assert worker.returncode == 4, said
        assert "unknown: another run does not know what became of them" in said
    code, said = fleet.run("apply", "--yes", "--plan", plan)
    assert code == 4, said
    made = fleet.made()
    assert set(made.values()) == {1}
    known = dict(server.rows("SELECT contact, status FROM msgrun.report"))
    assert set(known) == {f"p{number}" for number in range(PEOPLE)}
    assert set(known.values()) == {"sent", "unknown"}
    assert {contact for contact, status in known.items() if status == "sent"} <= made.keys()
    assert Counter(known.values())["unknown"] <= 50
