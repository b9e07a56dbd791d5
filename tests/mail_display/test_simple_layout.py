"""A body whose text, line by line, is what a reader sees; of any other body it is said that the preview shows it."""

import re

import pytest

from runner.privacy import mark_private
from runner.report.html_text import describe_layout, visible_text

SIMPLE = (
    "<p>Hi <b>Ann</b>,</p><p>we are <i>sorry</i>.<br>Bo</p>",
    '<div class="x" style="padding:20px;color:#333;font:16px/1.5 Arial"><p style="margin:0 0 16px">Hi</p></div>',
    '<h1 style="text-align:center">News</h1><img src="https://x.example/a.png" alt="A page" width="1080" height="608">',
    "<ul><li>One<ul><li>two</li></ul></li><li>three</li></ul><ol><li>Open</li></ol>",
    '<p>See <a href="https://x.example" target="_blank" style="color:#06c;text-decoration:none">this</a> page.</p><hr>',
    "<p><span style='font-size:14px;font-weight:600'><b>Hi</b> <i>there</i></span> &nbsp;&nbsp;x</p>",
    '<html lang="en"><head><meta charset="utf-8"><title>News</title></head><body><p>Hi</p></body></html>',
    "<pre><code>curl https://x.example/export\ncurl x</code></pre>",
    "<p>" + "日本語" * 100 + "</p><p>" + "many words " * 100 + "</p>",
    '<p>Hi <img src="https://x.example/a.png" width="600"> there</p>' + "<div>" * 30 + "deep",
    '<div style="padding:20px"><p style="margin:0 0 24px">a</p></div>' * 30,
    '<body style="margin:0;padding:20px"><section role="presentation"><p align="center">a</p></section></body>',
    '<p style="overflow-wrap:break-word;font-size:11px;line-height:1.1"><del>a</del> <b>b</b>',
    '<p><kbd>a</kbd> <small>d</small> <abbr title="b">c</abbr> <img src="https://x.example/a.png" border="0"></p>',
    '<div style="max-width:600px;margin:0 auto"><ol start="30"><li>a</ol><br clear="all"></div>',
    '<ul style="list-style-type:disc"><li>a</ul>',
    "plain text with &amp; and <3",
)
# A body, and what it is laid out with.
OTHERS = {
    '<p style="float:left">a</p>': "float",
    '<p style="position:absolute">a</p>': "position",
    '<p style="margin:-1px">a</p>': "margin",
    '<p style="margin-top:49px">a</p>': "margin-top",
    '<p style="padding:1vh">a</p>': "padding",
    '<b style="padding:1px">a</b>': "padding",
    '<ol style="padding:0"><li>a</ol>': "padding",
    '<p style="background:#fff">a</p>': "background",
    '<p style="border-left:1px solid">a</p>': "border-left",
    '<p style="color:transparent">a</p>': "color",
    '<p style="font-family:Wingdings">a</p>': "font-family",
    '<p style="font-size:10px">a</p>': "font-size",
    '<p style="font-size:37px"></p>': "font-size",
    '<ol><li style="font-size:24px">a</ol>': "font-size",
    '<p style="line-height:1">a</p>': "line-height",
    '<p style="line-height:20px"><b style="font-size:20px">a</b></p>': "line-height",
    '<p style="line-height:80px"></p>': "line-height",
    '<p style="text-align:justify-all">a</p>': "text-align",
    '<u style="text-decoration:underline wavy">a</u>': "text-decoration",
    '<p style="a{b">a</p>': "style",
    "<pre>a  b</pre>": "a row of spaces",
    '<div style="max-width:60px">a</div>': "max-width",
    '<ol start="3000"><li>a</ol>': "start",
    '<ol style="list-style-type:disc"><li>a</ol>': "list-style-type",
    '<p style="display:block">a</p>': "display",
    '<p style="width:100px">a</p>': "width",
    '<p dir="rtl">a</p>': "dir",
    "<p hidden>a</p>": "hidden",
    '<p align="char">a</p>': "align",
    '<img src="https://x.example" width="9999">': "width",
    '<img src="https://x.example" height="50%">': "height",
    '<ol start="600"><li>a</ol>': "start",
    '<meta name="color-scheme" content="dark">': "name",
    '<meta http-equiv="refresh" content="0">': "http-equiv",
    "<table><tr><td>a</table>": "<table>",
    "<style>p{}</style><p>a</p>": "<style>",
    "<sub>a</sub>": "<sub>",
    "<svg><b>a</b></svg>": "<svg>",
    "<!--[if mso]>a<![endif]-->b": "a conditional comment",
    "<!--[if !mso]><!-->a<!--<![endif]-->": "a conditional comment",
    "10<u> </u>00": "<u>, an element of spaces",
    '10<span style="font-size:12px">&nbsp;</span>00': "an element of spaces",
    "<p>a&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;b</p>": "a row of spaces",
    "<p>a&#x3000;&#x3000;&#x3000;&#x3000;&#x3000;b</p>": "a row of spaces",
    "<pre>a\tb</pre>": "a row of spaces",
    f"<pre>{'a' * 100}</pre>": "a line that does not wrap",
    f"<p>{'a' * 50}<b>{'a' * 50}</b></p>": "a line that does not wrap",
    f"<p>{'not&nbsp;' * 40}</p>": "a line that does not wrap",
    '<div style="padding:20px">' * 11 + "a": "a large indent",
    '<div style="padding:1.5em;font-size:32px">a</div>': "padding",
    "<blockquote>" * 6 + "a": "a large indent",
    '<p style="font-size:2ch">a</p>': "font-size",
    '<p style="font-size:smaller">a</p>': "font-size",
    "<p>שלום 600</p>": "letters from right to left",
    f"<p>a{chr(0x304) * 3}</p>": "stacked marks",
    "<u>+</u>5 %": "<u>",
    "no&nbsp;" * 8 + '<meta charset="utf-8">' + "no&nbsp;" * 8: "a line that does not wrap",
    "no\xa0" * 20: "a line that does not wrap",
    '<div style="padding-top:48px;margin-bottom:48px">' * 3 + "a": "a large space",
    "<p>" + "&emsp; " * 9 + "a</p>": "a row of spaces",
    "<pre>   you   we\npay   6</pre>": "a row of spaces",
    "<p>" + "thank&nbsp;you&nbsp;🎉&nbsp;" * 5 + "</p>": "a line that does not wrap",
    "<p>" + "no&nbsp;日&nbsp;" * 20 + "</p>": "a line that does not wrap",
    f"<p>{'W' * 41}</p>": "a line that does not wrap",
    '<pre>a<img src="https://x.example/a.png" width="9" height="1">b</pre>': "<img>",
    '<p>a&nbsp;<img src="https://x.example/a.png" width="700">': "a line that does not wrap",
    '<p><img src="https://x.example/a.png" width="700">&nbsp;a': "a line that does not wrap",
}


@pytest.mark.parametrize("body", SIMPLE)
def test_of_a_simple_layout_nothing_is_said(body: str) -> None:
    assert describe_layout(body, show_values=True) == ""


@pytest.mark.parametrize("body", OTHERS)
def test_what_is_beyond_a_simple_layout_is_named(body: str) -> None:
    layout = describe_layout(body, show_values=True)
    assert layout.startswith(f"laid out with {OTHERS[body]}")
    assert layout.endswith("; the preview shows how it looks, and this text only its words")


def test_three_things_are_named_and_the_others_are_counted() -> None:
    layout = describe_layout('<table width="1"><tr><td bgcolor="#fff">a</table>', show_values=True)
    assert layout.startswith("laid out with <table>, <tbody>, <tr> and 1 more;")


def test_a_value_of_a_recipient_in_a_name_is_masked() -> None:
    for start, end in (
        ('<meta content="dark" name="', '">a'),
        ("<p ", "=1>a</p>"),
        ("<", ">a"),
        ('<p style="', ':1">a'),
        ('<p style="color:', '">a'),
    ):
        layout = describe_layout(start + mark_private("ann") + end, show_values=False)
        assert (bool(layout), "ann" in layout) == (True, False), layout


@pytest.mark.parametrize("tags", [5_000])
def test_a_deep_body_takes_no_longer_for_each_element(tags: int) -> None:
    layout = describe_layout('<div style="padding:1px"><b>' * tags + "a", show_values=True)
    assert re.match("laid out with a large indent, a large space;", layout)


@pytest.mark.parametrize("body", ["<p>for&nbsp;VALUE&nbsp;and&nbsp;600 EUR</p>", "<pre>a VALUE b</pre>"])
def test_words_behind_a_value_that_may_be_long_are_not_promised(body: str) -> None:
    start, end = body.split("VALUE")
    assert "a line that does not wrap" in describe_layout(start + mark_private("x") + end, show_values=False)
    assert describe_layout("<p>for " + mark_private("x") + " and 600 EUR</p>", show_values=False) == ""


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ('<p style="', ':1">Hello</p>', "[with a recipient's value as style: Hello]"),
        ('<p style="font-size:', 'px">Hello</p>', "[with a recipient's value as style: Hello]"),
        ('<ol><li value="', '">Hello</li></ol>', "***. Hello"),
    ],
)
def test_no_value_of_a_recipient_is_in_a_mark_or_a_number(start: str, end: str, text: str) -> None:
    assert visible_text(start + mark_private("7") + end, show_values=False) == text
