"""Checks a text as it is written, without a recipient's values: all its branches, its includes, its tags."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from runner.lint import text_checks
from runner.lint.findings import MessageFindings
from runner.lint.html import VALUE_CHAR, ParsedHtml, Tag, parse_html, unescape_with_offsets
from runner.lint.links import check_anchor_url, check_image_url, check_query_value, check_url, find_links
from runner.lint.placeholders import find_placeholders, find_placeholders_in_url
from runner.lint.tag_checks import ANCHOR_TAGS, URL_ATTRIBUTES, check_tag, garbled_fault, leftover_fault
from runner.lint.tag_pairs import TagPairs, pair_tags
from runner.lint.template_layout import RAW_VALUE_CHAR, Layout, Slot
from runner.lint.text_checks import Fault, PlacedFault, find_mojibake

_MAX_CHECKED = 20  # placeholders, and links, of one value: the whole text is searched for each of them
_MAX_COMMENT = 10_000  # characters of a comment before a value
_MAX_TAG_NAME = 80
_TAG_START = re.compile(r"<[/!?]?\w*$")
_COMMENT_END = re.compile(r"!?>|->|-!>")  # what with dashes before it ends a comment
# What is checked in conditional comments. Outlook reads them: their tags need not be HTML, nor pair.
_CONDITIONAL_CODES = frozenset(
    {"single-brace", "filler-text", "empty-link", "malformed-link", "relative-link", "unclosed-quote"}
)
_MAX_URL_LENGTH = 2000  # characters before a value in which its URL may begin
# From its first `?` and last `=` on there is one way to match, so a text of many of both takes no longer than others.
_QUERY_IN_TEXT = re.compile(r"(?:https?://|mailto:)[^\s<>\"'?]*+\?(?>[^\s<>\"']*=)[^\s<>\"'&=]*+$", re.IGNORECASE)
_QUERY_IN_TAG = re.compile(r"\b(?:href|src)\s*+=\s*+[\"']?+[^\"'<>?]*+\?(?>[^\"'<>]*=)[^\"'<>&=]*+$", re.IGNORECASE)
_LINK_START = re.compile(r"\bhref\s*+=\s*+(?:[\"']\s*+)?$", re.IGNORECASE)
_QUOTED_VALUE = re.compile(r"=\s*+(\"[^\"]*+\"?|'[^']*+'?)")
_BLOCK = re.compile(r"(?<=\S) {6,}|^ {6,}(?=\S)")  # the shortest is {%if%}
# An endpoint in the text of a message to developers: there {id} is documentation.
_API_URL = re.compile(r"https?://(?:api[.-]|[^/\s]+/(?:[^\s]*/)?api/)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class MessageText:
    """One text of a message, as its author wrote it. `values` are the variables that are the same for every recipient.

    `parsed_html` and `tag_pairs` are empty if the text is not HTML.
    """

    layout: Layout
    values: Mapping[str, Any]
    parsed_html: ParsedHtml
    tag_pairs: TagPairs
    is_html: bool
    _quoted_spans: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    @property
    def literal_text(self) -> str:
        """The text with a space in place of each value."""
        return self.layout.text.translate({ord(VALUE_CHAR): " ", ord(RAW_VALUE_CHAR): " "})

    @property
    def has_varying_pairs(self) -> bool:
        """Whether the tags of a rendered text may pair differently from the tags as written."""
        layout = self.layout
        return self.is_html and (
            layout.has_raw_values
            or not layout.is_as_rendered
            or not self.tag_pairs.is_balanced
            or any(self._is_unquoted(slot) for slot in layout.slots if not slot.is_branch)
        )

    def find_enclosing_tag(self, slot: Slot) -> Tag | None:
        """Returns the tag that a slot stands in; None if it stands outside of tags."""
        number = bisect_left(self.parsed_html.tags, slot.start, key=lambda tag: tag.start) - 1
        tag = self.parsed_html.tags[number] if number >= 0 else None
        return tag if tag and slot.start < tag.end else None

    def is_in_query(self, slot: Slot) -> bool:
        """Returns whether a slot prints a value into the query of a URL, without `urlencode`."""
        pattern = _QUERY_IN_TAG if self.find_enclosing_tag(slot) else _QUERY_IN_TEXT
        before = self._text_before(slot)
        return not slot.is_url_encoded and "?" in before and pattern.search(before) is not None

    def is_whole_link(self, slot: Slot) -> bool:
        """Returns whether a slot prints one variable, which is all of the href of an <a>."""
        tag = self.find_enclosing_tag(slot)
        if not slot.sole_variable or tag is None or tag.name not in ANCHOR_TAGS:
            return False
        is_at_end = self.layout.text[slot.end : slot.end + 1] in {'"', "'", " ", ">"}
        return is_at_end and _LINK_START.search(self._text_before(slot)) is not None

    def _text_before(self, slot: Slot) -> str:
        return self.layout.text[max(slot.start - _MAX_URL_LENGTH, 0) : slot.start]

    def check(self, findings: MessageFindings) -> None:
        """Adds the findings that can be found without a recipient."""
        layout = self.layout
        findings.read_comments(layout)
        for start, fault in self._check_passages():
            # Whether Intercom reads a body without tags as HTML is not documented.
            findings.add_at_offset(layout, start, fault, as_warning=self.is_html and fault.code == "entity-shown")
        for start, fault in self._check_tags():
            findings.add_at_offset(layout, start, fault)
        if not self.has_varying_pairs:
            for start, fault, is_valid_html in check_pairs(self.tag_pairs, self.parsed_html):
                findings.add_at_offset(layout, start, fault, as_warning=is_valid_html)
        for slot in layout.slots:
            if self._builds_html(slot):
                message = "what this prints may end the tag, attribute or comment that it stands in"
                findings.add_at_offset(layout, slot.start, Fault("value-in-markup", message))
            for fault in self._check_slot(slot):
                findings.add_at_offset(layout, slot.start, fault)

    def _check_tags(self) -> Iterator[tuple[int, Fault]]:
        has_blocks = any("{%" in source for source in self.layout.sources.values())
        for tag in self.parsed_html.tags:
            checked = _mark_blocks_as_values(tag) if has_blocks and tag.attributes else tag
            yield from ((tag.start, fault) for fault in check_tag(checked))
        for tag in self.parsed_html.conditional_tags:
            checked = _mark_blocks_as_values(tag) if has_blocks and tag.attributes else tag
            yield from ((tag.start, fault) for fault in check_tag(checked) if fault.code in _CONDITIONAL_CODES)

    def _check_passages(self) -> Iterator[tuple[int, Fault]]:
        """Yields the faults of the texts between the tags, each after its offset."""
        # In a subject an entity is shown as it stands, and in a body without tags, which is plain text.
        is_plain = not self.parsed_html.tags and not self.layout.has_raw_values
        passages = [(passage.start, passage.text) for passage in self.parsed_html.passages if not passage.is_code]
        if not self.is_html:
            passages = [(0, self.layout.text)]
        for start, text in passages:
            unescaped, offsets = unescape_with_offsets(text) if self.is_html else (text, range(len(text)))
            placeholders = list(find_placeholders(unescaped))
            for placeholder in placeholders:
                yield start + offsets[placeholder.start], leftover_fault(placeholder)
            for offset, part, meant in find_mojibake(unescaped):
                yield start + offsets[offset], garbled_fault(part, meant)
            yield from (
                (start + offset, fault) for offset, fault in text_checks.check_entities(text, is_plain=is_plain)
            )
            for offset, link in find_links(unescaped):
                if fault := check_url(link):
                    yield start + offsets[offset], fault
                is_reported = any(offset <= placeholder.start < offset + len(link) for placeholder in placeholders)
                if not is_reported and not _API_URL.match(link):
                    for placeholder in find_placeholders_in_url(link):
                        yield start + offsets[offset], leftover_fault(placeholder)

    def _check_slot(self, slot: Slot) -> Iterator[Fault]:
        """Yields the faults in values that are the same for every recipient, and in the template's own fallbacks."""
        tag = self.find_enclosing_tag(slot)
        before = self.layout.text[max(slot.start - 8, 0) : slot.start].lower()
        scheme = next((scheme for scheme in ("https://", "http://") if before.endswith(scheme)), "")
        if number := slot.sole_number:
            message = f"{{{{{number}}}}} is a placeholder of another tool: here it prints {number}"
            yield Fault("single-brace", message, "write the name of a variable in it: {{ first_name }}")
        for quoted in slot.string_literals:
            if word := text_checks.find_null_word(quoted):
                yield Fault("null-text", f"this may print {word}")
        for name in sorted(slot.variables & self.values.keys()):
            for text in text_checks.iter_strings(self.values[name]):
                yield from (fault for fault, _ in check_value(name, text, tag, scheme=scheme))
                if self.is_whole_link(slot) and (fault := check_anchor_url(text)):
                    yield fault
                if self.is_in_query(slot) and (fault := check_query_value(text, name)):
                    yield fault

    def _builds_html(self, slot: Slot) -> bool:
        """Returns whether a recipient's value certainly stands where it may end a tag, an attribute or a comment."""
        text = self.layout.text
        is_value = text[slot.start : slot.start + 1] == VALUE_CHAR and not slot.string_literals
        if not self.is_html or not is_value or slot.variables <= self.values.keys():
            return False
        before = text[max(slot.start - _MAX_COMMENT, 0) : slot.start]
        if before.rfind("<!--") > before.rfind("-->"):
            after = text[slot.end : slot.end + _MAX_URL_LENGTH].lstrip(VALUE_CHAR)
            return _COMMENT_END.match(after) is not None
        return _TAG_START.search(before[-_MAX_TAG_NAME:]) is not None or self._is_unquoted(slot)

    def _is_unquoted(self, slot: Slot) -> bool:
        """Returns whether a slot stands in a tag, and there in no quotes."""
        tag = self.find_enclosing_tag(slot)
        if tag is None:
            return False
        spans = self._quoted_spans.get(tag.start)
        if spans is None:
            spans = [match.span(1) for match in _QUOTED_VALUE.finditer(self.layout.text, tag.start, tag.end)]
            self._quoted_spans[tag.start] = spans
        number = bisect_left(spans, (slot.start, 0)) - 1
        return number < 0 or slot.start >= spans[number][1]


def _mark_blocks_as_values(tag: Tag) -> Tag:
    """Returns a tag in whose URLs a block of the template is a printed value, not spaces: what it prints may be any."""
    attributes = {
        name: _BLOCK.sub(VALUE_CHAR, value) if name in URL_ATTRIBUTES and _BLOCK.search(value) else value
        for name, value in tag.attributes.items()
    }
    return replace(tag, attributes=attributes) if attributes != tag.attributes else tag


def parse_message_text(layout: Layout, values: Mapping[str, Any], *, is_html: bool) -> MessageText:
    """Returns a text of a message with its HTML parsed and its tags paired."""
    parsed_html = parse_html(layout.text) if is_html else ParsedHtml((), ())
    tag_pairs = pair_tags(parsed_html, layout.branches, layout.detached_spans)
    return MessageText(layout, values, parsed_html, tag_pairs, is_html)


def check_value(
    name: str, text: str, tag: Tag | None, format_value: text_checks.ValueFormatter = str, scheme: str = ""
) -> Iterator[tuple[Fault, str]]:
    """Yields the faults of a text that is the value of a variable, or in it, each with the part that has the fault.

    `tag` is the tag that prints the value; None for running text. `scheme` is that of a URL before it. `format_value`
    returns a recipient's value as the message may show it.
    """
    if word := text_checks.find_null_word(text):
        yield Fault("null-text", f"this prints {word}: it is what {name} is"), word
    is_url = "://" in text
    for placeholder in islice(find_placeholders_in_url(text) if is_url else find_placeholders(text), _MAX_CHECKED):
        message = "this prints " + format_value(placeholder.text) + ", which is sent as it stands"
        is_filler = placeholder.code == "filler-text"
        hint = placeholder.hint if is_filler else f"another tool left it in the value of {name}: put in the text itself"
        yield Fault(placeholder.code, message, hint), text if is_url else placeholder.text
    for _, link in islice(find_links(scheme + text), _MAX_CHECKED):
        if fault := check_url(link, format_value):
            is_image = tag is not None and tag.name == "img" and fault.code == "http-link"
            yield ((check_image_url(link) or fault) if is_image else fault), text
    for _, part, meant in find_mojibake(text):
        yield garbled_fault(part, meant, format_value), part


def check_pairs(tag_pairs: TagPairs, parsed_html: ParsedHtml) -> Iterator[PlacedFault]:
    """Yields the tags of a text that do not pair, and the tag that never ends."""
    yield from tag_pairs.faults
    if (start := parsed_html.unfinished_tag_start) is not None:
        fault = Fault("unclosed-tag", "this tag has no >")
        if parsed_html.has_open_quote:
            fault = Fault("unclosed-quote", "a quote in this tag has no end")
        yield PlacedFault(start, fault)
