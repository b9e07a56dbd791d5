"""What a reader cannot see is shown, and what belongs to a script or an emoji stays."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.characters import has_invisible, show_invisible, show_on_one_line, unescape_html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200bb", "a<U+200B>b"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\rb\x00", "a<U+000D>b<U+0000>"),
        ("a" + "\u200c\xa0" * 40 + "b", "a<U+200C><39 more invisible characters>\xa0b"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("e\ufe0f", "e<U+FE0F>"),
        ("👩\u200d👩", "👩\u200d👩"),
        ("a\u200db", "a<U+200D>b"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("葛\U000e0100", "葛\U000e0100"),
        ("a\U000e0100", "a<U+E0100>"),
    ],
)
def test_an_invisible_character_is_shown_unless_it_is_in_its_place(text: str, shown: str) -> None:
    assert show_invisible(text) == shown
    assert has_invisible(text) == (text != shown)


@given(st.text())
def test_nothing_unseen_is_left_on_a_line(text: str) -> None:
    shown = show_on_one_line(text)
    assert not [each for each in shown if unicodedata.category(each) in {"Cc", "Co", "Cs", "Zl", "Zp"} and each != "\t"]


def test_every_format_character_is_known() -> None:
    unseen = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in {"Cf", "Co", "Zl", "Zp"}]
    assert not [each for each in unseen if not has_invisible(f"a{each}b")]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a &amp; b &lt; &#65; &#x41; &#0065;", "a & b < A A A"),
        ("&#" + "1" * 5000 + ";", "\ufffd"),
        ("&#" + "0" * 5000 + "65;", "A"),
        ("&#99999999", "\ufffd"),
        ("&#", "&#"),
        ("100 % & more", "100 % & more"),
    ],
)
def test_html_entities_become_characters_however_many_digits_they_have(text: str, plain: str) -> None:
    assert unescape_html(text) == plain
