"""The pace against a simulated server with strict windows, whose clock is not ours, and against broken headers."""

import email.utils
import heapq
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.clock import Clock
from runner.intercom.rate_limit import UNLIMITED, WINDOW, RateLimiter
from tests.support.laws import costly

START = datetime(2026, 11, 22, 10, 0, 3, tzinfo=UTC)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.clock = Clock(lambda: START + timedelta(seconds=self.seconds - 1000), lambda: self.seconds, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Server:
    """Counts requests in windows of ten seconds by its own clock, and answers with the documented headers."""

    def __init__(self, limit: int, skew: float, others: int = 0) -> None:
        self.limit, self.skew, self.others = limit, skew, others
        self.windows: Counter[int] = Counter()
        self.accepted: Counter[int] = Counter()
        self.refused = 0

    def ask(self, at: float) -> tuple[bool, dict[str, str]]:
        now = START.timestamp() + at + self.skew
        window = int(now // WINDOW)
        if window not in self.windows:
            self.windows[window] = self.others
        self.windows[window] += 1
        fits = self.windows[window] <= self.limit
        self.accepted[window] += fits
        self.refused += not fits
        return fits, {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(0, self.limit - self.windows[window])),
            "x-ratelimit-reset": str(int((window + 1) * WINDOW)),
            "date": email.utils.formatdate(int(now), usegmt=True),
        }


def simulate(server: Server, pace: RateLimiter, time: Time, seconds: float, latency: float = 0.15) -> None:
    """Starts whatever may start every 50 ms; a request reaches the server after half the latency."""
    flying: list[tuple[float, int, dict[str, str], bool]] = []
    number = 0
    end = time.seconds + seconds
    while time.seconds < end:
        while flying and flying[0][0] <= time.seconds:
            _, _, headers, fits = heapq.heappop(flying)
            pace.learn(headers)
            if fits:
                pace.note_success()
            else:
                pace.pause(headers)
        for _ in range(pace.acquire(200)):
            fits, headers = server.ask(time.seconds - 1000 + latency / 2)
            number += 1
            heapq.heappush(flying, (time.seconds + latency, number, headers, fits))
        time.sleep(0.05)


@costly(0.1)
@given(skew=st.floats(-3600, 3600), limit=st.sampled_from([17, 167, 1666]))
def test_a_strict_limit_is_used_to_99_percent_without_a_429(skew, limit):
    time = Time()
    server, pace = Server(limit, skew), RateLimiter(time.clock, 1.0, None)
    simulate(server, pace, time, 120)
    whole = sorted(server.accepted)[1:-1]
    assert sum(server.accepted[window] for window in whole) >= 0.99 * limit * len(whole)
    assert server.refused == 0


@costly(0.1)
@given(skew=st.floats(-10, 10), share=st.sampled_from([0.1, 0.5, 0.8]))
def test_a_share_of_the_limit_is_used_in_a_window(skew, share):
    time = Time()
    server, pace = Server(167, skew), RateLimiter(time.clock, share, None)
    simulate(server, pace, time, 60)
    # Where the first answer comes after the end of its window, up to two more are started before the next is known.
    assert max(server.accepted.values()) <= 167 * share + 3
    whole = sorted(server.accepted)[1:-1]
    assert sum(server.accepted[window] for window in whole) >= 0.95 * int(167 * share) * len(whole)


@costly(0.1)
@given(skew=st.floats(-10, 10), others=st.integers(0, 160))
def test_what_others_took_from_the_window_is_left_to_them(skew, others):
    time = Time()
    server, pace = Server(167, skew, others), RateLimiter(time.clock, 1.0, None)
    simulate(server, pace, time, 60)
    assert server.refused <= 6  # a window may begin before we hear what others took in it
    whole = sorted(server.accepted)[1:-1]
    # Of a small rest two may stay unused: other runs could have as many on their way.
    assert sum(server.accepted[window] for window in whole) >= (0.9 * (167 - others) - 2) * len(whole)


def simulate_many(server: Server, paces: list[RateLimiter], time: Time, seconds: float, kill_every: float) -> None:
    """Several runs, which know of each other only by the headers. Every `kill_every` seconds a new one replaces one."""
    flying: list[tuple[float, int, RateLimiter, dict[str, str], bool]] = []
    number, end, next_kill, share = 0, time.seconds + seconds, time.seconds + kill_every, paces[0]._share
    while time.seconds < end:
        while flying and flying[0][0] <= time.seconds:
            _, _, pace, headers, fits = heapq.heappop(flying)
            pace.learn(headers)
            if not fits:
                pace.pause(headers)
        if kill_every and time.seconds > next_kill:
            next_kill += kill_every
            paces[number % len(paces)] = RateLimiter(time.clock, share, None)
        for pace in paces:
            for _ in range(pace.acquire(64)):
                latency = 0.1 + 0.01 * (number % 13)
                fits, headers = server.ask(time.seconds - 1000 + latency / 2)
                number += 1
                heapq.heappush(flying, (time.seconds + latency, number, pace, headers, fits))
        time.sleep(0.01)


@costly(0.03)
@given(
    skew=st.floats(-3600, 3600),
    many=st.integers(2, 4),
    share=st.sampled_from([0.5, 0.8, 1.0]),
    kill_every=st.sampled_from([0.0, 3.0]),
)
def test_several_runs_that_know_only_the_headers_share_a_limit(skew, many, share, kill_every):
    time = Time()
    server = Server(1666, skew)
    simulate_many(server, [RateLimiter(time.clock, share, None) for _ in range(many)], time, 60, kill_every)
    whole = sorted(server.accepted)[1:-1]
    assert sum(server.accepted[window] for window in whole) >= 0.95 * 1666 * share * len(whole)
    assert max(server.windows.values()) <= 1.03 * 1666 * share
    assert server.refused <= 0.02 * sum(server.windows.values())


def test_a_run_does_not_stand_still_where_others_use_more_than_the_share():
    time = Time()
    server, pace = Server(1666, 0.0, others=1500), RateLimiter(time.clock, 0.5, None)
    simulate(server, pace, time, 60)
    assert server.refused == 0
    assert all(server.accepted[window] >= 5 for window in sorted(server.accepted)[1:-1])


def test_a_limit_that_changes_is_followed():
    time = Time()
    server, pace = Server(1666, 0.0), RateLimiter(time.clock, 1.0, None)
    simulate(server, pace, time, 20)
    server.limit = 167
    simulate(server, pace, time, 40)
    assert all(server.accepted[window] <= 167 for window in sorted(server.accepted)[-3:])


def test_the_servers_clock_may_jump():
    time = Time()
    server, pace = Server(167, 0.0), RateLimiter(time.clock, 1.0, None)
    simulate(server, pace, time, 25)
    server.skew = -3600.0
    simulate(server, pace, time, 60)
    assert server.refused <= 167
    assert server.accepted[max(server.accepted) - 1] >= 160


def test_a_maximum_of_ones_own_holds_without_any_header():
    time = Time()
    pace = RateLimiter(time.clock, 1.0, 20)
    pace.learn({})
    started = []
    for _ in range(600):
        started += [time.seconds] * pace.acquire(100)
        time.sleep(0.05)
    assert 55 <= len(started) <= 60
    assert all(sum(begin <= at < begin + 9 for at in started) <= 22 for begin in started)


def test_without_headers_and_a_maximum_nothing_holds_back():
    pace = RateLimiter(Time().clock, 0.8, None)
    pace.learn({})
    assert pace.acquire(UNLIMITED) == UNLIMITED


def test_before_the_first_answer_only_one_request_starts():
    pace = RateLimiter(Time().clock, 0.8, None)
    assert [pace.acquire(10), pace.acquire(10)] == [1, 0]


def test_what_did_not_start_is_given_back():
    time = Time()
    pace = RateLimiter(time.clock, 1.0, 20)
    pace.learn({})
    taken = pace.acquire(5)
    pace.give_back(taken)
    assert pace.acquire(5) == taken


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 10.0),
        ({"retry-after": "4"}, 4.0),
        ({"retry-after": "-4"}, 10.0),
        ({"retry-after": "99999"}, 10.0),
        ({"retry-after": "soon"}, 10.0),
        ({"x-ratelimit-reset": "1795341610", "date": "Sun, 22 Nov 2026 10:00:03 GMT"}, 7.0),
        ({"x-ratelimit-reset": "1795341610"}, 7.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:08 GMT", "date": "Sun, 22 Nov 2026 10:00:03 GMT"}, 5.0),
        ({"x-ratelimit-reset": "nan", "retry-after": "inf"}, 10.0),
    ],
)
def test_after_a_429_everybody_waits_for_the_window(headers, seconds):
    time = Time()
    pace = RateLimiter(time.clock, 1.0, None)
    pace.pause(headers)
    assert pace.pause_left == pytest.approx(seconds, abs=0.1)
    assert pace.acquire(1) == 0
    pace.wait()
    assert time.seconds - 1000 == pytest.approx(seconds, abs=0.1)
    assert pace.pause_left == 0


def test_windows_lost_are_counted_not_answers_and_a_send_ends_the_count():
    time = Time()
    pace = RateLimiter(time.clock, 1.0, None)
    for _ in range(5):
        pace.pause({})
    assert pace.throttled_windows == 1
    time.sleep(11)
    pace.pause({})
    assert pace.throttled_windows == 2
    pace.note_success()
    assert pace.throttled_windows == 0


@pytest.mark.parametrize(("limit", "tight"), [("167", True), ("1666", True), ("1000000", False)])
def test_a_limit_that_threads_could_reach_is_tight(limit, tight):
    pace = RateLimiter(Time().clock, 1.0, None)
    assert (pace.has_low_limit, pace.per_second) == (False, None)
    pace.learn({"x-ratelimit-limit": limit})
    assert (pace.has_low_limit, pace.per_second) == (tight, int(limit) / 10)


WORDS = st.one_of(st.text(max_size=20), st.integers(-(10**12), 10**12).map(str), st.sampled_from(["nan", "inf", "-0"]))


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after", "date"]),
            WORDS,
        ),
        max_size=6,
    )
)
def test_no_header_breaks_the_pace_or_stops_it_for_long(answers):
    time = Time()
    pace = RateLimiter(time.clock, 0.8, None)
    for headers in answers:
        pace.learn(headers)
        pace.pause(headers)
    pace.wait()
    assert time.seconds - 1000 <= 330
