"""Text as a terminal or a log gets it: with colours of our own, and nothing in it that either would obey.

Sources: ECMA-48 (control sequences); GitHub's documentation of workflow commands and the parser of its runner, which
takes `::name` at the start of a line, after white space, and `##[name]` anywhere in it; Azure Pipelines' `##vso[`.
"""

import os
import re
from collections.abc import Iterable

from runner.characters import escape_in_json, show_invisible, show_on_one_line

# Colours are written with a mark that is new in each process. Nothing that comes from a file, from git or from Intercom
# can hold it, so every other control character is foreign.
_MARK = f"\x1b{os.urandom(8).hex()}"
_STYLE = re.compile(rf"{_MARK}([0-9;]+)m")
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_RESET = "0"
_COMMAND_IN_JSON = re.compile(r"##(\w*)\[")
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"##(?=\w*\[)")


def style_counts(parts: Iterable[tuple[int, str, str | None]]) -> list[str]:
    """Returns each number with its word in its style, without those that are 0."""
    return [style(f"{number:,} {word}", colour) for number, word, colour in parts if number]


def style(text: str, *names: str | None) -> str:
    """Returns the text in a style: `bold`, `dim`, or a colour: `red`, `green` or `yellow`. None means no style."""
    codes = ";".join(_CODES[name] for name in names if name)
    return f"{_MARK}{codes}m{text}{_MARK}{_RESET}m" if codes else text


def remove_styles(text: str) -> str:
    """Returns the text without its styles."""
    return _STYLE.sub("", text)


def to_terminal(text: str, *, colour: bool) -> str:
    """Returns the text as it is printed: styles as control sequences or left out, other controls made visible."""
    pieces = _STYLE.split(text)  # text, code, text, code, … text
    return "".join(
        show_invisible(piece) if number % 2 == 0 else f"\x1b[{piece}m" if colour else ""
        for number, piece in enumerate(pieces)
    )


def one_line(text: str) -> str:
    """Returns the text, which is one line of a result, with the line ends that are in its values made visible."""
    pieces = _STYLE.split(text)
    codes = [f"{_MARK}{code}m" for code in pieces[1::2]]
    return "".join(f"{show_on_one_line(piece)}{code}" for piece, code in zip(pieces[::2], [*codes, ""], strict=True))


def to_json_text(text: str, encoding: str) -> str:
    """Returns JSON with the same meaning, in which a terminal or a CI system finds nothing to obey.

    Outside Unicode's encodings everything beyond ASCII is escaped.
    """
    if not text.isascii() or "\x7f" in text:
        text = escape_in_json(text, all_beyond_ascii=not encoding.lower().startswith("utf"))
    return _COMMAND_IN_JSON.sub(r"##\1\\u005b", text) if "##" in text else text


def defuse_old_commands(text: str) -> str:
    """Returns the text without `##[`, which GitHub and Azure find anywhere in a line."""
    return _OLD_COMMAND.sub("# #", text)


def defuse_commands(text: str) -> str:
    """Returns the text of which a CI system takes nothing for a command, with a space inside what it would look for."""
    return _COMMAND.sub(r"\1: ", defuse_old_commands(text))
