"""Pieces of Markdown that hold other people's text: nothing in them is ever taken for markup.

For GitHub and GitLab alike: no text becomes a link, an image, a heading or a formula, mentions or notifies anybody,
or is obeyed as a quick action. Both look for `@name` and `#1` after Markdown is done, so that a backslash would not
help; in code they do not look. Sources: the GitHub Flavored Markdown Spec; GitHub's and
GitLab's documentation of autolinks.
"""

import html
import re
import textwrap
from collections.abc import Iterable

_TICKS = re.compile(r"`+")


_STYLE = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # bidirectional ones reorder


_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~^=-])")


# What either host makes a reference of, if a word follows; broken by a space of no width.
_LIVE = re.compile(r"([@#!~%&:^]|&amp;|\bGH-|\bwww(?=\.))(?=[.\w/\"'])", re.IGNORECASE)


_NOTHING = "\u200b"


def escape_text(text: str) -> str:
    """A text in a line of its own kind: `code` is better where it is a name. Never at the beginning of a line."""
    broken = _LIVE.sub(rf"\1{_NOTHING}", _one_line(text))
    escaped = _MARKUP.sub(r"\\\1", html.escape(broken, quote=False))
    return escaped.replace("$", "<span>$</span>")


def inline_code(text: str) -> str:
    """A text as inline code, in backticks that it cannot close."""
    line = _one_line(text) or " "
    ticks = "`" * (_longest(line) + 1)
    space = " " if "`" in (line[0], line[-1]) else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def table_cell(text: str) -> str:
    """Inline code in a table."""
    return inline_code(text).replace("|", r"\|")


def code_block(text: str, language: str = "text") -> str:
    """A text as a block of code, between fences that no line of it can close."""
    lines = strip_controls(text).strip("\n")
    ticks = "`" * max(3, _longest(lines) + 1)
    return f"{ticks}{language}\n{lines}\n{ticks}"


def wrap_lines(text: str, width: int = 100) -> str:
    """The text with long lines broken: a block of code is as wide as its widest line."""
    return "\n".join(textwrap.fill(line, width, break_long_words=False) for line in text.splitlines())


def details(title: str, blocks: list[str]) -> str:
    """Blocks that unfold below a title, which is HTML."""
    return "\n\n".join([f"<details><summary>{title}</summary>", *blocks, "</details>"])


def html_code(text: str) -> str:
    """A name as HTML, for a title."""
    return f"<code>{html.escape(_one_line(text))}</code>"


def truncate(text: str, most: int) -> str:
    """The text, or its beginning and how much more there is."""
    return text if len(text) <= most else f"{text[:most]}\n… and {len(text) - most:,} more characters"


def strip_controls(text: str) -> str:
    """The text without what a terminal or a page obeys: control characters, colours, reversed reading."""
    return _CONTROL.sub("\ufffd", _STYLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))


def fit_to_length(
    pieces: Iterable[str], total: int, room: int, noun: str, *, separator: str = "\n\n", start: str = "", end: str = ""
) -> list[str]:
    """As many whole pieces as there is room for, in characters, and how many more there are."""
    shown: list[str] = []
    for piece in pieces:
        room -= len(piece) + len(separator)
        if room < 0:
            return [*shown, f"{start}and {total - len(shown):,} more {noun}{end}"]
        shown.append(piece)
    return shown


def _one_line(text: str) -> str:
    return " ".join(strip_controls(text).split())


def _longest(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)
