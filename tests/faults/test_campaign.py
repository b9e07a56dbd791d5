"""The fault campaign in short: whatever breaks, nobody gets a message twice, and nothing made is forgotten.

The long one is a command: python tests/benchmarks/campaign.py. The seeds are such that each disturbance comes at least
once, but for a name that nobody knows for longer than a run is patient, which takes half a minute.
"""

import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).parent.parent / "benchmarks" / "campaign.py"


@pytest.mark.parametrize(
    ("seed", "options"), [("19", ()), ("2", ("--email",)), ("30", ("--rate", "100000")), ("5", ("--email",))]
)
def test_whatever_breaks_nothing_is_made_twice_and_nothing_made_is_forgotten(seed, options):
    command = [sys.executable, str(CAMPAIGN), "--recipients", "300", "--restarts", "6", "--stop", "2.5"]
    done = subprocess.run(
        [*command, "--seed", seed, *options], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
