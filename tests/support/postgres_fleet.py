"""Several applies of one saved plan on one PostgreSQL ledger, and an Intercom in a process of its own."""

import json
import time
from collections import Counter
from pathlib import Path

from tests.support.forked import Forked
from tests.support.postgres import Server
from tests.support.processes import environment, start_intercom
from tests.support.project import people_message

SETTINGS = """\
salt: s3cret
workspace: acme
abort_if: {{unknown: 1000, refused: "100%", after: 1000}}
limits: {{recipients_per_message: 1000000, recipients_per_apply: 1000000}}
rate: {rate}
lock: {lock}
"""


class PostgresFleet:
    """A project, an Intercom in a process of its own, and workers on one plan.

    `limit`: requests in ten seconds that Intercom allows. `latency`: of its answers, in seconds. `rate`: the project's
    own, as in msgrun.yaml.
    """

    def __init__(
        self, root: Path, server: Server, people: int, *, limit: int = 100_000,
        latency: float = 0.0, rate: str = "{share: 1, max_per_10s: 600}", message: str = "seed",
    ) -> None:  # fmt: skip
        self.root, self.log, self.plan = root, root / "made.jsonl", root / "plan.json"
        (root / "messages").mkdir()
        (root / "messages" / "seed.yaml").write_text(people_message(message))
        (root / "people.csv").write_text("who\n" + "".join(f"p{number}\n" for number in range(people)))
        (root / "msgrun.yaml").write_text(SETTINGS.format(lock=server.lock, rate=rate))
        self.intercom = start_intercom(self.log, "--limit", str(limit), "--latency", str(latency))
        self.environment = environment(self.intercom.url)
        self.workers: list[Forked] = []

    def start(self, *args: str) -> Forked:
        """Starts the command. `finish` waits for it and gives what it printed."""
        with self._output(len(self.workers)).open("w") as out:
            worker = Forked(["-C", str(self.root), *args], out, self.environment)
        self.workers.append(worker)
        return worker

    def finish(self, worker: Forked, seconds: float = 120) -> tuple[int, str]:
        """Waits for a command: its exit code, and what it printed."""
        code = worker.wait(timeout=seconds)
        return code, self._output(self.workers.index(worker)).read_text()

    def run(self, *args: str) -> tuple[int, str]:
        return self.finish(self.start(*args))

    def begin(self) -> None:
        """Sends one message, which begins the ledger, and saves the plan of the rest."""
        for args in (("apply", "--yes", "--new-lock", "--limit", "1"), ("plan", "--out", str(self.plan))):
            code, printed = self.run(*args)
            assert code == 0, printed

    def work(self) -> Forked:
        """Starts an apply of the saved plan."""
        return self.start("apply", "--yes", "--plan", str(self.plan))

    def made(self) -> Counter[str]:
        """How often each recipient's message was made, by the server."""
        whole, _, _ = self.log.read_text().rpartition("\n")  # without a line that is being written
        return Counter(json.loads(line)["to"] for line in whole.splitlines())

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while self.made().total() < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.intercom.close()

    def _output(self, number: int) -> Path:
        return self.root / f"printed-{number}.txt"
