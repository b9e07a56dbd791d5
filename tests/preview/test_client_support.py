"""A style sheet that can tell the preview from a mail client is named, and an ordinary one is not."""

import pytest

from runner.preview.client_support import find_style_conditions


@pytest.mark.parametrize(
    ("css", "name"),
    [
        ("@media (max-height: 620px) { p { display: none } }", "@media (max-height: 620px)"),
        ("@media screen and (min-aspect-ratio: 1/1) {}", "@media screen and (min-aspect-ratio: 1/1)"),
        ("@media (orientation: portrait) {}", "@media (orientation: portrait)"),
        ("@media (scripting: none) {}", "@media (scripting: none)"),
        ("@MEDIA (hover) {}", "@media (hover)"),
        ("p { height: calc((100vh - 621px) * 999) }", "the height of the window"),
        ("p { font-size: 3dvmin }", "the height of the window"),
        ('a[href="#"] { display: none }', "[attribute]"),
        ("img:not([ srcset ]) {}", "[attribute]"),
        ("a[*|href] {}", "[attribute]"),
        ("html:has(base) p {}", ":has()"),
        ("head + body p {}", "the head of the page"),
        ("a:any-link {}", ":link"),
        ("p { animation: x 1s 60s forwards }", "an animation"),
        ("@import url(x.css);", "@import"),
        ("@supports (-webkit-touch-callout: none) {}", "@supports"),
        ("@media (max-device-width: 480px) {}", "@media (max-device-width: 480px)"),
        (r"@med\69 a (height) {}", "an escape"),
        ("@media/**/(height:1px) {}", "@media (height:1px)"),
    ],
)
def test_what_differs_in_a_mail_client_is_named(css: str, name: str) -> None:
    assert name in find_style_conditions(f"<p>x</p><STYLE type=a>{css}</style>")


@pytest.mark.parametrize(
    "css",
    [
        "@media only screen and (max-width: 600px) { .col { width: 100% !important } }",
        "@media (prefers-color-scheme: dark) { :root { color-scheme: light dark } body { color: #fff } }",
        "@media (480px <= width <= 600.5px), print {}",
        "@media screen and (-webkit-min-device-pixel-ratio: 0) {}",
        "[data-ogsc] .a, [ class ], u + .body .b, [class~=x], div[style*='margin'] { color: red }",
        "html, body { margin: 0 } a { color: #123 } .header { height: 90px } .base { margin: 0 } /* [href] 1vh */",
    ],
)
def test_an_ordinary_style_sheet_is_not(css: str) -> None:
    assert not find_style_conditions(
        f"<style>{css}</style><p style='line-height:20px'>[href] 100vh @media (height)</p>"
    )


def test_styles_of_elements_and_linked_style_sheets_are_read_too() -> None:
    assert find_style_conditions('<p style="height:100vh">x<link rel=stylesheet href=x>') == (
        "the height of the window", "<link>",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('<style media="(hover:none)">p{display:none}</style>', "@media (hover:none)"),
        ("<style type=a media='(pointer)'></style>", "@media (pointer)"),
        ("<style>p:nth-child(2){}</style><div><source><p>x", "<source>"),
        ("<p>x<BASE>", "<base>"),
    ],
)
def test_what_the_preview_leaves_out_or_a_sheet_is_for_is_named(body: str, name: str) -> None:
    assert find_style_conditions(body) == (name,)


@pytest.mark.parametrize("media", ["all", "screen and (min-width:480px)"])
def test_a_style_sheet_for_usual_screens_is_not_named(media: str) -> None:
    assert find_style_conditions(f'<style media="{media}">p{{margin:0}}</style>') == ()


@pytest.mark.parametrize(
    "piece", ["<style media=", "<style ", "/*", "@media ", "[ ", "style='", "<style>", "style =", "@media (min-"]
)
def test_no_body_takes_long(piece: str) -> None:
    body = f"<style>{piece * 20_000}"
    assert isinstance(find_style_conditions(body), tuple)
