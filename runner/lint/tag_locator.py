"""Finds where the tags of a rendered text were written."""

import re

from runner.lint.html import VALUE_CHAR, Tag
from runner.lint.static_checks import MessageText
from runner.lint.template_layout import RAW_VALUE_CHAR


class TagLocator:
    """Finds the tags of a rendered text in the text as written.

    `fallback_start` is the offset for tags that are not found: the first slot whose value may be markup, or 0.
    """

    def __init__(self, message_text: MessageText, rendered: tuple[Tag, ...]) -> None:
        self._tags = message_text.parsed_html.tags
        self._rendered = rendered
        self.fallback_start = next((slot.start for slot in message_text.layout.slots if slot.is_raw), 0)

    def find_written_tag(self, number: int) -> Tag | None:
        """Returns the rendered tag number `number` (from 0) as it was written; None if it is not found."""
        tag = self._rendered[number]
        candidates = [written for written in self._tags if _is_made_from(written, tag)]
        earlier_count = sum(other.raw == tag.raw for other in self._rendered[:number])
        return candidates[min(earlier_count, len(candidates) - 1)] if candidates else None

    def find_written_start(self, start: int) -> int:
        """Returns where the tag at an offset of the rendered text, or the last one before it, was written."""
        earlier_numbers = [number for number, tag in enumerate(self._rendered) if tag.start <= start]
        written = self.find_written_tag(earlier_numbers[-1]) if earlier_numbers else None
        return written.start if written else self.fallback_start


def _is_made_from(written: Tag, rendered: Tag) -> bool:
    """Returns whether the written tag renders to the other one for some values."""
    if written.name != rendered.name or written.is_end != rendered.is_end:
        return False
    if written.raw == rendered.raw:
        return True
    literal_parts = re.split(f"[{RAW_VALUE_CHAR}{VALUE_CHAR}]+", written.raw)
    return (
        len(literal_parts) > 1
        and re.fullmatch(".*".join(map(re.escape, literal_parts)), rendered.raw, re.DOTALL) is not None
    )
