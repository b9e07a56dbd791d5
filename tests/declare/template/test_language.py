"""A missing value may be tested, and nothing else."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from runner.declare.template.language import (
    UNDEFINED_HINT,
    Missing,
    MissingItem,
    MissingValueError,
    TemplateFault,
    check_printable,
    escape_html,
)
from runner.privacy import mark_private


def test_a_missing_value_is_false_and_equal_to_nothing_but_another():
    missing = Missing(name="x")
    assert not missing
    assert missing == Missing(name="y")
    assert missing != ""
    assert len({missing, Missing(name="y")}) == 1
    assert missing.variable == "x"
    assert Missing().variable == ""


@pytest.mark.parametrize(
    "use",
    [
        *(str, repr, len, iter, int, float, complex, lambda m: m + 1, lambda m: 1 - m, lambda m: m[0], lambda m: m < 1),
        *(lambda m: m(), lambda m: m.part, lambda m: -m, lambda m: m**2, lambda m: "x" in m, lambda m: m.__html__()),
    ],
)
def test_any_use_of_it_is_an_error(use):
    with pytest.raises(MissingValueError):
        use(Missing(name="x"))


def test_it_has_no_hidden_parts():
    assert not hasattr(Missing(name="x"), "__wrapped__")


def test_a_part_that_is_missing_is_named_unless_its_name_may_be_a_recipients_value():
    assert MissingValueError(Missing(obj={"a": 1}, name="b")).text == "there is no b in this value"
    computed = MissingValueError(MissingItem(obj={"a": 1}, name="b")).text
    assert computed == "there is no " + mark_private("b") + " in this value"
    assert str(MissingValueError(Missing(name="b"))) == "b has no value"


@pytest.mark.parametrize("value", [None, True, False, [], (), {}, object(), float("nan"), float("inf"), b"x", {1}])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(TemplateFault):
        check_printable(value)


@pytest.mark.parametrize("value", ["", "x", 0, -1, 2.5])
def test_texts_and_numbers_are_given_back(value):
    assert check_printable(value) is value


@given(st.one_of(st.text(), st.text("<>&'\"x;#39")))
def test_a_text_is_escaped_as_markupsafe_does_it(text):
    assert escape_html(text) == str(escape(text))
    assert type(escape_html(text)) is str


def test_the_hint_for_a_missing_value_fits_a_subject_in_double_quotes():
    advised = UNDEFINED_HINT[UNDEFINED_HINT.index("{{") :].replace("…", "first_name")
    assert yaml.safe_load(f'subject: "Hi {advised}"') == {"subject": f"Hi {advised}"}
