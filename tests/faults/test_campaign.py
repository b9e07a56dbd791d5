"""The fault campaign in short: whatever breaks, nobody gets a message twice, and nothing made is forgotten.

The long one is a command: python tests/benchmarks/campaign.py. The seeds are such that each disturbance comes at least
once, but for a name that nobody knows for longer than a run is patient, which takes half a minute.
"""

import pytest

from tests.support.fault_campaign import FaultCampaign, conduct
from tests.support.proof import proofs, table


@pytest.mark.parametrize(
    ("seed", "email", "rate", "recipients", "restarts"),
    [
        ("33", False, 100_000, 80, 3),
        *proofs([("2", True, 3000, 300, 6)]),
        *table([("19", False, 3000, 300, 6), ("30", False, 100_000, 300, 6), ("5", True, 3000, 300, 6)]),
    ],
)
def test_whatever_breaks_nothing_is_made_twice_and_nothing_made_is_forgotten(
    seed, email, rate, recipients, restarts, tmp_path
):
    extra = ("--idle", "0.4", "--refuse", "150:0.6")
    long = recipients > 100
    campaign = FaultCampaign(tmp_path.resolve(), recipients, email, seed, rate, extra=extra, opens=long, secure=True)
    try:
        tried, duplicates, losses = conduct(campaign, restarts, 2.5 if long else 1.0)
    finally:
        campaign.close()
    assert tried.total() == restarts
    assert (duplicates, losses) == ([], []), campaign.said
