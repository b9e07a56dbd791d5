"""Real processes that are killed at random moments: nobody gets a message twice, and nothing made is forgotten.

Each campaign is a seed; the sandbox's log is the witness, because it is written before any answer leaves.
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.proof import one_of, proofs, table
from tests.support.sandbox_runs import SandboxRuns


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Callable[..., SandboxRuns]]:
    started: list[SandboxRuns] = []

    def begin(*trouble: str, people: int = 60, kind: str = "id", options: tuple[str, ...] = ()) -> SandboxRuns:
        started.append(SandboxRuns(tmp_path, trouble, people, kind, options))
        return started[-1]

    yield begin
    for one in started:
        one.close()


@pytest.mark.parametrize(
    ("seed", "kind", "trouble"),
    [
        (1, "id", ()),
        *proofs([(3, "email", ("share=reset_after:0.1", "share=400:0.05", "share=cut_body:0.05"))]),
        *table(
            [
                (2, "id", ("share=500_after:0.1", "share=drop_after:0.05", "share=429:0.02")),
                (4, "id", ("share=drop_before:0.1", "share=close:0.3", "share=gzip:0.2")),
            ]
        ),
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
    assert sum(statuses.values()) == 60, run.printed
    assert code == (4 if statuses["unknown"] else 3 if "refused" in run.printed.split("sent")[-1] else 0), run.printed
    before = len(run.created())
    assert run.apply() == (4 if statuses["unknown"] else 0)
    assert len(run.created()) == before
    assert statuses["free"] == 0


@pytest.mark.parametrize(("number", "code"), one_of((signal.SIGINT, 130), (signal.SIGTERM, 143)))
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


@pytest.mark.parametrize(("number", "code"), one_of((signal.SIGINT, 130), (signal.SIGTERM, 143)))
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
    run = campaign(people=90)
    first = run.start()
    run.wait_for(1)
    first.send_signal(signal.SIGSTOP)  # so that it holds the ledger, however busy the machine is
    assert run.apply() == 6
    first.send_signal(signal.SIGCONT)
    assert f"msgrun apply, process {first.pid}" in run.printed
    first.communicate(timeout=30)
    assert first.returncode == 0
    assert run.check() == {"sent": 90}


def test_while_something_is_unknown_every_apply_exits_with_4(campaign):
    run = campaign("next=500_after", people=3)
    assert run.apply() == 4
    assert run.apply() == 4
    assert run.check() == {"sent": 2, "unknown": 1}


def test_a_token_of_another_workspace_sends_nothing(campaign):
    run = campaign(people=3)
    lock = run.root / "messages.lock"
    lock.write_text('{"msgrun_lock":1,"workspace":"other","salt_check":""}\n')
    assert run.apply() == 5, run.printed
    assert run.created() == []


def test_a_sandbox_is_never_taken_for_the_real_thing(campaign):
    run = campaign(people=3, options=("--workspace", "msgrun-sandbox"))
    (run.root / "messages.lock").write_text('{"msgrun_lock":1,"workspace":"","salt_check":""}\n')
    assert run.apply() == 5, run.printed
    assert run.created() == []
