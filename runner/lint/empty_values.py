"""What a text reads like where a value was empty: "Hi ,", a double space, an empty pair of brackets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runner.declare.audience import TableAudience
from runner.declare.declaration import Declaration
from runner.lint.static_checks import MessageText
from runner.lint.template_layout import Slot

_AROUND = 24  # characters that tell one gap from another


@dataclass(frozen=True, slots=True)
class Gap:
    """What a text reads like where a value was empty, and the hole that it comes from."""

    text: str
    position: str
    message_text: MessageText
    slot: Slot

    def is_in(self, rendered: str) -> bool:
        """Whether the rendered text has it."""
        if self.position == "start":
            return rendered.startswith(self.text)
        return rendered.endswith(self.text) if self.position == "end" else self.text in rendered


def find_gaps(writing: MessageText, declaration: Declaration) -> Iterator[Gap]:
    """The gaps that values of a text may leave."""
    literals = "\n".join(writing.layout.literals)
    for hole in writing.layout.slots:
        if (
            hole.literal_before is None
            or hole.literal_after is None
            or writing.find_enclosing_tag(hole)
            or not _can_be_empty(hole, declaration)
        ):
            continue
        shape = _gap_between(hole.literal_before, hole.literal_after, is_branch=hole.is_branch, is_html=writing.is_html)
        if shape and (shape[1] != "in" or shape[0] not in literals):
            yield Gap(*shape, writing, hole)


def _can_be_empty(hole: Slot, declaration: Declaration) -> bool:
    audience = declaration.audience
    if not hole.sole_variable:
        return True
    if isinstance(audience, TableAudience) and hole.sole_variable in audience.variables:
        return False  # a blank cell is no value, and printing it an error
    constant = declaration.variables.get(hole.sole_variable, "")
    return hole.sole_variable in audience.variables or not str(constant).strip()


def strip_tags(text: str) -> str:
    """A gap as a message quotes it: without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"^[^<]*>|<[^>]*(>|$)", "", text))


def _gap_between(before: str, after: str, *, is_branch: bool, is_html: bool) -> tuple[str, str] | None:
    """What an empty value between two literal texts leaves, if that reads badly, and where it would stand."""
    begins = not before or (is_html and before.endswith(">"))
    left, right = before[-_AROUND:], after[:_AROUND]
    at = "in" if before else "start"
    has_space = before.endswith(" ") and bool(before.strip())
    if after[:1] in {",", ".", ";", ":", "!", "?"} and not after.startswith("..") and (has_space or begins):
        return left + right, at
    if before.endswith("(") and after.startswith(")"):
        return left + right, at
    if has_space and re.match(r" \S", after) and not before.endswith("  ") and not (is_html and is_branch):
        return left + right, "in"
    if re.search(r"\S[,;] $", before) and (not after or after.startswith("</")):
        return left + right, "in" if after else "end"
    return None
