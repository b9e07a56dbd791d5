"""Quiet hours: whether a time is in them, and when they end."""

from datetime import UTC, datetime

import pytest

from runner.declare.quiet_hours import parse_quiet_hours
from runner.declare.settings import load_settings
from runner.errors import ProblemsFound

NIGHT = {"from": "20:00", "to": "08:00", "timezone": "Europe/Berlin"}
NOON = {"from": "12:00", "to": "13:30", "timezone": "UTC"}


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
