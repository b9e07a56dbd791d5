"""What apply says of deliveries that others were faster with, and how long it waits for them."""

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from runner.cli import run_report
from runner.cli.run_report import OtherRunsSummary, wait_for_other_runs
from runner.ledger.facts import Facts
from runner.ledger.record import Record

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
    monkeypatch.setattr(run_report, "_PAUSES", (0.0, 0.0, 0.001))


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
