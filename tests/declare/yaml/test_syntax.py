"""A fault of syntax is told where it began."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.yaml.document import Document, SourceFile, parse_documents
from runner.declare.yaml.scalar_types import compose_all
from runner.declare.yaml.syntax import BadYaml, quote_text


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
        ("a:\n \u00a0- b: 1\n    c: 2\n", 2, 2, "U+00A0"),
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


@pytest.mark.parametrize("text", ["vars:\n\u00a0\u00a0a: 1\n", "vars:\n \u3000a: 1\n", "to:\n\u00a0- b: 1\n"])
def test_a_key_that_is_indented_with_another_space_is_named(text):
    (problem,) = parse_documents(SourceFile("a.yaml", text))
    assert not isinstance(problem, Document)
    assert (problem.code, problem.place.line) == ("yaml-character", 2)


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ("subject: Ticket #12   ", '"Ticket #12"'),
        ('subject: The "new" #1', "'The \"new\" #1'"),
        ("subject: It's \\o/ #1", "'It''s \\o/ #1'"),
        ("subject: Ticket # of the day", ""),
        ("subject: Ticket #12 # a comment", ""),
        ("subject: Ticket #", ""),
    ],
)
def test_a_text_is_quoted_unless_a_comment_may_be_meant(line, quoted):
    assert "".join(edit.new for edit in quote_text(line, 1, len("subject: "))) == quoted
