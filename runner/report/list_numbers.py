"""The signs before the items of HTML lists: a dash, or the number that a browser shows.

Sources: the HTML standard, "The ol element" and "The li element" (the ordinal value); its rendering of `type`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

LISTS = frozenset({"ol", "ul", "menu", "dir"})
_INTEGER = re.compile(r"[ \t\r\n\f]*([+-]?[0-9]{1,9})(?![0-9])")  # a browser does not count to more digits
_MAX_ROMAN = 3999
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


@dataclass(slots=True)
class ItemList:
    """An open list: whether its items have numbers, the number of the next one, the step, and the kind of numbers."""

    is_numbered: bool
    number: int = 1
    step: int = 1
    kind: str = ""

    def next_sign(self, attributes: Mapping[str, str | None]) -> str:
        """Returns what stands before the next item, and counts it."""
        if not self.is_numbered:
            return "- "
        value = _parse_integer(attributes.get("value"))
        number = self.number if value is None else value
        self.number = number + self.step
        return f"{_format_number(number, attributes.get('type') or self.kind)}. "


def open_list(tag: str, attributes: Mapping[str, str | None], item_count: int) -> ItemList:
    """Returns the list that a tag opens. `item_count` is the number of its items: a reversed list begins with it."""
    if tag != "ol":
        return ItemList(is_numbered=False)
    is_reversed = "reversed" in attributes
    start = _parse_integer(attributes.get("start"))
    first = (item_count if is_reversed else 1) if start is None else start
    return ItemList(is_numbered=True, number=first, step=-1 if is_reversed else 1, kind=attributes.get("type") or "")


def _parse_integer(text: str | None) -> int | None:
    match = _INTEGER.match(text or "")
    return int(match[1]) if match else None


def _format_number(number: int, kind: str) -> str:
    """Returns a number as a list of this type shows it: 3, c, C, iii or III."""
    if kind in {"a", "A"} and number > 0:
        text = _to_letters(number)
    elif kind in {"i", "I"} and 0 < number <= _MAX_ROMAN:
        text = _to_roman(number)
    else:
        return str(number)
    return text.upper() if kind.isupper() else text


def _to_letters(number: int) -> str:
    text = ""
    while number:
        number, letter = divmod(number - 1, 26)
        text = chr(ord("a") + letter) + text
    return text


def _to_roman(number: int) -> str:
    text = ""
    for value, sign in _ROMAN:
        count, number = divmod(number, value)
        text += sign * count
    return text
