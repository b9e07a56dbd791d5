"""Whatever stands in a text, Markdown shows it as text: rendered by the parser that GitHub uses."""

import re
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st

from runner.characters import show_invisible
from runner.report.markdown_escaping import (
    code_block,
    details,
    escape_text,
    fit_to_length,
    html_code,
    inline_code,
    shorten_block,
    shorten_line,
    table_cell,
)

NASTY = [
    "@octocat and @org/team", "#123, GH-12, owner/repo#1, !7, ~label, %2, $5, &3", "<script>alert(1)</script>",
    "![x](https://evil.example/track.gif)", "[click](https://evil.example)", "https://evil.example www.evil.example",
    "ann@example.com", "`a` ``b`` ```", "```", "~~~", "</details></code></summary>", "a | b", "a \\| b", "| --- |",
    "*a* _b_ __c__ ~~d~~", "# heading", "> quote", "- item", "1. one", "---", "===", "/close", "$x$ and $$y$$",
    ":tada:", "&lt;b&gt; &amp;", "<!-- x", "-->", "<https://evil.example>", "\x1b[31mred", "\u202eleft", "a\nb\n\nc",
    "^[note] [^1] [ ] x", "```\n</details>\n@octocat\n```", "", " ", "\\", "`",
]  # fmt: skip
any_texts = st.one_of(st.sampled_from(NASTY), st.text(), st.lists(st.sampled_from(NASTY)).map(" ".join))
texts = any_texts.filter(lambda text: len(show_invisible(text)) <= 100)  # what no function cuts


class Seen(HTMLParser):
    """The tags of a page, the text in its code, and the text outside."""

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.code = self.text = ""
        self._open = 0
        self.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE))
        self.close()

    def handle_starttag(self, tag, attrs):  # noqa: ARG002  # the parser's
        self.tags.append(tag)
        self._open += tag == "code"

    def handle_endtag(self, tag):
        self._open -= tag == "code"

    def handle_data(self, data):
        if self._open:
            self.code += f"{data} " if self.tags[-1] == "code" else data
        else:
            self.text += data


def words(text: str) -> list[str]:
    """The words that a reader of the text sees."""
    return show_invisible(text.replace("\r\n", "\n").replace("\r", "\n")).split()


@given(texts)
def test_prose_is_text_and_mentions_nobody(text: str) -> None:
    seen = Seen(f"- told: {escape_text(text)}")
    assert set(seen.tags) <= {"ul", "li", "p", "span"}
    assert words(seen.text.replace("\u200b", "")) == ["told:", *words(text)]
    assert not re.search(r"[@#!~%:][\w/]", seen.text.removeprefix("told:"))


@given(texts)
def test_inline_code_is_one_piece_of_code(text: str) -> None:
    seen = Seen(f"told: {inline_code(text)} end")
    assert seen.tags == ["p", "code"]
    assert words(seen.code) == words(text)
    assert words(seen.text) == ["told:", "end"]


@given(texts.filter(lambda text: "\\" not in text))
def test_a_cell_is_one_cell(text: str) -> None:
    seen = Seen(f"| a | b |\n| --- | --- |\n| {table_cell(text)} | end |\n")
    assert [tag for tag in seen.tags if tag in {"td", "code"}] == ["td", "code", "td"]
    assert "".join(words(seen.code)) == "".join(words(text))  # a long word may break


@given(texts)
def test_a_fence_cannot_be_broken_out_of(text: str) -> None:
    seen = Seen(details(html_code("x"), [code_block(text, "html"), "after"]))
    assert seen.tags == ["details", "summary", "code", "pre", "code", "p"]
    assert words(seen.code) == ["x", *words(text)]
    assert words(seen.text) == ["after"]


@given(texts)
def test_a_title_is_text(text: str) -> None:
    seen = Seen(details(html_code(text), ["after"]))
    assert seen.tags == ["details", "summary", "code", "p"]
    assert words(seen.code) == words(text)


def test_a_clipped_text_says_how_much_more_there_is() -> None:
    text = "abcdef" * 10
    cut = f"{text[:4]} … and 56 more characters"
    assert shorten_line(text, 4) == shorten_line(cut, 4) == cut
    assert shorten_block(text, 4) == cut.replace(" …", "\n…")
    assert shorten_line(text[:44], 4) == text[:44]  # the remark would be as long as what it stands for


def test_long_lines_are_broken_and_others_kept() -> None:
    assert shorten_block(f"a b\n\n{'c' * 90} {'d' * 90} {'e' * 110}") == "\n".join(
        ["a b", "", "c" * 90, f"{'d' * 90} {'e' * 7}", f"⋯ {'e' * 98}", f"⋯ {'e' * 5}"]
    )
    assert shorten_block(f"+ {'c' * 90} {'d' * 90}", is_diff=True) == f"+ {'c' * 90}\n+ {'d' * 90}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" + " " * 5000 + "b", "a<5,000 spaces>b"), ("a\n" + " " * 5000 + "b", "a\n<5,000 spaces>b"),
        ("a" + "\u00a0\t" * 500 + "b", "a<3,999 spaces>b"), ("a" + "\n" * 5001 + "b", "a\n<5,000 empty lines>\nb"),
        ("a" + ("\n" + " " * 70) * 30 + "\nb", "a\n<30 empty lines>\nb"), ("a" + " " * 60 + "b", "a" + " " * 60 + "b"),
        ("a" + "\n" * 21 + "b", "a" + "\n" * 21 + "b"),
    ],
)  # fmt: skip
def test_of_long_rows_of_white_space_the_length_is_shown(text: str, shown: str) -> None:
    assert shown in shorten_block(text)
    assert len(shorten_block(text)) < 3_000


@pytest.mark.parametrize(("room", "shown"), [(100, ["aa", "bb", "cc"]), (7, ["aa", "bb", "- and 1 more thing"])])
def test_only_whole_pieces_are_shown(room: int, shown: list[str]) -> None:
    assert fit_to_length(["aa", "bb", "cc"], 3, room, "things", separator="\n", start="- ") == shown
