"""Builds the layout of a template: reads its tokens, and those of its includes, once."""

import re
from collections.abc import Mapping
from dataclasses import replace

import jinja2

from runner.declare.declaration import TemplateOrigin
from runner.declare.template.template import Template
from runner.lint.html import VALUE_CHAR
from runner.lint.template_layout import RAW_VALUE_CHAR, Layout, LayoutPart, Slot

_STRING = re.compile(r"\"([^\"\\]*)\"|'([^'\\]*)'")
_COMPARISON = re.compile(r"(?:==|!=|\bin)\s*(?:\"[^\"]*\"|'[^']*')|(?:\"[^\"]*\"|'[^']*')\s*(?:==|!=)")
_VARIABLE_NAME = re.compile(r"(?<![\w.|])(?<!\| )[A-Za-z_]\w*(?!\w|\s*=(?!=))")
_CALL = re.compile(r"(\|\s*+)?(?<![\w.])([\w.]++)\s*+\(")
_MARKUP_FILTER = re.compile(r"\|\s*(?:safe|xmlattr|urlize)\b")
_URL_FILTER = re.compile(r"\|\s*urlencode\b")
_POSITION = re.compile(r"\d{1,2}")  # {{1}}: WhatsApp and others number their placeholders
_IGNORE_COMMENT = re.compile(r"\{#-?\s*msgrun:\s*ignore\b=?\s*([\w, -]*?)\s*-?#\}")
# A comment that holds the begin of another one, or the end of an element that does not begin in it.
_SWALLOWING_COMMENT = re.compile(r"(?s:.)*?\{#|(?:(?!<(?:style|script)\b)(?s:.))*</(?:style|script)\b", re.IGNORECASE)
_END_KEYWORD = re.compile(r"end(\w+)")
_MAX_INDENT = 1000  # characters of white space before a comment on a line of its own
_LEXER = jinja2.Environment(autoescape=True).lexer
_OPENING_KEYWORDS = frozenset({"if", "for", "macro", "call", "filter", "block", "autoescape", "with", "set", "trans"})
_BRANCH_KEYWORDS = frozenset({"if", "for"})
_DETACHED_KEYWORDS = frozenset({"macro", "call", "set"})  # their content is rendered somewhere else, or not at all


def build_layout(text: Template, origin: TemplateOrigin) -> Layout:
    """Returns the layout of a compiled template."""
    layout = Layout(origin)
    builder = _LayoutBuilder(layout, text.includes)
    builder.add_template("", text.source)
    for name in sorted(text.includes.keys() - builder.added_names):
        builder.add_detached(name)
    builder.finish()
    return layout


class _LayoutBuilder:
    """Reads the tokens of a template and its includes, and adds them to a layout."""

    def __init__(self, layout: Layout, includes: Mapping[str, str]) -> None:
        self._layout = layout
        self._includes = includes
        self._chunks: list[str] = []
        self._length = 0
        self._slots: list[Slot] = []
        self._branches: list[tuple[int, int]] = []
        self._detached_spans: list[tuple[int, int]] = []
        # For each open block: keyword, start, start of its last branch, literal text before it, whether it has an else.
        self._open_blocks: list[tuple[str, int, int, str | None, bool]] = []
        self._literals: list[str] = []
        self._literal_before: str | None = ""
        self._slots_without_literal_after: list[int] = []
        self._open_templates: list[str] = []
        self.added_names: set[str] = set()

    def add_template(self, name: str, source: str) -> None:
        """Adds a template. `name` is that of the include; it is empty for the text itself."""
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        self._layout.sources[name] = source
        self.added_names.add(name)
        self._open_templates.append(name)
        self._start_part(name, 0)
        position, tag_kind, tag_start, first_chunk = 0, "", 0, 0
        for _, kind, value in _LEXER.tokeniter(source, name or None):
            start = source.index(value, position)
            self._add_filler(source[position:start], " ")
            position = start + len(value)
            if kind == "comment_begin":
                self._add_comment(source[start : source.find("#}", start) + 2], source, start)
            if kind == "data":
                self._add_literal(value)
                continue
            if kind.endswith("_begin"):
                tag_start, tag_kind, first_chunk = self._length, kind, len(self._chunks)
            is_tag_end = kind in {"variable_end", "block_end"}
            self._add_filler(value, VALUE_CHAR if tag_kind == "variable_begin" else " ")
            if is_tag_end:
                inner = source[position - (self._length - tag_start) : position]
                if tag_kind == "variable_begin":
                    self._add_printed_value(tag_start, inner, first_chunk)
                else:
                    self._add_block_tag(tag_start, inner, name, position)
        self._add_filler(source[position:], " ")
        self._open_templates.pop()

    def add_detached(self, name: str) -> None:
        """Adds a template that is imported or extended: its text is rendered, but at another place."""
        start = self._length
        self._literal_before = None
        self.add_template(name, self._includes[name])
        self._detached_spans.append((start, self._length))

    def finish(self) -> None:
        """Stores the result in the layout."""
        self._set_literal_after(None if self._detached_spans and self._detached_spans[-1][1] == self._length else "")
        layout = self._layout
        layout.text = "".join(self._chunks)
        layout.slots = tuple(self._slots)
        layout.branches, layout.detached_spans = tuple(self._branches), tuple(self._detached_spans)
        layout.literals = tuple(self._literals)

    def _start_part(self, name: str, offset: int) -> None:
        self._layout.parts.append(LayoutPart(self._length, offset, name))

    def _add_filler(self, replaced: str, fill_char: str) -> None:
        if replaced:
            self._chunks.append(fill_char * len(replaced))
            self._length += len(replaced)

    def _add_literal(self, value: str) -> None:
        self._chunks.append(value)
        self._length += len(value)
        if value:
            self._set_literal_after(value)
            self._literals.append(value)
            self._literal_before = value

    def _set_literal_after(self, after: str | None) -> None:
        """Sets the literal text after the slots that wait for it; None if something else follows them."""
        for index in self._slots_without_literal_after:
            self._slots[index] = replace(self._slots[index], literal_after=after)
        self._slots_without_literal_after.clear()

    def _add_printed_value(self, start: int, tag: str, first_chunk: int) -> None:
        """Adds the slot of a tag that begins at `start`, and whose chunks are those from number `first_chunk` on."""
        inner = tag.strip("{}-+ \n")
        outside_strings = _STRING.sub("", inner)
        is_markup = _MARKUP_FILTER.search(outside_strings) is not None
        self._layout.has_raw_values |= is_markup
        is_raw = is_markup or any(not pipe for pipe, _ in _CALL.findall(outside_strings))
        self._add_slot(start, inner, is_branch=False, is_raw=is_raw, literal_before=self._literal_before)
        self._slots[-1] = replace(
            self._slots[-1],
            is_url_encoded=_URL_FILTER.search(outside_strings) is not None,
            sole_number=inner if _POSITION.fullmatch(inner) else "",
        )
        if is_raw:
            self._chunks[first_chunk:] = [RAW_VALUE_CHAR * (self._length - start)]
        self._literal_before = None

    def _add_slot(self, start: int, inner: str, *, is_branch: bool, is_raw: bool, literal_before: str | None) -> None:
        if not is_branch:
            self._set_literal_after(None)
        quoted = tuple(a or b for a, b in _STRING.findall(_COMPARISON.sub("", inner)))
        names = frozenset(_VARIABLE_NAME.findall(_STRING.sub('""', inner)))
        sole_variable = inner if inner.isidentifier() else ""
        self._slots_without_literal_after.append(len(self._slots))
        self._slots.append(Slot(start, self._length, names, quoted, is_branch, is_raw, sole_variable, literal_before))

    def _add_block_tag(self, start: int, tag: str, name: str, source_offset: int) -> None:
        inner = tag.strip("{}%-+ \n")
        keyword = (re.match(r"\w+", inner) or [""])[0]
        if keyword == "include":
            self._add_include(inner)
            self._start_part(name, source_offset)
        elif keyword == "extends" or (keyword == "autoescape" and "false" in inner):
            self._layout.is_as_rendered = False
            self._layout.has_raw_values |= keyword == "autoescape"
        elif keyword in {"elif", "else"} and self._open_blocks:
            block_keyword, block_start, branch_start, literal_before, _ = self._open_blocks.pop()
            self._branches.append((branch_start, start))
            self._open_blocks.append((block_keyword, block_start, self._length, literal_before, True))
            self._end_literal()
        elif keyword in _OPENING_KEYWORDS and not (keyword == "set" and "=" in inner):
            self._layout.is_as_rendered &= keyword != "filter"
            self._add_alias_slot(start, inner)
            self._open_blocks.append((keyword, start, self._length, self._literal_before, False))
            if keyword not in _BRANCH_KEYWORDS:
                self._end_literal()
        elif _END_KEYWORD.fullmatch(keyword) and self._open_blocks:
            self._close_block(start)
        else:
            self._add_alias_slot(start, inner)

    def _end_literal(self) -> None:
        """Ends the literal text: what is rendered next may differ from what is next in the template."""
        self._set_literal_after(None)
        self._literal_before = None

    def _close_block(self, start: int) -> None:
        keyword, block_start, branch_start, literal_before, has_else = self._open_blocks.pop()
        if keyword in _DETACHED_KEYWORDS:
            self._detached_spans.append((branch_start, start))
        elif keyword in _BRANCH_KEYWORDS:
            self._branches.append((branch_start, start))
        self._set_literal_after(None)
        if keyword in _BRANCH_KEYWORDS and not has_else:
            self._add_slot(block_start, "", is_branch=True, is_raw=False, literal_before=literal_before)
        self._literal_before = None

    def _add_alias_slot(self, start: int, inner: str) -> None:
        """Adds a slot for the names in `{% set a = b %}` or `{% for a in b %}`.

        Where the template prints `a`, it prints `b`, so the checks look for the values of `b` at this slot.
        """
        if not inner.startswith("if"):
            names = frozenset(_VARIABLE_NAME.findall(_STRING.sub('""', inner)))
            self._slots.append(Slot(start, self._length, names, (), is_branch=True, is_raw=False, sole_variable=""))

    def _add_include(self, inner: str) -> None:
        names = [a or b for a, b in _STRING.findall(inner)]
        name = next((name for name in names if name in self._includes), None)
        if name is not None and name not in self._open_templates:
            self.add_template(name, self._includes[name])

    def _add_comment(self, comment: str, source: str, offset: int) -> None:
        if _SWALLOWING_COMMENT.match(comment, 2):
            self._layout.swallowing_comments.append(self._length)
        if match := _IGNORE_COMMENT.fullmatch(comment):
            end = offset + len(comment)
            before = source[max(offset - _MAX_INDENT, 0) : offset].rpartition("\n")[2]
            after = source[end : end + _MAX_INDENT].partition("\n")[0]
            self._layout.ignores.append((self._length, int(not (before + after).strip()), match[1]))
