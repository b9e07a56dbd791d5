"""Reads the comments `# msgrun: ignore=CODE` in the YAML: the author has seen a finding and wants to keep it.

At the end of a line, a comment covers the value that begins on that line, with everything that belongs to it (a body
and its file). On a line of its own, it covers the value that begins on the next line. Above the first key of a
document, it covers the whole message.
"""

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from runner.declare.similar_names import did_you_mean
from runner.declare.yaml.document import Document, YamlPath
from runner.errors import Place, Problem, Severity
from runner.lint.rules import RULES, rules_hint
from runner.privacy import AnyText

_IGNORE_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*msgrun:\s*ignore\b\s*(?:=\s*([\w, -]*))?")


@dataclass(frozen=True, slots=True)
class _Ignore:
    codes: frozenset[str]
    first_line: int
    last_line: int
    is_for_document: bool  # then the lines do not matter


@dataclass(frozen=True, slots=True)
class IgnoreComments:
    """The ignore comments of one document. `problems` are the warnings about the comments themselves."""

    document: Document
    ignores: list[_Ignore]
    problems: list[Problem]

    def covers(self, code: str, place: Place, path: YamlPath = ()) -> bool:
        """Returns whether a comment ignores a finding at `place` that the value at `path` caused."""
        lines = {self.document.place(path).line} if path else set()
        if place.path == self.document.source.path:
            lines.add(place.line)
        return any(
            code in ignore.codes
            and (ignore.is_for_document or any(ignore.first_line <= line <= ignore.last_line for line in lines))
            for ignore in self.ignores
        )


def read_ignore_comments(document: Document) -> IgnoreComments:
    """Returns the ignore comments of a document."""
    ignores: list[_Ignore] = []
    problems: list[Problem] = []
    if "msgrun:" not in document.source.text:
        return IgnoreComments(document, ignores, problems)
    root, lines = document.root, document.source.lines
    first, last = _find_line_range(root, lines)
    scalars, next_lines, last_lines = (
        _find_scalars(root, lines),
        _find_next_content_lines(lines),
        _find_last_lines(root),
    )
    for line_number in range(first, last + 1):
        match = _IGNORE_COMMENT.search(lines[line_number - 1])
        if not match or scalars.contain(line_number - 1, match.start()):
            continue
        codes = [code.strip() for code in (match[1] or "").split(",") if code.strip()]
        place = Place(document.source.path, line_number, match.start() + 1, len(match.group().strip()))
        problems.extend(check_ignore_codes(codes, place, document.excerpt(line_number)))
        is_own_line = not lines[line_number - 1][: match.start()].strip()
        is_for_document = is_own_line and line_number <= root.start_mark.line
        first_line = next_lines[line_number - 1] if is_own_line else line_number
        last_line = max(last_lines.get(first_line, 0), first_line)
        ignores.append(_Ignore(frozenset(codes), first_line, last_line, is_for_document))
    return IgnoreComments(document, ignores, problems)


def check_ignore_codes(codes: list[str], place: Place, excerpt: AnyText) -> Iterator[Problem]:
    """Yields a warning for each code that no rule has, and one for a comment without a code."""
    if not codes:
        hint = "msgrun: ignore=http-link names what to ignore"
        yield Problem("ignore-without-code", place, "this ignores nothing", hint, Severity.WARNING, excerpt)
    for code in codes:
        if code not in RULES:
            hint = did_you_mean(code, list(RULES)) or rules_hint()
            yield Problem("ignore-unknown", place, f"no rule is called {code}", hint, Severity.WARNING, excerpt)


def _find_line_range(root: yaml.Node, lines: list[str]) -> tuple[int, int]:
    """Returns the first and the last line of a document in its file. Lines count from 1."""
    root_line = root.start_mark.line
    marks = [number for number, line in enumerate(lines) if re.match(r"(---|\.\.\.)(\s|$)", line)]
    first = max((mark for mark in marks if mark <= root_line), default=-1)
    last = min((mark for mark in marks if mark > root_line), default=len(lines))
    return first + 2, last


class _Scalars:
    """The scalars of a document, of which a comment may be a part. Then it is text, and no comment."""

    def __init__(self, scalars: list[yaml.ScalarNode], lines: list[str]) -> None:
        self._lines = lines
        self._scalars = scalars
        self._starts = [(node.start_mark.line, node.start_mark.column) for node in scalars]
        self._indents: dict[int, int] = {}

    def contain(self, line: int, column: int) -> bool:
        """Returns whether the text at a line and a column (both from 0) is part of a scalar."""
        # They are in order and do not overlap: only the last one that begins before may contain the text.
        number = bisect_right(self._starts, (line, column)) - 1
        if number < 0:
            return False
        node = self._scalars[number]
        start, end = node.start_mark, node.end_mark
        if node.style in {"|", ">"}:
            return start.line < line <= end.line and column >= self._find_indent(number)
        return (line, column) < (end.line, end.column)

    def _find_indent(self, number: int) -> int:
        """Returns the column (from 0) at which the text of a block begins; one beyond every line if it has none."""
        if number not in self._indents:
            start, end = self._scalars[number].start_mark.line + 1, self._scalars[number].end_mark.line + 1
            block = (self._lines[line] for line in range(start, min(end, len(self._lines))))
            first = next((text for text in block if text.strip()), None)
            self._indents[number] = sys.maxsize if first is None else len(first) - len(first.lstrip())
        return self._indents[number]


def _find_scalars(root: yaml.Node, lines: list[str]) -> _Scalars:
    nodes = [root, *(node for _, node in _iter_members(root))]
    keys = [key for node in nodes if isinstance(node, yaml.MappingNode) for key, _ in node.value]
    scalars = [node for node in (*nodes, *keys) if isinstance(node, yaml.ScalarNode)]
    return _Scalars(sorted(scalars, key=lambda node: (node.start_mark.line, node.start_mark.column)), lines)


def _iter_members(root: yaml.Node) -> Iterator[tuple[int, yaml.Node]]:
    """Yields every value and item of a document in order, each after the line (from 1) on which it begins.

    The line of a value is that of its key. A node that aliases repeat is visited once. The root is not among them.
    """
    visited: set[int] = set()
    pending = [*reversed(_list_members(root))]
    while pending:
        line, node = pending.pop()
        if id(node) not in visited:
            visited.add(id(node))
            yield line, node
            pending.extend(reversed(_list_members(node)))


def _find_next_content_lines(lines: list[str]) -> list[int]:
    """Returns for each line the next one (both from 1) that is neither blank nor a comment; itself if there is none."""
    next_lines: list[int] = []
    next_line = 0
    for number in range(len(lines), 0, -1):
        next_lines.append(next_line or number)
        if lines[number - 1].strip() and not lines[number - 1].lstrip().startswith("#"):
            next_line = number
    return next_lines[::-1]


def _find_last_lines(root: yaml.Node) -> dict[int, int]:
    """Maps each line on which a key, value or item begins to the last line of the widest of them."""
    widest: dict[int, yaml.Node] = {}
    for line, node in _iter_members(root):
        widest.setdefault(line, node)
    return {line: _find_text_end(node) for line, node in widest.items()}


def _list_members(node: yaml.Node) -> list[tuple[int, yaml.Node]]:
    """Returns the values of a mapping or the items of a list, each after the line that it begins on."""
    if isinstance(node, yaml.MappingNode):
        return [(key.start_mark.line + 1, value) for key, value in node.value]
    return [(item.start_mark.line + 1, item) for item in node.value] if isinstance(node, yaml.SequenceNode) else []


def _find_text_end(node: yaml.Node) -> int:
    """Returns the line on which the last scalar of a node ends.

    The end mark of a block collection does not say it: PyYAML sets that mark where the next token begins.
    """
    if not isinstance(node, yaml.ScalarNode):
        return max([node.start_mark.line + 1, *(_find_text_end(child) for _, child in _list_members(node))])
    end = node.end_mark
    return max(end.line if end.column == 0 else end.line + 1, node.start_mark.line + 1)
