"""Quiet hours: whether a time is in them, and when they end. How many messages a contact gets within a time."""

from datetime import UTC, datetime, timedelta

import pytest

from runner.declare.sending_times import parse_quiet_hours
from runner.declare.settings import load_settings
from runner.errors import ProblemsFound

NIGHT = {"from": "20:00", "to": "08:00", "timezone": "Europe/Berlin"}
NOON = {"from": "12:00", "to": "13:30", "timezone": "UTC"}
ENVIRONMENTS = """\
frequency: {max: 1, per: 7d}
environments:
  trial: {frequency: {max: 10, per: 24h}}
"""


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        (NIGHT, "2026-11-28T18:59", None),  # 19:59 in Berlin
        (NIGHT, "2026-11-28T19:00", "2026-11-29T08:00+01:00"),
        (NIGHT, "2026-11-28T23:30", "2026-11-29T08:00+01:00"),  # it is the 29th in Berlin already
        (NIGHT, "2026-11-29T06:59", "2026-11-29T08:00+01:00"),
        (NIGHT, "2026-11-29T07:00", None),
        (NIGHT, "2026-07-01T18:00", "2026-07-02T08:00+02:00"),  # in summer 20:00 comes an hour earlier
        (NIGHT, "2026-03-28T23:00", "2026-03-29T08:00+02:00"),  # the night that the clocks change in
        (NOON, "2026-11-28T11:59", None),
        (NOON, "2026-11-28T12:00", "2026-11-28T13:30+00:00"),
        (NOON, "2026-11-28T13:30", None),
    ],
)
def test_a_time_is_quiet_by_the_clocks_of_the_zone(hours, now, end):
    found = parse_quiet_hours(hours).find_end(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert (found and found.isoformat(timespec="minutes")) == end


@pytest.mark.parametrize(
    ("hours", "code", "hint"),
    [
        ("{from: 20:00, to: 20:00, timezone: UTC}", "quiet-hours-form", "for example"),
        ("{from: 24:00, to: 08:00, timezone: UTC}", "quiet-hours-form", "hours and minutes"),
        ("{from: 20:00, to: 08:00, timezone: Europe/Berlni}", "unknown-timezone", "did you mean Europe/Berlin?"),
        ("{from: 20:00, to: 08:00, timezone: ../../etc/passwd}", "unknown-timezone", "for example Europe/Berlin"),
        ("{from: 20:00, to: 08:00, timezone: Europe}", "unknown-timezone", ""),
        ("{from: 20:00, to: 08:00, timezone: contact}", "unknown-timezone", "name it, for example Europe/Berlin"),
        ("{from: 20:00, to: 08:00}", "missing-key", ""),
    ],
)
def test_wrong_quiet_hours_are_a_problem(write, hours, code, hint):
    with pytest.raises(ProblemsFound) as raised:
        load_settings(write({"msgrun.yaml": f"quiet_hours: {hours}\n"}), None)
    (problem,) = raised.value.problems
    assert (problem.code, hint in problem.hint) == (code, True), problem


def test_times_need_no_quotes(write):
    text = "quiet_hours: {from: 20:00, to: 08:00, timezone: Europe/Berlin}\n"
    settings = load_settings(write({"msgrun.yaml": text}), None)
    assert str(settings.quiet_hours) == "20:00 to 08:00 (Europe/Berlin)"


def test_an_environment_may_have_a_frequency_of_its_own(write):
    tree = write({"msgrun.yaml": ENVIRONMENTS})
    frequency, trial = load_settings(tree, None).frequency, load_settings(tree, "trial").frequency
    assert (str(frequency), frequency.period) == ("1 message in 7 days", timedelta(days=7))
    assert (str(trial), trial.period) == ("10 messages in 24 hours", timedelta(hours=24))


@pytest.mark.parametrize(
    ("frequency", "code", "hint"),
    [
        ("{max: 0, per: 7d}", "frequency-form", "a number from 1 to 1000"),
        ("{max: many, per: 7d}", "wrong-type", ""),
        ("{max: 1, per: 0d}", "frequency-form", "7d or 24h"),
        ("{max: 1, per: 7}", "wrong-type", ""),
        ("{max: 1, per: 7w}", "frequency-form", "7d or 24h"),
        ("{max: 1}", "missing-key", ""),
    ],
)
def test_a_wrong_frequency_is_a_problem(write, frequency, code, hint):
    with pytest.raises(ProblemsFound) as raised:
        load_settings(write({"msgrun.yaml": f"frequency: {frequency}\n"}), None)
    (problem,) = raised.value.problems
    assert (problem.code, hint in problem.hint) == (code, True), problem
