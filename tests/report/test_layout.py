"""What is printed fits the width of a terminal: words stay whole, colours and wide characters are measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report.layout import display_width, fits, flow, shorten, table, wrap, wrap_lines
from runner.report.terminal_text import remove_styles, style, to_terminal


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("Ann", 3),
        ("日本", 4),
        ("e\u0301", 1),
        ("👩", 2),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
        ("ｱ", 1),
        ("", 0),
    ],
)
def test_the_width_of_a_text_is_what_a_terminal_needs(text: str, width: int) -> None:
    assert display_width(text) == width
    assert display_width(style(text, "red", "bold")) == width


WORDS = st.lists(st.text("abcé日", min_size=1, max_size=9), min_size=1, max_size=30)


@given(WORDS, st.integers(12, 60))
def test_wrapped_lines_fit_and_lose_nothing(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width, indent="  ").split("\n")
    assert "".join(lines).replace(" ", "") == "".join(words)
    # Beside the indentation there is always room for 12 columns, and what has no place to break stays whole.
    longest = 2 + max(12, *(display_width(piece) for word in words for piece in word.split("日")), 0) + 2
    assert all(display_width(line) <= max(width, longest) for line in lines)


def test_a_line_breaks_between_wide_characters() -> None:
    assert wrap("東京商事のお客様、ご迷惑を", 12, indent="") == "東京商事のお\n客様、ご迷惑\nを"
    assert wrap("ab 東京「商事」abc京", 12, indent="") == "ab 東京「商\n事」abc京"
    assert wrap("東京東京東「商事」", 12, indent="") == "東京東京東\n「商事」", "nor ends with an opening mark"
    assert wrap("東京商事のお、客様", 12, indent="") == "東京商事の\nお、客様", "no line begins with a comma"
    assert wrap("👩\u200d💻" * 2, 4, indent="").count("\u200d") == 2
    coloured = wrap(style("東京商事のお客様", "red"), 12)
    assert remove_styles(coloured) == "東京商事のお\n客様"
    assert to_terminal(coloured, colour=True) == "\x1b[31m東京商事のお\n客様\x1b[0m"
    assert wrap("東京" * 50, 0) == "東京" * 50


def test_a_long_word_stays_whole_and_a_colour_is_kept_across_lines() -> None:
    assert wrap("see https://example.com/a/long/address there", 14, indent="") == (
        "see\nhttps://example.com/a/long/address\nthere"
    )
    coloured = wrap(style("one two three", "red"), 8, indent="")
    assert remove_styles(coloured) == "one two\nthree"
    assert to_terminal(coloured, colour=True) == "\x1b[31mone two\nthree\x1b[0m"


def test_without_a_width_a_line_stays_one() -> None:
    assert wrap("word " * 100, 0, indent="") == "word " * 100
    assert flow(["a b"] * 50, 0, indent="  ", separator=" · ", at_break="") == " · ".join(["a b"] * 50)


def test_items_are_broken_between_and_never_inside() -> None:
    text = flow(["8 to send", "8 already sent", "2 unknown"], 26, indent="  ", separator=", ", at_break=",")
    assert text == "8 to send, 8 already sent,\n  2 unknown"


def test_lines_that_follow_begin_below_their_own_line() -> None:
    assert wrap_lines("head\n    four words that wrap here", 20) == "head\n    four words that\n      wrap here"


def test_a_long_text_is_cut_after_a_word() -> None:
    assert shorten("Ponies will cost more", 15) == "Ponies will…"
    assert shorten("Ponies", 6) == "Ponies"
    assert shorten("a" * 30, 10) == "a" * 9 + "…"
    assert display_width(shorten("日本語日本語", 6)) <= 6


def test_a_table_aligns_its_columns_and_leaves_out_blank_ones() -> None:
    lines = table(
        ("message", "sent", "unknown", "note"),
        [("news", "1,204", "", "日本"), (style("tips", "red"), "3", "", "x")],
        right=frozenset({"sent"}),
    )
    assert list(map(remove_styles, lines)) == ["message   sent  note", "news     1,204  日本", "tips         3  x"]
    assert fits(lines, 20)
    assert not fits(lines, 19)
    assert table(("a",), []) == []


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("keep it without sending: msgrun accept outage-apology", "msgrun accept outage-apology"),
        ("where pip reaches the index (msgrun init --from msgrun==0.1.0)", "(msgrun init --from msgrun==0.1.0)"),
        ("msgrun reconcile or msgrun -e staging lock verify settles it", "msgrun -e staging lock verify"),
        ("write a new one: msgrun plan --out 'my plan.json'; in CI, approve", "msgrun plan --out 'my plan.json';"),
        ("it needs a driver: pip install 'msgrun[postgres]'", "pip install 'msgrun[postgres]'"),
    ],
)
def test_a_command_stays_on_one_line_so_that_it_can_be_copied(text: str, whole: str) -> None:
    for width in range(12, 70):
        wrapped = wrap(text, width, indent="  ")
        assert whole in wrapped
        assert wrapped.split() == text.split()


def test_a_command_of_a_hint_has_a_line_of_its_own_and_words_in_quotes_begin_none() -> None:
    command = "MSGRUN_LOCK='x; git push' msgrun lock move messages.lock"
    hint = f"if this commit is older than the move: git pull; to move it back, in the newest commit: {command}; or wait"
    assert wrap(f"  hint: {hint}", 40).split("\n") == [
        "  hint: if this commit is older than the",
        "        move:",
        "          git pull",
        "        to move it back, in the newest",
        "        commit:",
        f"          {command}",
        "        or wait",
    ]
    assert wrap("  hint: msgrun status", 40) == "  hint: msgrun status"


def test_an_expression_of_a_template_stays_whole() -> None:
    text = "write it as {{ first_name | default('there') }} in the text"
    assert wrap(text, 40).split("\n") == ["write it as", "{{ first_name | default('there') }} in", "the text"]


def test_a_long_cell_makes_no_other_row_longer() -> None:
    lines = table(["name", "what"], [["a" * 100_000, "x"], ["b", "y"]])
    assert [len(remove_styles(line)) for line in lines] == [106, 100_003, 103]
