"""Many applies of one saved plan on one database, while workers and the server are killed: nobody gets it twice."""

import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Server
from tests.support.postgres_fleet import PostgresFleet

PEOPLE = 900


@pytest.fixture
def fleet(tmp_path: Path, own_server: Server) -> Iterator[PostgresFleet]:
    one = PostgresFleet(tmp_path, own_server, PEOPLE, rate="{share: 1, max_per_10s: 600}")
    yield one
    one.close()


OPEN = """
SELECT count(*) FROM msgrun.deliveries JOIN msgrun.facts USING (key) JOIN msgrun.runs ON run = msgrun.run_of(attempt)
WHERE status = 'unknown' AND who LIKE %s"""


def killed_with_open_claims(worker: subprocess.Popen[bytes], server: Server) -> None:
    """Kills a worker while it has claims open: between two batches it would leave nothing unknown."""
    while True:
        worker.send_signal(signal.SIGSTOP)
        if server.rows(OPEN, f"%process {worker.pid} %")[0][0]:
            break
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    worker.kill()


@pytest.mark.proof
def test_workers_share_a_plan_and_nobody_gets_it_twice_whatever_is_killed(fleet: PostgresFleet, own_server: Server):
    fleet.begin()
    workers = [fleet.work() for _ in range(3)]
    fleet.wait_for(PEOPLE // 4)
    killed_with_open_claims(workers[0], own_server)
    fleet.wait_for(PEOPLE // 3)
    own_server.kill()
    time.sleep(1)
    own_server.start()
    fleet.wait_for(PEOPLE // 2)
    assert fleet.run("resolve", "--message", "seed", "--all", "--not-sent", "--yes")[0] == 5
    fleet.wait_for(PEOPLE - 50)
    # The killed one counts as alive for two minutes after its last beat.
    own_server.rows("UPDATE msgrun.runs SET beat = 'epoch' WHERE who LIKE %s", f"%process {workers[0].pid} %")
    for worker in workers[1:]:
        code, said = fleet.finish(worker)
        assert code == 4, said
        assert re.search("of the plan unknown: msgrun .*status lists them", said)
    code, said = fleet.finish(fleet.work())
    assert code == 4, said
    made = fleet.made()
    assert set(made.values()) == {1}
    known = dict(own_server.rows("SELECT contact, status FROM msgrun.deliveries JOIN msgrun.facts USING (key)"))
    assert set(known) == {f"p{number}" for number in range(PEOPLE)}
    assert set(known.values()) == {"sent", "unknown"}
    assert {contact for contact, status in known.items() if status == "sent"} <= made.keys()
    assert Counter(known.values())["unknown"] <= 50
