"""Draws the layout of a template: goes through its tokens, and those of its includes, once."""

import re
from collections.abc import Mapping
from dataclasses import replace

import jinja2

from runner.declare.declaration import TemplateOrigin
from runner.declare.template.template import Template
from runner.lint.html import VALUE_CHAR
from runner.lint.template_layout import RAW_VALUE_CHAR, Layout, LayoutPart, Slot

_STRING = re.compile(r"\"([^\"\\]*)\"|'([^'\\]*)'")


_COMPARED = re.compile(r"(?:==|!=|\bin)\s*(?:\"[^\"]*\"|'[^']*')|(?:\"[^\"]*\"|'[^']*')\s*(?:==|!=)")


_NAME = re.compile(r"(?<![\w.|])(?<!\| )[A-Za-z_]\w*(?!\w|\s*=(?!=))")


_CALL = re.compile(r"(\|\s*)?\b([\w.]+)\s*\(")


_MARKUP = re.compile(r"\|\s*(?:safe|xmlattr|urlize)\b")


_IGNORE = re.compile(r"\{#-?\s*msgrun:\s*ignore\b=?\s*([\w, -]*?)\s*-?#\}")


_ENDS = re.compile(r"end(\w+)")


_LEXER = jinja2.Environment(autoescape=True).lexer


_OPENING = frozenset({"if", "for", "macro", "call", "filter", "block", "autoescape", "with", "set", "trans"})


_BRANCHING = frozenset({"if", "for"})


_ASIDE = frozenset({"macro", "call", "set"})  # shown somewhere else, or not at all


def build_layout(text: Template, origin: TemplateOrigin) -> Layout:
    """The layout of a compiled template."""
    layout = Layout(origin)
    drawing = _Drawing(layout, text.includes)
    drawing.draw("", text.source)
    for name in sorted(text.includes.keys() - drawing.drawn):
        drawing.draw_aside(name)
    drawing.finish()
    return layout


class _Drawing:
    """Goes through the tokens of a template and its includes, and adds them to a layout."""

    def __init__(self, layout: Layout, parts: Mapping[str, str]) -> None:
        self._layout = layout
        self._parts = parts
        self._chunks: list[str] = []
        self._length = 0
        self._holes: list[Slot] = []
        self._branches: list[tuple[int, int]] = []
        self._asides: list[tuple[int, int]] = []
        # What stands open: keyword, where it began, where its last branch began, the literal before it, its else.
        self._open: list[tuple[str, int, int, str | None, bool]] = []
        self._literals: list[str] = []
        self._before: str | None = ""
        self._waiting: list[int] = []
        self._within: list[str] = []
        self.drawn: set[str] = set()

    def draw(self, name: str, source: str) -> None:
        """Adds the template `name` (the text itself has none)."""
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        self._layout.sources[name] = source
        self.drawn.add(name)
        self._within.append(name)
        self._part(name, 0)
        at, tag, begin = 0, "", 0
        for _, kind, value in _LEXER.tokeniter(source, name or None):
            start = source.index(value, at)
            self._fill(source[at:start], " ")
            at = start + len(value)
            if kind == "comment_begin":
                self._comment(source[start : source.find("#}", start) + 2], source, start)
            if kind == "data":
                self._data(value)
                continue
            if kind.endswith("_begin"):
                begin, tag = self._length, kind
            ends = kind in {"variable_end", "block_end"}
            self._fill(value, VALUE_CHAR if tag == "variable_begin" else " ")
            if ends:
                inner = source[at - (self._length - begin) : at]
                if tag == "variable_begin":
                    self._print(begin, inner)
                else:
                    self._tag(begin, inner, name, at)
        self._fill(source[at:], " ")
        self._within.pop()

    def draw_aside(self, name: str) -> None:
        """Adds a template that is imported or extended: its text is shown, but not here."""
        start = self._length
        self._before = None
        self.draw(name, self._parts[name])
        self._asides.append((start, self._length))

    def finish(self) -> None:
        """Hands all over to the layout."""
        self._settle(None if self._asides and self._asides[-1][1] == self._length else "")
        layout = self._layout
        layout.text = "".join(self._chunks)
        layout.slots = tuple(self._holes)
        layout.branches, layout.detached_spans = tuple(self._branches), tuple(self._asides)
        layout.literals = tuple(self._literals)

    def _part(self, name: str, offset: int) -> None:
        self._layout.parts.append(LayoutPart(self._length, offset, name))

    def _fill(self, covered: str, sign: str) -> None:
        if covered:
            self._chunks.append(sign * len(covered))
            self._length += len(covered)

    def _data(self, value: str) -> None:
        self._chunks.append(value)
        self._length += len(value)
        if value:
            self._settle(value)
            self._literals.append(value)
            self._before = value

    def _settle(self, after: str | None) -> None:
        """Tells the holes that wait for it which literal comes after them."""
        for index in self._waiting:
            self._holes[index] = replace(self._holes[index], literal_after=after)
        self._waiting.clear()

    def _print(self, start: int, tag: str) -> None:
        inner = tag.strip("{}-+ \n")
        outside_strings = _STRING.sub("", inner)
        gives_markup = _MARKUP.search(outside_strings) is not None
        self._layout.has_raw_values |= gives_markup
        is_raw = gives_markup or any(not filtered for filtered, _ in _CALL.findall(outside_strings))
        self._hole(start, inner, is_branch=False, is_raw=is_raw, before=self._before)
        if is_raw:
            self._chunks[:] = ["".join(self._chunks)[:start] + RAW_VALUE_CHAR * (self._length - start)]
        self._before = None

    def _hole(self, start: int, inner: str, *, is_branch: bool, is_raw: bool, before: str | None) -> None:
        if not is_branch:
            self._settle(None)
        quoted = tuple(a or b for a, b in _STRING.findall(_COMPARED.sub("", inner)))
        names = frozenset(_NAME.findall(_STRING.sub('""', inner)))
        alone = inner if inner.isidentifier() else ""
        self._waiting.append(len(self._holes))
        self._holes.append(Slot(start, self._length, names, quoted, is_branch, is_raw, alone, before))

    def _tag(self, start: int, tag: str, name: str, at: int) -> None:
        inner = tag.strip("{}%-+ \n")
        word = (re.match(r"\w+", inner) or [""])[0]
        if word == "include":
            self._include(inner)
            self._part(name, at)
        elif word == "extends" or (word == "autoescape" and "false" in inner):
            self._layout.is_as_rendered, self._layout.has_raw_values = (
                False,
                self._layout.has_raw_values or word == "autoescape",
            )
        elif word in {"elif", "else"} and self._open:
            keyword, begin, branch, before, _ = self._open.pop()
            self._branches.append((branch, start))
            self._open.append((keyword, begin, self._length, before, True))
            self._break_off()
        elif word in _OPENING and not (word == "set" and "=" in inner):
            self._layout.is_as_rendered &= word != "filter"
            self._aliases(start, inner)
            self._open.append((word, start, self._length, self._before, False))
            if word not in _BRANCHING:
                self._break_off()
        elif _ENDS.fullmatch(word) and self._open:
            self._close(start)
        else:
            self._aliases(start, inner)

    def _break_off(self) -> None:
        """Here the text may go on with something else than what stands next in the template."""
        self._settle(None)
        self._before = None

    def _close(self, start: int) -> None:
        keyword, begin, branch, before, has_else = self._open.pop()
        if keyword in _ASIDE:
            self._asides.append((branch, start))
        elif keyword in _BRANCHING:
            self._branches.append((branch, start))
        self._settle(None)
        if keyword in _BRANCHING and not has_else:
            self._hole(begin, "", is_branch=True, is_raw=False, before=before)
        self._before = None

    def _aliases(self, start: int, inner: str) -> None:
        """`{% set a = b %}`, `{% for a in b %}`: whoever prints a prints b, so b is looked for here."""
        if not inner.startswith("if"):
            names = frozenset(_NAME.findall(_STRING.sub('""', inner)))
            self._holes.append(Slot(start, self._length, names, (), is_branch=True, is_raw=False, sole_variable=""))

    def _include(self, inner: str) -> None:
        names = [a or b for a, b in _STRING.findall(inner)]
        name = next((name for name in names if name in self._parts), None)
        if name is not None and name not in self._within:
            self.draw(name, self._parts[name])

    def _comment(self, comment: str, source: str, at: int) -> None:
        if found := _IGNORE.fullmatch(comment):
            line = source[source.rfind("\n", 0, at) + 1 : (source.find("\n", at) + 1 or len(source) + 1) - 1]
            self._layout.ignores.append((self._length, int(line.strip() == comment), found[1]))
