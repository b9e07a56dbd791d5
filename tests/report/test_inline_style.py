"""What an element's own style does to its text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report.html_text import visible_text
from runner.report.inline_style import describe_style, find_font_size

DECORATING = [
    "",
    "color: red",
    "color:#fff",
    "color: rgb(1, 2, 3)",
    "font: bold 14px/1.5 Arial",
    "font-size: small",
    "margin: 0 -5px",
    "margin:0 auto",
    "padding: 10px 25px",
    "width:600px",
    "max-width: 100%",
    "line-height:0",
    "line-height: 24px",
    "text-decoration: underline",
    "text-align:center",
    "background: url('data:a;b:c')",
    "border-top: 1px solid #ccc",
    "mso-line-height-rule: exactly",
    "opacity: 0.9",
    "display: inline-block",
    "display:table-cell",
    "direction: ltr",
    "COLOR: #FFFFFF !important; ;",
    "text-indent:0",
    "v-text-anchor:middle",
    "position: relative",
    "letter-spacing: 1px",
]
NAMED = {
    "position:absolute;left:-99em": "styled with position",
    "left:9999px": "styled with left",
    "left:calc(-9999px)": "styled with left",
    "transform:translateX(-9999px)": "styled with transform",
    "scale:0": "styled with scale",
    "color:rgba(0,0,0,0)": "styled with color",
    "color:#0000": "styled with color",
    "color: transparent": "styled with color",
    "opacity:.0": "not displayed",
    "opacity:0.01": "styled with opacity",
    "font-size:0.1px": "styled with font-size",
    "filter:opacity(0)": "styled with filter",
    "d\\isplay:none": "not displayed",
    "dis\\70 lay: none": "not displayed",
    "display:/**/none": "not displayed",
    "visibility:hidden": "not displayed",
    "text-decoration: red line-through": "struck",
    "text-decoration-line:line-through": "struck",
    "height:0": "not displayed",
    "max-height: 0px": "not displayed",
    "width:.0em": "not displayed",
    "text-indent:-9999px": "styled with text-indent",
    "margin-left:-9999px": "styled with margin-left",
    "margin: 0 0 0 5000px": "styled with margin",
    "direction:rtl": "styled with direction",
    "unicode-bidi:bidi-override": "styled with unicode-bidi",
    "letter-spacing:-1em": "styled with letter-spacing",
    "-webkit-text-fill-color:transparent": "styled with -webkit-text-fill-color",
    "clip:rect(0,0,0,0)": "styled with clip",
    "--x:1": "styled with --x",
    "color:var(--x)": "styled with color",
    "font-size:calc(1px - 1px)": "styled with font-size",
    "mso-hide:all": "not displayed",
    "all:unset": "styled with all",
}


@pytest.mark.parametrize("style", DECORATING)
def test_what_decorates_alone_needs_no_word(style: str) -> None:
    assert describe_style(style) == ""
    assert visible_text(f'<p>Hi <span style="{style}">Ann</span></p>') == "Hi Ann"


@pytest.mark.parametrize("style", NAMED)
def test_what_may_change_the_text_is_named(style: str) -> None:
    assert describe_style(style) == NAMED[style]
    assert visible_text(f'<p>Hi <span style="{style}">Ann</span></p>') == f"Hi [{NAMED[style]}: Ann]"


@pytest.mark.parametrize(
    ("style", "size"),
    [
        ("font-size:0", False),
        ("font:0/0 a", False),
        ("font-size: 0.0px", False),
        ("font-size:13px", True),
        ("font-size:0.9em", True),
        ("font: 12px a", True),
        ("font: bold 12px a", None),
        ("color:red", None),
    ],
)
def test_whether_text_has_a_size(style: str, size: object) -> None:
    assert find_font_size(style) is size


def test_an_element_inside_gives_its_text_a_size_again() -> None:
    body = '<td style="font-size:0px"><div style="font-size:13px">Hello <b>Ann</b></div> hidden</td>after'
    assert visible_text(body) == "Hello Ann\n[not displayed: hidden]\nafter"


def test_nothing_is_said_of_an_element_without_text() -> None:
    assert visible_text('a<div style="height:1px"></div>b') == "a\nb"


@given(st.text(alphabet="ab:;-\\/*()0.%#!' \n"))
def test_no_style_is_too_broken_to_be_read(style: str) -> None:
    assert isinstance(describe_style(style), str)
    assert find_font_size(style) in {True, False, None}
