"""A body stays as it is sent, but for its images."""

import pytest

from runner.preview.body_frame import build_frame, neutralise_body


@pytest.mark.parametrize(
    "body",
    ["<p>a</p>", "a < b", '<a href="#x">x</a>', "<b class='a' id=b>x", "<TD nowrap width=50%>", "<br/>", ""],
)
def test_what_loads_nothing_and_leads_nowhere_stays(body: str) -> None:
    assert neutralise_body(body) == body
    frame = build_frame(body, "plain", is_text=False)
    assert frame.endswith(f">{body}")
    assert '<td style="padding:0"><div>' in frame  # a style sheet that asks for what is around finds it as in mail


def test_an_image_becomes_a_box_that_names_it() -> None:
    shown = neutralise_body(
        '<p><img src="https://h.example/a.png" alt="A &quot;b" width=300 style="width:300px" onerror=x()></p>'
    )
    assert shown.startswith('<p><img alt="A &quot;b" width="300" style="width:300px" src="data:image/svg+xml,')
    assert "onerror" not in shown
    assert "https%3A//h.example/a.png" in shown
    assert shown.endswith("</p>")


def test_sources_of_pictures_are_left_out_and_inline_images_stay() -> None:
    assert neutralise_body("<picture><source srcset='https://h.example/a'></picture>") == "<picture></picture>"
    inline = '<img src="data:image/png;base64,AA">'
    assert neutralise_body(inline) == inline


@pytest.mark.parametrize(
    "size", ['width="99999" height="0"', 'width="1" height="1"', 'width="100%"', 'height="-3"', ""]
)
def test_any_size_makes_a_box(size: str) -> None:
    assert "data:image/svg+xml," in neutralise_body(f'<img src="x" {size}>')


def test_a_link_tells_its_address_and_leads_nowhere() -> None:
    assert neutralise_body('<a class=b href="https://x.example/?a=1&amp;b" target=_top>x</a>') == (
        '<a class="b" href="#" title="https://x.example/?a=1&amp;b">x</a>'
    )
    assert neutralise_body('<form action="https://x.example"><input formaction=x name=n></form>') == (
        '<form><input name="n"></form>'
    )
    assert neutralise_body('<svg><image xlink:href="https://x.example/a.svg"/></svg>') == "<svg><image/></svg>"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<!-- <img src=a> --><b>x", "<b>x"),
        ("a<!--[if mso]><p>x<![endif]-->b", "ab"),
        ("<!--[if !mso]><!-->a<!--<![endif]-->", "a"),
        ("<![if !mso]>a<![endif]><?xml x ?><!doctype html>", "a"),
        ("a<b", "a"),
        ("a<img src='", "a"),
        ("<style><!-- p{color:red} --></style>", "<style> p{color:red} --></style>"),
        ("<style>@media (width<600px){b>a{}}</style>", "<style>@media (width<600px){b>a{}}</style>"),
        ('<p title="a>b"title=c>x</p >', '<p title="a&gt;b">x</p>'),
        ('<p a"b=c>x', "<p>x"),
    ],
)
def test_what_a_reader_sees_stays_and_no_tag_can_be_read_in_two_ways(body: str, shown: str) -> None:
    assert neutralise_body(body) == shown
