"""A text that YAML reads differently from how it looks is a warning: a comment, an escape."""

from __future__ import annotations

import pytest

from runner.declare.yaml.document import Document, SourceFile, parse_documents
from runner.privacy import reveal_or_mask


def _warnings(text):
    parsed = list(parse_documents(SourceFile("a.yaml", text)))
    return [(entry.place.line, entry.place.column) for entry in parsed if not isinstance(entry, Document)]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("subject: Ticket #1042 is solved", [(1, 17)]),
        ("body: Read more at #42\nname: m", [(1, 20)]),
        ("subject: Ticket\t#1042", [(1, 17)]),
        ("body: two\n  lines #1\nname: m", [(2, 9)]),
        ("vars:\n  a: x #1\n  b: {c: [y #2\n   ]}", [(2, 8), (3, 13)]),
        ("to:\n  - {id: u1, vars: {a: x #1\n    }}", [(2, 26)]),
        ("environments: {e: {vars: {a: x #1\n  }}}", [(1, 32)]),
        ("subject: &s Ticket #1\nx-a: *s", [(1, 20)]),
        ("a: &a {vars: &v {b: x #1\n  }}\nvars: *v", [(1, 23)]),
    ],
)
def test_a_comment_after_an_unquoted_text_is_a_warning_at_its_hash(text, places):
    assert _warnings(text) == places


@pytest.mark.parametrize(
    "text",
    [
        'subject: "Ticket #1042 is solved"',
        "subject: 'Ticket #1042'  # a comment",
        "subject: Ticket#1042",
        "subject: Hello\n# a comment",
        "subject: WELCOME  # msgrun: ignore=shouting-subject",
        "body: |  # a comment\n  a #1",
        "body: >\n  a #1\n",
        "vars: {seats: 5, vip: true}  # a comment",
        "vars:\n  seats: 5 # a number is not a text\n  none:  # nothing",
        "name: m # a comment\nexpires: 2026-12-01 # one more",
    ],
)
def test_what_cuts_no_text_is_none(text):
    assert _warnings(text) == []


def test_quoted_as_the_hint_says_it_is_whole():
    (warning, document) = parse_documents(SourceFile("a.yaml", "subject: Ticket #1042"))
    assert document.value == {"subject": "Ticket"}
    assert "quote the text" in warning.hint
    (document,) = parse_documents(SourceFile("a.yaml", 'subject: "Ticket #1042"'))
    assert document.value == {"subject": "Ticket #1042"}


def test_what_a_comment_cuts_off_of_a_recipients_value_is_private():
    text = "to:\n  - id: u1\n    vars:\n      note: Bo #1 Main Street"
    (warning, _) = parse_documents(SourceFile("a.yaml", text))
    assert reveal_or_mask(warning.excerpt, show_values=False) == "      note: ***"
    assert reveal_or_mask(warning.excerpt, show_values=True) == "      note: Bo #1 Main Street"


def test_few_aliases_do_not_make_many_warnings():
    lines = ["x0: &a0 {vars: {t: x #", "  }}"]
    lines += [f"x{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert _warnings("\n".join(lines)).count((1, 22)) == 1


def _codes(text):
    return [
        (entry.code, entry.place.line, entry.place.column)
        for entry in parse_documents(SourceFile("a.yaml", text))
        if not isinstance(entry, Document)
    ]


@pytest.mark.parametrize(
    "text",
    [
        r"body: Hi\n\nthere",
        r"body: 'Hi,\nthere'",
        r"body: <p>Hi</p>\n<p>Bo</p>",
        r"subject: Hi \ud83d\udc4d",
        r"subject: 'caf\u00e9'",
        r"vars: {a: 'x\r\n\r\ny'}",
        r"to: {id: u1, vars: {a: Jos\u00e9}}",
    ],
)
def test_an_escape_that_is_not_in_double_quotes_is_a_warning(text):
    (code, line, _), *rest = _codes(text)
    assert (code, line, rest) == ("yaml-escape", 1, [])


@pytest.mark.parametrize(
    "text",
    [
        r'body: "Hi\n\nthere caf\u00e9"',
        r"body: C:\new, D:\Users\name and \\host\n",
        r"body: '\d+ and \users and \\u00e9'",
        "body: |\n  \\u00e9 is é in JSON",
        r"name: 'a\n\nb'",
        r"body: a \n b",
    ],
)
def test_a_backslash_that_is_no_escape_for_certain_is_none(text):
    assert _codes(text) == []


@pytest.mark.parametrize("escape", [r"\u0000", r"\u0007", r"\u001b", r"\x7f", r"\ufffe", r"\e", r"\0"])
def test_a_control_character_from_an_escape_is_an_error(escape):
    assert _codes(f'subject: "Hi {escape}x"') == [("yaml-character", 1, 10)]


def test_line_breaks_and_tabs_from_an_escape_are_text():
    assert _codes(r'body: "a\tb\r\nc\u0085\u00a0\u2028"') == []
