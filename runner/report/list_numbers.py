"""The signs before the items of HTML lists: a dot, or the number that a browser counts to.

Source: the HTML standard, "The ol element" and "The li element" (the ordinal value). Letters and Roman numerals are
shown as numbers, and a list that counts down is named as an attribute that is not known.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from runner.mail_display.look import Look

DOT = "• "  # before an item without a number
LISTS = frozenset({"ol", "ul", "menu", "dir"})
_LETTER_TYPES = frozenset("aAiI")
_MAX_LETTER = 20  # letters and Roman numerals up to it are no words
_MAX_NUMBER = 2**31  # from which on browsers count from 1
_INTEGER = re.compile(r"[ \t\r\n\f]*([+-]?[0-9]+)")


class ItemList:
    """An open list: `number` is that of its next item; None if it has no numbers. `type` is its attribute."""

    def __init__(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.type = attributes.get("type", "")
        self.number = _parse_integer(attributes.get("start"), 1) if tag == "ol" else None

    def next_sign(self, attributes: Mapping[str, str]) -> str:
        """Returns what stands before the next item, and counts it."""
        if self.number is None:
            return DOT
        number = _parse_integer(attributes.get("value"), self.number)
        self.number = number + 1
        return f"{number}. "

    def judge_sign(self, sign: str, attributes: Mapping[str, str], around: Look, look: Look) -> list[str]:
        """Returns what is wrong with the number of an item, which stands left of it, on the background of the list.

        It may be a word, if letters stand for numbers. `look` is that of the item, `around` that of the list.
        """
        is_of_letters = attributes.get("type", self.type).strip() in _LETTER_TYPES
        if is_of_letters and not 0 < int(sign.rstrip(". ")) <= _MAX_LETTER:
            return ["as letters"]
        mark = replace(look, backgrounds=around.backgrounds).describe_text()
        return [mark] if mark else []


def _parse_integer(text: str | None, default: int) -> int:
    match = _INTEGER.match(text or "")
    return int(match[1]) if match and abs(int(match[1])) < _MAX_NUMBER else default
