"""When a contact is sent to: not in the quiet hours of the day, and not too often within a time."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple

UNKNOWN_ZONE = (KeyError, ValueError, OSError)  # what zoneinfo raises for a name that is not a time zone
_UNITS = {"h": "hour", "d": "day"}


class QuietHours(NamedTuple):
    """From `begin` until before `end`, as the clocks of `zone` show them; over midnight if `end` is earlier."""

    begin: time
    end: time
    timezone: str
    zone: tzinfo

    def __str__(self) -> str:
        return f"{self.begin:%H:%M} to {self.end:%H:%M} ({self.timezone})"

    def find_end(self, now: datetime) -> datetime | None:
        """Returns when the quiet hours end that `now` is in, in their own time zone; None if it is in none."""
        local = now.astimezone(self.zone)
        clock = local.time()
        is_over_midnight = self.end < self.begin
        is_quiet = (clock >= self.begin or clock < self.end) if is_over_midnight else self.begin <= clock < self.end
        if not is_quiet:
            return None
        day = local.date() + timedelta(days=1) if is_over_midnight and clock >= self.begin else local.date()
        return datetime.combine(day, self.end, self.zone)


def find_zone(name: str) -> tzinfo:
    """Returns a time zone by its name. Raises one of UNKNOWN_ZONE."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # saves 5 ms in every command of a project without quiet hours

    return ZoneInfo(name)


def parse_quiet_hours(value: Mapping[str, str]) -> QuietHours:
    """Returns the quiet hours that a valid `quiet_hours` declares."""
    begin, end = time.fromisoformat(value["from"]), time.fromisoformat(value["to"])
    return QuietHours(begin, end, value["timezone"], find_zone(value["timezone"]))


class Frequency(NamedTuple):
    """At most `most` messages to one contact within `period`. `text` is the period in words."""

    most: int
    period: timedelta
    text: str

    def __str__(self) -> str:
        return f"{self.most:,} message{'s' * (self.most != 1)} in {self.text}"


def parse_frequency(value: Mapping[str, Any]) -> Frequency:
    """Returns what a valid `frequency` declares."""
    number, unit = int(value["per"][:-1]), _UNITS[value["per"][-1]]
    return Frequency(value["max"], timedelta(**{f"{unit}s": number}), f"{number:,} {unit}{'s' * (number != 1)}")
