"""A name that a reader takes for another one is a warning."""

import pytest

from runner.declare.similar_names import find_look_alike_names
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
