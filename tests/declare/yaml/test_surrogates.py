r"""JSON writes a character beyond U+FFFF as two escapes, `\ud83d\udc4d`; in YAML they mean the same character."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.yaml.document import Document, SourceFile, parse_documents


def _parse(text):
    (document,) = parse_documents(SourceFile("a.yaml", text))
    assert isinstance(document, Document), document
    return document


@given(
    st.text(st.characters(exclude_characters="\x7f\x85\u2028\u2029\ufeff\ufffe\uffff", exclude_categories=("Cs", "Cc")))
)
def test_every_text_of_json_is_read_as_json_means_it(text):
    assert _parse(json.dumps({"body": text, "vars": {"a": text}})).value == {"body": text, "vars": {"a": text}}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\ud83d\udc4d"', "👍"),
        (r'"\uD83D\uDC4D\ud83d\ude00 x"', "👍😀 x"),
        (r'"\\\ud83d\udc4d"', "\\👍"),
        (r'"\\ud83d\\udc4d"', r"\ud83d\udc4d"),
        (r"\ud83d\udc4d", r"\ud83d\udc4d"),
        (r"'\ud83d\udc4d'", r"\ud83d\udc4d"),
        ("|\n  \\ud83d\\udc4d", "\\ud83d\\udc4d"),
        (r'"\ud83d\udc4d" # "\ud83d\udc4d"', "👍"),
    ],
)
def test_the_halves_are_joined_in_double_quotes_only(written, value):
    assert _parse(f"name: {written}").value == {"name": value}


def test_places_behind_them_are_those_of_the_file():
    document = _parse(r'{"subject":"\ud83d\udc4d","body":"\ud83d\udc4d x","\ud83d\udc4d":1,"name":"m"}')
    assert document.place(("name",)).column == document.source.text.index('"m"') + 1
    assert document.value["👍"] == 1


@pytest.mark.parametrize("written", [r'"\ud83d"', r'"\udc4d\ud83d"', r'"\ud83d \udc4d"', r'"\ud83d\\udc4d"'])
def test_one_half_alone_is_an_error_and_the_hint_says_what_to_write(written):
    (problem,) = parse_documents(SourceFile("a.yaml", f"a: {written}"))
    assert problem.code == "yaml-syntax"
    assert "the character itself" in problem.hint


def test_a_syntax_error_behind_them_is_told_at_its_place():
    *_, problem = parse_documents(SourceFile("a.yaml", '{"a": "\\ud83d\\udc4d", "b": @}'))
    assert (problem.code, problem.place.column) == ("yaml-syntax", 28)
