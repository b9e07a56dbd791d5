"""A name that a reader takes for another one is a warning. For a wrong name the most similar ones are found."""

import difflib

import pytest

from runner.declare.similar_names import closest_matches, find_look_alike_names
from runner.errors import Place


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("outage", "0utage"), ("mail-1", "mail-l"), ("mail-I", "mail-1"), ("news", "News"), ("modern", "modem"),
        ("vvelcome", "welcome"), ("bill", "bi1l"), ("a.b/l0g", "a.b/log"), ("OO", "00"), ("Illegal", "lllegal"),
    ],
)  # fmt: skip
def test_a_look_alike_is_named_with_the_other(first: str, second: str) -> None:
    (warning,) = find_look_alike_names({second: Place("messages/b.yaml", 2, 7), first: Place("messages/a.yaml", 1, 7)})
    assert str(warning.message) == f"the name {second} looks like {first}, at messages/a.yaml:1"
    assert (warning.place.path, warning.is_error) == ("messages/b.yaml", False)


@pytest.mark.parametrize("names", [("news-2", "news-3"), ("a-b", "a.b"), ("price", "prize"), ("news", "newest")])
def test_names_that_differ_are_silent(names: tuple[str, str]) -> None:
    assert not list(find_look_alike_names({name: Place(f"messages/{name}.yaml") for name in names}))


@pytest.mark.parametrize(("word", "cutoff"), [("outgae", 0.6), ("Ann Le", 0.6), ("news", 0.75), ("x", 0.6), ("", 0.6)])
def test_the_most_similar_names_are_those_of_difflib(word: str, cutoff: float) -> None:
    names = ["outage", "outrage", "Ann Lee", "Anne Lee", "Lee Ann", "new", "newest", "news-2", "wens", "swen", "", "y"]
    expected = difflib.get_close_matches(word, names, 3, cutoff)
    assert sorted(closest_matches(word, names, 3, cutoff)) == sorted(expected)
    assert closest_matches(word, names, 1, cutoff)[:1] == expected[:1]


@pytest.mark.parametrize("letters", [60, 62, 500])
def test_of_thousands_of_names_few_are_compared_closely_and_long_ones_never(
    monkeypatch: pytest.MonkeyPatch, letters: int
) -> None:
    compared: list[str] = []
    ratio = difflib.SequenceMatcher.ratio
    monkeypatch.setattr(difflib.SequenceMatcher, "ratio", lambda self: compared.append(self.a) or ratio(self))
    names = [f"{'ab' * (letters // 2 - 2)}{number:04}" for number in range(4500)]
    closest_matches("a" * (letters // 2) + "b" * (letters // 2), names, 3)
    assert len(compared) == (20 if letters == 60 else 0)
