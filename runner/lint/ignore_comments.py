"""Findings that their author has seen and wants to keep: `# msgrun: ignore=CODE` in the YAML.

At the end of a line the comment is about what begins on that line, with all that belongs to it (a body, its file); on a
line of its own, about what begins on the next; above the first key of a document, about the whole message.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import yaml

from runner.declare.schema import did_you_mean
from runner.declare.yaml.document import Document, YamlPath
from runner.errors import Place, Problem, Severity
from runner.lint.rules import RULES

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*msgrun:\s*ignore\b\s*(?:=\s*([\w, -]*))?")


@dataclass(frozen=True, slots=True)
class _Ignore:
    codes: frozenset[str]
    first: int
    last: int


class IgnoreComments:
    """The comments of one document. `problems` warns of a code that no rule has."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._whole: set[str] = set()
        self._parts: list[_Ignore] = []
        self.problems: list[Problem] = []
        if "msgrun:" in document.source.text:
            self._read()

    def covers(self, code: str, place: Place, path: YamlPath = ()) -> bool:
        """Whether a finding at the place, in what the value at `path` holds, is to be kept silent."""
        if code in self._whole:
            return True
        lines = {self._document.place(path).line} if path else set()
        if place.path == self._document.source.path:
            lines.add(place.line)
        return any(
            code in part.codes and any(part.first <= line <= part.last for line in lines) for part in self._parts
        )

    def _read(self) -> None:
        root, lines = self._document.root, self._document.source.lines
        first, last = self._extent(lines)
        texts = list(_scalars(root))
        for number in range(first, last + 1):
            found = _COMMENT.search(lines[number - 1])
            if not found or any(_holds(node, lines, number, found.start()) for node in texts):
                continue
            codes = self._codes(found, number)
            alone = not lines[number - 1][: found.start()].strip()
            if number <= root.start_mark.line and alone:
                self._whole |= codes
            else:
                begin = _next(lines, number) if alone else number
                self._parts.append(_Ignore(codes, begin, max(_reach(root, begin), begin)))

    def _extent(self, lines: list[str]) -> tuple[int, int]:
        """The first and the last line (from 1) of the document in its file."""
        root = self._document.root.start_mark.line
        marks = [number for number, line in enumerate(lines) if re.match(r"(---|\.\.\.)(\s|$)", line)]
        first = max((mark for mark in marks if mark <= root), default=-1)
        last = min((mark for mark in marks if mark > root), default=len(lines))
        return first + 2, last

    def _codes(self, found: re.Match[str], line: int) -> frozenset[str]:
        codes = [code.strip() for code in (found[1] or "").split(",") if code.strip()]
        place = Place(self._document.source.path, line, found.start() + 1)
        self.problems.extend(check_ignore_codes(codes, place, self._document.excerpt(line)))
        return frozenset(codes)


def check_ignore_codes(codes: list[str], place: Place, excerpt: str) -> Iterator[Problem]:
    """A warning for each code in a comment that no rule has, and one for a comment without any."""
    if not codes:
        hint = "msgrun: ignore=http-link names what to ignore"
        yield Problem("ignore-without-code", place, "this ignores nothing", hint, Severity.WARNING, excerpt)
    for code in codes:
        if code not in RULES:
            hint = did_you_mean(code, list(RULES)) or "msgrun lint --explain all lists the rules"
            yield Problem("ignore-unknown", place, f"no rule is called {code}", hint, Severity.WARNING, excerpt)


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    else:
        for item in node.value:
            for part in item if isinstance(item, tuple) else (item,):
                yield from _scalars(part)


def _holds(node: yaml.ScalarNode, lines: list[str], number: int, column: int) -> bool:
    """Whether what looks like a comment is part of a text."""
    first, last = node.start_mark, node.end_mark
    line = number - 1
    if node.style in {"|", ">"}:
        if not first.line < line <= last.line:
            return False
        content = [text for text in lines[first.line + 1 : last.line + 1] if text.strip()]
        return bool(content) and column >= len(content[0]) - len(content[0].lstrip())
    return (first.line, first.column) <= (line, column) < (last.line, last.column)


def _next(lines: list[str], number: int) -> int:
    """The next line that is neither blank nor a comment."""
    for later in range(number, len(lines)):
        if lines[later].strip() and not lines[later].lstrip().startswith("#"):
            return later + 1
    return number


def _reach(node: yaml.Node, line: int) -> int:
    """The last line of the widest key, value or item that begins on the line."""
    for begin, below in _members(node):
        if begin == line:
            return _last_line(below)
        if begin < line and (inner := _reach(below, line)):
            return inner
    return 0


def _members(node: yaml.Node) -> Iterable[tuple[int, yaml.Node]]:
    """What a mapping or a list holds, and the line that each begins on."""
    if isinstance(node, yaml.MappingNode):
        return [(key.start_mark.line + 1, value) for key, value in node.value]
    return [(item.start_mark.line + 1, item) for item in node.value] if isinstance(node, yaml.SequenceNode) else []


def _last_line(node: yaml.Node) -> int:
    """Where the last text in a node ends; the end of a block collection is where the next thing begins."""
    if not isinstance(node, yaml.ScalarNode):
        return max([node.start_mark.line + 1, *(_last_line(below) for _, below in _members(node))])
    end = node.end_mark
    return max(end.line if end.column == 0 else end.line + 1, node.start_mark.line + 1)
