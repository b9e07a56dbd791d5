"""Reads the comments `# msgrun: ignore=CODE` in the YAML: the author has seen a finding and wants to keep it.

At the end of a line, a comment covers the value that begins on that line, with everything that belongs to it (a body
and its file). On a line of its own, it covers the value that begins on the next line. Above the first key of a
document, it covers the whole message.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import yaml

from runner.declare.schema import did_you_mean
from runner.declare.yaml.document import Document, YamlPath
from runner.errors import Place, Problem, Severity
from runner.lint.rules import RULES
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
    scalars = list(_iter_scalars(root))
    for line_number in range(first, last + 1):
        match = _IGNORE_COMMENT.search(lines[line_number - 1])
        if not match or any(_is_in_scalar(node, lines, line_number, match.start()) for node in scalars):
            continue
        codes = [code.strip() for code in (match[1] or "").split(",") if code.strip()]
        place = Place(document.source.path, line_number, match.start() + 1)
        problems.extend(check_ignore_codes(codes, place, document.excerpt(line_number)))
        is_own_line = not lines[line_number - 1][: match.start()].strip()
        is_for_document = is_own_line and line_number <= root.start_mark.line
        first_line = _find_next_content_line(lines, line_number) if is_own_line else line_number
        last_line = max(_find_last_line(root, first_line), first_line)
        ignores.append(_Ignore(frozenset(codes), first_line, last_line, is_for_document))
    return IgnoreComments(document, ignores, problems)


def check_ignore_codes(codes: list[str], place: Place, excerpt: AnyText) -> Iterator[Problem]:
    """Yields a warning for each code that no rule has, and one for a comment without a code."""
    if not codes:
        hint = "msgrun: ignore=http-link names what to ignore"
        yield Problem("ignore-without-code", place, "this ignores nothing", hint, Severity.WARNING, excerpt)
    for code in codes:
        if code not in RULES:
            hint = did_you_mean(code, list(RULES)) or "msgrun lint --explain all lists the rules"
            yield Problem("ignore-unknown", place, f"no rule is called {code}", hint, Severity.WARNING, excerpt)


def _find_line_range(root: yaml.Node, lines: list[str]) -> tuple[int, int]:
    """Returns the first and the last line of a document in its file. Lines count from 1."""
    root_line = root.start_mark.line
    marks = [number for number, line in enumerate(lines) if re.match(r"(---|\.\.\.)(\s|$)", line)]
    first = max((mark for mark in marks if mark <= root_line), default=-1)
    last = min((mark for mark in marks if mark > root_line), default=len(lines))
    return first + 2, last


def _iter_scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    else:
        for item in node.value:
            for child in item if isinstance(item, tuple) else (item,):
                yield from _iter_scalars(child)


def _is_in_scalar(node: yaml.ScalarNode, lines: list[str], line_number: int, column: int) -> bool:
    """Returns whether the text at a line (from 1) and a column (from 0) is part of the scalar, so not a comment."""
    start, end = node.start_mark, node.end_mark
    line = line_number - 1
    if node.style in {"|", ">"}:
        if not start.line < line <= end.line:
            return False
        content = [text for text in lines[start.line + 1 : end.line + 1] if text.strip()]
        return bool(content) and column >= len(content[0]) - len(content[0].lstrip())
    return (start.line, start.column) <= (line, column) < (end.line, end.column)


def _find_next_content_line(lines: list[str], line_number: int) -> int:
    """Returns the next line that is neither blank nor a comment; if there is none, `line_number` itself."""
    for index in range(line_number, len(lines)):
        if lines[index].strip() and not lines[index].lstrip().startswith("#"):
            return index + 1
    return line_number


def _find_last_line(node: yaml.Node, line: int) -> int:
    """Returns the last line of the widest key, value or item that begins on the line; 0 if none does."""
    for first_line, child in _list_members(node):
        if first_line == line:
            return _find_text_end(child)
        if first_line < line and (last_line := _find_last_line(child, line)):
            return last_line
    return 0


def _list_members(node: yaml.Node) -> Iterable[tuple[int, yaml.Node]]:
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
