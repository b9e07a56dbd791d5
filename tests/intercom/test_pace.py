"""The pace follows Intercom's own headers, and no header, however broken, stops or overruns it."""

import email.utils
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.intercom.pace import WINDOW, Clock, Pace


def headers(time, *, limit=10, remaining=9, reset=10.0):
    now = time.clock.now()
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(now.timestamp() + reset),
        "date": email.utils.format_datetime(now, usegmt=True),
    }


def test_nothing_is_held_back_before_a_limit_is_known(time):
    pace = Pace(time.clock, 0.8, None)
    for _ in range(100):
        pace.wait()
    assert time.slept == []


def test_a_share_of_the_limit_is_used_in_a_window(time):
    pace = Pace(time.clock, 0.8, None)
    for number in range(1, 9):
        pace.wait()
        pace.learn(headers(time, remaining=10 - number))
    assert time.slept == []
    pace.wait()
    assert time.slept == [10.0]


def test_a_maximum_of_ones_own_holds_without_any_header(time):
    pace = Pace(time.clock, 1.0, 3)
    for _ in range(7):
        pace.wait()
    assert time.slept == [WINDOW, WINDOW]


def test_the_smaller_of_share_and_maximum_counts(time):
    pace = Pace(time.clock, 1.0, 3)
    pace.learn(headers(time, limit=1000, remaining=999))
    for _ in range(4):
        pace.wait()
    assert len(time.slept) == 1


def test_what_others_took_from_the_window_is_left_to_them(time):
    pace = Pace(time.clock, 1.0, None)
    pace.wait()
    pace.learn(headers(time, remaining=0, reset=4))
    pace.wait()
    assert time.slept == [4.0]


def test_a_window_ends_when_the_server_says_so(time):
    pace = Pace(time.clock, 1.0, None)
    pace.wait()
    pace.learn(headers(time, limit=1, remaining=0, reset=2))
    time.seconds = 2.5
    pace.wait()
    assert time.slept == []


def test_the_reset_is_read_by_the_servers_own_clock(time):
    ahead = headers(time, limit=1, remaining=0, reset=3)
    later = time.clock.now() + timedelta(hours=5)
    ahead["date"] = email.utils.format_datetime(later, usegmt=True)
    ahead["x-ratelimit-reset"] = str(later.timestamp() + 3)
    pace = Pace(time.clock, 1.0, None)
    pace.learn(ahead)
    pace.wait()
    assert time.slept == [3.0]


def test_a_tiny_limit_still_lets_one_request_through(time):
    pace = Pace(time.clock, 0.1, None)
    pace.learn(headers(time, limit=1, remaining=1))
    pace.wait()
    assert time.slept == []


@pytest.mark.parametrize(
    ("told", "pause"),
    [
        ({"x-ratelimit-reset": 4}, 4.0),
        ({"retry-after": "7"}, 7.0),
        ({"x-ratelimit-reset": 4, "retry-after": "7"}, 7.0),
        ({}, WINDOW),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:05 GMT"}, 5.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:05 GMT", "date": "Sun, 22 Nov 2026 10:00:02 GMT"}, 3.0),
        ({"retry-after": "soon"}, WINDOW),
        ({"retry-after": "-1"}, WINDOW),
        ({"retry-after": "99999"}, WINDOW),
        ({"x-ratelimit-reset": -30}, WINDOW),
    ],
)
def test_after_a_429_everybody_waits_for_the_window(told, pause, time):
    if "x-ratelimit-reset" in told:
        told = {**told, "x-ratelimit-reset": str(time.clock.now().timestamp() + told["x-ratelimit-reset"])}
    Pace(time.clock, 1.0, None).throttled(told)
    assert time.slept == [pause]


BROKEN = st.one_of(
    st.sampled_from(["nan", "inf", "-inf", "1e400", "-5", "0", "", " ", "0x10", "Mon, 99 Foo 2026 99:99:99 GMT"]),
    st.sampled_from(["Sun, 22 Nov 2026 10:00:00 +9999", "Sun, 22 Nov 0000 10:00:00 GMT", "167", "1764000000"]),
    st.text(max_size=10),
)
NAMES = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after", "date"]


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), BROKEN), max_size=5))
def test_no_header_breaks_the_pace_or_stops_it_for_long(found):
    slept: list[float] = []
    from datetime import UTC, datetime  # noqa: PLC0415

    clock = Clock(lambda: datetime(2026, 11, 22, 10, tzinfo=UTC), lambda: sum(slept), slept.append)
    pace = Pace(clock, 0.8, None)
    for told in found:
        pace.wait()
        pace.learn(told)
        pace.throttled(told)
    pace.wait()
    assert all(0 <= pause <= 300 for pause in slept)
