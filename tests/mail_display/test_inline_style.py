"""What an element's own style does to its text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.mail_display.flow import find_flow
from runner.mail_display.inline_style import Style, read_style
from runner.mail_display.look import Look
from runner.mail_display.style_parser import parse_style
from runner.report.html_text import visible_text
from tests.support.proof import proofs

DECORATING = [
    "",
    "color: red",
    "color: rgb(1, 2, 3)",
    "font: bold 14px/1.5 Arial",
    "font-size: small",
    "margin:0 auto",
    "padding: 0 25px",
    "width:600px",
    "max-width: 100%",
    "line-height: 24px",
    "text-decoration: underline",
    "text-align:center",
    "background: url('data:a;b:c')",
    "border-top: 1px solid #ccc",
    "mso-line-height-rule: exactly",
    "opacity: 1",
    "display: inline-block",
    "direction: ltr",
    "COLOR: #FF0000 !important; ;",
    "text-indent:0",
    "v-text-anchor:middle",
    "min-width: 320px",
    "letter-spacing: 1px",
]
DECORATING += [
    "color:#fff;background:#000",
    "color:white;background-color:rgb(0, 0, 128)",
    "color:#fff;background:url(https://a.example/b.png)",
    "color:#999",
    "color:inherit",
    "font-family: -apple-system, 'Segoe UI', Roboto, 'Apple Color Emoji', 'Segoe UI Symbol'",
    "background: #fff url(https://a.example/b.png) no-repeat center / cover",
    "background-image: linear-gradient(90deg, rgba(1,2,3,0.5), #fff 50%)",
    "border: 1px solid rgba(0, 0, 0, 0.1)",
    "border-radius: 8px",
    "mso-padding-alt: 10px 25px",
    "mso-text-raise: 13px",
    "text-decoration: underline dotted #333",
    "-webkit-text-size-adjust: 100%",
]
NAMED = {
    "margin: 0 -5px": "styled with margin",
    "line-height:0": "styled with line-height",
    "line-height:0.5em": "styled with line-height",
    "mso-line-height-rule:exactly;line-height:1px": "styled with line-height",
    "position:absolute;left:-99em": "styled with position, left",
    "position:relative": "styled with position",
    "left:9999px": "styled with left",
    "min-width:2000px": "styled with min-width",
    "width:2000px": "styled with width",
    "left:calc(-9999px)": "styled with left",
    "transform:translateX(-9999px)": "styled with transform",
    "scale:0": "styled with scale",
    "color:rgba(0,0,0,0)": "styled with color",
    "color:#0000": "styled with color",
    "color: transparent": "styled with color",
    "opacity:.5": "styled with opacity",
    "color-scheme:dark": "styled with color-scheme",
    "color-scheme:light dark": "styled with color-scheme",
    "font-size:0.1px": "not displayed",
    "font-size:5px": "in a size of 5 pixels",
    "font-size:200px": "in a size of 200 pixels",
    "font-size:1vw": "styled with font-size",
    "font:0/0 a": "not displayed",
    "font: bold 2px a": "in a size of 2 pixels",
    "filter:opacity(0)": "styled with filter",
    "display: none": "not displayed",
    "display: none !important": "not displayed",
    "color:red;;DISPLAY:NONE": "not displayed",
    "display:none;display:block": "styled with display",
    "display:inline;display:block": "styled with display",
    "display:list-item": "styled with display",
    "display:table-column": "styled with display",
    "display:table-footer-group": "styled with display",
    "display:-webkit-box": "styled with display",
    "display:flex; gap:100px": "styled with display",
    "display:contents": "styled with display",
    "visibility:hidden": "styled with visibility",
    "text-decoration: red line-through": "styled with text-decoration",
    "text-decoration-line:line-through": "struck",
    "height:0": "styled with height",
    "max-height: 0px": "styled with max-height",
    "height:20px;overflow:hidden": "styled with height, overflow",
    "white-space:nowrap;overflow:hidden": "styled with white-space, overflow",
    "text-indent:-9999px": "styled with text-indent",
    "text-indent:100%": "styled with text-indent",
    "padding-left:9999px": "styled with padding-left",
    "margin-left:-9999px": "styled with margin-left",
    "margin: 0 0 0 5000px": "styled with margin",
    "vertical-align:-9999px": "styled with vertical-align",
    "direction:rtl": "styled with direction",
    "unicode-bidi:bidi-override": "styled with unicode-bidi",
    "flex-direction:row-reverse": "styled with flex-direction",
    "order:2": "styled with order",
    "float:right;display:flex": "styled with display",
    "letter-spacing:-1em": "styled with letter-spacing",
    "z-index:1": "styled with z-index",
    "color:#fff": "in the colour of its background",
    "color:#fefefe": "in the colour of its background",
    "background:#000": "in the colour of its background",
    "color:yellow;background:#ff0": "in the colour of its background",
    "color:rgb(255, 255, 255);background-color:white": "in the colour of its background",
    "color:thistle": "styled with color",
    "color:hsl(0,0%,100%)": "styled with color",
    "outline:99px solid #fff": "styled with outline",
    "box-shadow:0 0 0 99px #fff": "styled with box-shadow",
    "box-shadow:inset 0 0 0 25px #000": "styled with box-shadow",
    "box-shadow:0 -20px 0 0 #fff": "styled with box-shadow",
    "text-overflow:ellipsis": "styled with text-overflow",
    "text-shadow:0 20px 0 #000": "styled with text-shadow",
    "list-style-type:ethiopic-numeric": "styled with list-style-type",
    "font-family:Arial, Wingdings": "styled with font-family",
    "font-family:'Cambria Math'": "styled with font-family",
    "font: 12px 'Webdings'": "styled with font-family",
    "text-transform:full-width": "styled with text-transform",
    "-webkit-text-size-adjust:1%": "styled with -webkit-text-size-adjust",
    "-webkit-text-fill-color:transparent": "styled with -webkit-text-fill-color",
    "mso-text-raise:-900pt": "styled with mso-text-raise",
    "clip:rect(0,0,0,0)": "styled with clip",
    "--x:1": "styled with --x",
    "color:var(--x)": "styled with color",
    "font-size:calc(1px - 1px)": "styled with font-size",
    "mso-hide:all": "not in Outlook",
    "all:unset": "styled with all",
}
UNREAD = [
    "d\\isplay:none", "dis\\70 lay: none", "display:/**/none", "x:/*;display:none", "{}display:none",
    "display:none\x00", "a:b\\;display:none", "background:url(a\\);display:none;x:b)", "background:url(a;display:none",
    "a:(;display:none",
    "a:[;display:none", "@media{display:none", "<!-- display:none", "'a", "x", "a:)", "background:url('a\nb')",
]  # fmt: skip
NESTED = {
    "font-size:.4em": "not displayed", "font-size:smaller": "not displayed",
    "font-size:80%": "not displayed",
}  # fmt: skip


def read(text: str, tag: str = "p") -> Style:
    style = parse_style(text)
    return read_style(style, tag, find_flow(tag, style)[0], Look(), Look())


@pytest.mark.parametrize("style", DECORATING)
def test_what_decorates_alone_needs_no_word(style: str) -> None:
    assert read(style).marks == ()
    assert visible_text(f'<div>Hi</div><div style="{style}">Ann</div>', show_values=False).removeprefix("Hi\n") in {
        "Ann",
        "[on a background of its own: Ann]",
        "[picture: https://a.example/b.png]Ann",
        "[picture: https://a.example/b.png][on a background of its own: Ann]",
        "[picture: data:a;b:c]Ann",
        "[picture: linear-gradient(90deg, rgba(1,2,3,0.5), #fff 50%)]Ann",
    }


@pytest.mark.parametrize(
    "style", ["background:#ffe", "background-color:inherit", "border-top:1px solid", "border:1px solid #000"]
)
def test_what_an_element_in_a_line_draws_beside_its_letters_is_named(style: str) -> None:
    text = visible_text(f'<p>Hi <span style="{style}">Ann</span></p>', show_values=False)
    assert re.fullmatch(r"Hi \[(on a background of its own|styled with border(-top)?): Ann\]", text)


@pytest.mark.parametrize("style", NAMED)
def test_what_may_change_the_text_is_named(style: str) -> None:
    assert visible_text(f'<p>Hi <span style="{style}">Ann</span></p>', show_values=False) in {
        f"Hi [{NAMED[style]}: Ann]",
        f"Hi [on a background of its own: [{NAMED[style]}: Ann]]",
    }


@pytest.mark.parametrize("style", UNREAD, ids=ascii)
def test_a_style_that_is_no_plain_css_is_named(style: str) -> None:
    assert read(style).marks == ("styled in a way that is not read here",)


@pytest.mark.parametrize("style", NESTED)
def test_what_elements_add_up_to_is_named(style: str) -> None:
    body = f'<b style="{style}">' * 30 + "evil" + "</b>" * 30
    assert visible_text(body, show_values=False) == f"[{NESTED[style]}: evil]"


@pytest.mark.parametrize("outer", ["margin:0 -30px", "font-size:1.6vw", "direction:rtl", "d\\isplay:none"])
@pytest.mark.parametrize("inner", ["display:none", "height:5px;overflow:hidden", "font-family:Wingdings"])
def test_what_is_inside_of_a_named_style_is_named_too(outer: str, inner: str) -> None:
    body = f'<div style="{outer}">Hi <span style="{inner}">evil</span> you</div>'
    assert re.fullmatch(r"\[styled [a-z -]+: Hi \[[a-z, -]+: evil\] you\]", visible_text(body, show_values=False))


@pytest.mark.parametrize("inner", ["1em", "200%", "larger", "bogus"])
def test_a_part_of_no_size_is_no_size(inner: str) -> None:
    body = f'<p style="font-size:0"><b style="font-size:{inner}">evil</b>'
    assert "not displayed: evil" in visible_text(body, show_values=False)


# Each hides, moves, joins or covers a text in some place. Whether it does here, only a browser knows.
NOT_JUDGED = [
    "<b style='width:.0em'>evil</b>", "<table style='table-layout:fixed'><tr><td width=30>evil</table>",
    "<table><tr><td width=1>evil</table>", "<div style='height:30px'>evil</div>",
    "<p style='max-height:40px'>evil</p>", "<div style='height:60px;line-height:190px'>evil</div>",
    "<div style='height:48px'><font size=7>evil</div>",
    "<div style='box-sizing:border-box;height:150px;padding-top:50px'>evil</div>",
    "<div style='max-width:20px'>evil</div>", "<table><tr><td style='display:block;height:20px'>evil</table>",
    "<div style='overflow:hidden'>evil</div>",
    "<div style='overflow:hidden;border-radius:50%'><p>evil</p></div>", "<p style='white-space:nowrap'>evil</p>",
    "<p style='word-break:keep-all'>evil</p>", "<p style='opacity:.9'>evil</p>",
    "<div style='padding:150px'>evil</div>", "<div style='margin-top:80px'>evil</div>",
    "<p style='text-indent:9px'>evil",
    "<i style='border-top:9px solid #fff'>evil</i>", "<i style='box-shadow:0 0 0 25px #fff'>evil</i>",
    "<p style='outline:2px solid #fff'>evil", "<b style='line-height:.9'>evil",
    "<p style='text-shadow:0 2px #fff'>evil", "<i style='vertical-align:-9pt'>evil</i>",
    "<i style='vertical-align:super'>evil</i>", "<sup><sup>evil</sup></sup>", "<p style='color:initial'>evil",
    "<p style='color:windowtext'>evil", "<p style='color-scheme:light dark'>evil", "<p style='font-size:70px'>evil",
    "<p style='padding-left:10vw'>evil", "<html style='font-size:1px'><p style='font-size:1rem'>evil",
    "<p style='text-decoration:overline'>evil",
    "<ul style='list-style:none'><li>evil</ul>", "<ul><li type=1 value=6>evil</ul>", "<ol><li type=disc>evil</ol>",
    "<ol><li style='display:block'>evil</ol>", "<ul><li style='list-style-type:decimal'>evil</ul>",
    "<ol start=6 style='color:#fff'><li><b style='color:#000'>evil</b></ol>",
    "<q style='color:#fff'><b style='color:#000'>evil</b></q>",
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_JUDGED)
def test_what_only_a_browser_can_judge_is_named(body: str) -> None:
    assert re.search(r"(^|\n|• |\^)\[(styled|in) [a-z -]+\d*[a-z ]*: ", visible_text(body, show_values=False))


@pytest.mark.parametrize(
    "body",
    [
        "<td style='height:20px;width:20px'>A long text in a cell, which grows with it, as cells do</td>",
        # A gap of MJML.
        "<td style='font-size:0px'><div style='height:40px;line-height:40px'>&#8202;</div></td><td>Hi</td>",
        "<div style='border-radius:8px;max-width:600px'><p style='padding:24px'>Hi you there</p></div>",
        "<div style='max-width:300px'>Some words that break in every line of a narrow column</div>",
        "<a style='display:inline-block;padding:12px 24px'>Read on</a>",
        "<ol style='padding-left:30px'><li>Hi</ol>", "<p style='line-height:40px'>Hi</p>", "<p>a<sup>2</sup></p>",
    ],
)  # fmt: skip
def test_what_mails_do_with_their_texts_needs_no_word(body: str) -> None:
    body = f"<table><tr>{body}</table>" if body.startswith("<td") else body
    assert "[" not in visible_text(body, show_values=False)


def test_an_element_inside_gives_its_text_a_size_again() -> None:
    body = '<div style="font-size:0px"><div style="font-size:13px">Hello <b>Ann</b></div> hidden</div>after'
    assert visible_text(body, show_values=False) == "Hello Ann\n[not displayed: hidden]\nafter"


def test_nothing_is_said_of_an_element_without_text() -> None:
    assert visible_text('a<div style="height:1px"></div>b', show_values=False) == "a\nb"


@given(st.text(alphabet="ab:;-\\/*()0.%#!' \n"))
def test_no_style_is_too_broken_to_be_read(style: str) -> None:
    assert isinstance(read(style).marks, tuple)


@pytest.mark.parametrize(
    "piece", ["a:(", "url(", "url('", "thin ", "a:b;", "rgb(", "a", " ", "border:thin ", "'", "1px "]
)
@pytest.mark.parametrize(
    "start", ["", "border:", *proofs(["background:", "font:", "text-decoration:", "list-style:", "margin:"])]
)
def test_a_long_style_is_read_in_linear_time(piece: str, start: str) -> None:
    read(start + piece * 50_000 + "%")
