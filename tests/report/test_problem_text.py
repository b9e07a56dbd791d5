"""A problem as a person reads it: where, what, the line with a caret, and a hint."""

import pytest

from runner.errors import Place, Problem
from runner.report import problem_text
from runner.report.terminal_text import to_terminal


@pytest.mark.parametrize("column", [1, 5, 60, 3_000, 60_001])
def test_a_long_line_is_clipped_around_its_caret_and_between_words(column: int) -> None:
    line = ("word " * 12_000) + "x"
    shown = problem_text.problem(Problem("c", Place("a.yaml", 1, column), "m", excerpt=line), show_values=True)
    _, excerpt, caret = to_terminal(shown, colour=False).splitlines()
    assert len(excerpt) < 112
    at = caret.index("^")
    assert excerpt[at] == line[column - 1]
    assert set(excerpt.removeprefix("  1 | ").split()) <= {"word", "x", "…"}
    assert ("…" in excerpt[:at]) == (column > 50)
