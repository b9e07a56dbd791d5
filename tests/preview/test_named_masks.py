"""A masked value is displayed as the name of its variable, which no author can write."""

import pytest

from runner.preview.named_masks import show_or_name
from runner.privacy import Private, Text

NAMED = Text(("Dear ", Private("Ann", name="first_name"), ", ", Private("A."), "!"))


def test_a_value_is_displayed_as_the_name_of_its_variable() -> None:
    assert show_or_name(NAMED, show_values=False) == "Dear \u2039first_name\u203a, ***!"
    assert show_or_name(NAMED, show_values=True) == "Dear Ann, A.!"
    assert str(NAMED) == "Dear ***, ***!", "elsewhere masks are as before"
    assert len(show_or_name(Text((Private("x", name="n" * 500),)), show_values=False)) < 50


@pytest.mark.parametrize("sign", ["\u2039", "&lsaquo;", "&#8249;", "&#8249", "&#X02039;", "&#139;", "&#0000139;"])
def test_what_an_author_writes_is_displayed_in_another_way(sign: str) -> None:
    for text in (f"Dear {sign}first_name&rsaquo;", Text((sign[:1], sign[1:], "first_name&rsaquo;"))):
        shown = show_or_name(text, show_values=False, is_html=True)
        assert shown.endswith("&lt;U+2039&gt;first_name&lt;U+203A&gt;")
    assert show_or_name(f"{sign}a", show_values=True, is_html=True) == f"{sign}a"


def test_a_subject_has_no_entities() -> None:
    assert show_or_name("\u2039a\u203a &lsaquo;", show_values=False) == "<U+2039>a<U+203A> &lsaquo;"


def test_other_entities_stay() -> None:
    assert show_or_name("&lt;b&gt; &amp;lsaquo; &nosuch; &", show_values=False, is_html=True) == (
        "&lt;b&gt; &amp;lsaquo; &nosuch; &"
    )
