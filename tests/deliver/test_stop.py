"""A run that has to end starts nothing more, says the reason that counts, and waits no longer than somebody would."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runner.clock import Clock
from runner.declare.hold_file import Hold
from runner.declare.sending_times import parse_quiet_hours
from runner.declare.settings import AbortConditions
from runner.deliver.stop import DRAIN_TIMEOUT, StopConditions, StopController
from runner.deliver.summary import STOP_KINDS, ReportedDelivery, StopReason, Summary
from runner.ledger.record import Record

NIGHT = parse_quiet_hours({"from": "20:00", "to": "08:00", "timezone": "UTC"})
NEVER = StopConditions(lambda: 0, lambda: None)
RECORD = Record(key="a" * 32, attempt="r-1", status="refused", message="m", revision=1, to="id:1")


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.clock = Clock(lambda: datetime(2026, 11, 28, 23, tzinfo=UTC), lambda: self.seconds, lambda _: None)


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def summary():
    return Summary(planned=100)


def test_of_several_reasons_the_one_whose_exit_code_stands_highest_holds(summary, hand):
    for kind in ("later", "error", "ledger", "guard", "signal", "later"):
        before = summary.stop
        StopController(summary, NEVER, AbortConditions(), hand.clock).stop(StopReason(kind, kind))
        held = min(STOP_KINDS.index(kind), STOP_KINDS.index(before.kind) if before else len(STOP_KINDS))
        assert summary.stop.kind == STOP_KINDS[held]
    assert summary.stop.kind == "signal"


def test_who_wants_an_end_waits_less_than_a_request_may_take(summary, hand):
    stopping = StopController(summary, NEVER, AbortConditions(), hand.clock)
    stopping.stop(StopReason("error", "401"))
    hand.seconds += DRAIN_TIMEOUT + 1
    assert not stopping.is_drained
    stopping.stop(StopReason("signal", "stopped", signal=15))
    assert not stopping.is_drained
    hand.seconds += DRAIN_TIMEOUT
    assert stopping.is_drained


def test_a_later_reason_never_prolongs_the_wait(summary, hand):
    stopping = StopController(summary, NEVER, AbortConditions(), hand.clock)
    stopping.stop(StopReason("signal", "stopped", signal=2))
    hand.seconds += DRAIN_TIMEOUT - 1
    stopping.stop(StopReason("error", "401"))
    hand.seconds += 1
    assert stopping.is_drained
    assert summary.stop.kind == "signal"


def test_unknown_outcomes_in_a_row_stop_a_run_and_a_known_one_between_them_does_not(summary, hand):
    stopping = StopController(summary, NEVER, AbortConditions(unknown=3), hand.clock)
    for is_unknown in (True, True, False, True, True):
        stopping.record_outcome(is_unknown=is_unknown)
    assert summary.stop is None
    stopping.record_outcome(is_unknown=True)
    assert summary.stop.message == "3 unknown in a row"


@pytest.mark.parametrize(("planned", "message"), [(4, "2 unknown in a row, with 1 more under way"), (3, None)])
def test_a_limit_that_is_reached_when_all_are_tried_is_no_reason_to_stop(hand, planned, message):
    summary = Summary(planned=planned)
    stopping = StopController(summary, NEVER, AbortConditions(unknown=2), hand.clock)
    for _ in range(3):
        summary.count(ReportedDelivery(replace(RECORD, status="unknown"), ""))
        stopping.record_outcome(is_unknown=True)
    assert summary.stop is not None
    stopping.finish()
    assert (summary.stop and summary.stop.message) == message


@pytest.mark.parametrize("planned", [1, 2])
def test_a_deadline_after_all_were_tried_is_no_reason_to_stop(hand, planned):
    summary = Summary(planned=planned, sent=1)
    stopping = StopController(summary, StopConditions(lambda: 0, lambda: None, 100.0), AbortConditions(), hand.clock)
    stopping.check_conditions()
    stopping.finish()
    assert (summary.stop is None) == (planned == 1)


def test_a_share_of_refusals_stops_a_run_once_enough_were_tried(summary, hand):
    stopping = StopController(summary, NEVER, AbortConditions(refused=0.2, after=10), hand.clock)
    summary.sent = 7
    for _ in range(2):
        summary.count(ReportedDelivery(RECORD, ""))
        stopping.record_outcome(is_unknown=False)
    assert summary.stop is None
    summary.count(ReportedDelivery(RECORD, ""))
    stopping.record_outcome(is_unknown=False)
    assert summary.stop.message == "3 of 10 deliveries were refused"


@pytest.mark.parametrize(
    ("halt", "kind", "told"),
    [
        (StopConditions(lambda: 15, lambda: Hold("HOLD", ""), 0.0), "signal", "interrupted by SIGTERM"),
        (StopConditions(lambda: 0, lambda: Hold("HOLD", "x"), None, NIGHT), "later", "by the file HOLD: x"),
        (StopConditions(lambda: 0, lambda: Hold(".msgrun/stop", ""), 0.0, NIGHT), "later", "by the file .msgrun/stop"),
        (StopConditions(lambda: 0, lambda: None, 100.0), "later", "deadline"),
    ],
)
def test_what_halts_a_run_is_named(halt, kind, told, hand):
    reason = halt.stop_reason(hand.clock)
    assert reason.kind == kind
    assert told in reason.message


def test_quiet_hours_put_off_messages_and_do_not_stop_a_run(hand):
    conditions = StopConditions(lambda: 0, lambda: None, quiet_hours=NIGHT)
    assert conditions.stop_reason(hand.clock) is None
    reason = conditions.quiet_reason(hand.clock)
    assert (reason.kind, reason.message) == ("later", "quiet hours until 2026-11-29 08:00 (UTC)")


def test_before_its_deadline_a_run_goes_on(hand):
    assert StopConditions(lambda: 0, lambda: None, 100.1).stop_reason(hand.clock) is None
