"""Several paces that share a budget, against a simulated server with strict windows; the budget's row is a model."""

import contextlib
import heapq
import threading
import time as real_time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.clock import Clock
from runner.errors import LedgerUnavailable
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.rate_permits import PERMIT_INTERVAL, background_permits
from runner.ledger.rate_budget import PermitRequest
from tests.intercom.test_rate_limit import Server, Time
from tests.support.laws import costly

TICK = 0.05


class Row:
    """What the database does, without one: a row a window."""

    def __init__(self) -> None:
        self.rows: dict[int | None, list[int]] = {}

    def draw(self, asked: PermitRequest) -> int:
        row = self.rows.setdefault(asked.reset, [asked.allowed_at_start, asked.allowed_at_start, 0])
        row[0] -= asked.returned
        row[1] = min(row[0], row[1] + asked.responses)
        row[2] = max(row[2], asked.used)
        left = (asked.limit or 10**9) - row[2] - (row[0] - row[1])
        granted = max(0, min(asked.wanted, asked.allowed_by_now - row[0], left))
        row[0] += granted
        return granted


def no_answer(_: PermitRequest) -> int:
    raise LedgerUnavailable("away")


def simulate(
    server: Server,
    paces: list[RateLimiter],
    time: Time,
    seconds: float,
    draw: Callable[[PermitRequest], int],
    kill_every: float = 0,
) -> None:
    """Every pace starts what it may; each draws twice as often as it dies, if it does: then another takes its place."""
    flying: list[tuple[float, int, int, dict[str, str], bool]] = []
    number, end, next_kill, share = 0, time.seconds + seconds, time.seconds + kill_every, paces[0]._share
    while time.seconds < end:
        while flying and flying[0][0] <= time.seconds:
            _, _, at, headers, fits = heapq.heappop(flying)
            paces[at].learn(headers)
            if not fits:
                paces[at].pause(headers)
        if kill_every and time.seconds > next_kill:
            next_kill += kill_every
            victim = number % len(paces)
            flying = [one for one in flying if one[2] != victim]
            heapq.heapify(flying)
            paces[victim] = RateLimiter(time.clock, share, None)
        for at, pace in enumerate(paces):
            if round(time.seconds / TICK) % round(PERMIT_INTERVAL / TICK) == at % 2:
                with contextlib.suppress(LedgerUnavailable):
                    pace.request_permits(draw)
            for _ in range(pace.acquire(64)):
                fits, headers = server.ask(time.seconds - 1000 + 0.05)
                number += 1
                heapq.heappush(flying, (time.seconds + 0.1, number, at, headers, fits))
        time.sleep(TICK)


def used(server: Server) -> float:
    """The part of the limit that was used in whole windows."""
    whole = sorted(server.accepted)[1:-1]
    return sum(server.accepted[window] for window in whole) / (server.limit * len(whole))


@costly(0.05)
@given(skew=st.floats(-3600, 3600), limit=st.sampled_from([167, 1666]), many=st.integers(2, 6))
def test_many_use_a_limit_together_without_a_429(skew, limit, many):
    time = Time()
    server = Server(limit, skew)
    simulate(server, [RateLimiter(time.clock, 1.0, None) for _ in range(many)], time, 90, Row().draw)
    assert used(server) >= 0.97
    assert server.refused <= 0.001 * limit * 9


@costly(0.05)
@given(skew=st.floats(-3600, 3600), kill_every=st.floats(2.5, 5))
def test_whoever_dies_takes_little_of_the_budget_along(skew, kill_every):
    time = Time()
    server = Server(1666, skew)
    simulate(server, [RateLimiter(time.clock, 1.0, None) for _ in range(4)], time, 90, Row().draw, kill_every)
    assert used(server) >= 0.95
    assert server.refused <= 0.01 * 1666 * 9


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_many_keep_to_a_share_of_the_limit_together(share):
    time = Time()
    server = Server(1666, 0.5)
    simulate(server, [RateLimiter(time.clock, share, None) for _ in range(4)], time, 60, Row().draw)
    assert max(server.accepted.values()) <= 1666 * share + 4  # one each before the first draw
    assert used(server) >= 0.97 * share


def test_what_others_than_runs_took_is_left_to_them():
    time = Time()
    server = Server(1666, 0.5, others=800)
    simulate(server, [RateLimiter(time.clock, 1.0, None) for _ in range(4)], time, 60, Row().draw)
    assert used(server) >= 0.9 * (1666 - 800) / 1666
    assert server.refused <= 0.01 * 866 * 6


def test_without_answers_everybody_goes_by_the_headers():
    time = Time()
    server = Server(1666, 0.5)
    simulate(server, [RateLimiter(time.clock, 1.0, None) for _ in range(4)], time, 60, no_answer)
    assert used(server) >= 0.95


def test_a_budget_that_falls_silent_holds_nobody_back_for_longer_than_a_second():
    time = Time()
    server, row, pace = Server(1666, 0.5), Row(), RateLimiter(time.clock, 1.0, None)
    simulate(server, [pace], time, 12, row.draw)
    began = time.seconds
    while not pace.acquire(1):
        time.sleep(TICK)
    while pace.acquire(1):  # what was drawn is used up
        pass
    while not pace.acquire(1):
        time.sleep(TICK)
    assert time.seconds - began <= 1.5


def test_what_was_started_without_a_permit_is_told_with_the_next_question():
    time = Time()
    pace, row = RateLimiter(time.clock, 1.0, None), Row()
    pace.learn(Server(1666, 0.5).ask(0)[1])
    time.sleep(5)
    started = pace.acquire(64)
    assert started > 0
    asked: list[PermitRequest] = []
    pace.request_permits(lambda draw: asked.append(draw) or row.draw(draw))
    assert asked[0].returned == -started
    assert row.rows[asked[0].reset][0] - asked[0].allowed_at_start >= started


def test_where_no_limit_is_known_nothing_is_asked():
    pace = RateLimiter(Time().clock, 0.8, None)
    pace.learn({})
    pace.request_permits(no_answer)
    assert pace.acquire(100) == 100


def test_without_headers_a_maximum_of_ones_own_is_shared_in_windows_without_a_name():
    pace = RateLimiter(Time().clock, 0.8, 20)
    pace.learn({})
    asked: list[PermitRequest] = []
    pace.request_permits(lambda draw: asked.append(draw) or 3)
    assert (asked[0].reset, asked[0].budget, asked[0].limit) == (None, 20, None)
    assert pace.acquire(100) <= 3


def test_permits_are_drawn_as_long_as_a_run_lasts_and_failures_between_are_survived():
    pace = RateLimiter(Clock(lambda: datetime.now(UTC), real_time.monotonic, real_time.sleep), 1.0, 50)
    pace.learn({})
    asked = threading.Semaphore(0)

    def draw(_: PermitRequest) -> int:
        asked.release()
        if pace._permits._answered_at > 0 and asked._value % 2:
            raise LedgerUnavailable("away")
        return 1

    with background_permits(pace, draw):
        for _ in range(4):
            assert asked.acquire(timeout=5)
    assert not any(thread.name == "permits" for thread in threading.enumerate())


def test_a_budget_that_cannot_be_asked_at_all_is_told():
    pace = RateLimiter(Time().clock, 0.8, 20)
    with pytest.raises(LedgerUnavailable), background_permits(pace, no_answer):
        pass
