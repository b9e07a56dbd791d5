"""No text is plain in the comment that a style hides, whatever a browser makes of the style."""

import re

import pytest

from runner.report.html_text import SEVERAL_READINGS, visible_text
from runner.report.markdown_escaping import shorten_block

LINES = "\n" * 300
# Another declaration counts for more, in browsers or in some mail clients.
BEATEN = [
    "<p style='color:#fff!important;color:#000'>evil", "<p style='font-size:5px;font-size:16px'>evil",
    "<p style='background:black ! important;background:#fff'>evil",
    "<p style='background:#000!important;background-color:#fff'>evil",
    f"<p style='white-space:pre!important;white-space:normal'>Hi{LINES}evil",
    "<p style='font:16px/1.2 a;line-height:.1'>evil",
]  # fmt: skip
# Browsers refuse these values, or give the element that of another one.
REFUSED_BACKGROUNDS = [
    ":#000 no-repeat-x", ":#fff no-repeat-x", ":#fff nonerepeat", ":#fff repeatscroll",
    ":white 5", ":#fff initial", ":initial none", ":#fff 5px 5px 5px", ":#fff repeat repeat repeat", "-image:#fff",
    ":#fff;background:none", ":", ":url", "\u00a0:#fff", ":\x0b#fff", ":\x85#fff", "-color:gradient", ":#fff none none",
]  # fmt: skip
REFUSED_COLORS = [
    "color:", "color:!important", "color:unset", "color:rgb(0,0,0,1.)", "color:blac\u212a", "color:#000;color:inherit",
    "color:\u00a0#000", "\u00a0color:#000", "color:currentcolor", "color:#00000",
]  # fmt: skip
REFUSED_SIZES = [
    "font-size:16", "font-size:16.px", "font:bold bold 16px Arial", "font:16px Arial 5", "font:16px inherit",
    "font:bold 16px initial", "font:16px/inherit Arial", "font:initial Arial", "font-size:\u300016px", "font-size:4em",
    "font-size:\u0661\u0666px", "font:16px Arial,", "font:16px",
]  # fmt: skip
REFUSED = [
    *(f"<div style='background:#000'><p style='background{value}'>evil</div>" for value in REFUSED_BACKGROUNDS),
    *(f"<div style='color:#fff'><p style='{style}'>evil</div>" for style in REFUSED_COLORS),
    *(f"<div style='font-size:1px'><h1 style='{style}'>evil</h1></div>" for style in REFUSED_SIZES),
    "<div style='color:#fff'><font color=black style='color:unset'>evil</div>",
    "<div style='background:#000'><table><td bgcolor=#ffffff style='background:none'>evil</table></div>",
    *(f"<pre><p style='white-space:{value}'>Hi{LINES}evil</pre>" for value in ("bogus", "inherit", "unset")),
]
# Of large letters, and of what elements add up to.
ADDED_UP = [
    "<div style='font-size:96px'><p style='margin-left:12em'><b style='font-size:16px'>evil</div>",
    "<div style='font-size:96px;letter-spacing:-.06em'><b style='font-size:9px'>evil</div>",
    "<div style='opacity:.6'><p style='color:#e2e2e2'>evil</div>",
    "<i style='opacity:.8'><i style='opacity:.8'><b style='color:#e0e0e0'>evil",
    "<div style='margin-left:200px'><p style='margin-left:inherit'>evil</div>",
    "<div style='opacity:.9'><p style='opacity:inherit'>evil</div>",
]
# What is drawn over another text, or put out of its line.
MOVED = [
    "<p style='font-size:64px;line-height:1'><span style='background:#fff;border:4px solid #fff;padding:4px 0'>evil",
    "<p style='font-size:64px;line-height:1'><span style='background:#fff;padding:2px 0'>evil",
    "<p style='font-size:20px;line-height:1'><span style='border-top:4px solid #fff'>evil",
    "You<b style='display:inline-block;vertical-align:super'>evil</b>",
    "<table><td style='max-width:10px'>evil</table>", "<p style='font-size:9px;letter-spacing:-1px'>evil",
    "<div style='font-size:64px;letter-spacing:-1px'><b style='font-size:9px'>evil</div>",
    "<p style='font-family:MS Outlook'>evil", "<p style=\"font-family:'MS Reference Specialty'\">evil",
    "<!--[if !mso]>-->evil<!--<![endif]-->",
    "<table height=500><td valign=bottom>evil</table>",
]  # fmt: skip
SMALL = "<span style='background:#000;color:#fff;font-size:{}'><span style='font-size:16px'>evil"
NARROW = "<div style='width:100px;background:#000;color:#fff'>"
# A background that is not drawn behind all of the text.
BEYOND = [
    SMALL.format("0"), SMALL.format("9px"),
    "<span style='background:#000;color:#fff'><div style='background:none'>evil",
    f"{NARROW}<div style='padding-left:64px'><div style='padding-left:64px'>evil",
    f"{NARROW}hope&nbsp;you&nbsp;like&nbsp;it,&nbsp;evil", f"{NARROW}<div style='width:600px;text-align:center'>evil",
    "<table style='table-layout:fixed'><td style='background:#000;color:#fff'><div style='min-width:300px'>evil",
    "<table><caption style='color:#fff'>evil</caption><td>a</table>",
    f"{NARROW}<table width=600><td align=right>evil</table>", f"{NARROW}<p style='padding:0'>evil",
    f"{NARROW}<b style='padding-left:64px'></b><b style='padding-left:64px'></b><b style='padding:1px'>evil",
]  # fmt: skip
# What browsers refuse, so that the text has no size.
REFUSED_FONTS = [
    f"<div style='font-size:0'><span style='font:{font}'>evil"
    for font in ("bold italic italic 16px Arial", "bold italic normal normal normal 16px Arial", "16px -", "16px a,--b")
]
# Far from the other texts, behind or below many elements that are empty.
FAR = [
    f"<table><tr>{'<td style=min-width:600px></td>' * 30}<td>evil</td></tr></table>",
    f"<table><tr>{'<td style=padding-left:64px></td>' * 30}<td>evil</td></tr></table>",
    f"<table><tr>{'<td><div style=width:900px></div></td>' * 14}<td>evil</td></tr></table>",
    f"{'<b style=display:inline-block;width:100%></b>' * 200}evil",
    f"<table cellpadding=30>{'<tr><td></td></tr>' * 50}<tr><td>evil</td></tr></table>",
    f"{'<table border=60><tr><td></td></tr></table>' * 20}evil",
    f"{'<p style=border-top:59px></p>' * 25}evil", f"{'<p style=line-height:240px><b></b></p>' * 20}evil",
    f"<div style=line-height:240px>{'<p><i style=display:inline-block></i></p>' * 20}<p style=line-height:1>evil</div>",
    f"{'<div><b style=display:inline-block></b></div>' * 30}evil",
    f"{'<p style=line-height:200px><b style=padding-left:1px></b></p>' * 13}evil",
    f"{'<!--[if mso]>-<![endif]--><b style=font-size:0>-</b><img width=1>' + '<br>' * 19}" * 3 + "evil",
]  # fmt: skip
BLACK = "<div style='background:#000;color:#fff'>"
WHITE = "<p style='color:#fff'>evil"
DARK = "<table><td style='background:#000;color:#fff'>ok "
# Behind these letters is another background than the nearest one, or the nearest one is not where it seems to be.
BEHIND = [
    "<p style='background-color:#000;background-color:none'>evil",
    "<p style='background-color:#000;background-color:scroll'>evil",
    f"{DARK}<span style='background:#fff'><div style='background:inherit'>evil",
    f"{DARK}<span style='background:#fff'><b style='display:inline-block'>evil",
    "<html style='background:#fff'><body style='background:#000;color:#fff'>evil",
    "<body style='background:#000;color:#fff'><div style='float:left'>evil",
    "<table><td style='background:#000;color:#fff;border-radius:16px'>evil",
    "<p style='font-size:9;line-height:9px'>evil",
    "<p style='opacity:.1666666666%'>evil", "<div style='line-height:0;font:16 Arial'>evil",
    f"<div style='box-shadow:{','.join(['0 0 0 25px rgba(0,0,0,.3)'] * 3)}'>evil</div>",
    "<p style='color:#c9c9c9'>evil</p><p style='box-shadow:0 0 0 25px rgba(0,0,0,.12),0 0 0 25px rgba(0,0,0,.12)'>",
]  # fmt: skip
# What gives no element another colour, or gives it one that is not in a style.
OTHER_COLORS = [
    # A block without a height is not drawn behind what floats in it.
    f"{BLACK}<div style='float:left'>evil", f"{BLACK}<table align=left><td>evil</table>",
    f"<table><td bgcolor=white>{BLACK}<div style='float:right'><b>evil</b></div></div></table>",
    f"<p rel=stylesheet>Hi</p>{WHITE}", f"<a rel='nofollow stylesheet' href=/>Hi</a>{WHITE}", f"<style></style>{WHITE}",
    f"<link rel='nostylesheet'>{WHITE}", f"<!--[if mso]><style></style><![endif]-->{WHITE}",
    "<p background='' style='color:#fff'>evil", "<table><td background style='color:#fff'>evil</table>",
    f"<div background=''>{WHITE}</div>", f"<div background='x.png'>{WHITE}</div>",
    "<span background=''><font color='#ffffff'>evil", f"<table><td background=' '>{WHITE}</table>",
    "<div style='background:#000'><mark style='color:#ffff00'>evil</div>",
    "<div style='background:#000;color:yellow'><mark style='color:inherit'>evil</div>",
]  # fmt: skip
LONG = "Hello dear customer, this is a long text. " * 4
# With a number in place of a dot, or without its number.
SIGNS = [
    "<ul style='list-style-type:decimal'><li value=600>evil</ul>", "<ul type=1><li value=600>evil</ul>",
    "<ol style='list-style:none'><li value=600>evil</ol>",
]  # fmt: skip
# Covered by a box that comes next.
TOO_HIGH = [
    f"<div style='h&#101;ight:18px'>{LONG}evil</div>", f"<div style='max-h&#101;ight:18px'>{LONG}evil</div>",
    "<div style='height:60px'>a<br>b<br>c<br>d<br>evil</div>", f"<div style='height:60px'>Hi{'<br>' * 8}evil</div>",
    "<div style='height:20px;max-width:600px'><p>Hello</p><p>Hello</p><p>evil</p></div>",
    "<div style='height:60px'><p style='padding-top:150px'>evil</p></div>",
    "<div style='height:60px'><img src=x width=10 height=200><br>evil</div>",
]  # fmt: skip


# What an element in a line draws covers the lines around it, or goes through letters of another size.
IN_LINE = [
    "<span style='padding-block:18px;background:#fff'>evil</span>", "<span style='background:#fff'>evil</span>",
    "<span style='border-top:thick solid #fff'>evil</span>", "<span style='background:inherit'>evil</span>",
    "<span style='font-size:4px;border-top:1px solid #000'><b style='font-size:16px'>evil</b></span>",
    "<span style='border-left:2px solid #000'>evil</span>", "<mark>evil</mark>",
    "<u style='font-size:64px;line-height:12px'><b style='font-size:11px;line-height:12px'>evil</b></u>",
]  # fmt: skip
# The background of a part of a table may end before its text.
IN_CELL = [
    "<table><td style='background:#000;color:#fff;border-radius:500px/500px;padding:0 0 64px'>evil</table>",
    "<table><td style='background:#000;color:#fff'>Hi<div style='width:166%;text-align:right'>evil</div></table>",
    "<table><td style='background:#000;color:#fff'><div style='margin-left:10%'>evil</div></table>",
    "<table bgcolor='#000000'><td style='background:url(https://x.example/a.png);color:#000'>evil</table>",
    "<table><td background='https://x.example/a.png' bgcolor='#000000' style='color:#000'>evil</table>",
    "<table><td style='background:#000;color:#fff;padding:0'><ol start=600 style='margin:0'><li>evil</ol></table>",
]
# Attributes that browsers read in another way than as a plain number.
ATTRIBUTES = [
    "<table cellpadding='0000000009999'><td>evil</table>", "<table><td height='9000 %'>evil</table>",
    "<table border='+9999'><td>evil</table>", "<font size='-0006'>evil</font>", "<table width='150%'><td>evil</table>",
    "<table style='table-layout:fixed' width='1px'><td>evil</table>",
]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        *IN_LINE,
        *IN_CELL,
        *ATTRIBUTES,
        *SIGNS,
        *TOO_HIGH,
        *BEATEN,
        *REFUSED,
        *ADDED_UP,
        *MOVED,
        *BEYOND,
        *REFUSED_FONTS,
        *FAR,
        *BEHIND,
        *OTHER_COLORS,
    ],
    ids=ascii,
)
def test_a_text_that_a_style_hides_is_in_brackets(body: str) -> None:
    text = visible_text(f"<p>Hello</p>{body}", show_values=False)
    before = text.partition("evil")[0]
    assert before.count("[") > before.count("]") or "[after " in before


# What is drawn in one line, and in the order of the mail, has a sign for it: else two lines could say another thing.
IN_ONE_LINE = [
    "€10<br style='display:none'>0", "€10<span hidden><br></span>0", "€10<div hidden>x</div>0", "€10<style></style>0",
    "<div style='display:inline-block'>€10</div><div style='display:inline-block'>0</div>",
    "€10<b style='display:inline-block'><div>0</div></b>", "<b style='display:inline-block'><p>€10</p></b>0",
    "<div style='float:left'>€10</div><div>0</div>", "<table><tr><td>€10</td><td>0</td></tr></table>",
    "<table><tr><td>€10</td><td><p>x</p><p>0</p></td></tr></table>", "€10<!--[if mso]>x<![endif]-->0",
    "<table align=left><tr><td>€10</td></tr></table><p>0</p>", "€10<i style='font-size:0'> </i>0",
    "€10<i hidden> </i>0",
]  # fmt: skip


@pytest.mark.parametrize("body", IN_ONE_LINE)
def test_what_stands_in_one_line_is_no_line_of_its_own(body: str) -> None:
    text = visible_text(f"<p>Hello</p><div>{body}</div>", show_values=False)
    assert re.search(r"(?m)(^│ |€10)0$", text)


@pytest.mark.parametrize(
    "body", ["a<br>b", "<p>a</p><p>b</p>", "<span style='display:block'>a</span>b", "<pre>a\nb</pre>", "a<hr>b"]
)
def test_a_line_of_its_own_has_no_sign(body: str) -> None:
    assert "│" not in visible_text(body, show_values=False)


ORDERS = {
    "Don't <b style='float:left'>pay</b>": "Don't\n│ [moved to the left: pay]",
    "<b style='float:right'>pay</b> Don't": "[at the right: pay]\n│ Don't",
    "<div>Don't <table align=left><tr><td>pay": "Don't\n│ [moved to the left: pay]",
    "<table><tfoot style=\"font-family:'SF Pro Display'\"><tr><td>b</td></tr></tfoot><tr><td>a</table>": "a\nb",
    "<div dir=auto><i hidden>\u05d0</i>10 - 5": "[the attribute dir may be displayed",
    "<table><tr><td>a<td rowspan=2>b<tr><td colspan=2>c</table>": "[over several rows: b]",
}


@pytest.mark.parametrize("body", ORDERS)
def test_another_order_than_that_of_the_source_is_named(body: str) -> None:
    assert ORDERS[body] in visible_text(body, show_values=False)


# Each hides what stands before "500" for some readers.
SIGNS_BEFORE = [
    "<i hidden>-</i>", "<del>-</del>", "<i style='color:#fff'>-</i>", "<i style='font-size:0'>-</i>",
    "<![if !mso]>not<![endif]>", "<!--[if !mso]><!-->not<!--<![endif]-->", "<i style='mso-hide:all'>not</i>",
]  # fmt: skip


@pytest.mark.parametrize("before", SIGNS_BEFORE)
def test_every_sign_that_some_readers_do_not_see_is_in_brackets(before: str) -> None:
    text = visible_text(f"Balance: {before}500", show_values=False).partition("Balance: ")[2]
    assert re.match(r"\[[a-zO ]+: (-|not)\]500", text)


def test_what_hides_a_text_from_outlook_by_tags_alone_is_named() -> None:
    body = "You will <!--[if mso]><div style='display:none'><![endif]-->not<!--[if mso]></div><![endif]--> pay"
    assert "[in Outlook alone: [not displayed: (tags)]]" in visible_text(body, show_values=False)


BACKGROUNDS = [
    "<span style='background:#000;color:#fff'><div>evil</div></span>",
    "<b style='background:#000;color:#fff'><p>evil</p></b>",
    "<table bgcolor=#000 style='color:#fff'><caption>evil</caption><tr><td>a</table>",
]  # fmt: skip


@pytest.mark.parametrize("body", BACKGROUNDS)
def test_a_background_reaches_only_what_a_browser_draws_it_behind(body: str) -> None:
    assert re.search(
        r"\[(on a background of its own|in the colour of its background): evil", visible_text(body, show_values=False)
    )


def test_a_second_bracket_of_the_same_words_is_shown() -> None:
    body = "<div style='position:relative'>You will <b style='position:absolute;left:-99px'>not</b> pay</div>"
    text = visible_text(body, show_values=False)
    assert text == "[styled with position: You will [styled with position, left: not] pay]"


EMPTY_STYLES = [
    "line-height:2000px", "vertical-align:-2000px", "font-size:2000px", "letter-spacing:-200px", "word-spacing:-9px",
    "white-space:pre", "list-style:none",
]  # fmt: skip
# Without a text, each may cover or move what stands around it.
EMPTY = [
    "<div style='position:absolute;top:0'></div>", "<div style='margin-top:-40px'>&nbsp;</div>",
    "<a href=/ style='inset:0'></a>",
    "<ul style='transform:none'></ul>", "<o:p style='position:fixed'></o:p>", "<p style='po\\73ition:fixed'></p>",
    "<hr style='position:absolute;background:#fff'>", "<img src=x style='margin-top:-90px'>",
    "<area style='z-index:1'>",
    *(f"<span style='{style}'>{text}</span>" for style in EMPTY_STYLES for text in ("", " ", "&nbsp;")),
    f"{'<table style=min-width:100px;margin-top:-1px><tr><td></td></tr></table>' * 60}",
    "<p>You pay 10<link style='display:block'>0 EUR</p>", "<ul><li style='list-style-type:\"evil\"'></li></ul>",
    "<table style='border-spacing:2000px'><tr><td></td></tr></table>",
    "<table style='table-layout:fixed'><col width=9>",
    "<table style='table-layout:fixed'><td style='width:9px'></td><td>b</td></table>",
    f"<p>600 EUR{'<b style=margin-left:-1px></b>' * 32}</p>",
    f"<p>600 EUR{'<b style=display:inline-block;margin-left:-1px></b>' * 32}</p>",
    "<link style='all:unset'>", "<table><col style='visibility:collapse'><td>b</table>",
    "<div style='margin-top:-40px'>\u200b</div>", "<i style='outline:90px solid #fff'></i>",
]  # fmt: skip


@pytest.mark.parametrize("body", EMPTY, ids=ascii)
def test_the_style_of_an_element_without_a_text_is_named(body: str) -> None:
    text = visible_text(f"<p>Hello</p>{body}<p>evil</p>", show_values=False)
    assert re.search(r"\[styled (with|in) [a-z, -]+: (\(nothing\)|hr|\[image[^]]*\]|area|link|col)\]", text)


def test_a_high_image_says_so() -> None:
    assert ", 1,500 pixels high: x]" in visible_text("<img src=x style='height:1500px'>evil", show_values=False)


# Of each, the bracket says what is drawn: the first words of it are not of the author's choice.
DRAWN_SO = {
    "<b style='x:line-through'>a</b>": "[styled with x: a]",
    "<b style='text-decoration:line-through #fff'>a</b>": "[styled with text-decoration: a]",
    "<b style='text-decoration:line-through;text-decoration-color:red'>a</b>": "[styled with text-decoration: a]",
    "<b style='text-decoration:line-through;position:fixed'>a</b>": "[struck: [styled with position: a]]",
    "<b style='mso-hide:all;position:fixed'>a</b>": "[not in Outlook: [styled with position: a]]",
    "<b style='mso-hide:none'>a</b>": "[styled with mso-hide: a]",
    "<b style='font-size:8px;color:#fff'>a</b>": "[in the colour of its background: a]",
    "<s>a <b style='font-size:40px'>b</b></s>": "[struck: a [perhaps not struck: b]]",
    "<s><table><tr><td>a</td></tr></table></s>": "[struck: a]",
    "<ol start=600><li style='background:#000;color:#fff'>a</ol>": (
        "[on a background of its own: [in the colour of its background: 600.]] [on a background of its own: a]"
    ),
    "<p style='background:#000;color:#fff'>a <b>b</b></p>": (
        "[on a background of its own: a] [on a background of its own: b]"
    ),
    "<table><td bgcolor=#000000 style='color:#fff'><p>a</p></table>": "[on a background of its own: a]",
    "<body style='background:#000;color:#fff'><p>a</p>": "a",
    "<table><td style='background:#000;color:#fff;max-width:100px'>a</table>": "[on a background of its own: a]",
    "<table><td style='background:#000;color:#fff;border-radius:50%'>a</table>": "[on a background of its own: a]",
    "<div style='background:#000'><table><td style='background:#000;background:none;color:#fff'>a</table></div>": (
        "[on a background of its own: a]"
    ),
    "<body style='background:#000;color:#fff'>a</body>": "a",
    "<ol start=600 style='padding:0;padding-left:64px 64px'><li>a</ol>": "[styled with padding-left: 600. a]",
    "<p style='letter-spacing:-1px;letter-spacing:none'>a</p>": "[styled with letter-spacing: a]",
    "<p style='padding-left:64'>a</p>": "[styled with padding-left: a]",
    "<ol start=99999999999><li>a</ol>": "1. a",
    "<p>You pay <b style='display:inline-block'>no </b>where</p>": "You pay nowhere",
    "<p>10<b style='display:inline-block'> </b>00</p>": "1000",
    "<p>no <b style='display:inline-block'></b>where</p>": "no where",
    "<pre>10<b style='display:inline-block'>5 </b>00</pre>": "105 00",
    "<p>no<b style='display:inline-block'><i style='display:none'>x</i> where</b></p>": "no[not displayed: x]where",
    "<s>a <b style='font-size:12px'>b</b><sup>c</sup></s>": (
        "[struck: a [perhaps not struck: b][perhaps not struck: ^c]]"
    ),
    "<p>no<b style='font-size:0'>x </b>where</p>": "no[not displayed: x]where",
    "<p>10<sup style='display:table-cell'>6</sup></p>": "10\n│ [styled with display: ^6]",
    "<p style='background:#000;background:none'>a</p>": "[on a background of its own: a]",
    "<ol type=a start=379><li>a</ol>": "[as letters: 379.] a",
    "<ol start=6><!--[if mso]><li value=0></li><![endif]--><li>a</ol>": "6. a",
    "<table><td style='padding:0'><ol><li>a</ol></table>": "1. a",
    "<table><td nowrap>a</table>": "[styled with nowrap: a]",
    "<pre style='tab-size:0'>a</pre>": "[styled with tab-size: a]",
    "<pre style='white-space:normal'>a\nb</pre>": "[styled with white-space: a\n⋯ b]",
    "<p>We <b style='display:inline-block;vertical-align:top'>a<br>b</b> c</p>": "We\n│ a\n│ b\n│ c",
    "<b>We</b> <b style='display:inline-block'>a<br>b</b> c": (
        "We a\n│ b [these lines stand beside the text before them]\n│ c"
    ),
    "<p>We <b style='display:inline-block;min-height:99px;vertical-align:top'>a</b> b</p>": "We\n│ a\n│ b",
    "<p>a<i style='float:right'>b</i><i style='float:left'>c</i></p>": (
        "a\n│ [at the right: b]\n│ [moved to the left: c]"
    ),
    "<p>a<i style='float:left'>b</i><i style='float:left'>c</i></p>": (
        "a\n│ [moved to the left: b]\n│ [moved to the left: c]"
    ),
    "<p>a<i style='float:right'>b</i><i style='float:right'>c</i></p>": (
        "a\n│ [at the right: b]\n│ [at the right: [moved to the left: c]]"
    ),
    "<table><caption>a</caption><tr><td>b</td></tr><caption>c</caption></table>": "[caption: a]\n[caption: c]\nb",
    "<table><tr><td rowspan=2>a</td><td>b</td></tr></table>": "[over several rows: a]\n│ b",
    "<mark style='padding:60px'>a</mark>": "[on a background of its own: a]",
    "a<hr style='list-style:none;position:fixed'>b": "a\n[styled with list-style, position: hr]---\nb",
    "<hr size=9000>a": "[styled with a large height: hr]---\na",
    "<div style='height:900px'></div>a": "[styled with a large height: (nothing)]\na",
    "<p>Balance: <s>&nbsp;</s>600</p>": "Balance: [struck: [with a line: 1 space]]600",
    "60<b style='display:inline-block;border:2px solid #000;padding:4px 2px'></b> EUR": (
        "60[styled with a border or background: (nothing)] EUR"
    ),
    "10<sup style='vertical-align:baseline'>6</sup>": "10[styled with vertical-align: ^6]",
    "<div style='font-size:0'><b style='font-size:16px;font:inherit'>a</b></div>": (
        "[styled with font-size: [not displayed: a]]"
    ),
    "<table style='table-layout:fixed;width:100px'><td>a</table>": "[styled with table-layout: a]",
    "<b style='font-size:5000px;line-height:20px'><b style='font-size:16px'>a</b></b>": "[in a size of 5000 pixels: a]",
    "<i style='float:left;clear:left'>a</i><i style='float:left;clear:left'>b</i>c": (
        "[styled with clear: a]\n│ [styled with clear: b]\n│ c"
    ),
    "<p style='list-style:none;position:fixed;left:0'>a</p>": "[styled with list-style, position, left: a]",
    "<p style='a:1;b:1;c:1;d:1;e:1;f:1;g:1'>a</p>": "[styled with a, b, c, d, e and 2 more: a]",
    "<ol start=6><li type=none>a</ol>": "[styled with type: 6. a]",
    "<table align='left/**/'><td>a</table>": "[styled with align: a]",
    "<table><caption align='bottom/**/'>a</caption><td>b</table>": "[caption: [below its table: a]]\nb",
    "a <b style='display:inline-block'>b<div>&nbsp;</div></b> c": (
        "a b [these lines stand beside the text before them]\n│  c"
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", DRAWN_SO, ids=ascii)
def test_a_bracket_says_how_a_text_is_drawn(body: str) -> None:
    text = visible_text(body, show_values=False)
    assert text.removeprefix(f"{SEVERAL_READINGS}\n").strip() == DRAWN_SO[body]


NOT_STRUCK = [
    "<del style='text-decoration:none'>not</del>", "<s style='text-decoration-color:#fff'>not</s>",
    "<s style='color:#fff'><b style='color:#000'>not</b></s>", "<s><b style='display:inline-block'>not</b></s>",
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_STRUCK)
def test_struck_is_only_what_has_a_line_through_it(body: str) -> None:
    text = visible_text(f"You will {body} be charged", show_values=False)
    assert "[struck: not]" not in text
    assert "not]" in text


def test_a_long_line_in_a_bracket_keeps_its_sign_where_the_comment_breaks_it() -> None:
    text = visible_text(f"<p hidden>{'word ' * 60}end</p><p>{'word ' * 30}</p>", show_values=False)
    hidden, _, seen = shorten_block(text).partition("end]")
    assert all(line.startswith(("[", "⋯ ")) for line in hidden.splitlines())
    assert "⋯" not in seen


def test_each_line_of_a_comment_in_a_bracket_has_a_sign_and_no_other_one() -> None:
    hidden = f"<b style='display:none'>{'hidden ' * 40}</b>"
    body = f"<p>{'word ' * 18}{hidden}{'seen ' * 60}</p><p>⋯ seen</p>"
    lines = shorten_block(visible_text(body, show_values=False)).split("\n")
    assert [line for line in lines if "hidden" in line and not line.startswith("⋯ ")] == []
    assert [line for line in lines if "hidden" not in line and line.startswith("⋯ ") and "]" not in line] == []
    difference = shorten_block(f"- {visible_text(body, show_values=False)}", is_diff=True).split("\n")
    assert [line for line in difference if "hidden" in line and not line.startswith("- ⋯ ")] == []


DRAWN = [
    "<o:PixelsPerInch>600</o:PixelsPerInch>", "<script type=text/plain style='display:block'>600</script>",
    "<style style='display:block'>600</style>", "<style style='all:unset'>600</style>",
    "<p hidden style='all:unset'>600",
    "<p hidden style='d\\69splay:block'>600", "<title style='display:block'>600</title>",
    "<p hidden style='display:inline'>600",
]  # fmt: skip


@pytest.mark.parametrize("body", DRAWN)
def test_a_text_that_browsers_draw_is_not_said_to_be_hidden(body: str) -> None:
    text = visible_text(f"You owe us {body}", show_values=False)
    assert "600" in text
    assert "not displayed" not in text


HONEST = [
    "box-shadow:0 1px 3px rgba(0,0,0,.1), 0 1px 2px rgba(0,0,0,.06)",
    "font:italic bold 14px/1.5 Arial,sans-serif", 'font:normal normal 400 14px/20px "Open Sans", Helvetica Neue',
    "font:inherit", "font-family:\u5fae\u8f6f\u96c5\u9ed1, SimSun", "background:#fff none repeat scroll 0 0",
    "background:none repeat scroll 0% 0% rgb(255, 255, 255)", "background:#fff;background-color:#fff", "margin:1em 0",
    "width:100% !important;color:#333 !important", "color:inherit;text-decoration:inherit", "box-sizing:inherit",
    "letter-spacing:-0.02em", "font-size:16px;font-size:1rem",
    "font:700 16px/24px -apple-system, 'Segoe UI'", "background-image:none", "background:transparent none",
]  # fmt: skip


@pytest.mark.parametrize("style", HONEST, ids=ascii)
def test_of_an_honest_style_nothing_is_said(style: str) -> None:
    quoted = style.replace('"', "&quot;")
    assert visible_text(f'<p style="{quoted}">good', show_values=False) == "good"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<pre>You pay no&#13;where</pre>", "You pay no<U+000D>where"),
        ("<p>10<b style='font-size:4px'>&nbsp;&nbsp;&nbsp;</b>00</p>", "10[in a size of 4 pixels: 3 spaces]00"),
        ("<p>10<u>&nbsp;</u>00</p>", "10[with a line: 1 space]00"),
        ("Your fee is 0<div style='height:999vh'></div>a", "Your fee is 0\n[styled with a large height: (nothing)]\na"),
        (
            "<div style='display:table'><div>You pay 10</div><div style='display:table-cell'>00 EUR</div></div>",
            "You pay 10\n│ 00 EUR",
        ),
        ("<span style='font-size:0'><img src=x alt=not></span>", "[not displayed: [image not: x]]"),
        (
            "<div style='float:left;border-top:2px solid'></div>600",
            "[styled with a border or background: (nothing)]\n600",
        ),
        ("You owe 60<hr style='display:inline-block'>EUR", "You owe 60\n[styled with display: hr]│ ---\n│ EUR"),
    ],
)
def test_signs_and_spaces_that_a_style_makes_are_named(body: str, text: str) -> None:
    assert visible_text(body, show_values=False) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<b style=\"font-family:'a&#13;;display:none;x:'\">a</b>", "[styled in a way that is not read here: a]"),
        (
            "<table><tr><td bgcolor='white&nbsp;'><font color='#0000e0'>a</font></td></tr></table>",
            "[styled with bgcolor: a]",
        ),
        ("<b style='line-height:999vh'></b>a", "[styled with line-height: (nothing)]a"),
        ("<span hidden=until-found>a</span>", "[styled with hidden: a]"),
        ("<s>a <b style='display:inline-block'>b <s>c</s></b></s>", "[struck: a [perhaps not struck: b [struck: c]]]"),
        ("<table width=9999999><tr><td>a</td></tr></table>", "[styled with width: a]"),
        ("10<sup></sup>6", "10^(nothing)6"),
        ("no<b style='display:inline-block;width:100%'></b>where", "no\n│ where"),
    ],
)
def test_what_browsers_read_in_another_way_than_it_looks_is_named(body: str, text: str) -> None:
    assert visible_text(body, show_values=False) == text


@pytest.mark.parametrize(
    "body",
    [
        "<body background=' ' text='#ffffff'>evil", "<body style='background:url(x);color:#fff'>evil",
        "<body style='background:#000 url(https://x.example/a.png) foo;color:#fff'>evil",
        "<body bgcolor='#551a8b' link='#ffffff' text='#ffffff'><a href=''>evil</a>",
        "<table><col span=1000 width=100><tr><td>evil</td></tr></table>",
        "<table height='300%'><tr><td>evil</td></tr></table>", "<img align=right alt=evil src=x>",
        "<p>\u1680evil</p>", "<p>10<span style='text-decoration:underline'>\u00a0</span>evil</p>",
        "<table style='table-layout:fixed'><tr><td width='100%'>evil</td></tr></table>",
        "<span style='border-style:none none solid'>evil</span>",
        "<u style='text-decoration:underline wavy'>evil</u>",
        "<table align=left bgcolor='#000000'><tr><td></td></tr></table>evil",
        "<div style='float:left'><p style='border-top:2px solid #000'></p></div>evil",
        "<p style='background:#fff url(https://x.example/b.png) foo;color:#fff'>evil",
        "<table><tr><td>Hi</td><td rowspan=2 bgcolor='#000000'></td></tr><tr><td colspan=2>evil</td></tr></table>",
        "<span style='float:left;float:none'>evil</span>", "<img alt=evil dir=rtl src=x>",
        "<meta name=viewport content='width=9999,minimum-scale=0.01'><p>evil",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_one_declaration_or_attribute_does_is_named(body: str) -> None:
    text = visible_text(f"<p>Hello</p>{body}", show_values=False)
    before = re.sub(r"\[picture: [^\]]*\]|\[image ", "", text.partition("evil")[0])  # which say nothing of the words
    assert "[" in before or "<U+1680>" in before


def test_the_usual_viewport_needs_no_word() -> None:
    usual = "<meta name=viewport content='width=device-width, initial-scale=1.0'><p>Hi</p>"
    assert visible_text(usual, show_values=False) == "Hi"
