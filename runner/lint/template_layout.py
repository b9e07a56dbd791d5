"""The layout of a template: its literal text with its includes inserted, and slots where values are printed.

All branches stand one after the other, so one pass over the layout sees every text and tag that any recipient can get.
Every offset can be traced to a place in a file.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from runner.declare.declaration import TemplateOrigin
from runner.declare.problem_length import mark_length
from runner.errors import Place
from runner.privacy import AnyText

_MESSAGES_FOLDER = "messages/"
RAW_VALUE_CHAR = "\ufff9"  # as VALUE_CHAR, for a value that may be markup


@dataclass(frozen=True, slots=True)
class Slot:
    """A place where a value is printed, or where a branch may be left out. `start` and `end` are offsets in the layout.

    `variables` and `string_literals` are those of its expression. `sole_variable` is the expression if it is one
    variable, else empty; `sole_number` if it is a number of one or two digits. `is_raw`: the value may be markup.
    `literal_before` and `literal_after` are the literal texts next to it; None if something else comes first.
    `is_url_encoded`: the value passes through `urlencode`.
    """

    start: int
    end: int
    variables: frozenset[str]
    string_literals: tuple[str, ...]
    is_branch: bool
    is_raw: bool
    sole_variable: str
    literal_before: str | None = None
    literal_after: str | None = None
    is_url_encoded: bool = False
    sole_number: str = ""


@dataclass(frozen=True, slots=True)
class LayoutPart:
    """A part of the layout that comes from one template: its start in the layout, its offset in that template.

    `template_name` is empty for the text itself.
    """

    start: int
    source_offset: int
    template_name: str


@dataclass(slots=True)
class Layout:
    """The layout of a template. In `text`, a fill character replaces each character of a template's tag.

    `parts` are in order. `detached_spans` are rendered at another place. `ignores` are the ignore comments: the offset,
    1 if the comment is about the next line (else 0), and the codes. `swallowing_comments` are the offsets of comments
    that take in more than was meant. `is_as_rendered`: but for its branches, the text is what is rendered; with a
    parent template or a filter it is not. `has_raw_values`: some values may be markup.
    """

    origin: TemplateOrigin
    text: str = ""
    slots: tuple[Slot, ...] = ()
    branches: tuple[tuple[int, int], ...] = ()
    detached_spans: tuple[tuple[int, int], ...] = ()
    parts: list[LayoutPart] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    literals: tuple[str, ...] = ()
    ignores: list[tuple[int, int, str]] = field(default_factory=list)
    swallowing_comments: list[int] = field(default_factory=list)
    is_as_rendered: bool = True
    has_raw_values: bool = False
    _line_starts: dict[str, list[int]] = field(default_factory=dict)

    def find_place(self, start: int) -> tuple[Place, AnyText]:
        """Returns the place of the layout's character `start` in its file, and the line to quote."""
        part = self.parts[max(bisect_right(self.parts, start, key=lambda part: part.start) - 1, 0)]
        source = self.sources[part.template_name]
        offset = part.source_offset + start - part.start
        starts = self._line_starts.get(part.template_name)
        if starts is None:
            starts = [0, *(match.end() for match in re.finditer("\n", source))]
            self._line_starts[part.template_name] = starts
        line = bisect_right(starts, offset)
        column = offset - starts[line - 1] + 1
        if part.template_name:
            text = source[starts[line - 1] : starts[line] - 1 if line < len(starts) else None]
            return Place(_MESSAGES_FOLDER + part.template_name, line, column, mark_length(text, column - 1)), text
        origin = self.origin
        if origin.file:
            text = origin.file.line(line)
            return Place(origin.file.path, line, column, mark_length(text, column - 1)), text
        place = origin.document.text_place(origin.document.node(origin.path), source, offset)
        return place, origin.document.excerpt(place.line)
