import pytest
import yaml

from runner.declare.problem_length import mark_length, node_length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("hello", 5),
        ("hello world  # comment", 11),
        ('"hello"', 7),
        ("{a: 1, b: [2]}", 14),
        ("[1, 2]  # two", 6),
        ("", 0),
        ("two\n  lines", 0),
        ("|\n  text\n", 0),
        ("\n  a: 1", 0),
        ("\n  - a", 0),
    ],
)
@pytest.mark.parametrize("loader", [yaml.CSafeLoader, yaml.SafeLoader])
def test_the_length_of_a_value_is_known_where_it_stands_on_one_line(text: str, length: int, loader: type) -> None:
    root = yaml.compose(f"key: {text}\n", Loader=loader)
    assert node_length(root.value[0][1]) == length


@pytest.mark.parametrize(
    ("rest", "length"),
    [
        ("<a href='x'>text", 12),
        ("<a that never ends", 0),
        ("{{ first_name }}!", 16),
        ("{% if a %}b{% endif %}", 10),
        ("{first_name}, hi", 12),
        ("[FIRST_NAME] hi", 12),
        ("&amp; more", 5),
        ("None of these", 0),
        ("", 0),
    ],
)
def test_the_length_of_what_begins_at_an_index(rest: str, length: int) -> None:
    assert mark_length(f"Hi {rest}", 3) == length
