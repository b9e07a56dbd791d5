"""The records of one run: few of them say who ran it, and one of those is always there."""

from datetime import UTC, datetime

from runner.clock import Clock
from runner.deliver.attempt import Outcome
from runner.deliver.attempt_records import RecordFactory
from runner.ledger.record import Record, RunOrigin

ORIGIN = RunOrigin("ann", "https://ci.example/7", "4fdd7ac")
CLOCK = Clock(now=lambda: datetime(2026, 11, 22, 10, tzinfo=UTC), monotonic=lambda: 0.0, sleep=lambda _: None)


def test_the_first_outcome_has_the_origin_whichever_claim_it_is_of() -> None:
    factory = RecordFactory("RUN", "sha256:0", "", CLOCK, {}, ORIGIN)
    claims = [Record(f"{number:032x}", f"RUN-{number}", "claimed") for number in (7, 8)]
    first, second = (factory.new_outcome(claim, Outcome("sent", "2001")) for claim in claims)
    assert (first.actor, first.run_url, first.commit) == ("ann", "https://ci.example/7", "4fdd7ac")
    assert (second.actor, second.run_url, second.commit) == ("", "", "")


def test_the_outcome_of_a_named_claim_keeps_its_name() -> None:
    factory = RecordFactory("RUN", "sha256:0", "", CLOCK, {}, ORIGIN)
    named = Record("0" * 32, "RUN-1", "claimed").signed(ORIGIN)
    factory.new_outcome(Record("1" * 32, "RUN-2", "claimed"), Outcome("sent", "2001"))
    assert factory.new_outcome(named, Outcome("refused")).actor == "ann"
