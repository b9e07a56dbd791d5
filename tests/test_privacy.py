"""What is marked as private is masked, wherever it stands."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.privacy import (
    MASK,
    find_email_spans,
    mark_private,
    mark_private_values,
    reveal_or_mask,
    reveal_or_mask_same_width,
)

TEXT = st.text(st.characters(exclude_categories=("C",)), max_size=60)
WORD = st.text(st.characters(categories=("L", "N")), min_size=2, max_size=12)


@given(TEXT, st.lists(WORD, max_size=4), st.lists(WORD, max_size=4))
def test_a_value_is_never_told_as_a_whole_word(text, values, others):
    text = f"{text} " + " ".join([*values, *others])
    shown = reveal_or_mask(mark_private_values(text, values), show_values=False)
    for value in values:
        assert not re.search(rf"(?<!\w){re.escape(value)}(?!\w)", shown.replace(MASK, "\0"))


@given(TEXT, st.lists(WORD, max_size=4))
def test_showing_gives_the_text_back(text, values):
    assert reveal_or_mask(mark_private_values(text, values), show_values=True) == text


def test_a_longer_value_is_not_cut_by_a_shorter_one():
    assert reveal_or_mask(mark_private_values("Hi Ann Lee", ["Ann", "Ann Lee"]), show_values=False) == f"Hi {MASK}"


def test_an_escaped_value_is_found():
    assert reveal_or_mask(mark_private_values("Hi A&amp;B, a&b", ["A&B"]), show_values=False) == f"Hi {MASK}, {MASK}"


def test_any_address_is_masked():
    assert reveal_or_mask(mark_private_values("to ann@example.com.", []), show_values=False) == f"to {MASK}"
    assert list(find_email_spans("cc: a@b.c, d@e.f")) == [(4, 9), (11, 16)]


@given(TEXT, st.text(), TEXT)
def test_no_character_ends_the_masking_or_begins_it(before, value, after):
    text = before + mark_private(value) + after
    assert reveal_or_mask(text, show_values=False) == f"{before}{MASK}{after}"
    assert reveal_or_mask(text, show_values=True) == f"{before}{value}{after}"


def test_a_text_that_is_printed_without_a_choice_is_masked():
    assert f"{'to ' + mark_private('ann')}" == f"to {MASK}"


def test_columns_stay_where_they_are():
    text = "to: " + mark_private("ann") + ", x"
    assert reveal_or_mask_same_width(text, show_values=False) == "to: ***, x"
    assert reveal_or_mask_same_width(text, show_values=True) == "to: ann, x"
    assert reveal_or_mask(text, show_values=True) == "to: ann, x"
    assert (
        reveal_or_mask_same_width("plain", show_values=False) == reveal_or_mask("plain", show_values=False) == "plain"
    )


@pytest.mark.parametrize(
    "text",
    ["{@first_name}", "[@first_name]", "${@name}", "#{@name}", "%@name", "Hi @FIRST_NAME@!", "$@x", "*@x", "@@a@@"],
)
def test_what_a_template_language_writes_before_a_name_is_no_address(text: str) -> None:
    assert list(find_email_spans(text)) == []
    assert list(find_email_spans(f"{text} bo@example.com")) == [(len(text) + 1, len(text) + 15)]


def test_without_values_and_addresses_nothing_is_masked():
    assert mark_private_values("to ann@example.com", [" "], emails=False) == "to ann@example.com"


def test_something_may_stand_instead_of_a_masked_value() -> None:
    text = "to " + mark_private("ann@example.com", "email:~5c12ab34") + " and " + mark_private("bo")
    assert reveal_or_mask(text, show_values=False) == "to email:~5c12ab34 and ***"
    assert reveal_or_mask(text, show_values=True) == "to ann@example.com and bo"
    assert reveal_or_mask_same_width(text, show_values=False) == f"to {'*' * 15} and **"
