from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.lint.html import parse_html
from runner.lint.tag_pairs import pair_tags


def faults(text, branches=(), detached_spans=()):
    return [(found.fault.code, found.start) for found in pair_tags(parse_html(text), branches, detached_spans).faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>a <b>b</p>", [("unclosed-tag", 5)]),
        ("<p>a <b>b</p></b>", [("unclosed-tag", 5)]),
        ("<p>a <b><i>b</b></i></p>", [("unclosed-tag", 8)]),
        ("<div><p>a</div>", [("unclosed-tag", 5)]),
        ("<p>a<p>b</p>", [("unclosed-tag", 0)]),
        ("<p>a", [("unclosed-tag", 0)]),
        ("<p>a</b></p>", [("stray-tag", 4)]),
        ("<p>a<div>b</div></p>", [("stray-tag", 16)]),
        ("<br></br>", [("stray-tag", 4)]),
        ("<b/>x", [("unclosed-tag", 0)]),
        ("<table><tr><td><p>a</td></tr></table>", [("unclosed-tag", 15)]),
        ("<p>a</p> b", [("text-outside-block", 9)]),
        ("a <b>b</b> c <p>d</p> e", [("text-outside-block", 0), ("text-outside-block", 22)]),
        ("<p>a</p><o:p/><svg><path/></svg><hr/>", []),
        ("<ul><li>a<li>b</ul><table><tr><td>a<th>b<tr><td>c</table>", []),
        ("<div><table><tr><td><p>a</p></td></tr></table></div>", []),
        ("<p><button><p>a</p></button></p>", []),
        ("<unknown>a</unknown> b", []),
        ("a <b>b</b><br>c", []),
    ],
)
def test_what_does_not_pair_is_told_at_its_offset(text, expected):
    assert faults(text) == expected


def test_a_paragraph_that_may_stay_open_is_a_gentler_fault():
    assert [fault.is_valid_html for fault in pair_tags(parse_html("<p>a <b>b")).faults] == [True, False]


def test_a_branch_that_closes_what_it_did_not_open_is_not_balanced():
    text = "<div>a</div><p>b</p>"
    assert pair_tags(parse_html(text), [(0, 12)]).is_balanced
    assert not pair_tags(parse_html(text), [(0, 5)]).is_balanced
    assert not pair_tags(parse_html(text), [(5, 20)]).is_balanced


def test_an_empty_branch_neither_opens_nor_closes():
    assert faults("<p>a</p>", branches=[(3, 3), (3, 4)], detached_spans=[(8, 8)]) == []


def test_a_detached_span_has_tags_of_its_own_and_its_text_stands_elsewhere():
    text = "<p>a <b>b</b> c</p> d"
    assert faults(text, detached_spans=[(19, 21)]) == []
    assert faults("<p>a <b>c</p>", detached_spans=[(5, 8)]) == [("unclosed-tag", 5)]


@given(st.text(alphabet="<>/pbuldivtx= \"'!-&;\n\r", max_size=60))
def test_whatever_the_text_every_tag_stands_where_it_says(text):
    markup = parse_html(text)
    for tag in markup.tags:
        assert text.startswith("<", tag.start)
    for run in markup.text_runs:
        assert text[run.start : run.start + len(run.text)] == run.text
    for fault in pair_tags(markup).faults:
        assert 0 <= fault.start < len(text)
