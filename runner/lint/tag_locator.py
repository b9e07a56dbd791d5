"""Where the tags of a rendered text were written."""

import re

from runner.lint.html import VALUE_CHAR, Tag
from runner.lint.static_checks import MessageText
from runner.lint.template_layout import RAW_VALUE_CHAR


class TagLocator:
    """Finds the tags of a rendered text again in the text as written; `otherwise` is where one may have come from."""

    def __init__(self, writing: MessageText, rendered: tuple[Tag, ...]) -> None:
        self._tags = writing.parsed_html.tags
        self._rendered = rendered
        self.fallback_start = next((hole.start for hole in writing.layout.slots if hole.is_raw), 0)

    def find_written_tag(self, number: int) -> Tag | None:
        """The rendered tag with that number, as it was written."""
        tag = self._rendered[number]
        alike = [written for written in self._tags if _is_made_from(written, tag)]
        earlier = sum(other.raw == tag.raw for other in self._rendered[:number])
        return alike[min(earlier, len(alike) - 1)] if alike else None

    def find_written_start(self, start: int) -> int:
        """Where the tag at an offset of the rendered text, or the last one before it, was written."""
        before = [number for number, tag in enumerate(self._rendered) if tag.start <= start]
        written = self.find_written_tag(before[-1]) if before else None
        return written.start if written else self.fallback_start


def _is_made_from(written: Tag, rendered: Tag) -> bool:
    if written.name != rendered.name or written.is_end != rendered.is_end:
        return False
    if written.raw == rendered.raw:
        return True
    literal = re.split(f"[{RAW_VALUE_CHAR}{VALUE_CHAR}]+", written.raw)
    return len(literal) > 1 and re.fullmatch(".*".join(map(re.escape, literal)), rendered.raw, re.DOTALL) is not None
