"""Why a text is not YAML: where the fault began, rather than where libyaml noticed it, and what to do about it."""

import re
from dataclasses import dataclass
from typing import Any, cast

import yaml

# YAML's own pattern. A copy of it would take 7 ms to compile, a sixteenth of a command's start.
_NOT_IN_YAML = yaml.reader.Reader.NON_PRINTABLE


_SCANNER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class YamlFault:
    """Something wrong at a line and column (both from 0, as YAML marks count)."""

    code: str
    line: int
    column: int
    message: str
    hint: str = ""
    is_warning: bool = False


class BadYaml(Exception):
    """The text is not YAML from some place on."""

    def __init__(self, fault: YamlFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def check_characters(text: str) -> None:
    """Raises BadYaml at the first character that YAML does not allow."""
    found = _NOT_IN_YAML.search(text)
    if found:
        before = text[: found.start()]
        message = f"the character U+{ord(found.group()):04X} is not allowed in YAML"
        hint = 'in double quotes it can be written "\\u…"' if found.group() != "\0" else "is the file UTF-8?"
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        raise BadYaml(YamlFault("yaml-character", line, column, message, hint))


def syntax_fault(text: str, error: yaml.MarkedYAMLError) -> YamlFault:
    """What libyaml found, at the place where it began, in words that help."""
    problem = error.problem or "not YAML"
    lines = text.split("\n")
    line, column, told = _where(text, lines, error, problem)
    shown = lines[line] if line < len(lines) else ""
    message = told or f"this is not YAML: {problem}"
    return YamlFault("yaml-syntax", line, column, message, "" if told else _hint(problem, shown, column))


def _where(text: str, lines: list[str], error: yaml.MarkedYAMLError, problem: str) -> tuple[int, int, str]:
    """The line and column of the fault, and words for it where it began earlier than libyaml noticed."""
    mark: Any = error.problem_mark or error.context_mark
    line, column = mark.line, mark.column
    began: Any = error.context_mark or mark
    if "',' or" in problem and began.line < line:
        return began.line, began.column, "a bracket opens here that nothing closes"
    if "found unexpected end of stream" in problem and "quoted scalar" in (error.context or ""):
        return began.line, began.column, "a quote opens here that nothing closes"
    if "did not find expected" in problem and (quote := _quote_across_lines(text, line)):
        return quote.line, quote.column, f"the quote that opens here closes in line {line + 1}, and more text follows"
    if not "".join(lines[line:]).strip():
        # libyaml notices at the end of the file what is missing; the last thing written tells more.
        written = [number for number, text_line in enumerate(lines) if text_line.strip()]
        line, column = max(written, default=0), 0
        if began.line <= line:
            line, column = began.line, began.column
    return line, column, ""


def _quote_across_lines(text: str, line: int) -> Any:
    """Where the quoted text begins that ends in this line, having begun in an earlier one."""
    found = None
    try:
        for token in yaml.scan(text, Loader=_SCANNER):
            if isinstance(token, yaml.ScalarToken) and token.style in {'"', "'"}:
                start, end = cast("Any", token.start_mark), cast("Any", token.end_mark)
                found = start if start.line < end.line == line else found
    except yaml.MarkedYAMLError:
        pass  # the parser stopped before the place where the scanner does
    return found


def _hint(problem: str, line: str, column: int) -> str:
    if "\t" in line[: column + 1] or "tab" in problem:
        return "indent with spaces; YAML allows no tabs there"
    if "mapping values are not allowed" in problem:
        return "quote a text that holds a colon and a space, and check the indentation"
    if re.search(r"(^|[:,\[-])\s*\{[{%]", line):
        return 'quote a text that begins with a template: "{{ … }}"'
    if "alias" in problem or "alphabetic or numeric" in problem:
        return "an alias needs its anchor earlier in the same document; a text that begins with * or & must be quoted"
    if "cannot start any token" in problem:
        return "quote a text that begins with @, ` or %"
    if "unexpected ':'" in problem:
        return "a colon needs a space after it"
    if "escape" in problem:
        return "in double quotes a backslash begins an escape: double it, or use single quotes"
    return ""
