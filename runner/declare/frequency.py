"""`frequency:` of msgrun.yaml: how many messages one contact gets within a time."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

_UNITS = {"h": "hour", "d": "day"}


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
