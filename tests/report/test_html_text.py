"""What a reader sees of a body: its text, line by line, and where its links lead."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report import html_text
from runner.report.html_text import visible_text

UNCOMMON = "may be displayed in another way than shown here: see the HTML source"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Hi Ann,\n\n  two   spaces \nend", "Hi Ann,\n\n  two   spaces\nend"),
        ("<p>Hi <b>Ann</b>,</p><p>it is\n  over.</p>", "Hi Ann,\n\nit is over."),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>a</li><li>b</li></ul>end", "• a\n• b\n\nend"),
        # The numbers that a browser shows.
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ('<ol start="5"><li>a<li>b</ol>', "5. a\n6. b"),
        ('<ol start=" -1"><li>a<li>b</ol>', "-1. a\n0. b"),
        ('<ol start="x"><li value="7">a<li>b<li value="y">c</ol>', "7. a\n8. b\n9. c"),
        ("<ol reversed><li>a<li>b</ol>", f"[the attribute reversed {UNCOMMON}]\n1. a\n2. b"),
        (
            '<ol type="a" start="26"><li>a<li>b<li type="I" value="4">c</ol>',
            "[as letters: 26.] a\n[as letters: 27.] b\n4. c",
        ),
        ("<li>a</li></ol></ul><ol><li>b</li></ol>", "• a\n\n1. b"),
        ('<a href="https://a.example/x">here</a>.', "here (https://a.example/x)."),
        ('<a href="https://a.example">https://a.example</a>', "https://a.example"),
        ('<a href="mailto:a@example.com">a@example.com</a>', "a@example.com"),
        ('<p>a <img src="https://t.example/1.gif"></p>', "a [image without alt: https://t.example/1.gif]"),
        ('<img alt="Logo" src="/l.png">', "[image Logo: /l.png]"),
        ("<title>p</title><p>a</p><script>b()</script>", "[title: p]\n\na\n\n[a script: see the HTML source]"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\n│ b"),
        ("<p>unclosed <b>tag", "unclosed tag"),
        ("", ""),
        # As a browser reads it.
        ("<head>seen</head> <p>a</p>", "seen\n\na"),
        ("<title>named</title>a", "[title: named]\na"),
        ("<!-->seen<!-- unseen -->", "seen"),
        ("<!--->seen", "seen"),
        ("<!-- a --!>seen", "seen"),
        ('<a href="https://first.example" href="https://second.example">x</a>', "x (https://first.example)"),
        ('<img src="https://first.example/a" src="b" alt=x>', "[image x: https://first.example/a]"),
        ("<textarea><b>seen</textarea>", f"[<textarea> {UNCOMMON}]\n<b>seen"),
        ("<plaintext>seen</plaintext>", f"[<plaintext> {UNCOMMON}]\nseen</plaintext>"),
        ("<?php seen ?>a", "a"),
        ("</ seen>a", "a"),
        ("a <b", "a"),
        ("<script><!--<script></script>unseen</script>seen", "[a script: see the HTML source]\nseen"),
        ('<p style="display: none">a</p>b', "[not displayed: a]\n\nb"),
        ("<span hidden>a <span>b</span></span> c", "[not displayed: a b] c"),
        ('<span style="font-size:0px">a</span><span style="font-size:0.9em">b</span>', "[not displayed: a]b"),
        ("a<!--[if mso]><p>b</p><![endif]-->c", "a\n\n[in Outlook alone: b]\n│ c"),
        ("<input value='a'>", f"[<input> {UNCOMMON}]\n[input a]"),
        # As the tree of the standard has it.
        ("You get <table>100<tr><td>9</td></tr></table>", "You get 100\n\n9"),
        ("<table><tfoot><tr><td>last</td></tr></tfoot><tr><td>first</td></tr></table>", "first\nlast"),
        ("<span hidden>x<div></span>y</div></span>", "[not displayed: x\n⋯ y]"),
        ("<p hidden>x<p>y", "[not displayed: x]\n\ny"),
        ("<p hidden>x<button></p>y</button></p>", f"[<button> {UNCOMMON}]\n[not displayed: x\n⋯ y]"),
        ("<frameset><frame></frameset>seen", f"[<frameset>, <frame> {UNCOMMON}]\nseen"),
        ("Pay &pound100", "Pay £100"),
        ("AT&T\n and others", "AT&T\n and others"),
        ("<details><summary>a</summary>b</details>", f"[<details>, <summary> {UNCOMMON}]\na\nb"),
        ("<!--[if mso]><p><!--[if gte mso 9]>a<![endif]--></p><![endif]-->", "[in Outlook alone: a]"),
        ("<!--[if mso]>a<![endif] x-->", "[in Outlook alone: a]"),
        ("<!--[if mso]><table><tr><td><![endif]-->a", "a"),
        (
            '<table><tfoot style="display:table-row-group"><tr><td>first</td></tr></tfoot><tr><td>b</td></tr></table>',
            "b\n[styled with display: first]",
        ),
        ("<table><caption align=bottom>last</caption><tr><td>a</table>", "[caption: [below its table: last]]\na"),
        ("<font color=#fff>a</font>", "[in the colour of its background: a]"),
        ("<table><td bgcolor=#000><p style='color:#fff'>a", "[on a background of its own: a]"),
        ("<body bgcolor=#000><p style='color:#fff'>a", "a"),
        (
            "<table bgcolor=navy><td>a<a href=b style='color:navy'>c",
            "[in the colour of its background: a][in the colour of its background: c] (b)",
        ),
        ("<body bgcolor=#000 text=#fff>a", "a"),
        ("<style></style><p style='color:#999'>a", "[a style sheet: see the HTML source]\n\na"),
        ("<q>a</q>", '"a"'),
    ],
)
def test_the_text_of_a_body(body: str, text: str) -> None:
    assert visible_text(body, show_values=False).replace(f"{html_text.SEVERAL_READINGS}\n", "") == text


@pytest.mark.parametrize("depth", [1, 4, 9])
def test_no_conditional_comment_is_too_deep_to_be_read(depth: int) -> None:
    assert "seen" in visible_text("<!--[if mso]>" * depth + "seen" + "<![endif]-->", show_values=False)


def test_what_is_too_long_to_be_read_is_counted() -> None:
    text = visible_text("<p>" + "a" * 300_000, show_values=False)
    assert text.startswith("[its last 100,003 characters are not read here]\naaa")


def test_a_body_of_too_many_tags_is_cut_and_counted() -> None:
    text = visible_text("<p>" + "<b>x</b>" * 20_000 + "evil", show_values=False)
    assert re.fullmatch(r"\[its last [\d,]+ characters are not read here\]\nx{10000}x*", text)


@pytest.mark.parametrize("body", ["<p>evil</p>", "&lt;evil", "<b hidden>evil</b>"])
def test_texts_of_too_many_tags_are_shown_as_they_are_written(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    monkeypatch.setattr(html_text, "MAX_TAGS", 100)
    monkeypatch.setattr(html_text, "READ_TAGS", html_text._ReadTags())
    html_text._read.cache_clear()
    first = visible_text("<i>a</i>" * 50 + "<b>", show_values=False)
    assert first == "a" * 50
    second = visible_text(body, show_values=False)
    assert second == f"[not read: the texts before it have 100 tags. It is shown as it is written]\n{body}"
    assert visible_text("evil", show_values=False) == "evil"
    html_text._read.cache_clear()


@given(st.text(alphabet="<>/ab&;\"'=! \n-?"))
def test_no_body_is_too_broken_to_be_read(body: str) -> None:
    assert isinstance(visible_text(body, show_values=False), str)


@pytest.mark.parametrize("piece", ["<svg>", "<img><input><b>x</b><br><a href=x>", "<li>", "<p hidden>", "- "])
def test_a_long_body_is_read_in_linear_time(piece: str) -> None:
    began = time.process_time()
    visible_text("<p>" + piece * (16_000 // max(piece.count("<"), 1)), show_values=False)
    assert time.process_time() - began < 8  # in quadratic time <svg> took 13 s, <li> 14 s
