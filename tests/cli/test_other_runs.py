"""What other runs are sending is said with the first of them, however many the ledger names."""

from dataclasses import replace
from datetime import UTC, datetime

from runner.cli.other_runs import OtherRuns
from runner.ledger.record import Record

CLAIM = Record("5c" * 16, "01JD-1", "claimed", "a", 1, at="2026-11-22T10:00:00Z")


def test_of_many_runs_three_are_named_and_long_names_are_cut() -> None:
    runs = OtherRuns(datetime(2026, 11, 22, 10, 0, tzinfo=UTC), None)
    claims = [replace(CLAIM, attempt=f"{number:05}{'x' * 1000}-1") for number in range(10_000)]
    said = runs.describe(claims)
    assert said.count("; ") == 3
    assert said.endswith("; 9,997 more")
    assert len(said) < 700
    assert runs.describe([CLAIM]) == "run 01JD, since 2026-11-22 10:00 (UTC)"
