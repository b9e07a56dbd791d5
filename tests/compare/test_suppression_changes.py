"""What the reviewer reads of a suppression list that lost contacts, however large or many the lists are."""

from pathlib import Path

import pytest

from runner.compare import suppression_changes
from runner.compare.suppression_changes import compare_suppression_lists
from runner.declare.audience.suppression import parse_contact_files
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
    lists = {None: parse_contact_files([*patterns])}
    return [(each.name, each.before, each.now) for each in compare_suppression_lists(*trees, lists, lists)]


@pytest.mark.parametrize("pattern", ["s.csv", "*.csv", "**/*.csv", "[s].csv", "?.csv"])
@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (LIST, None),
        (LIST + "c@example.com\n", "3, 0 removed"),
        ("email\nb@example.com\n", "1, 1 removed"),
        ("", "0, 2 removed"),
        ("email\nb@example.com\na@example.com\na@example.com\n", None),
        (None, "0, 2 removed"),
    ],
)
def test_contacts_that_a_list_lost_are_counted(
    trees: tuple[Tree, Tree], pattern: str, now: str | None, shown: str | None
) -> None:
    write(trees[0], "s.csv", LIST)
    if now is not None:
        write(trees[1], "s.csv", now)
    assert changes(trees, pattern) == ([(f"suppress {pattern}", "2 identifiers", shown)] if shown else [])


def test_a_new_list_is_no_change_of_a_guard(trees: tuple[Tree, Tree]) -> None:
    write(trees[1], "s.csv", LIST)
    assert changes(trees) == []


def test_a_list_that_the_base_declares_and_does_not_have_is_not_taken_for_a_new_one(trees: tuple[Tree, Tree]) -> None:
    write(trees[1], "s.csv", LIST)
    assert changes(trees, "s.csv") == [("suppress s.csv", "a list", "not compared: it cannot be read")]


@pytest.mark.parametrize("value", [10, len(LIST)])
@pytest.mark.parametrize("side", [0, 1])
def test_a_list_that_is_too_long_is_named(
    trees: tuple[Tree, Tree], monkeypatch: pytest.MonkeyPatch, value: int, side: int
) -> None:
    write(trees[side], "s.csv", LIST)
    write(trees[1 - side], "s.csv", "x")
    monkeypatch.setattr(suppression_changes, "_MAX_SIZE", value)
    ((name, before, now),) = changes(trees, "s.csv")
    assert (name, before) == ("suppress s.csv", "")
    assert now.startswith("not compared: more than")


def test_lists_beyond_the_limits_are_counted(trees: tuple[Tree, Tree]) -> None:
    for number in range(510):
        write(trees[0], f"{number}.csv", LIST)
    patterns = [*(f"{number}.csv" for number in range(510)), *(f"**/{number}/*.csv" for number in range(30))]
    shown = changes(trees, *patterns)
    assert len(shown) == 521  # a pattern that fits no file cannot be read
    assert shown[-1][2].startswith("not compared: 20 more; at most 500 lists, and 20 patterns")


UNREADABLE = "not compared: it cannot be read"
NOTED = "email,n\nb@example.com,x\n"
B_OF_JSON = '{"email": "b@example.com"}\n'
HIDING = {
    # a list before and now; the second one loses b@, although it only has more lines, or the same words
    "in quotes": (LIST, 'email,n\nc@example.com,"\na@example.com\nb@example.com\n"\n', "1, 2 removed"),
    "in quotes of a line before": (NOTED, 'email,n\nc@example.com,"\nb@example.com,x\n"\n', "1, 1 removed"),
    "behind a space": (LIST, "email\na@example.com\nc@example.com b@example.com\n", UNREADABLE),
    "as another kind": (LIST, LIST.replace("email\n", "user_id\n"), "2, 2 removed"),
    "in another column": (NOTED, "n,email\nb@example.com,x@example.com\n", "1, 1 removed"),
    "without its end": (LIST, LIST + '"', UNREADABLE),
    "as the same key twice": (B_OF_JSON, '{"email": "b@example.com", "email": "c@example.com"}\n', UNREADABLE),
    "as another key": (B_OF_JSON, '{"email": "c@example.com", "n": "b@example.com"}\n', "1, 1 removed"),
}


@pytest.mark.parametrize("name", HIDING)
def test_a_contact_that_lines_around_it_take_off_a_list_is_removed(trees: tuple[Tree, Tree], name: str) -> None:
    before, now, shown = HIDING[name]
    path = "s.jsonl" if before.startswith("{") else "s.csv"
    write(trees[0], path, before)
    write(trees[1], path, now)
    assert [change[2] for change in changes(trees, path)] == [shown]


def test_another_note_about_a_contact_is_no_change_of_a_guard(trees: tuple[Tree, Tree]) -> None:
    write(trees[0], "s.csv", "email,note\na@example.com,x\n")
    write(trees[1], "s.csv", "note,email\ny,A@example.com\n")
    assert changes(trees, "s.csv") == []


def test_a_line_without_an_end_takes_little_memory(trees: tuple[Tree, Tree]) -> None:
    with (trees[0].root / "s.csv").open("wb") as handle:
        handle.truncate(200 << 20)
    assert changes(trees, "s.csv") == [("suppress s.csv", "a list", "not compared: it cannot be read")]
