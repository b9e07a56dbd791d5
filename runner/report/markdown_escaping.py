"""Parts of Markdown that contain other people's text, escaped so that none of it is taken for markup.

The rules fit both GitHub and GitLab. No text becomes a link, an image, a heading or a formula, mentions or notifies
anyone, or is run as a quick action. Both hosts look for `@name` and `#1` after Markdown is rendered, so a backslash
would not help. In code they do not look for them.

Sources: the GitHub Flavored Markdown Spec; GitHub's and GitLab's documentation of autolinks.
"""

import html
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence

from runner.characters import show_invisible
from runner.report.layout import display_width
from runner.report.terminal_text import remove_styles

_BACKTICKS = re.compile(r"`+")
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~^=-])")
# Signs that GitHub or GitLab makes a reference of if a word follows. A zero-width space after the sign prevents it.
_REFERENCE_SIGN = re.compile(r"([@#!~%&:^]|&amp;|\bGH-|\bwww(?=\.))(?=[.\w/\"'])", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9._/-]+")
_LONG_WORD = re.compile(r"[A-Za-z0-9._]{30}(?=[A-Za-z0-9._])")
_ZERO_WIDTH_SPACE = "\u200b"  # as an HTML entity in the result
MAX_INLINE_LENGTH = 400  # characters of a text within a line
MAX_TEXT_LENGTH = 20_000  # characters of a text that has lines of its own
_MAX_CELL = 100  # characters of the cell of a table; a message's name has no more
_CUT_LENGTH = 40  # characters in which a text says how many more it has
_WIDTH = 100  # columns of a block of code that are seen
# What stands where a text, a line or a part of a message was left out. A text that imitates it only warns of itself.
CONTINUED = "⋯ "  # begins each further line inside of a bracket, so that none stands there as if it was displayed
_CUT = re.compile(
    r"… and [\d,]+ more characters|^(?:- )?and [\d,]+ more (?:change|line|text)|`[\d,]+ more texts`"
    r"|other texts of this message|^\[its last [\d,]+ characters are not read",
    re.MULTILINE,
)
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n){21,}")  # longer than what the text of a body has without a remark
# A long row of white space, or one of kinds that are as wide as letters.
_SPACES = re.compile(r"[^\S\n]{61,}|(?:[ \xa0\t]*[^\S\n \xa0\t]){3,}[ \xa0\t]*")


def escape_text(text: str) -> str:
    """Returns a text for a line of Markdown, but not for its beginning, in at most MAX_INLINE_LENGTH characters.

    For a name, use `inline_code`.
    """
    broken = _REFERENCE_SIGN.sub(rf"\1{_ZERO_WIDTH_SPACE}", shorten_line(text))
    escaped = _MARKUP.sub(r"\\\1", html.escape(broken, quote=False))
    return escaped.replace("$", "<span>$</span>").replace(_ZERO_WIDTH_SPACE, "&#8203;")


def inline_code(text: str, limit: int = MAX_INLINE_LENGTH) -> str:
    """Returns a text as inline code, between more backticks than it has in a row, cut at `limit` characters."""
    line = shorten_line(text, limit) or " "
    ticks = "`" * (_count_backticks(line) + 1)
    space = " " if "`" in (line[0], line[-1]) else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def table_cell(text: str) -> str:
    """Returns a text as inline code, for the cell of a table. In a name, a long word may break."""
    text = shorten_line(text, _MAX_CELL)
    if _NAME.fullmatch(text) and _LONG_WORD.search(text):
        # Inside HTML an entity is never markup, nor the beginning of an address.
        breakable = _LONG_WORD.sub(r"\g<0><wbr>", text).replace(".", "&#46;").replace("_", "&#95;")
        return f"<code>{breakable}</code>"
    return inline_code(text).replace("|", r"\|")


def code_block(text: str, language: str = "text", limit: int = MAX_TEXT_LENGTH, rest: str = "more characters") -> str:
    """Returns a text as a block of code, between fences that no line of the text can close.

    `rest` is what the text is said to have beyond `limit`.
    """
    lines = shorten_block(text, limit, is_diff=language == "diff", rest=rest, has_brackets=language != "html")
    ticks = "`" * max(3, _count_backticks(lines) + 1)
    return f"{ticks}{language}\n{lines}\n{ticks}"


def shorten_block(
    text: str,
    limit: int = MAX_TEXT_LENGTH,
    *,
    is_diff: bool = False,
    rest: str = "more characters",
    has_brackets: bool = True,
) -> str:
    """Returns the lines of a text as a reader sees all of them: nothing is far to the right, nor far below.

    Long rows of white space are replaced by their length, then the text is cut at `limit` characters, then long lines
    and long words are broken. In a diff each line keeps its sign. `has_brackets`: what is broken inside of a bracket of
    `html_text` goes on with the sign that its other lines have.
    """
    text = strip_controls(text).expandtabs(8).strip("\n")
    text = _EMPTY_LINES.sub(lambda row: f"\n<{row[0].count(chr(10)) - 1:,} empty lines>\n", text)
    lines = _cut(_SPACES.sub(lambda row: f"<{len(row[0]):,} spaces>", text), limit, "\n", rest).split("\n")
    broken, depth = list[str](), 0
    for line in lines:
        indent = line[:2] if is_diff else ""
        if is_diff:  # its lines are those of two texts
            depth = int(line[2:].startswith(CONTINUED))
        wide = max(0, display_width(line) - len(line))
        room = max(_WIDTH // 2, _WIDTH - wide) - len(indent)
        words = line[len(indent) :].replace("\xa0", " ")  # of which a row would be one word
        room -= len(CONTINUED) * (max(map(len, words.split(" ")), default=0) > room)
        end = -1
        for number, part in enumerate(textwrap.wrap(words, room) or [""]):
            is_in_word = words.startswith(part, end)
            end = words.find(part, max(end, 0)) + len(part)
            sign = CONTINUED if (number and depth and has_brackets) or (number and is_in_word) else ""
            broken.append(f"{indent}{sign}{part}".rstrip() if number else f"{indent}{part}")
            depth = max(0, depth + part.count("[") - part.count("]"))
    return "\n".join(broken)


def is_cut(markdown: str) -> bool:
    """Returns whether something was left out of the details of a message."""
    return _CUT.search(markdown) is not None


def details(title: str, blocks: list[str]) -> str:
    """Blocks that are hidden until the reader opens them. `title` is HTML."""
    return "\n\n".join([f"<details><summary>{title}</summary>", *blocks, "</details>"])


def html_code(text: str) -> str:
    """Returns a name as HTML, for the title of `details`."""
    return f"<code>{html.escape(shorten_line(text))}</code>"


def shorten_line(text: str, limit: int = MAX_INLINE_LENGTH) -> str:
    """Returns the text in one line, without control characters, cut at `limit` characters."""
    return _cut(" ".join(strip_controls(text).split()), limit, " ")


def _cut(text: str, limit: int, separator: str, rest: str = "more characters") -> str:
    """Returns the text, or its beginning and how many more characters there are. What was cut is not cut again."""
    if len(text) <= limit + _CUT_LENGTH:
        return text
    return f"{text[:limit]}{separator}… and {len(text) - limit:,} {rest}"


def strip_controls(text: str) -> str:
    """Returns the text without colours, with invisible characters shown, and with line feeds as its only line ends."""
    return show_invisible(remove_styles(text).replace("\r\n", "\n").replace("\r", "\n"))


def fit_to_length(
    pieces: Iterable[str],
    total: int,
    room: int,
    noun: str,
    *,
    separator: str = "\n\n",
    start: str = "",
    end: str = "",
    describe: Callable[[Sequence[int]], str] = lambda _: "",
) -> list[str]:
    """Returns the whole pieces that fit into `room` characters, then a line that says how many more there are.

    One that does not fit takes no room from those behind it. `total` is the number of pieces, `noun` their name in the
    plural. `separator` is counted for each piece. `start` and `end` enclose the last line. `describe` returns what that
    line says of the pieces that are cut, whose indices it gets.
    """
    shown: list[str] = []
    cut: list[int] = []
    for index, piece in enumerate(pieces):
        if (length := len(piece) + len(separator)) <= room:
            room -= length
            shown.append(piece)
        else:
            cut.append(index)
    cut += range(len(shown) + len(cut), total)
    if not cut:
        return shown
    name = re.sub(r"^(\w+?)s\b", r"\1", noun) if len(cut) == 1 else noun
    return [*shown, f"{start}and {len(cut):,} more {name}{describe(cut)}{end}"]


def _count_backticks(text: str) -> int:
    """Returns the length of the longest row of backticks."""
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
