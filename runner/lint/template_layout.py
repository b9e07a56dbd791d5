"""A template as its reader will meet it: its literal text with its includes in place, and holes where values come.

All branches stand one after the other, so one look at the layout sees every text and tag that any recipient can get.
Every offset leads back to a place in a file.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from runner.declare.declaration import TemplateOrigin
from runner.errors import Place

MESSAGES_FOLDER = "messages/"


RAW_VALUE_CHAR = "\ufff9"  # what comes here may be markup


_SNIPPET = re.compile(r"[^\s\"'\\]{1,12}")


@dataclass(frozen=True, slots=True)
class Slot:
    """Where something is printed, or a branch may be left out: offsets, and what its expression names and quotes.

    `before` and `after` are the literal text around it, as far as it goes; None if something else comes first.
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


@dataclass(frozen=True, slots=True)
class LayoutPart:
    """A piece of the layout that comes from one file: where it begins in the layout and in that file's template."""

    start: int
    source_offset: int
    template_name: str


@dataclass(slots=True)
class Layout:
    """`text` has a fill character for each character of a tag of the template. `parts` are in order.

    `ignores` are comments: where, whether (1) about the next line, and the codes. `whole`: the text is what is
    rendered, but for its branches; with a parent template or a filter it is not. `raw`: values may be markup.
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
    is_as_rendered: bool = True
    has_raw_values: bool = False

    def find_place(self, start: int) -> tuple[Place, str]:
        """Where the layout's character `start` stands, and its line as it may be shown."""
        part = self.parts[max(bisect_right(self.parts, start, key=lambda part: part.start) - 1, 0)]
        source = self.sources[part.template_name]
        offset = part.source_offset + start - part.start
        line = source.count("\n", 0, offset) + 1
        column = offset - source.rfind("\n", 0, offset)
        if part.template_name:
            return Place(MESSAGES_FOLDER + part.template_name, line, column), source.split("\n")[line - 1]
        origin = self.origin
        if origin.file:
            return Place(origin.file.path, line, column), origin.file.line(line)
        place = _in_scalar(origin, source, offset, (line, column))
        return place, origin.document.excerpt(place.line)


def _in_scalar(origin: TemplateOrigin, source: str, offset: int, at: tuple[int, int]) -> Place:
    """The place of an offset in a scalar of the YAML file.

    A folded or quoted scalar breaks and escapes its text: there it is where the file shows the next few characters
    for as many times as the template does up to the offset.
    """
    node, document = origin.document.node(origin.path), origin.document
    mark = node.start_mark
    style = getattr(node, "style", None)
    if style == "|":
        line = mark.line + at[0]
        shown = document.source.lines[line] if line < len(document.source.lines) else ""
        written = source.split("\n")[at[0] - 1]
        indent = len(shown) - len(written) if shown.endswith(written) else 0
        return Place(document.source.path, line + 1, indent + at[1])
    found_snippet = _SNIPPET.match(source, offset)
    if not found_snippet:
        return document.place(origin.path)
    snippet = found_snippet.group()
    left = source.count(snippet, 0, offset)
    for line in range(mark.line, node.end_mark.line + 1):
        shown = document.source.line(line + 1)
        begin = mark.column if line == mark.line else 0
        while (found := shown.find(snippet, begin)) >= 0:
            if not left:
                return Place(document.source.path, line + 1, found + 1)
            left, begin = left - 1, found + len(snippet)
    return document.place(origin.path)
