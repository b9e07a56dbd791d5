"""What other runs are sending is said with the first of them, however many the ledger names."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from runner.cli.other_runs import OtherRuns
from runner.clock import format_timestamp
from runner.ledger.facts import Facts
from runner.ledger.key_state import fold_records, is_live_claim
from runner.ledger.record import Record

CLAIM = Record("5c" * 16, "01JD-1", "claimed", "a", 1, at="2026-11-22T10:00:00Z")


def test_of_many_runs_three_are_named_and_long_names_are_cut() -> None:
    facts = Facts()
    runs = OtherRuns(datetime(2026, 11, 22, 10, 0, tzinfo=UTC), None, facts)
    claims = [replace(CLAIM, attempt=f"{number:05}{'x' * 1000}-1") for number in range(10_000)]
    said = runs.describe(claims)
    assert said.count("; ") == 3
    assert said.endswith("; 9,997 more")
    assert len(said) < 700
    assert runs.describe([CLAIM]) == "run 01JD, since 2026-11-22 10:00 (UTC)"
    for number in range(3):  # the first one says who made the run, and is settled by now
        facts.add(replace(CLAIM, key=f"{number:032x}", actor="" if number else "Bea"))
    facts.add(replace(CLAIM, key=f"{0:032x}", status="sent", id="7", actor="Bea"))
    assert runs.describe([CLAIM]) == "Bea, run 01JD, since 2026-11-22 10:00 (UTC)"


def test_a_run_without_an_answer_may_still_be_alive() -> None:
    runs = OtherRuns(datetime(2026, 11, 23, tzinfo=UTC), None, Facts())
    open_claim, answered = (
        fold_records([CLAIM]),
        fold_records([replace(CLAIM, status="unknown", code="HTTP status 500")]),
    )
    assert runs.warn_of([answered]) == ""
    who = "claimed by run 01JD, since 2026-11-22 10:00 (UTC), which may still be alive on another machine"
    assert runs.warn_of([open_claim]).startswith(f"It was {who}")
    assert runs.warn_of([open_claim, answered]).startswith(f"1 of the 2 unknown were {who}")


def test_a_claim_from_the_future_is_not_being_sent() -> None:
    now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    seconds = (-121, -119, 0, 119, 121)
    claims = [replace(CLAIM, at=format_timestamp(now + timedelta(seconds=second))) for second in seconds]
    assert [is_live_claim(claim, now) for claim in claims] == [False, True, True, True, False]
