"""Claims are durable before a POST: at once, or a batch ahead, of which no more is open than may be left unknown."""

from collections import deque
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.clock import Clock
from runner.deliver.attempt import Attempt
from runner.deliver.claims import BackgroundClaims, InlineClaims, WriteResult
from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.record import Record

CLOCK = Clock(now=lambda: datetime.now(UTC), monotonic=lambda: 0.0, sleep=lambda _: None)


class Source:
    """Attempts R-0, R-1 and so on, as `AttemptSource` gives them."""

    def __init__(self, count: int = 1000) -> None:
        claims = [Record(key=f"k{number}", attempt=f"R-{number}", status="claimed") for number in range(count)]
        self.left: deque[Any] = deque(Attempt(claim, {}, None, ()) for claim in claims)

    def take(self, limit: int) -> tuple[list[Any], list[Record]]:
        return [self.left.popleft() for _ in range(min(limit, len(self.left)))], []


@dataclass
class SharedRecords:
    """A ledger in which others have some keys."""

    max_batch: int = 20
    others: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)  # attempts that others settled
    error: Exception | None = None
    written: list[Record] = field(default_factory=list)
    limited: set[str] = field(default_factory=set)  # of all claims
    has_valid_claims: bool = True

    def commit(
        self, outcomes: list[Record], claims: list[Record], limited: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        self.limited |= limited
        if self.error:
            raise self.error
        lost = {claim.attempt for claim in claims if claim.key in self.others}
        self.written += [*outcomes, *(claim for claim in claims if claim.attempt not in lost)]
        return frozenset(lost | self.settled)


def ids(attempts: Any) -> list[str]:
    return [attempt.id for attempt in attempts]


def outcome(attempt: Attempt, status: Any = "sent") -> Record:
    return replace(attempt.claim, status=status)


def written(writer: BackgroundClaims) -> WriteResult:
    """The result of the write that is under way, or of one that begins now. The next one may begin at once."""
    if not writer.is_writing:
        assert writer.write(0, is_urgent=True) == WriteResult()
    result = WriteResult()
    while result == WriteResult():
        assert writer.is_writing
        result = writer.write(0, is_urgent=False)
    return result


def test_outcomes_and_claims_are_one_write_and_only_what_may_start_is_claimed():
    ledger, source = SharedRecords(), Source()
    writer = InlineClaims(ledger, source, CLOCK)
    first = writer.write(2, is_urgent=False)
    writer.outcomes.append(outcome(first.claimed[0]))
    second = writer.write(1, is_urgent=False)
    assert (ids(first.claimed), ids(second.claimed)) == (["R-0", "R-1"], ["R-2"])
    assert [record.status for record in second.records] == ["sent", "claimed"]
    assert writer.outcomes == []
    assert writer.write(0, is_urgent=False) == WriteResult()


def test_after_a_write_that_failed_nothing_is_claimed_and_outcomes_are_kept():
    ledger, source = SharedRecords(), Source()
    writer = InlineClaims(ledger, source, CLOCK)
    (attempt,) = writer.write(1, is_urgent=False).claimed
    writer.outcomes.append(outcome(attempt))
    ledger.error = LedgerUnavailable("the disk is full")
    result = writer.write(1, is_urgent=False)
    assert (result.claimed, result.uncertain, writer.is_failing, len(writer.outcomes)) == ((), (), True, 1)
    ledger.error = ClaimsUncertain("the disk is failing")
    assert ids(writer.write(1, is_urgent=False).uncertain) == ["R-2"]
    ledger.error = None
    assert len(writer.write(0, is_urgent=False).records) == 1
    assert (writer.is_failing, writer.outcomes) == (False, [])


@pytest.mark.parametrize(("fails", "left"), [(3, 0), (9, 1)])
def test_the_last_outcomes_are_tried_for_some_seconds(fails, left):
    ledger, slept = SharedRecords(error=LedgerUnavailable("away")), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        ledger.error = ledger.error if len(slept) < fails else None

    clock: Any = Clock(now=None, monotonic=None, sleep=sleep)  # type: ignore[arg-type]
    writer = InlineClaims(ledger, Source(), clock)
    writer.outcomes = [Record(key="k", attempt="R-1", status="sent")]
    assert (writer.write_last().error is None) == (left == 0)
    assert (len(writer.outcomes), slept) == (left, [1.0] * 3)


@pytest.mark.parametrize(("planned", "batch"), [(20_000, 100), (300, 30), (5, 10)])
def test_a_batch_is_no_larger_than_its_ledger_and_a_tenth_of_its_send_allow(planned, batch):
    writer = BackgroundClaims(SharedRecords(max_batch=100), Source(), planned)
    assert len(written(writer).claimed) == batch


def test_a_write_begins_when_a_quarter_of_the_batch_is_free_or_nothing_else_is_under_way():
    ledger, source = SharedRecords(), Source()
    writer = BackgroundClaims(ledger, source, 20_000)
    claimed = written(writer).claimed
    writer.outcomes = [outcome(attempt) for attempt in claimed[:4]]
    writer.write(9, is_urgent=False)
    assert not writer.is_writing
    writer.write(9, is_urgent=True)
    assert len(writer.wait().claimed) == 4
    writer.outcomes = [outcome(attempt) for attempt in claimed[4:9]]
    writer.write(9, is_urgent=False)
    assert len(writer.wait().claimed) == 5


def test_deliveries_that_others_claimed_are_lost_and_claims_that_others_settled_are_revoked():
    ledger, source = SharedRecords(others={"k1", "k2"}), Source()
    writer = BackgroundClaims(ledger, source, 40)
    result = written(writer)
    assert (result.lost, ids(result.claimed)) == (2, ["R-0", *(f"R-{number}" for number in range(3, 10))])
    assert [record.attempt for record in result.records] == ids(result.claimed)
    ledger.settled = {"R-0"}
    assert written(writer).revoked == {"R-0"}


def test_a_write_in_the_background_that_failed_leaves_nothing_open_and_keeps_its_outcomes():
    ledger, source = SharedRecords(), Source()
    writer = BackgroundClaims(ledger, source, 20_000)
    writer.outcomes = [outcome(attempt) for attempt in written(writer).claimed]
    ledger.error = ClaimsUncertain("away")
    result = written(writer)
    assert (len(result.uncertain), result.claimed, len(writer.outcomes)) == (20, (), 20)
    writer.write(9, is_urgent=True)
    assert (writer.is_writing, writer.is_failing) == (False, True)
    ledger.error = None
    assert len(writer.write_last().records) == 20


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), GuardRefused("a link", "remove it")])
def test_whatever_a_write_raises_ends_it_and_its_claims_may_be_durable(error):
    ledger, source = SharedRecords(error=error), Source()
    writer = BackgroundClaims(ledger, source, 20_000)
    result = written(writer)
    assert (len(result.uncertain), writer.is_writing, writer.is_failing) == (20, False, True)
    assert getattr(error, "strerror", None) or result.error.hint == "remove it"


def test_a_shared_ledger_knows_for_which_claims_frequency_holds():
    ledger, source = SharedRecords(), Source(3)
    source.left[1].is_limited = True
    written(BackgroundClaims(ledger, source, 3))
    assert ledger.limited == {"R-1"}


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=30), st.sets(st.integers(0, 200)))
def test_no_more_than_a_batch_is_ever_open_and_nothing_is_claimed_twice_or_left_out(rounds, others):
    """A runner that vanishes leaves a batch unknown at most."""
    ledger, source = SharedRecords(others={f"k{number}" for number in others}), Source(200)
    writer = BackgroundClaims(ledger, source, 2000)
    open_attempts: list[Any] = []
    lost = 0
    for count, is_urgent in [*rounds, *[(20, True)] * 40]:
        ended, open_attempts = open_attempts[:count], open_attempts[count:]
        writer.outcomes += map(outcome, ended)
        writer.write(0, is_urgent=is_urgent)
        result = writer.wait()
        open_attempts += result.claimed
        lost += result.lost
        records = ledger.written
        is_open = {record.attempt for record in records if record.status == "claimed"}
        assert len(is_open - {record.attempt for record in records if record.status == "sent"}) <= 20
    claimed = [record.attempt for record in ledger.written if record.status == "claimed"]
    assert (len(claimed), len(set(claimed))) == (200 - lost, 200 - lost)
    assert lost == len([number for number in others if number < 200])
    assert not source.left
