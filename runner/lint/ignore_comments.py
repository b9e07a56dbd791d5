"""Reads the comments `# msgrun: ignore=CODE` in the YAML: the author has seen a finding and wants to keep it.

At the end of a key's line, or above the key, a comment covers its value with everything that belongs to it (a body and
its file). Above the first key of a document, it covers the whole message. Only the keys of the document itself count.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import yaml

from runner.declare.similar_names import did_you_mean
from runner.declare.yaml.document import Document, YamlPath
from runner.errors import Place, Problem, Severity
from runner.lint.rules import RULES
from runner.privacy import AnyText
from runner.shown_command import shown_command

_IGNORE_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*msgrun:\s*ignore\b\s*(?:=\s*([\w, -]*))?")
_MAX_PROBLEMS = 1_000  # and comments of one key; what follows is most often the same mistake again
_WHOLE_MESSAGE = 0  # in place of the line of a key


@dataclass(frozen=True, slots=True)
class IgnoreComments:
    """The ignore comments of one document: codes of rules by the line (from 1) of the key that they are about.

    `problems` are the warnings about the comments themselves.
    """

    document: Document
    codes_by_line: Mapping[int, set[str]]
    problems: list[Problem]

    def covers(self, code: str, path: YamlPath = ()) -> bool:
        """Returns whether a comment ignores a finding that the value at `path` caused."""
        place = self.document.key_place(path[:1]) if path else self.document.place()
        return any(code in self.codes_by_line.get(line, ()) for line in (place.line, _WHOLE_MESSAGE))


def read_ignore_comments(document: Document) -> IgnoreComments:
    """Returns the ignore comments of a document."""
    codes_by_line: dict[int, set[str]] = {}
    problems: list[Problem] = []
    lines = document.source.lines
    has_comments = "msgrun:" in document.source.text and isinstance(document.root, yaml.MappingNode)
    for number, (key, value) in enumerate(document.root.value if has_comments else ()):
        if len(problems) > _MAX_PROBLEMS:
            break
        key_line = key.start_mark.line + 1
        for line, match in islice(_find_comments(lines, key, value), _MAX_PROBLEMS):
            codes = [code.strip() for code in (match[1] or "").split(",") if code.strip()]
            place = Place(document.source.path, line, match.start() + 1, len(match.group().strip()))
            problems.extend(check_ignore_codes(codes, place, document.excerpt(line)))
            is_above_all = number == 0 and line < key_line
            codes_by_line.setdefault(_WHOLE_MESSAGE if is_above_all else key_line, set()).update(codes)
    return IgnoreComments(document, codes_by_line, problems)


def _find_comments(lines: Sequence[str], key: yaml.Node, value: yaml.Node) -> Iterator[tuple[int, re.Match[str]]]:
    """Yields the comments above a key and that at the end of its line, each after its line (from 1)."""
    line, column = key.start_mark.line, key.start_mark.column
    above = line - 1
    while above >= 0 and lines[above].lstrip()[:1] in {"", "#"}:
        match = _IGNORE_COMMENT.search(lines[above])
        if match and match.start() <= column:  # further to the right, it is part of the block text above
            yield above + 1, match
        above -= 1
    start, end = value.start_mark, value.end_mark
    is_block = isinstance(value, yaml.ScalarNode) and value.style in {"|", ">"}
    if isinstance(value, yaml.ScalarNode) and start.line == line < end.line and not is_block:
        return  # what stands at the end of the line is part of the text
    if match := _IGNORE_COMMENT.search(lines[line], (end if end.line == line else key.end_mark).column):
        yield line + 1, match


def check_ignore_codes(codes: list[str], place: Place, excerpt: AnyText) -> Iterator[Problem]:
    """Yields a warning for each code that no rule has, and one for a comment without a code."""
    if not codes:
        hint = "msgrun: ignore=http-link names what to ignore"
        yield Problem("ignore-without-code", place, "this ignores nothing", hint, Severity.WARNING, excerpt)
    for code in codes[: len(RULES)]:  # a comment that names more says nothing new
        if code not in RULES:
            hint = did_you_mean(code, list(RULES)) or f"{shown_command('explain')} lists the rules"
            yield Problem("ignore-unknown", place, f"no rule is called {code}", hint, Severity.WARNING, excerpt)
