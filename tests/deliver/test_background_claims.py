"""How many deliveries are claimed ahead: as few as keep the threads busy, and none that others have already."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from runner.deliver.background_claims import BackgroundClaims
from runner.deliver.post import Attempt
from runner.errors import LedgerUnavailable
from runner.ledger.record import Record


@dataclass
class Shared:
    """A ledger in which others have some keys; `told` of them are known before a claim."""

    max_batch: int = 100
    min_batch: int = 10
    others: set[str] = field(default_factory=set)
    is_away: bool = False
    claimed: list[str] = field(default_factory=list)

    def claimed_by_others(self, keys: list[str]) -> frozenset[str]:
        return frozenset(self.others.intersection(keys))

    def commit(self, *records: Record) -> frozenset[str]:
        if self.is_away:
            raise LedgerUnavailable("away")
        claims = [record for record in records if record.status == "claimed"]
        self.claimed += [claim.key for claim in claims if claim.key not in self.others]
        return frozenset(claim.attempt for claim in claims if claim.key in self.others)


def flights(first: int, count: int) -> list[Attempt]:
    made: Any = [Record(key=f"k{number}", attempt=f"R-{number}", status="claimed") for number in range(first, 9999)]
    return [Attempt(claim, {}, None, ()) for claim in made[:count]]


def written(ahead: BackgroundClaims, outcomes: list[Record], some: list[Attempt]) -> Any:
    ahead.start_write(outcomes, some)
    done = ahead.poll(5.0)
    assert done is not None
    return done


def test_a_batch_grows_while_deliveries_wait_for_claims_and_shrinks_while_claims_wait():
    ahead = BackgroundClaims(Shared(), 20_000)
    sizes = [ahead.capacity([])]
    for is_short in (True, True, True, False, False, False, False, False):
        ahead.observe_round(0 if is_short else 8, is_starved=is_short)
        ahead.resize_batch()
        sizes.append(ahead.capacity([]))
    assert sizes == [10, 15, 22, 33, 29, 25, 21, 17, 13]


@pytest.mark.parametrize(("planned", "largest"), [(20_000, 100), (300, 30), (5, 10)])
def test_a_batch_is_never_larger_than_its_ledger_and_its_send_allow(planned, largest):
    ahead = BackgroundClaims(Shared(), planned)
    for _ in range(20):
        ahead.observe_round(0, is_starved=True)
        ahead.resize_batch()
    assert ahead.capacity([]) == largest


def test_where_a_write_is_dear_a_batch_stays_whole():
    ahead = BackgroundClaims(Shared(min_batch=100), 20_000)
    ahead.observe_round(90, is_starved=False)
    ahead.resize_batch()
    assert ahead.capacity([]) == 100


def test_whoever_is_behind_looks_further_and_claims_no_more_than_a_batch():
    ledger = Shared(others={f"k{number}" for number in range(60)})
    ahead = BackgroundClaims(ledger, 20_000)
    assert ahead.lookahead([]) == 10
    done = written(ahead, [], flights(0, 10))
    assert len(done.lost) == 10
    assert (ahead.capacity([]), ahead.lookahead([])) == (10, 100)
    done = written(ahead, [], flights(10, 100))
    assert ledger.claimed == [f"k{number}" for number in range(60, 70)]
    assert [flight.claim.key for flight in done.unclaimed] == [f"k{number}" for number in range(70, 110)]
    assert {flight.claim.key for flight in done.attempts if flight.claim.attempt not in done.lost} == set(
        ledger.claimed
    )
    assert ahead.capacity([]) == 0


def test_a_write_that_failed_leaves_nothing_open():
    ahead = BackgroundClaims(Shared(is_away=True), 20_000)
    assert written(ahead, [], flights(0, 10)).error
    assert ahead.capacity([]) == 10
