"""The difference of two texts holds both of them, and reads well."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report import word_diff as module
from runner.report.word_diff import Part, difference, inline, lines

TEXTS = st.text(alphabet="ab .\n", max_size=40)


@given(TEXTS, TEXTS)
def test_the_parts_make_both_texts(before: str, now: str) -> None:
    parts = difference(before, now)
    assert "".join(part.text for part in parts if part.kind != "added") == before
    assert "".join(part.text for part in parts if part.kind != "removed") == now
    assert all(part.text for part in parts)


@given(TEXTS)
def test_equal_texts_differ_nowhere(text: str) -> None:
    assert {part.kind for part in difference(text, text)} <= {"same"}


def test_words_are_compared_whole_and_neighbours_together() -> None:
    parts = difference("it changes today, then", "it will change tomorrow, then")
    assert parts == [
        Part("same", "it "), Part("removed", "changes today"), Part("added", "will change tomorrow"),
        Part("same", ", then"),
    ]  # fmt: skip
    assert inline(parts) == ("it \x1b[31m[-changes today-]\x1b[0m\x1b[32m{+will change tomorrow+}\x1b[0m, then")
    assert lines(parts) == "  it\n- changes today\n+ will change tomorrow\n  , then"


def test_what_stays_is_shortened() -> None:
    long = "word " * 100
    assert lines(difference(f"{long}a {long}b {long}", f"{long}c {long}d {long}")).count("…") == 3


def test_a_change_of_space_alone_is_seen() -> None:
    assert "(white space)" in lines(difference("a b", "a  b"))


def test_texts_that_are_too_long_are_told_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_COMPARED", 3)
    parts = difference("x a b c y", "x d b e y")
    assert [part.kind for part in parts] == ["same", "removed", "added", "same"]
