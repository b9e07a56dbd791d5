"""A problem as a person reads it: where, what, the line with a caret, and a hint."""

import pytest

from runner.errors import Place, Problem
from runner.report import problem_text
from runner.report.layout import display_width
from runner.report.terminal_text import to_terminal


@pytest.mark.parametrize("column", [1, 5, 60, 3_000, 60_001])
def test_a_long_line_is_clipped_around_its_caret_and_between_words(column: int) -> None:
    line = ("word " * 12_000) + "x"
    shown = problem_text.format_problem(Problem("c", Place("a.yaml", 1, column), "m", excerpt=line), show_values=True)
    _, excerpt, caret = to_terminal(shown, colour=False).splitlines()
    assert len(excerpt) < 112
    at = caret.index("^")
    assert excerpt[at] == line[column - 1]
    assert set(excerpt.removeprefix("  1 | ").split()) <= {"word", "x", "…"}
    assert ("…" in excerpt[:at]) == (column > 50)


def lines_of(problem: Problem, width: int = 0) -> list[str]:
    text = problem_text.format_problems([problem], show_values=True, width=width)
    return to_terminal(text, colour=False).split("\n")


def test_the_whole_value_is_underlined() -> None:
    problem = Problem("c", Place("a.yaml", 5, 11, 8), "m", excerpt="template: personal")
    assert lines_of(problem)[1:] == ["  5 | template: personal", "    |           ^^^^^^^^"]


def test_one_character_is_marked_where_no_length_is_known() -> None:
    assert lines_of(Problem("c", Place("a.yaml", 5, 11), "m", excerpt="template: personal"))[2] == "    |           ^"


def test_an_underline_stands_below_wide_characters_and_tabs() -> None:
    problem = Problem("c", Place("a.yaml", 1, 5, 2), "m", excerpt="日本\t 名前 x")
    assert lines_of(problem)[2] == "    |     \t ^^^^"


@pytest.mark.parametrize("column", [1, 20, 58])
def test_a_line_of_wide_characters_is_clipped_to_its_columns(column: int) -> None:
    problem = Problem("c", Place("a.yaml", 1, column, 3), "m", excerpt="日本東京" * 15)
    for width in (0, 40):
        excerpt, underline = lines_of(problem, width)[1:3]
        assert max(map(display_width, (excerpt, underline))) <= (width or 106)
        before = display_width(underline[: underline.index("^")])
        assert display_width(excerpt) > before > 0
        value = next(index for index in range(len(excerpt)) if display_width(excerpt[:index]) == before)
        assert excerpt[value] == "日本東京"[(column - 1) % 4]


def test_an_underline_ends_where_the_line_is_cut() -> None:
    problem = Problem("c", Place("a.yaml", 1, 10, 500), "m", excerpt="subject: " + "word " * 100)
    _, excerpt, underline = lines_of(problem)
    assert excerpt.endswith(" …")
    assert len(underline) == len(excerpt) - len(" …")


@pytest.mark.parametrize("width", [40, 60, 100])
def test_sentences_wrap_and_lines_are_clipped_on_a_terminal(width: int) -> None:
    message = "a message that says at some length what is wrong, and what would happen"
    place = Place("messages/news.yaml", 12, 90, 9)
    problem = Problem(
        "some-code", place, message, "a hint of many words " * 5, excerpt="word " * 17 + "the value and " * 9
    )
    lines = lines_of(problem, width)
    assert lines[-1] == ""
    assert max(map(len, lines)) <= width
    assert " ".join(line.strip() for line in lines if "|" not in line).startswith(
        f"{place}: error: {message} [some-code]"
    )
    underline = next(line for line in lines if "^" in line)
    assert underline.count("^") == 9
    assert lines[lines.index(underline) - 1][underline.index("^") :].startswith("value and")


def test_off_a_terminal_a_problem_is_one_line_without_an_empty_one_after_it() -> None:
    problem = Problem("c", Place("a.yaml"), "long " * 100 + "text")
    assert len(lines_of(problem)) == 1


def test_the_room_of_and_one_more_is_taken_by_the_fourth_name() -> None:
    assert problem_text.list_sample(["a", "b", "c", "d"], 4) == "a, b, c, d"
    assert problem_text.list_sample(["a", "b", "c", "d"], 5) == "a, b, c and 2 more"
