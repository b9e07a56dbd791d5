"""The edits that certainly fix a YAML text: quotes around a `#`, and spaces in place of other indentation."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import yaml

from runner.errors import Edit

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TABS = re.compile(r"\t+(?=\S)")
# Spaces that are as wide as the one that YAML knows.
_SPACES = re.compile(r"[ \u00a0\u2007\u202f]+(?=\S)")
_COMMENT = re.compile(r"#(?:\s|$)")  # a number or a tag is not written like this


def quote_text(line: str, number: int, start: int) -> tuple[Edit, ...]:
    """Returns the edit that quotes an unquoted text which goes on after a ` #`, to the end of its line.

    `number` is the line's number from 1, `start` the index where the text begins. There is none if a `#` has a space
    after it, because then it may begin a comment.
    """
    text = line[start:].rstrip()
    if _COMMENT.search(text):
        return ()
    quoted = f'"{text}"' if not {'"', "\\"} & set(text) else "'" + text.replace("'", "''") + "'"
    return (Edit(number, start + 1, text, quoted),)


def replace_tabs(lines: Sequence[str]) -> tuple[Edit, ...]:
    """Returns the edits that indent with two spaces for each tab, where every indentation of the file is of tabs."""
    if any(line[:1] == " " and line.strip() for line in lines):
        return ()
    matches = {number: match.group() for number, line in enumerate(lines, 1) if (match := _TABS.match(line))}
    return _checked(lines, {number: (tabs, "  " * len(tabs)) for number, tabs in matches.items()})


def replace_odd_spaces(lines: Sequence[str], numbers: Iterable[int]) -> tuple[Edit, ...]:
    """Returns the edits that write spaces in place of no-break spaces in the indentation of lines (from 1)."""
    matches = {number: match.group() for number in numbers if (match := _SPACES.match(lines[number - 1]))}
    return _checked(lines, {number: (spaces, " " * len(spaces)) for number, spaces in matches.items()})


def _checked(lines: Sequence[str], changes: Mapping[int, tuple[str, str]]) -> tuple[Edit, ...]:
    """Returns the edits that replace an indentation, by line.

    There are none if the text is still not YAML after them, or if one of the lines belongs to a quoted or literal text:
    there white space is part of what the recipient reads.
    """
    new_lines = [
        changes[number][1] + line[len(changes[number][0]) :] if number in changes else line
        for number, line in enumerate(lines, 1)
    ]
    text_lines: set[int] = set()
    try:
        for event in yaml.parse("\n".join(new_lines), Loader=_LOADER):
            if isinstance(event, yaml.ScalarEvent) and event.style:
                start, end = cast("Any", event.start_mark), cast("Any", event.end_mark)
                text_lines.update(range(start.line + 2, end.line + 2))
    except yaml.YAMLError:
        return ()
    if not changes.keys().isdisjoint(text_lines):
        return ()
    return tuple(Edit(number, 1, old, new) for number, (old, new) in changes.items())
