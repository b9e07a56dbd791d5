"""Windows are strict, and aligned to the clock."""

from __future__ import annotations

from runner.sandbox.rate_limit import RateLimit


def test_a_window_ends_with_the_clocks_ten_seconds_not_with_the_first_calls():
    limit = RateLimit(2)
    assert [limit.count_call(at).is_exceeded for at in (108.0, 109.0, 109.9, 110.0, 111.0, 119.9)] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_reset_is_the_end_of_the_window():
    assert RateLimit(2).count_call(101.5).reset == 110


def test_a_late_call_does_not_reopen_the_window_before():
    limit = RateLimit(1)
    limit.count_call(110.0)
    assert limit.count_call(109.999).is_exceeded
    assert limit.count_call(111.0).is_exceeded
