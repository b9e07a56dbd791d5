"""HTML as its author wrote it: tags and texts with their offsets.

The standard library's parser reads it. It hands out every tag where it stands, which a linter needs; a parser that
builds a tree (html5lib, lxml) has repaired by then what is to be found, and takes longer to import than to run.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import accumulate

VALUE_CHAR = "\ufffc"  # stands for each character of a value that is printed


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


# https://html.spec.whatwg.org/multipage/indices.html#elements-3 and the obsolete ones that emails still use.
BLOCK_TAGS = _named(
    "address article aside blockquote caption center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre search section summary table tbody td "
    "tfoot th thead tr ul"
)


VOID_TAGS = _named("area base basefont bgsound br col embed frame hr img input link meta param source track wbr")


_INLINE = _named(
    "a abbr acronym audio b bdi bdo big button canvas cite code data datalist del dfn em font i iframe ins kbd label "
    "map mark marquee math meter nobr object optgroup option output picture progress q rp rt ruby s samp script select "
    "slot small span strike strong sub sup svg template textarea time tt u var video "
    "circle clippath defs ellipse g line lineargradient path polygon polyline rect stop tspan use"
)


_OF_A_PAGE = _named("html head title style body frameset noframes noscript colgroup")


KNOWN_TAGS = BLOCK_TAGS | VOID_TAGS | _INLINE | _OF_A_PAGE


# What Word and Outlook read, and nobody else sees.
_OFFICE = re.compile(r"(?:o|v|w|m|x|st1):\w+")


_SPOKEN = re.compile(rf"[^\W_]|{VALUE_CHAR}")


_SILENT = frozenset({"script", "style", "title", "head", "template"})


_CODE = frozenset({"code", "kbd", "pre", "samp", "script", "style", "textarea"})


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag (`attributes`, the first of each name, unescaped) or an end tag, as written at an offset."""

    name: str
    start: int
    raw: str
    is_end: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.start + len(self.raw)


@dataclass(frozen=True, slots=True)
class TextRun:
    """A run of text that the reader sees; `in_code` where it stands inside <code>, <pre> or the like."""

    start: int
    text: str
    is_code: bool

    def find_visible_start(self) -> int | None:
        """The offset of the first letter, digit or printed value, if there is one."""
        found = _SPOKEN.search(self.text)
        return self.start + found.start() if found else None


@dataclass(frozen=True, slots=True)
class ParsedHtml:
    """A text taken apart. `broken` is the offset of a tag that never ends."""

    tags: tuple[Tag, ...]
    text_runs: tuple[TextRun, ...]
    unfinished_tag_start: int | None = None


def parse_html(text: str) -> ParsedHtml:
    """Takes an HTML text, whole or a fragment, apart. A plain text has words only."""
    reader = _Reader(text)
    reader.feed(text)
    rest = len(text) - len(reader.rawdata)
    broken = rest if re.match(r"</?[A-Za-z!]", reader.rawdata) else None
    if broken is None and reader.rawdata and not reader.is_silent:
        reader.add(rest, reader.rawdata)
    return ParsedHtml(tuple(reader.tags), tuple(reader.words), broken)


def is_known_tag(name: str) -> bool:
    """Whether HTML, or Office, knows the tag."""
    return name in KNOWN_TAGS or _OFFICE.fullmatch(name) is not None


class _Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.tags: list[Tag] = []
        self.words: list[TextRun] = []
        # The parser counts lines by "\n" alone.
        self._lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self._depths: dict[str, int] = {}

    @property
    def is_silent(self) -> bool:
        return any(self._depths.get(name) for name in _SILENT)

    def add(self, start: int, text: str) -> None:
        self.words.append(TextRun(start, text, any(self._depths.get(name) for name in _CODE)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, str] = {}
        for name, value in attrs:
            given.setdefault(name, value or "")
        self.tags.append(Tag(tag, self._offset(), self.get_starttag_text() or "", attributes=given))
        if tag in _SILENT or tag in _CODE:
            self._depths[tag] = self._depths.get(tag, 0) + 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID_TAGS and ":" not in tag:
            return  # HTML does not know <b/>: it opens, and stays open
        self._depths.pop(tag, None)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(Tag(tag, self._offset(), f"</{tag}>", is_end=True))
        if self._depths.get(tag):
            self._depths[tag] -= 1

    def handle_data(self, data: str) -> None:
        if not self.is_silent:
            self.add(self._offset(), data)

    def unknown_decl(self, data: str) -> None:
        """Nothing: conditional comments that everybody but Outlook reads."""

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column
