"""A disk that is really full, at whatever moment: no outcome is lost, no claim is POSTed that is not on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disk import fill, small_disk
from tests.support.fault_campaign import FaultCampaign

PEOPLE = 300
ROOMS = (0, 4096, 12_288, 40_960, 0, 65_536)  # bytes that are left when a run starts; a delivery takes about a thousand


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[FaultCampaign]:
    with small_disk(tmp_path / "disk", "1m") as disk:
        options = {"rate": 1_000_000, "faults": "500_after=0.02", "outside": tmp_path}
        found = FaultCampaign(disk / "project", PEOPLE, email=False, seed="7", **options)
        yield found
        found.close()


@pytest.mark.proof
@pytest.mark.parametrize(("is_output_there", "rooms"), [(False, ROOMS), (True, ROOMS)])
def test_on_a_full_disk_nothing_is_made_twice_or_forgotten_and_the_rest_follows(is_output_there, rooms, campaign):
    if is_output_there:
        campaign.output = campaign.root / "said.txt"
    codes = []
    for room in rooms:
        ballast = fill(campaign.root.parent, room)
        process = campaign.start()
        campaign.end(process)
        codes.append(process.returncode)
        ballast.unlink()
        assert campaign.faults_found(is_over=False) == ([], []), (room, campaign.said)
    campaign.end(campaign.start())
    assert campaign.faults_found(is_over=True) == ([], []), campaign.said
    made, known = campaign.made(), campaign.known()
    unknown = [who for who, (status, _) in known.items() if status == "unknown"]
    assert len(made) == PEOPLE
    assert set(unknown) <= set(made)  # a claim of which nothing was POSTed does not stay open
    assert codes[rooms.index(0)] == (1 if is_output_there else 6)
    assert 6 in codes
