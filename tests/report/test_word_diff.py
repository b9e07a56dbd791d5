"""The difference of two texts holds both of them, and reads well."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.compare import word_diff as module
from runner.compare.word_diff import DiffPart, diff_words
from runner.report.word_diff import format_diff

TEXTS = st.text(alphabet="ab .\n", max_size=40)


@given(TEXTS, TEXTS)
def test_the_parts_make_both_texts(before: str, now: str) -> None:
    parts = diff_words(before, now)
    assert "".join(part.text for part in parts if part.kind != "added") == before
    assert "".join(part.text for part in parts if part.kind != "removed") == now
    assert all(part.text for part in parts)


@given(TEXTS)
def test_equal_texts_differ_nowhere(text: str) -> None:
    assert {part.kind for part in diff_words(text, text)} <= {"same"}


def test_words_are_compared_whole_and_neighbours_together() -> None:
    parts = diff_words("it changes today, then", "it will change tomorrow, then")
    assert parts == [
        DiffPart("same", "it "), DiffPart("removed", "changes today"), DiffPart("added", "will change tomorrow"),
        DiffPart("same", ", then"),
    ]  # fmt: skip
    assert format_diff(parts) == "- it changes today, then\n+ it will change tomorrow, then"


@pytest.mark.parametrize("word", ["12.50", "1,234", "don't", "don\u2019t", "e-mail", "example.com"])
def test_signs_inside_a_word_belong_to_it(word: str) -> None:
    assert diff_words(f"it is {word}.", "it is new.")[1:] == [
        DiffPart("removed", word), DiffPart("added", "new"), DiffPart("same", "."),
    ]  # fmt: skip


def test_a_changed_line_is_shown_as_it_was_and_as_it_is() -> None:
    before, now = "Hi Ann,\nit costs 12.50 EUR.\nBye", "Hi Ann,\nit costs 13 EUR.\nP.S. more\nBye"
    assert format_diff(diff_words(before, now)).split("\n") == [
        "  Hi Ann,", "- it costs 12.50 EUR.", "+ it costs 13 EUR.", "+ P.S. more", "  Bye",
    ]  # fmt: skip
    assert format_diff(diff_words("a\nb\nc", "a\nc")) == "  a\n- b\n  c"


@given(TEXTS, TEXTS)
def test_the_lines_of_short_texts_hold_every_word_of_both(before: str, now: str) -> None:
    lines = format_diff(diff_words(before, now)).split("\n")
    for text, sign in ((before, "-"), (now, "+")):
        kept = "".join(line[2:] for line in lines if line[:1] in {" ", sign} and "(white space)" not in line)
        assert "".join(kept.split()) == "".join(text.split())


def test_what_stays_is_shortened() -> None:
    long = "word " * 100
    assert (
        format_diff(diff_words(f"{long}a {long}b {long}", f"{long}c {long}d {long}")).count("…") == 6
    )  # three in each line


def test_a_change_of_space_alone_is_seen() -> None:
    assert "(white space)" in format_diff(diff_words("a b", "a  b"))


@pytest.mark.parametrize("number", [400, 20_000])
def test_texts_in_which_words_repeat_are_compared_in_seconds(number: int) -> None:
    began = time.process_time()
    parts = diff_words("a!" * number, "a?" * number)
    assert time.process_time() - began < 20  # it was 250 s for 999 words
    assert "".join(part.text for part in parts if part.kind != "added") == "a!" * number
    assert "".join(part.text for part in parts if part.kind != "removed") == "a?" * number


def test_texts_that_are_too_long_are_told_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_PAIRS", 3)
    parts = diff_words("x a b c y", "x d b e y")
    assert [part.kind for part in parts] == ["same", "removed", "added", "same"]
