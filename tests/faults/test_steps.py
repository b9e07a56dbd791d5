"""Killed at every single step between claim and compaction: every write, fsync, send, receive and rename of a run.

The process is killed from below (shim/sitecustomize.py), after a call or with half of its bytes out; before a call is
after the one before it.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fault_campaign import FaultCampaign
from tests.support.proof import one_of

MOST = 200  # calls; a run of so few deliveries makes far fewer


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[FaultCampaign]:
    one = FaultCampaign(tmp_path.resolve(), 2, False, "1", rate=100_000, latency=0.004, faults="")  # noqa: FBT003
    yield one
    one.close()


@pytest.mark.proof
@pytest.mark.parametrize(
    ("call", "where"),
    one_of(
        ("send", "after"), ("send", "half"), ("recv", "after"),
        ("write", "half"), ("write", "after"), ("fsync", "after"),
    ),
)  # fmt: skip
def test_killed_at_every_step_of_a_run_nothing_is_made_twice_or_forgotten(call, where, campaign):
    killed = 0
    for number in range(1, MOST):
        campaign.begin_anew()
        process = campaign.start(FAULTS_DIE=f"{call}:{number}:{where}")
        campaign.end(process)
        assert campaign.faults_found(is_over=False) == ([], []), number
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0
            break
        killed += 1
        again = campaign.start()
        campaign.end(again)
        assert campaign.faults_found(is_over=True) == ([], []), (number, campaign.said)
        unknown = [who for who, (status, _) in campaign.known().items() if status == "unknown"]
        assert again.returncode == (4 if unknown else 0), (number, campaign.said)
    assert 3 <= killed < MOST - 1  # else this proves little


@pytest.mark.proof
@pytest.mark.parametrize(("call", "where"), [("ftruncate", "before"), ("ftruncate", "after"), ("fsync", "after")])
def test_killed_while_a_full_disks_claims_are_cut_off_nothing_is_made_twice_or_forgotten(call, where, campaign):
    """A claim of which nothing was POSTed stays open at worst. No file of the run may grow beyond some bytes."""
    killed = 0
    for number in range(1, MOST):
        campaign.begin_anew()
        with campaign.lockfile.open("a") as file:
            file.write(4000 * "\n")  # else what is printed would not fit
        most = campaign.lockfile.stat().st_size + 100
        process = campaign.start(most=most, FAULTS_DIE=f"{call}:{number}:{where}")
        campaign.end(process)
        assert campaign.made() == {}, number
        again = campaign.start()
        campaign.end(again)
        assert campaign.faults_found(is_over=True) == ([], []), (number, campaign.said)
        if process.returncode != -signal.SIGKILL:
            assert (process.returncode, again.returncode) == (6, 0), campaign.said
            assert len(campaign.made()) == len(campaign.people)
            break
        killed += 1
    assert killed >= (3 if call == "fsync" else 1)  # else this proves little


@pytest.mark.parametrize(("call", "where"), one_of(("replace", "before"), ("fsync", "before"), ("fsync", "after")))
def test_killed_at_every_step_of_compaction_the_lockfile_says_the_same(call, where, campaign):
    campaign.end(campaign.start(FAULTS_DIE="recv:9:before"))
    campaign.end(campaign.start())
    before, data = campaign.known(), campaign.lockfile.read_bytes()
    campaign.journal.unlink()
    killed = 0
    for number in range(1, MOST):
        campaign.lockfile.write_bytes(data)
        process = campaign.start("lock", "compact", "--yes", FAULTS_DIE=f"{call}:{number}:{where}")
        campaign.end(process)
        campaign.journal.unlink(missing_ok=True)
        assert campaign.known() == before, number
        if process.returncode != -signal.SIGKILL:
            break
        killed += 1
    assert process.returncode == 0, campaign.said
    assert len(campaign.lockfile.read_bytes()) < len(data)
    assert killed >= 1
