"""What the headers of a few replies show: how much of the limit others use, and how far the clocks are apart."""

from email.utils import format_datetime

import pytest

from runner.intercom.probe import Probe, RateLimitView, parse_object
from runner.intercom.transport import NoReply, Reply
from tests.intercom.conftest import START


def limited(limit: object, remaining: object, reset: object = 100) -> Reply:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return Reply(200, {f"x-ratelimit-{name}": str(value) for name, value in values.items()}, b"{}")


def test_what_this_process_asked_is_not_counted_as_used_by_others(script, time):
    probe = Probe(script(limited(167, 150), limited(167, 148), limited(167, 160, 110)), time.clock)
    probe.ask("GET", "/me")
    assert probe.rate_limit == RateLimitView(167, 150, 100, 1)
    assert probe.rate_limit.used_by_others == 16
    probe.ask("GET", "/me")
    assert probe.rate_limit.used_by_others == 17
    probe.ask("GET", "/me")  # of the next window
    assert probe.rate_limit.used_by_others == 6


@pytest.mark.parametrize("value", ["", "-1", "nan", "1e9", "9" * 40, "²"])
def test_headers_of_another_form_are_no_limit(value, script, time):
    probe = Probe(script(limited(167, value)), time.clock)
    probe.ask("GET", "/me")
    assert probe.rate_limit is None


@pytest.mark.parametrize(("local", "difference"), [(0.0, 0.0), (0.9, 0.0), (1.5, 0.5), (61.0, 60.0), (-30.0, -30.0)])
def test_the_difference_of_the_clocks_allows_for_a_date_without_fractions(local, difference, script, time):
    time.seconds = local
    probe = Probe(script(Reply(200, {"date": format_datetime(START, usegmt=True)}, b"")), time.clock)
    probe.ask("GET", "/me")
    assert probe.clock_difference == pytest.approx(difference)


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Nov 2026 10:00:00 GMT"])
def test_without_a_date_no_difference_is_known(date, script, time):
    probe = Probe(script(Reply(200, {"date": date}, b""), NoReply("refused", has_sent_bytes=False)), time.clock)
    probe.ask("GET", "/me")
    probe.ask("GET", "/me")
    assert probe.clock_difference is None


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"1"])
def test_only_a_json_object_of_a_success_is_one(body):
    assert parse_object(Reply(200, {}, body)) is None
    assert parse_object(Reply(403, {}, b"{}")) is None
    assert parse_object(NoReply("refused", has_sent_bytes=False)) is None
    assert parse_object(Reply(200, {}, b'{"a":1}')) == {"a": 1}
