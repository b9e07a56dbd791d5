"""A body stays as it is sent, but for its images."""

import pytest

from runner.preview.body_frame import build_frame, show_images


@pytest.mark.parametrize(
    "body",
    ["<p>a</p>", "a < b", '<a href="https://x.example/?a=1&amp;b">x</a>', "<!-- <img src=a> --><b>x", "<b", "<img", ""],
)
def test_what_is_no_image_stays(body: str) -> None:
    assert show_images(body) == body
    assert build_frame(body, "plain", is_text=False).endswith(f">{body}")


def test_an_image_becomes_a_box_that_names_it() -> None:
    shown = show_images(
        '<p><img src="https://h.example/a.png" alt="A &quot;b" width=300 style="width:300px" onerror=x()></p>'
    )
    assert shown.startswith('<p><img alt="A &quot;b" width="300" style="width:300px" src="data:image/svg+xml,')
    assert "onerror" not in shown
    assert "https%3A//h.example/a.png" in shown
    assert shown.endswith("</p>")


def test_sources_of_pictures_are_left_out_and_inline_images_stay() -> None:
    assert show_images("<picture><source srcset='https://h.example/a'></picture>") == "<picture></picture>"
    inline = '<img src="data:image/png;base64,AA">'
    assert show_images(inline) == inline


@pytest.mark.parametrize(
    "size", ['width="99999" height="0"', 'width="1" height="1"', 'width="100%"', 'height="-3"', ""]
)
def test_any_size_makes_a_box(size: str) -> None:
    assert "data:image/svg+xml," in show_images(f'<img src="x" {size}>')
