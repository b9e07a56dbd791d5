"""Places: whatever a problem is about, its line and column are where a user would look."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.yaml.document import Document, SourceFile, decode, parse_documents
from runner.errors import Problem
from runner.privacy import reveal_or_mask

NAMES = st.from_regex(r"[a-z]{1,6}", fullmatch=True).filter(lambda name: name not in {"true", "false", "null"})
WORDS = st.from_regex(r"[A-Za-z][A-Za-z ]{0,20}[A-Za-z]", fullmatch=True)
TREES = st.recursive(
    st.one_of(WORDS, st.integers(0, 10**6), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3), st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


def _document(text):
    (found,) = parse_documents(SourceFile("messages/a.yaml", text))
    assert isinstance(found, Document), found
    return found


def _leaves(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=4), st.booleans())
def test_the_place_of_a_value_is_where_it_stands(value, crlf):
    text = "# a comment\n\n" + yaml.safe_dump(value, sort_keys=False, width=1000)
    document = _document(text.replace("\n", "\r\n") if crlf else text)
    for path, leaf in _leaves(value):
        place = document.place(path)
        written = text.split("\n")[place.line - 1][place.column - 1 :]
        assert written.startswith(("'", '"')) or yaml.safe_load(written) == leaf
        if isinstance(path[-1], str):
            key = document.key_place(path)
            assert text.split("\n")[key.line - 1][key.column - 1 :].lstrip("'").startswith(path[-1])


def test_a_missing_key_is_where_its_mapping_begins():
    document = _document("a: 1\nb:\n  c: 1\nl:\n  - x\n")
    assert str(document.place(("b", "d"))) == "messages/a.yaml:3:3"
    assert str(document.key_place(("b", "d"))) == "messages/a.yaml:3:3"
    assert str(document.place(("l", 7))) == "messages/a.yaml:5:3"
    assert str(document.place(("a", "x"))) == "messages/a.yaml:1:4"
    assert document.problem("c", ("b", "c"), "m", at_key=True).place.column == 3


def test_a_merged_value_is_where_it_was_written():
    document = _document("a: &a\n  x: 1\nb:\n  <<: *a\nc:\n  <<: [*a]\n")
    assert document.place(("b", "x")).line == document.place(("c", "x")).line == 2


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a\nb\xff", "a.yaml:2:2"),
        ("ä\nöü".encode() + b"\xff", "a.yaml:2:3"),
        (b"\xef\xbb\xbf\xff", "a.yaml:1:1"),
        ("a".encode("utf-16"), "a.yaml:1:1"),
    ],
)
def test_bytes_that_are_no_text_are_found(data, place):
    found = decode("a.yaml", data)
    assert isinstance(found, Problem)
    assert str(found.place) == place


def test_a_byte_order_mark_is_no_text():
    text = decode("a", b"\xef\xbb\xbfx")
    assert isinstance(text, SourceFile)
    assert text.text == "x"


def test_an_excerpt_hides_recipients_and_addresses_and_control_characters():
    text = "to:\n  - {type: user, user_id: ann, vars: {n: [Lee, {x: May}], m: |-\n"
    text = (
        'cc: bo@example.com\nto:\n  - type: user\n    user_id: "ann\n      lee"\n    vars: {l: [x1, x2], m: {k: x3}}\n'
    )
    document = _document(text)
    shown = [reveal_or_mask(document.excerpt(line), show_values=False) for line in range(1, 7)]
    assert "bo@example.com" not in shown[0]
    assert not re.search(r"ann|lee|x\d", "\n".join(shown))
    assert reveal_or_mask(document.excerpt(6), show_values=True) == text.splitlines()[5]
    assert SourceFile("a", "a\x1b[31mb\x07").line(1) == "a\ufffd[31mb\ufffd"
    assert SourceFile("a", "a").line(0) == SourceFile("a", "a").line(9) == ""


def test_recipients_in_block_scalars_aliases_and_lists_are_hidden():
    document = _document("x: &x secret\nto:\n  - user_id: |\n      secret one\n    vars: {a: *x}\n  - secret\n")
    assert "secret" not in "".join(reveal_or_mask(document.excerpt(line), show_values=False) for line in range(1, 8))


@pytest.mark.parametrize(
    ("scalar", "line", "name", "place"),
    [
        ("|\n  a\n  b {{ x }}\n", 2, "x", (3, 8)),
        ("|\n  a\n  b {{ x }}\n", 2, "", (3, 5)),
        ("|\n  a\n    b\n", 2, "", (3, 5)),
        (">\n  a\n  b {{ x }}\n", 1, "x", (3, 8)),
        (">\n  a\n  b {{ x }}\n", 1, "", (3, 5)),
        (">\n  {{ a }}\n  b {{ x }}\n", 1, "", (2, 3)),
        ('"a\n  b {{ x }}"\n', 1, "x", (2, 8)),
        ("a\n  b {{ x }}\n", 1, "x", (2, 8)),
        ("a {{ x }}\n", 1, "x", (1, 9)),
        ('"{{ x }}\\r\\n\\u2028 {{ x }}"\n', 2, "x", (1, 26)),
        ("a {{ x }}\n", 1, "", (1, 4)),
        ("a {{ y.x }}\n", 1, "x", (1, 4)),
        ("[a, b]\n", 1, "x", (1, 4)),
    ],
)
def test_a_line_of_a_template_is_found_in_any_scalar(scalar, line, name, place):
    found = _document(f"b: {scalar}").template_place(("b",), line, name)
    assert (found.line, found.column) == place


def test_what_stands_before_a_fault_is_still_read():
    found = list(parse_documents(SourceFile("a.yaml", "a: 1\n---\n# nothing\n---\nb: [\n")))
    assert [type(each) for each in found] == [Document, Problem]
    assert [each.value for each in found if isinstance(each, Document)] == [{"a": 1}]
