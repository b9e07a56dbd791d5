"""What other runs are sending is said with the first of them, and waited for no longer than it takes."""

import re
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from runner.cli import other_runs
from runner.cli.other_runs import OtherRuns, OtherRunsSummary, wait_for_other_runs
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


KEYS = [f"{number:032x}" for number in range(6)]


@dataclass
class Others:
    """A ledger with other runs: what they send at each look, and what is known when they have ended."""

    looks: list[Counter[str]]
    ends: list[Record]
    facts: Facts = field(default_factory=Facts)

    def other_runs(self, messages: list[str]) -> Counter[str]:
        assert messages == ["seed"]
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def refresh(self) -> None:
        for record in self.ends:
            self.facts.add(record)


class Said(list[str]):
    """A screen."""

    def note(self, text: str) -> None:
        self.append(f"note: {text}")

    def result(self, text: str) -> None:
        self.append(text)


def fact(key: str, status: str) -> Record:
    return Record(key=key, attempt="R1-1", status=status, message="seed", revision=1)  # type: ignore[arg-type]


def found(
    ledger: Others, said: Said, *, limit: int | None = None, until: float | None = None, stops: bool = False
) -> OtherRunsSummary:
    deliveries = [SimpleNamespace(key=key, action="send", reason="") for key in KEYS]
    plan: Any = SimpleNamespace(messages=[SimpleNamespace(name="seed", deliveries=deliveries)], limit=limit)
    screen: Any = said
    return wait_for_other_runs(screen, ledger, plan, until, lambda: stops)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(other_runs, "_PAUSES", (0.0, 0.0, 0.001))


def test_what_others_sent_is_counted_with_what_this_run_sent():
    said = Said()
    ledger = Others([Counter(one=6), Counter()], [fact(key, "sent") for key in KEYS])
    assert found(ledger, said) == OtherRunsSummary()
    assert said == ["6 of the plan sent, by all runs together"]


def test_who_takes_long_is_named_and_what_it_left_is_told():
    said = Said()
    looks = [Counter({"run 7": 6})] * 3 + [Counter()]
    statuses = ["sent", "sent", "sent", "claimed", "unknown", "released"]
    ledger = Others(looks, [fact(key, status) for key, status in zip(KEYS, statuses, strict=True)])
    assert found(ledger, said) == OtherRunsSummary(unknown=2, free=1)
    assert re.fullmatch(r"note: waiting \d min \d+ s at most for 6 that are being sent, by run 7", said[0])
    assert said[1] == "3 of the plan sent, by all runs together"
    assert "2 of the plan unknown: msgrun status lists them" in said[2]
    assert "1 of the plan given up by the run that had claimed them" in said[3]


def test_nobody_waits_beyond_a_deadline():
    said = Said()
    ledger = Others([Counter({"run 7": 4})], [fact(key, "sent") for key in KEYS[:2]])
    assert found(ledger, said, until=time.monotonic() + 0.05) == OtherRunsSummary(sending=4)
    assert "4 of the plan still being sent, by run 7" in said[-1]


def test_a_stop_file_ends_the_waiting():
    ledger = Others([Counter({"run 7": 4})], [fact(key, "sent") for key in KEYS[:2]])
    assert found(ledger, Said(), stops=True) == OtherRunsSummary(sending=4)


def test_with_a_limit_what_is_free_is_only_left():
    assert found(Others([Counter()], []), Said(), limit=3) == OtherRunsSummary()
