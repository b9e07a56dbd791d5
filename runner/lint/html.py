"""HTML as its author wrote it: tags and texts with their offsets.

The parser of the standard library reads it, because it reports every tag where it stands. A parser that builds a tree
(html5lib, lxml) repairs the mistakes that the linter looks for, and takes longer to import than to run.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import TypeVar

from runner.characters import unescape_html
from runner.mail_elements import OFFICE_ELEMENT, split_names

VALUE_CHAR = "\ufffc"  # in a layout, replaces each character of a template tag that prints a value

# https://html.spec.whatwg.org/multipage/indices.html#elements-3 and the obsolete ones that emails still use.
BLOCK_TAGS = split_names(
    "address article aside blockquote caption center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre search section summary table tbody td "
    "tfoot th thead tr ul"
)
VOID_TAGS = split_names("area base basefont bgsound br col embed frame hr img input link meta param source track wbr")
_INLINE_TAGS = split_names(
    "a abbr acronym audio b bdi bdo big button canvas cite code data datalist del dfn em font i iframe ins kbd label "
    "map mark marquee math meter nobr object optgroup option output picture progress q rp rt ruby s samp script select "
    "slot small span strike strong sub sup svg template textarea time tt u var video"
)
DRAWING_TAGS = split_names(
    "circle clippath defs ellipse g line lineargradient path polygon polyline rect stop tspan use"
)
_PAGE_TAGS = split_names("html head title style body frameset noframes noscript colgroup")
KNOWN_TAGS = BLOCK_TAGS | VOID_TAGS | _INLINE_TAGS | DRAWING_TAGS | _PAGE_TAGS
_HUGE_NUMBER = re.compile(r"&#\d{4000,}")  # html.parser fails for one in an attribute
_VISIBLE_CHAR = re.compile(rf"[^\W_]|{VALUE_CHAR}")
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]\w*);?")
_CONDITIONAL = re.compile(r"\s*\[if[^\]]*\]>(.*?)(?:<!\[endif\])?$", re.DOTALL | re.IGNORECASE)
_OPEN_QUOTE = re.compile(r"=\s*(?:\"[^\"]*|'[^']*)$")
_HIDDEN_TAGS = frozenset({"script", "style", "title", "head", "template"})
_CODE_TAGS = frozenset({"code", "kbd", "pre", "samp", "script", "style", "textarea"})


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag or an end tag.

    `start` is its offset in the text. `raw` is a start tag as it is written, or `</name>` for an end tag. `attributes`
    has the first attribute of each name, unescaped; an end tag has none.
    """

    name: str
    start: int
    raw: str
    is_end: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The offset of the first character after the tag."""
        return self.start + len(self.raw)


@dataclass(frozen=True, slots=True)
class TextRun:
    """A run of text that the reader sees; `is_code` if it stands inside <code>, <pre> or the like."""

    start: int
    text: str
    is_code: bool

    def find_visible_start(self) -> int | None:
        """Returns the offset of the first letter, digit or printed value; None if there is none."""
        match = _VISIBLE_CHAR.search(self.text)
        return self.start + match.start() if match else None


_Part = TypeVar("_Part", Tag, TextRun)


@dataclass(frozen=True, slots=True)
class ParsedHtml:
    """The tags and text runs of a text.

    `unfinished_tag_start` is the offset of a tag that never ends, `has_open_quote` whether a quote in it is the reason.
    `passages` are the texts between two tags, as they are written: text runs with the entities between them, and
    instructions such as `<?php … ?>`. `conditional_tags` are those in conditional comments, which Outlook reads; their
    texts are among the passages.
    """

    tags: tuple[Tag, ...]
    text_runs: tuple[TextRun, ...]
    passages: tuple[TextRun, ...] = ()
    conditional_tags: tuple[Tag, ...] = ()
    unfinished_tag_start: int | None = None
    has_open_quote: bool = False


def parse_html(text: str) -> ParsedHtml:
    """Splits an HTML text, whole or a fragment, into tags and text runs. Text without tags is text runs only."""
    reader = _Reader(text)
    reader.feed(_HUGE_NUMBER.sub(lambda match: "\ufffd" * len(match[0]), text))  # as long, so that offsets stay
    rest_start = len(text) - len(reader.rawdata)
    unfinished_start = rest_start if re.match(r"</?[A-Za-z!]", reader.rawdata) else None
    if unfinished_start is None and reader.rawdata and not reader.is_hidden:
        reader.add_text(rest_start, reader.rawdata)
    has_open_quote = unfinished_start is not None and _OPEN_QUOTE.search(reader.rawdata) is not None
    conditional = [(start, parse_html(content)) for start, content in reader.conditional_comments]
    return ParsedHtml(
        tuple(reader.tags),
        tuple(reader.text_runs),
        (*reader.passages, *(_shift(run, start) for start, parsed in conditional for run in parsed.passages)),
        tuple(_shift(tag, start) for start, parsed in conditional for tag in parsed.tags),
        unfinished_start,
        has_open_quote,
    )


def _shift(part: _Part, offset: int) -> _Part:
    return replace(part, start=part.start + offset)


def unescape_with_offsets(text: str) -> tuple[str, Sequence[int]]:
    """Returns the text with its entities replaced by characters, and the offset of each character in `text`."""
    if "&" not in text:
        return text, range(len(text))
    characters: list[str] = []
    offsets: list[int] = []
    position = 0
    for match in _ENTITY.finditer(text):
        characters.append(text[position : match.start()])
        offsets.extend(range(position, match.start()))
        characters.append(unescape_html(match.group()))
        offsets.extend([match.start()] * len(characters[-1]))
        position = match.end()
    return "".join([*characters, text[position:]]), [*offsets, *range(position, len(text))]


def is_known_tag(name: str) -> bool:
    """Returns whether HTML or Microsoft Office defines the tag."""
    return name in KNOWN_TAGS or OFFICE_ELEMENT.fullmatch(name) is not None


class _Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.tags: list[Tag] = []
        self.text_runs: list[TextRun] = []
        self.conditional_comments: list[tuple[int, str]] = []  # offset and text of what one encloses
        self._passages: list[list[int]] = []  # start, end, whether it is code
        self._text = text
        self._offset = 0  # of what is being handled
        self._open_counts: dict[str, int] = {}  # of tags with text that is hidden or code; none is 0

    @property
    def is_hidden(self) -> bool:
        return bool(self._open_counts) and not _HIDDEN_TAGS.isdisjoint(self._open_counts)

    @property
    def is_code(self) -> bool:
        return bool(self._open_counts) and not _CODE_TAGS.isdisjoint(self._open_counts)

    @property
    def passages(self) -> Iterator[TextRun]:
        return (TextRun(start, self._text[start:end], bool(is_code)) for start, end, is_code in self._passages)

    def add_text(self, start: int, text: str) -> None:
        self.text_runs.append(TextRun(start, text, self.is_code))
        self._add_to_passage(start, len(text))

    def _add_to_passage(self, start: int, length: int) -> None:
        if self._passages and self._passages[-1][1] == start:
            self._passages[-1][1] += length
        else:
            self._passages.append([start, start + length, self.is_code])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes: dict[str, str] = {}
        for name, value in attrs:
            attributes.setdefault(name, value or "")
        self.tags.append(Tag(tag, self._offset, self.get_starttag_text() or "", attributes=attributes))
        if tag in _HIDDEN_TAGS or tag in _CODE_TAGS:
            self._open_counts[tag] = self._open_counts.get(tag, 0) + 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID_TAGS and ":" not in tag:
            return  # HTML ignores the slash of <b/>: the tag stays open
        self._open_counts.pop(tag, None)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(Tag(tag, self._offset, f"</{tag}>", is_end=True))
        if tag in self._open_counts:
            self._open_counts[tag] -= 1
            if not self._open_counts[tag]:
                del self._open_counts[tag]

    def handle_data(self, data: str) -> None:
        if not self.is_hidden:
            self.add_text(self._offset, data)

    def handle_entityref(self, name: str) -> None:
        self._handle_reference(f"&{name}")

    def handle_charref(self, name: str) -> None:
        self._handle_reference(f"&#{name}")

    def _handle_reference(self, reference: str) -> None:
        start = self._offset
        if not self.is_hidden:
            self._add_to_passage(start, len(reference) + self._text.startswith(";", start + len(reference)))

    def handle_pi(self, data: str) -> None:
        if not self.is_hidden:
            self._add_to_passage(self._offset, len(data) + len("<?>"))

    def handle_comment(self, data: str) -> None:
        if (match := _CONDITIONAL.match(data)) and not self.is_hidden:
            self.conditional_comments.append((self._offset + len("<!--") + match.start(1), match[1]))

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Skips what begins with `<![` up to the next `>`, as HTML does: a conditional comment such as <![if !mso]>.

        Clients other than Outlook show what it encloses. The library fails on words that it does not know.
        """
        del report
        return self.parse_bogus_comment(i, report=False)

    def updatepos(self, i: int, j: int) -> int:
        """Keeps the offset alone. The library counts lines and columns, which takes a tenth of the time to parse."""
        if i < j:
            self._offset = j
        return j
