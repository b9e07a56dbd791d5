"""Text that fits a width: lines that break between words, and tables.

A width is in columns of a terminal. 0 is no limit, as for a pipe: who searches in one looks for whole lines. A text may
hold styles of `terminal_text`, which take no room.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence

from runner.report.terminal_text import remove_styles, style

GAP = "  "  # between two columns of a table
_MIN_ROOM = 12  # columns beside an indentation; with less, it would stand beside single words
_ZERO_WIDTH = frozenset({"Mn", "Me", "Cf"})  # categories of characters that join the one before


def display_width(text: str) -> int:
    """Returns the columns that a text takes: two for a wide character, none for one that joins another."""
    plain = remove_styles(text)
    if plain.isascii():
        return len(plain)
    return sum(map(_character_width, plain))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(text: str, width: int, *, indent: str = "") -> str:
    """Returns one line, broken at spaces into lines of at most `width` columns. A longer word stays whole.

    `indent` stands before every line but the first.
    """
    start = text[: len(text) - len(text.lstrip(" "))]  # a long first word stays behind it
    first, *others = text[len(start) :].split(" ")
    return flow([f"{start}{first}", *others], width, indent=indent, separator=" ", at_break="")


def flow(items: Sequence[str], width: int, *, indent: str, separator: str, at_break: str) -> str:
    """Returns the items on lines of at most `width` columns, with a separator between two of a line.

    `at_break` stands at the end of a line that another one follows. `indent` stands before every line but the first.
    """
    room = max(width, display_width(indent) + _MIN_ROOM)
    lines, line = [], items[0] if items else ""
    used = display_width(line)
    for item in items[1:]:
        needed = display_width(separator) + display_width(item)
        if width and used + needed + display_width(at_break) > room:
            lines.append(f"{line.rstrip()}{at_break}")
            line, used = f"{indent}{item}", display_width(indent) + display_width(item)
        else:
            line, used = f"{line}{separator}{item}", used + needed
    return "\n".join([*lines, line])


def wrap_lines(text: str, width: int) -> str:
    """Returns the text with each of its lines broken as `wrap` does, below where its own words begin."""
    return "\n".join(
        wrap(line, width, indent=" " * (len(plain := remove_styles(line)) - len(plain.lstrip(" ")) + 2))
        for line in text.split("\n")
    )


def shorten(text: str, width: int) -> str:
    """Returns the text in at most `width` columns, with … for what is cut off, after a whole word where possible."""
    if display_width(text) <= width:
        return text
    kept, used = 0, 1
    for character in text:
        used += _character_width(character)
        if used > width:
            break
        kept += 1
    space = text.rfind(" ", 0, kept + 1)
    return f"{text[: space if space > kept // 2 else kept].rstrip()}…"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[str] = frozenset()) -> list[str]:
    """Returns a table as lines, without the columns that are blank in every row. Those in `right` are aligned right."""
    all_rows = list(rows)
    columns = [column for column in range(len(heads)) if any(row[column] for row in all_rows)]
    widths = {
        column: max(display_width(heads[column]), *(display_width(row[column]) for row in all_rows))
        for column in columns
    }

    def align(cells: Sequence[str], decorate: Callable[[str], str] = str) -> str:
        padded = []
        for column in columns:
            blank = " " * (widths[column] - display_width(cells[column]))
            cell = decorate(cells[column])
            padded.append(f"{blank}{cell}" if heads[column] in right else f"{cell}{blank}")
        return GAP.join(padded).rstrip()

    return [align(heads, lambda head: style(head, "dim")), *map(align, all_rows)] if all_rows else []


def fits(lines: Iterable[str], width: int) -> bool:
    """Returns whether no line is wider than `width`."""
    return not width or all(display_width(line) <= width for line in lines)
