"""A fault of syntax is told where it began."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.yaml.scalar_types import compose_all
from runner.declare.yaml.syntax import BadYaml


def _fault(text):
    with pytest.raises(BadYaml) as found:
        list(compose_all(text))
    return found.value.fault


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("a: 1\nb: [x\nc: 2\n", 2, 4, "bracket"),
        ("a: 1\nb: {x: 1\n\n\n", 2, 4, "bracket"),
        ('a: "x\nb: y\n', 1, 4, "quote"),
        ('a: "x\nb: "y"\n', 1, 4, "closes in line 2"),
        ("a: 'x\nb: y\nc: 'z'\n", 1, 4, "closes in line 3"),
        ("a: b: c\n", 1, 5, "colon and a space"),
        ("a:\n\tb: 1\n", 2, 1, "spaces"),
        ("a: *b\n", 1, 4, "anchor"),
        ("a: @b\n", 1, 4, "@"),
        ('a: "\\d"\n', 1, 5, "backslash"),
        ("a: {b:}\n", 1, 6, "space after it"),
        ("a: {{ x }}, y\n", 1, 11, "begins with a template"),
        ("a: 1\n b\nc\n", 3, 1, ""),
        ("a: x\n\x07", 2, 1, "U+0007"),
        ("a\0", 1, 2, "UTF-8"),
        ("a: [\n", 1, 1, ""),
    ],
)
def test_the_place_is_where_the_mistake_is(text, line, column, part):
    fault = _fault(text)
    assert (fault.line + 1, fault.column + 1) == (line, column)
    assert part in f"{fault.message} {fault.hint}"


@given(st.text(st.sampled_from("ab:-[]{}\"'#&*!|>%@`,? \n\t\\<~"), max_size=40))
def test_no_text_crashes_the_reader(text):
    try:
        list(compose_all(text))
    except BadYaml as error:
        assert error.fault.line <= text.count("\n") + 1  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a: Sorry: we were down\nb: 1\n", '"Sorry: we were down"'),
        ('a: Sorry: "we" were down\n', "'Sorry: \"we\" were down'"),
        ("to:\n  - id: a: b\n  - id: c\n", '"a: b"'),
        ("a: Sorry: the text\n  goes on here\n", ""),
        ("a: Sorry: 1 # a comment\n", ""),
        ("a: 1\n  b: 2\n", ""),
    ],
)
def test_a_text_with_a_colon_is_quoted_where_its_end_is_certain(text, quoted):
    assert "".join(edit.new for edit in _fault(text).edits) == quoted
