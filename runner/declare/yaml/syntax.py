"""Explains syntax errors of YAML: where the mistake begins, not where libyaml detects it, and how to fix it."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import yaml

from runner.errors import Edit

# The compiled pattern of PyYAML. To compile a copy would take 7 ms, a sixteenth of a command's start.
_INVALID_CHARACTERS = yaml.reader.Reader.NON_PRINTABLE
# These two are compiled at first use, where there is a mistake.
_TEXT_BEGINS = r"(?:[:-][ ]+|^)[|>][-+0-9]*[ ]*(#.*)?$"
_COMMENT = r"#(?:\s|$)"  # a number or a tag is not written like this
ODD_SPACES = frozenset("\u00a0\u1680\u202f\u205f\u3000\ufeff") | {chr(code) for code in range(0x2000, 0x200C)}
# A key with a text that no quotes are around, up to the colon and space in it.
_COLON_IN_TEXT = re.compile(r"[ ]*(?:- )?(?P<key>)[\w.-]+:[ ]+(?P<text>[^\s\"'\[{|>&*!#%@`-][^#]*):$")
# Parts of libyaml's messages, as it words them, and what they mean for the author.
_PLAIN_WORDS = {
    "mapping values are not allowed": "a key cannot stand here",
    "did not find expected key": "here begins something that is not a key with a colon",
    "did not find expected '-' indicator": "here begins something that is not an item of the list",
    "did not find expected node content": "a value is missing where this begins",
    "did not find expected <document start>": "something stands after the end of the document",
    "did not find expected ',' or": "a comma or the closing bracket is missing",
    "did not find expected alphabetic or numeric character": "* and & name an anchor, and no name follows",
    "could not find expected ':'": "a key needs a colon after it",
    "cannot start any token": "nothing can begin with this character, unless it is quoted",
    "found undefined alias": "this alias has no anchor before it",
    "block sequence entries are not allowed": "an item of a list cannot stand here",
    "found unexpected end of stream": "the file ends within a quoted text",
    "found unknown escape character": "there is no such escape",
}
_SCANNER_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlFault(NamedTuple):
    """A mistake in a YAML text, at a line and column (both from 0, as in the marks of PyYAML).

    `length` is the number of characters that it is about; 0 if it is not known. `edits` fix it.
    """

    code: str
    line: int
    column: int
    message: str
    hint: str = ""
    is_warning: bool = False
    length: int = 0
    edits: tuple[Edit, ...] = ()


def iter_nodes(pending: list[yaml.Node], *, with_keys: bool) -> Iterator[yaml.Node]:
    """Yields some nodes and all below them, each once: aliases repeat nodes. It uses up the list."""
    visited: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        yield node
        if isinstance(node, yaml.SequenceNode):
            pending.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            pending.extend(part for pair in node.value for part in (pair if with_keys else pair[1:]))


class BadYaml(Exception):
    """Raised if a text is not valid YAML. The `fault` says where and why."""

    def __init__(self, fault: YamlFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def check_characters(text: str) -> None:
    """Raises BadYaml at the first character that YAML does not allow."""
    match = _INVALID_CHARACTERS.search(text)
    if match:
        before = text[: match.start()]
        message = f"the character U+{ord(match.group()):04X} is not allowed in YAML"
        hint = 'in double quotes it can be written "\\u…"' if match.group() != "\0" else "is the file UTF-8?"
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        raise BadYaml(YamlFault("yaml-character", line, column, message, hint))


def explain_escaped_character(text: str) -> tuple[str, str] | None:
    """Returns a message and a hint if a text holds a character that YAML does not allow, written as an escape."""
    match = _INVALID_CHARACTERS.search(text)
    if not match:
        return None
    if "\ud800" <= match[0] <= "\udfff":
        return "half of a surrogate pair is not a character", "write it as \\U0001F600"
    return f"the character U+{ord(match[0]):04X} is not allowed in a text", "remove its escape"


def syntax_fault(text: str, error: yaml.MarkedYAMLError) -> YamlFault:
    """Returns an error of libyaml as a fault where the mistake begins, with a plain message and a hint."""
    problem = error.problem or "not YAML"
    lines = text.split("\n")
    if (end := _find_end_of_text(text, lines, error, problem)) is not None:
        column = len(lines[end]) - len(lines[end].lstrip())
        message = "the text above ends before this line, which is not a key of the declaration"
        return YamlFault("yaml-syntax", end, column, message, "if it belongs to the text, indent it as the text")
    line, column, cause = _locate_fault(text, lines, error, problem)
    line_text = lines[line] if line < len(lines) else ""
    for number in (line - 1, line):
        written = "".join(lines[number : number + 1])
        if (sign := written.lstrip(" ")[:1]) in ODD_SPACES:
            return YamlFault("yaml-character", number, written.index(sign), *explain_odd_space(sign))
    hint = "" if cause else _suggest_fix(problem, line_text, column)
    edits: tuple[Edit, ...] = ()
    if not cause and "mapping values" in problem and (match := _COLON_IN_TEXT.match(line_text, 0, column + 1)):
        cause, hint = "this text holds a colon and a space, so YAML takes its beginning for a key", "quote the text"
        start, following = match.start("text"), next(filter(str.strip, lines[line + 1 :]), "")
        if len(following) - len(following.lstrip()) <= match.start("key"):  # else the text goes on there
            edits = quote_text(line_text, line + 1, start)
    plain = next((plain for part, plain in _PLAIN_WORDS.items() if part in problem), problem)
    message = cause or f"this is not YAML: {plain}"
    return YamlFault("yaml-syntax", line, column, message, hint, edits=edits)


def _find_end_of_text(text: str, lines: list[str], error: yaml.MarkedYAMLError, problem: str) -> int | None:
    """Returns the line (from 0) that ends a text of `|` or `>` because it is indented too little; None if none does.

    A line that looks like the beginning of such a text is none within a quote that nothing closed before it.
    """
    mark: Any = error.context_mark if "could not find expected ':'" in problem else error.problem_mark
    if mark is None or "expected" not in problem or mark.line >= len(lines):
        return None
    end: int = mark.line
    for number in range(end - 1, -1, -1):
        line = lines[number]
        if re.search(_TEXT_BEGINS, line):
            quote = _find_multiline_quote(text, end)
            is_quoted = quote and quote.line < number
            return None if is_quoted or "quoted scalar" in (error.context or "") else end
        if line.strip() and not line.startswith(" "):
            return None
    return None


def _locate_fault(text: str, lines: list[str], error: yaml.MarkedYAMLError, problem: str) -> tuple[int, int, str]:
    """Returns the line and column (both from 0) of a mistake, and a message.

    The message is empty unless the mistake begins at a bracket or quote before the place where libyaml detects it.
    """
    mark: Any = error.problem_mark or error.context_mark
    line, column = mark.line, mark.column
    start: Any = error.context_mark or mark
    if "',' or" in problem and start.line < line:
        return start.line, start.column, "a bracket opens here that nothing closes"
    if "found unexpected end of stream" in problem and "quoted scalar" in (error.context or ""):
        return start.line, start.column, "a quote opens here that nothing closes"
    if "did not find expected" in problem and (quote := _find_multiline_quote(text, line)):
        return quote.line, quote.column, f"the quote that opens here closes in line {line + 1}, and more text follows"
    if not "".join(lines[line:]).strip():
        # libyaml reports a missing part at the end of the file. The last line with text is more useful to the author.
        nonblank_lines = [number for number, text_line in enumerate(lines) if text_line.strip()]
        line, column = max(nonblank_lines, default=0), 0
        if start.line <= line:
            line, column = start.line, start.column
    return line, column, ""


def _find_multiline_quote(text: str, line: int) -> Any:
    """Returns the start of the quoted text that begins before a line and ends in it; None if there is none."""
    quote_start = None
    try:
        for token in yaml.scan(text, Loader=_SCANNER_LOADER):
            if isinstance(token, yaml.ScalarToken) and token.style in {'"', "'"}:
                start, end = cast("Any", token.start_mark), cast("Any", token.end_mark)
                quote_start = start if start.line < end.line == line else quote_start
    except yaml.MarkedYAMLError:
        pass  # the scanner fails later in the text than the parser did: the quotes before that are known
    return quote_start


def quote_text(line: str, number: int, start: int) -> tuple[Edit, ...]:
    """Returns the edit that quotes an unquoted text from the index `start` of a line to its end.

    `number` is the line's number from 1. There is none if a `#` has a space after it: it may begin a comment.
    """
    text = line[start:].rstrip()
    if re.search(_COMMENT, text):
        return ()
    quoted = f'"{text}"' if not {'"', "\\"} & set(text) else "'" + text.replace("'", "''") + "'"
    return (Edit(number, start + 1, text, quoted),)


def explain_odd_space(sign: str) -> tuple[str, str]:
    """Returns the message and the hint for a line that is indented with a sign of ODD_SPACES."""
    return f"this line is indented with U+{ord(sign):04X}, which looks like a space", "indent it with spaces"


def _suggest_fix(problem: str, line: str, column: int) -> str:
    if "\t" in line[: column + 1] or "tab" in problem:
        return "indent with spaces; YAML allows no tabs there"
    if "mapping values are not allowed" in problem:
        return "begin it in the column of the keys that it belongs to; quote a text that holds a colon and a space"
    if re.search(r"(^|[:,\[-])\s*\{[{%]", line):
        return 'quote a text that begins with a template: "{{ … }}"'
    if re.search(r"(^|[:-])\s*\[[^\[\]]*\]\s*[^\s,#\]}]", line):
        return 'quote a text that begins with a bracket: "[…] …"'
    if "alias" in problem or "alphabetic or numeric" in problem:
        return "an alias needs its anchor earlier in the same document; a text that begins with * or & must be quoted"
    if "cannot start any token" in problem:
        return "quote a text that begins with @, ` or %"
    if "unexpected ':'" in problem:
        return "a colon needs a space after it"
    if "Unicode character escape" in problem:
        return "write the character itself; JSON escapes it as two halves, \\ud83d\\udc4d, and one is missing"
    if "escape" in problem or "hexdecimal number" in problem:
        return "in double quotes a backslash begins an escape: double it, or use single quotes"
    return "check the indentation of this line" if "did not find expected" in problem and column else ""
