"""The states of an attempt: what waited longest starts first, and all that are not posting can be given up."""

from typing import Any

from runner.deliver.attempt import ActiveAttempts, Attempt
from runner.ledger.record import Record


def attempt(number: int) -> Attempt:
    declaration: Any = None
    return Attempt(Record(key=f"k{number}", attempt=f"R-{number}", status="claimed"), {}, declaration, ())


def ids(attempts: Any) -> list[str]:
    return [one.id for one in attempts]


def test_claimed_attempts_start_in_their_order_and_no_more_than_may():
    attempts = ActiveAttempts()
    attempts.add_claimed(map(attempt, range(3)))
    assert attempts.startable(0.0) == 3
    assert ids(attempts.start(2, 0.0)) == ["R-0", "R-1"]
    assert (ids(attempts.start(2, 0.0)), attempts.startable(0.0), len(attempts)) == (["R-2"], 0, 3)


def test_an_attempt_that_waits_starts_again_before_others_once_its_time_has_come():
    attempts = ActiveAttempts()
    attempts.add_claimed(map(attempt, range(4)))
    first, second = attempts.start(2, 0.0)
    attempts.wait(first, 5.0)
    attempts.wait(second, 5.0)
    assert (attempts.startable(4.9), attempts.startable(5.0)) == (2, 4)
    assert ids(attempts.start(1, 4.9)) == ["R-2"]
    assert ids(attempts.start(9, 5.0)) == ["R-0", "R-1", "R-3"]


def test_what_is_not_posting_is_given_up_at_once_and_the_rest_stays_open():
    attempts = ActiveAttempts()
    attempts.add_claimed(map(attempt, range(3)))
    posting, waiting = attempts.start(2, 0.0)
    attempts.wait(waiting, 9.0)
    assert ids(attempts.remove_unstarted()) == ["R-1", "R-2"]
    assert ids(attempts) == [posting.id]
    attempts.end(posting)
    assert not attempts


def test_a_claim_that_others_settled_is_never_posted_again_in_whatever_state_it_is():
    attempts = ActiveAttempts()
    attempts.add_claimed(map(attempt, range(5)))
    posting, waiting, other = attempts.start(3, 0.0)
    attempts.wait(waiting, 1.0)
    attempts.wait(other, 2.0)
    assert sorted(ids(attempts.remove_revoked({"R-0", "R-1", "R-4"}))) == ["R-1", "R-4"]
    assert not attempts.may_retry(posting)
    assert ids(attempts.start(9, 5.0)) == ["R-2", "R-3"]
    assert attempts.may_retry(other)
