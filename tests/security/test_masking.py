"""What masks the values of recipients takes linear time, and masks no less where a value and an address overlap."""

import time
from collections.abc import Callable

import pytest

from runner.privacy import MASK, AnyText, find_email_spans, mark_private_values, reveal_or_mask
from tests.support.bounded_runs import MAX_SECONDS

MARKERS: dict[str, Callable[[str], object]] = {
    "values": lambda text: mark_private_values(text, ["Ann Lee", "x"]),
    "addresses": lambda text: mark_private_values(text, ()),
    "spans": lambda text: list(find_email_spans(text)),
}
RUNS = ["a", "a@", "@a", "%@a", "a.@", "a@[", "é", "\\", "a%40", "&#64;"]


@pytest.mark.parametrize("marker", MARKERS)
def test_a_long_text_without_spaces_is_masked_in_linear_time(marker: str) -> None:
    began = time.process_time()
    for run in RUNS:
        MARKERS[marker](run * (30_000 // len(run)))
    assert time.process_time() - began < MAX_SECONDS  # in quadratic time: more than a minute


def masked(text: AnyText) -> str:
    return reveal_or_mask(text, show_values=False)


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("Ann bo", "to Ann bo.x@example.com.", f"to {MASK}"),
        ("com lee", "to bo@example.com lee", f"to {MASK}"),
        ("bo", "bo@example.com bo", f"{MASK} {MASK}"),
        ("example", "bo@example.com, example", f"{MASK}, {MASK}"),
        ("Ann", "Ann@b.c@d.e", f"{MASK}@d.e"),
    ],
)
def test_a_value_that_overlaps_an_address_is_masked_with_it(value: str, text: str, shown: str) -> None:
    assert masked(mark_private_values(text, [value])) == shown
