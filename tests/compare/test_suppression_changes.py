"""What the reviewer reads of a suppression list that lost lines, however large or many the lists are."""

from pathlib import Path

import pytest

from runner.compare import suppression_changes
from runner.compare.suppression_changes import compare_suppression_lists
from runner.declare.tree import Tree

LIST = "email\na@example.com\nb@example.com\n"


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Tree, Tree]:
    for side in ("before", "now"):
        (tmp_path / side).mkdir()
    return Tree(tmp_path / "before"), Tree(tmp_path / "now")


def write(tree: Tree, path: str, text: str) -> None:
    (tree.root / path).parent.mkdir(parents=True, exist_ok=True)
    (tree.root / path).write_text(text)


def changes(trees: tuple[Tree, Tree], *patterns: str) -> list[tuple[str, str, str]]:
    return [(each.name, each.before, each.now) for each in compare_suppression_lists(*trees, patterns)]


@pytest.mark.parametrize("pattern", ["s.csv", "*.csv", "**/*.csv", "[s].csv", "?.csv"])
@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (LIST, None),
        (LIST + "c@example.com\n", "4, 0 removed"),
        ("email\nb@example.com\n", "2, 1 removed"),
        ("", "0, 3 removed"),
        ("email\nb@example.com\na@example.com\na@example.com\n", None),
        (None, "0, 3 removed"),
    ],
)
def test_lines_that_a_list_lost_are_counted(
    trees: tuple[Tree, Tree], pattern: str, now: str | None, shown: str | None
) -> None:
    write(trees[0], "s.csv", LIST)
    if now is not None:
        write(trees[1], "s.csv", now)
    assert changes(trees, pattern) == ([(f"suppress {pattern}", "3 lines", shown)] if shown else [])


def test_a_new_list_is_no_change_of_a_guard(trees: tuple[Tree, Tree]) -> None:
    write(trees[1], "s.csv", LIST)
    assert changes(trees, "s.csv") == []


@pytest.mark.parametrize(
    ("limit", "value"), [("_MAX_SIZE", 10), ("_MAX_SIZE", len(LIST)), ("_MAX_LINES", 1), ("_MAX_LINES", 2)]
)
@pytest.mark.parametrize("side", [0, 1])
def test_a_list_that_is_too_long_is_named(
    trees: tuple[Tree, Tree], monkeypatch: pytest.MonkeyPatch, limit: str, value: int, side: int
) -> None:
    write(trees[side], "s.csv", LIST)
    write(trees[1 - side], "s.csv", "x" if limit == "_MAX_SIZE" else "")
    monkeypatch.setattr(suppression_changes, limit, value)
    ((name, before, now),) = changes(trees, "s.csv")
    assert (name, before) == ("suppress s.csv", "")
    assert now.startswith("not compared: more than")


def test_lists_beyond_the_limits_are_counted(trees: tuple[Tree, Tree]) -> None:
    for number in range(510):
        write(trees[0], f"{number}.csv", LIST)
    patterns = [*(f"{number}.csv" for number in range(510)), *(f"**/{number}/*.csv" for number in range(30))]
    shown = changes(trees, *patterns)
    assert len(shown) == 501
    assert shown[-1][2].startswith("not compared: 20 more; at most 500 lists, and 20 patterns")


def test_a_line_without_an_end_takes_little_memory(trees: tuple[Tree, Tree]) -> None:
    with (trees[0].root / "s.csv").open("wb") as handle:
        handle.truncate(300 << 20)
    assert changes(trees, "s.csv") == [("suppress s.csv", "1 line", "0, 1 removed")]
