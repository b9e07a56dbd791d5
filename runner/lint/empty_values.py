"""Finds the gaps that an empty value leaves in a text: "Hi ,", a double space, an empty pair of brackets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runner.declare.audience.audience import TableAudience
from runner.declare.declaration import Declaration
from runner.lint.static_checks import MessageText
from runner.lint.template_layout import Slot

MAX_GAPS = 200  # of one text: every delivery is searched for each of them
_CONTEXT_LENGTH = 24  # characters of literal text on each side; they distinguish one gap from another


@dataclass(frozen=True, slots=True)
class Gap:
    """The text that an empty value leaves, and the slot that prints this value.

    `position` says where a rendered text contains it: `start`, `end`, or `in` for anywhere.
    """

    text: str
    position: str
    message_text: MessageText
    slot: Slot

    def is_in(self, rendered: str) -> bool:
        """Returns whether the rendered text contains the gap at its position."""
        if self.position == "start":
            return rendered.startswith(self.text)
        return rendered.endswith(self.text) if self.position == "end" else self.text in rendered


def find_gaps(message_text: MessageText, declaration: Declaration) -> Iterator[Gap]:
    """Yields the gaps that empty values may leave in a text.

    A slot leaves none if it stands inside a tag, or if its value cannot be empty. It is skipped if the literal text on
    one side is unknown, or if the literal text of the template contains the same characters anyway.
    """
    literals = "\n".join(message_text.layout.literals)
    for slot in message_text.layout.slots:
        if (
            slot.literal_before is None
            or slot.literal_after is None
            or message_text.find_enclosing_tag(slot)
            or not _can_be_empty(slot, declaration)
        ):
            continue
        gap = _find_gap_between(
            slot.literal_before, slot.literal_after, is_branch=slot.is_branch, is_html=message_text.is_html
        )
        if gap and (gap[1] != "in" or gap[0] not in literals):
            yield Gap(*gap, message_text, slot)


def _can_be_empty(slot: Slot, declaration: Declaration) -> bool:
    audience = declaration.audience
    if not slot.sole_variable:
        return True
    if isinstance(audience, TableAudience) and slot.sole_variable in audience.variables:
        return False  # a blank cell is an undefined value: printing it is already an error
    constant = declaration.variables.get(slot.sole_variable, "")
    return slot.sole_variable in audience.variables or not str(constant).strip()


def strip_tags(text: str) -> str:
    """Returns the text of a gap without its tags, with white space collapsed, for a message to quote."""
    return re.sub(r"\s+", " ", re.sub(r"^[^<]*>|<[^>]*(>|$)", "", text))


def _find_gap_between(before: str, after: str, *, is_branch: bool, is_html: bool) -> tuple[str, str] | None:
    """Returns the gap that an empty value leaves between two literal texts, and its position; None if it reads well."""
    is_at_start = not before or (is_html and before.endswith(">"))
    left_context, right_context = before[-_CONTEXT_LENGTH:], after[:_CONTEXT_LENGTH]
    position = "in" if before else "start"
    ends_in_space = before.endswith(" ") and bool(before.strip())
    if after[:1] in {",", ".", ";", ":", "!", "?"} and not after.startswith("..") and (ends_in_space or is_at_start):
        return left_context + right_context, position
    if before.endswith("(") and after.startswith(")"):
        return left_context + right_context, position
    if ends_in_space and re.match(r" \S", after) and not before.endswith("  ") and not (is_html and is_branch):
        return left_context + right_context, "in"
    if re.search(r"\S[,;] $", before) and (not after or after.startswith("</")):
        return left_context + right_context, "in" if after else "end"
    return None
