"""A comment after an unquoted text may be the rest of the text: a warning at its `#`."""

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
        ("- {email: a@example.com, name: Bo #1\n  }\n- name: Cy #2", [(1, 35), (3, 12)]),
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
        "vars:\n  seats: 5 # a number is no text\n  none:  # nothing",
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
