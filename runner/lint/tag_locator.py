"""Finds where the tags of a rendered text were written."""

import re
from bisect import bisect_right
from collections import Counter

from runner.lint.html import VALUE_CHAR, Tag
from runner.lint.static_checks import MessageText
from runner.lint.template_layout import RAW_VALUE_CHAR

MAX_SEARCHES = 50  # of one text, for tags that differ; each compares all tags of that name


class TagLocator:
    """Finds the tags of a rendered text in the text as written.

    `fallback_start` is the offset for tags that are not found, and for those after MAX_SEARCHES: the first slot whose
    value may be markup, or 0.
    """

    def __init__(self, message_text: MessageText, rendered: tuple[Tag, ...]) -> None:
        self._tags = message_text.parsed_html.tags
        self._rendered = rendered
        self._candidates: dict[str, list[Tag]] = {}
        counts: Counter[str] = Counter()
        self._earlier_counts: list[int] = []  # of each rendered tag: how many before it are written alike
        for tag in rendered:
            self._earlier_counts.append(counts[tag.raw])
            counts[tag.raw] += 1
        self.fallback_start = next((slot.start for slot in message_text.layout.slots if slot.is_raw), 0)

    def find_written_tag(self, number: int) -> Tag | None:
        """Returns the rendered tag number `number` (from 0) as it was written; None if it is not found."""
        tag = self._rendered[number]
        candidates = self._candidates.get(tag.raw)
        if candidates is None:
            if len(self._candidates) == MAX_SEARCHES:
                return None
            candidates = self._candidates[tag.raw] = [written for written in self._tags if _is_made_from(written, tag)]
        return candidates[min(self._earlier_counts[number], len(candidates) - 1)] if candidates else None

    def find_written_start(self, start: int) -> int:
        """Returns where the tag at an offset of the rendered text, or the last one before it, was written."""
        number = bisect_right(self._rendered, start, key=lambda tag: tag.start) - 1
        written = self.find_written_tag(number) if number >= 0 else None
        return written.start if written else self.fallback_start


def _is_made_from(written: Tag, rendered: Tag) -> bool:
    """Returns whether the written tag renders to the other one for some values."""
    if written.name != rendered.name or written.is_end != rendered.is_end:
        return False
    if written.raw == rendered.raw:
        return True
    first, *others = re.split(f"[{RAW_VALUE_CHAR}{VALUE_CHAR}]+", written.raw)
    if not others or not rendered.raw.startswith(first):
        return False
    # Each literal part is taken where it occurs first, which leaves the most room for the next ones.
    position = len(first)
    for part in others[:-1]:
        found = rendered.raw.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return rendered.raw.endswith(others[-1]) and len(rendered.raw) - len(others[-1]) >= position
