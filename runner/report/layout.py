"""Text that fits a width: lines that break between words, or between wide characters, and tables.

A width is in columns of a terminal. 0 means no limit, as for a pipe: a search in it looks for whole lines. A text may
hold styles of `terminal_text`, which take no room.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from runner.report.terminal_text import remove_styles, style

_MAX_CELL = 100  # columns: else one long name would make each line as long
GAP = "  "  # between two columns of a table
_MIN_ROOM = 12  # columns beside an indentation; with less, it would stand beside single words
_ZERO_WIDTH = frozenset({"Mn", "Me", "Cf"})  # categories of characters that join the one before
_JOINED_JAMO = frozenset(map(chr, range(0x1160, 0x1200)))  # vowels and final consonants of a Korean syllable
# Categories of marks that no line begins with, or that none ends with, in Chinese and Japanese.
_CLOSING = frozenset({"Pe", "Pf", "Po", "Lm"})
_OPENING = frozenset({"Ps", "Pi"})
_JOINER = "\u200d"  # inside one sign that is made of several
_ARGUMENT = r"""(?:'[^']*'|"[^"]*"|[^\s,;)'"])+"""
# A command, so that it can be copied: after a colon or in brackets all of its words; in a sentence those that are
# certainly its own, as options, paths, and words in capitals. A style before it ends with an m.
_COMMAND = re.compile(
    rf"(?:(?<=: )|(?<=\())(?:msgrun|pip install|git [a-z]+)(?: (?!(?:and|or|in|where|to|then)\b){_ARGUMENT})+"
    rf"|(?:MSGRUN_[A-Z]+={_ARGUMENT} |\b|(?<=m))msgrun(?: (?:-[eC] {_ARGUMENT}|--sandbox|lock))*(?: [a-z-]+\b)?"
    rf"(?: (?:--?[a-z]{_ARGUMENT}|[A-Z]{{2,}}\b|'[^']*'|[\w/@:~#]*[./=@]{_ARGUMENT}))*"
)
_MAX_SPLIT = 5_000  # characters of a hint
HINT = "  hint: "
_STEP_END = re.compile(r"; (?=(?:[^']*'[^']*')*[^']*$)")  # not within quotes
# A command that ends a step of a hint, or is one.
_STEP_COMMAND = re.compile(r"(?:(?<=: )|^)(?:MSGRUN_[A-Z]+=\S+ )?(?:msgrun|git|pip|cp|chmod)(?: [^,]*)?$")
_EXPRESSION = re.compile(r"\{\{[^{}]{0,60}\}\}")
_UNIT = re.compile(r"(?<=\d) (?=(?:s|min|h)\b)")  # between a number and its unit
_SPACE_IN_COMMAND = "\ue000"  # a character for private use: no text has it


def display_width(text: str) -> int:
    """Returns the columns that a text takes: two for a wide character, none for one that joins another."""
    plain = remove_styles(text)
    if plain.isascii():
        return len(plain)
    return sum(map(_character_width, plain))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in _ZERO_WIDTH or character in _JOINED_JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(text: str, width: int, *, indent: str = "") -> str:
    """Returns one line, broken into lines of at most `width` columns: at spaces, and between wide characters.

    A longer word stays whole, and so does a command. `indent` stands before every line but the first.
    """
    if not width:
        return text
    if text.startswith(HINT):
        return wrap_hint(HINT, text.removeprefix(HINT), width)
    text = _UNIT.sub(_SPACE_IN_COMMAND, text)
    if "msgrun" in text:
        text = _COMMAND.sub(lambda match: match[0].replace(" ", _SPACE_IN_COMMAND), text)
    if "{{" in text:  # an expression of a template, too, is copied
        text = _EXPRESSION.sub(lambda match: match[0].replace(" ", _SPACE_IN_COMMAND), text)
    start = text[: len(text) - len(text.lstrip(" "))]  # a long first word stays behind it
    pieces = []
    for number, word in enumerate(text[len(start) :].split(" ")):
        first, *others = _split_wide(word)
        pieces += [(" ", first) if number else ("", f"{start}{first}"), *(("", other) for other in others)]
    return _fill(pieces, width, indent=indent).replace(_SPACE_IN_COMMAND, " ")


def wrap_hint(head: str, hint: str, width: int) -> str:
    """Returns a hint, behind `head`, on lines of at most `width` columns.

    A command that ends a step of it has a line of its own and stays whole, so that it can be copied. One that is the
    whole step stands beside the head, if there is room.
    """
    if not width:
        return head + hint
    indent = " " * display_width(head)
    lines, prose = list[str](), list[str]()
    for step in _STEP_END.split(hint) if len(hint) <= _MAX_SPLIT else [hint]:  # the pattern is quadratic
        if step_command := _STEP_COMMAND.search(step):
            prose += filter(None, [step[: step_command.start()].rstrip()])
            is_beside = not (prose or lines) and display_width(f"{indent}{step_command[0]}") <= width
            if not is_beside and (prose or not lines):
                lines.append(wrap(f"{indent}{'; '.join(prose)}", width, indent=indent))
            lines.append(f"{indent}{'' if is_beside else '  '}{step_command[0]}")
            prose = []
        else:
            prose.append(step)
    lines += [wrap(f"{indent}{'; '.join(prose)}", width, indent=indent)] if prose else []
    return re.sub(" +$", "", head + "\n".join(lines).removeprefix(indent), flags=re.MULTILINE)


def _split_wide(word: str) -> list[str]:
    """Returns the pieces of a word between which a line may break: Chinese and Japanese have no spaces.

    A style is ASCII, so it stays whole.
    """
    if word.isascii():
        return [word]
    pieces, begin, was_wide = [], 0, False
    for index, character in enumerate(word):
        width = _character_width(character)
        may_break = width == 2 or (was_wide and character.isalnum() and character.isascii())  # noqa: PLR2004
        if may_break and index and _is_break(word[index - 1], character):
            pieces.append(word[begin:index])
            begin = index
        was_wide = width == 2 or (was_wide and width == 0)  # noqa: PLR2004  # a wide character takes two columns
    return [*pieces, word[begin:]]


def _is_break(before: str, after: str) -> bool:
    return (
        before != _JOINER
        and unicodedata.category(before) not in _OPENING
        and unicodedata.category(after) not in _CLOSING
    )


def flow(
    items: Iterable[str], width: int, *, indent: str = "  ", separator: str = " · ", at_break: str = ""
) -> str:  # fmt: skip
    """Returns the items that are not empty on lines of at most `width` columns, with a separator between two of a line.

    `at_break` stands at the end of a line that another one follows. `indent` stands before every line but the first.
    """
    pieces = [(separator if number else "", item) for number, item in enumerate(filter(None, items))]
    return _fill(pieces, width, indent=indent, at_break=at_break)


def _fill(pieces: Sequence[tuple[str, str]], width: int, *, indent: str, at_break: str = "") -> str:
    """Returns the pieces on lines, as `flow` does. Each comes with the separator between it and the one before it."""
    room = max(width, display_width(indent) + _MIN_ROOM)
    lines, line = [], pieces[0][1] if pieces else ""
    used = display_width(line)
    for separator, item in pieces[1:]:
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
    """Returns a table as lines, without the columns that are blank in every row. Those in `right` are aligned right.

    A column is 100 columns of the terminal wide at most; a longer cell moves those behind it.
    """
    all_rows = list(rows)
    columns = [column for column in range(len(heads)) if any(row[column] for row in all_rows)]
    widths = {
        column: min(_MAX_CELL, max(display_width(heads[column]), *(display_width(row[column]) for row in all_rows)))
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


def fitted_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], width: int, *, fixed: Sequence[int] = (),
    right: frozenset[str] = frozenset(), named: frozenset[str] = frozenset(),
    is_whole: bool = True,
) -> list[str]:  # fmt: skip
    """Returns a table as lines, with as many of its first columns as fit: all (if `is_whole`), or a number in `fixed`.

    The other cells of a row stand below it. Where none fits, each row is a block of lines. Outside of the table, the
    cells of the columns in `named` have their heads before them.
    """
    all_rows = list(rows)
    for count in (*([len(heads)] if is_whole else ()), *fixed, 0):
        head, *lines = table(heads, [(*row[:count], *[""] * len(row[count:])) for row in all_rows], right=right)
        if fits([head, *lines], width):
            break
    blocks = [head] if count else []
    for line, row in zip(lines, all_rows, strict=True):
        cells = [f"{name} {cell}" if cell and name in named else cell for name, cell in zip(heads, row, strict=True)]
        blocks += [line] if count else []
        if shown := [cell for cell in cells[count:] if cell]:
            blocks.append(flow([f"  {shown[0]}" if count else shown[0], *shown[1:]], width, indent="    "))
    return blocks


def fits(lines: Iterable[str], width: int) -> bool:
    """Returns whether no line is wider than `width`."""
    return not width or all(display_width(line) <= width for line in lines)
