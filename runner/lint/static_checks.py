"""Checks a text as it is written, without a recipient's values: all its branches, its includes, its tags."""

import html
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.lint import text_checks
from runner.lint.findings import MessageFindings
from runner.lint.html import VALUE_CHAR, ParsedHtml, Tag, is_known_tag, parse_html
from runner.lint.tag_pairs import TagFault, TagPairs, pair_tags
from runner.lint.template_layout import RAW_VALUE_CHAR, Layout, Slot
from runner.privacy import AnyText

_LINK_ATTRIBUTES = ("href", "action", "formaction", "background", "poster", "data")
_TAG_RULES = {
    "form": ("form", "<form> does not work in a message"),
    "iframe": ("iframe", "<iframe> is removed by mail clients"),
    "object": ("iframe", "<object> is removed by mail clients"),
    "embed": ("iframe", "<embed> is removed by mail clients"),
}
_QUOTED_VALUE = re.compile(r"=\s*+(\"[^\"]*+\"?|'[^']*+'?)")
_DATA_SCRIPT_TYPES = ("application/ld+json", "application/json")


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

    def check(self, findings: MessageFindings) -> None:
        """Adds the findings that can be found without a recipient."""
        layout = self.layout
        findings.read_ignores(layout)
        for start, code, message in self._check_text_runs():
            findings.add_at_offset(layout, start, code, message)
        for tag in self.parsed_html.tags:
            for code, message in check_tag(tag):
                findings.add_at_offset(layout, tag.start, code, message)
        if not self.has_varying_pairs:
            for fault in check_pairs(self.tag_pairs, self.parsed_html):
                findings.add_at_offset(layout, fault.start, fault.code, fault.message, as_warning=fault.is_valid_html)
        for slot in layout.slots:
            for code, message in self._check_slot(slot):
                findings.add_at_offset(layout, slot.start, code, message)

    def _check_text_runs(self) -> Iterator[tuple[int, str, AnyText]]:
        texts = [(run.start, run.text) for run in self.parsed_html.text_runs if not run.is_code]
        if not self.is_html:
            texts = [(0, self.layout.text)]
        for run_start, text in texts:
            for offset, placeholder in text_checks.find_placeholders(text):
                yield run_start + offset, "single-brace", f"{placeholder} is sent as it stands"
            for offset, link in text_checks.find_links(text):
                if fault := text_checks.check_url(link):
                    yield run_start + offset, *fault

    def _check_slot(self, slot: Slot) -> Iterator[tuple[str, AnyText]]:
        """Yields the faults in values that are the same for every recipient, and in the template's own fallbacks."""
        tag = self.find_enclosing_tag(slot)
        before = self.layout.text[max(slot.start - 8, 0) : slot.start].lower()
        scheme = next((scheme for scheme in ("https://", "http://") if before.endswith(scheme)), "")
        for quoted in slot.string_literals:
            if word := text_checks.find_null_word(quoted):
                yield "null-text", f"this may print {word}"
        for name in sorted(slot.variables & self.values.keys()):
            for text in text_checks.iter_strings(self.values[name]):
                if word := text_checks.find_null_word(text):
                    yield "null-text", f"this prints {word}: it is what {name} is"
                for _, placeholder in text_checks.find_placeholders(text):
                    yield "single-brace", f"this prints {placeholder}, which is sent as it stands"
                yield from check_links(scheme + text, tag)

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


def parse_message_text(layout: Layout, values: Mapping[str, Any], *, is_html: bool) -> MessageText:
    """Returns a text of a message with its HTML parsed and its tags paired."""
    parsed_html = parse_html(layout.text) if is_html else ParsedHtml((), ())
    tag_pairs = pair_tags(parsed_html, layout.branches, layout.detached_spans)
    return MessageText(layout, values, parsed_html, tag_pairs, is_html)


def check_links(
    text: str, tag: Tag | None, format_value: text_checks.ValueFormatter = str
) -> Iterator[tuple[str, AnyText]]:
    """Yields code and message of each fault of the links in a value.

    `tag` is the tag that prints the value; None for running text. `format_value` returns a recipient's value as the
    message may show it.
    """
    for _, link in text_checks.find_links(text):
        if fault := text_checks.check_url(link, format_value):
            is_image = tag is not None and tag.name == "img" and fault[0] == "http-link"
            yield ("image-https", text_checks.check_image_url(link)) if is_image else fault


def check_tag(tag: Tag, format_value: text_checks.ValueFormatter = str) -> Iterator[tuple[str, AnyText]]:
    """Yields code and message of each fault that a tag has by itself."""
    name, attributes = tag.name, tag.attributes
    if not is_known_tag(name):
        yield "unknown-tag", f"HTML knows no <{'/' if tag.is_end else ''}" + format_value(name) + ">"
    if tag.is_end:
        return
    if name == "script" and attributes.get("type", "").lower() not in _DATA_SCRIPT_TYPES:
        yield "script", "<script> is not run, and may be shown"
    if name in _TAG_RULES:
        yield _TAG_RULES[name]
    for attribute, value in attributes.items():
        if re.fullmatch(r"on[a-z]+", attribute):
            yield "event-handler", f"{attribute} is removed by mail clients"
        if attribute in _LINK_ATTRIBUTES and (fault := text_checks.check_url(html.unescape(value), format_value)):
            yield fault
        if attribute not in {"style", "src"} and is_known_tag(name):
            yield from (
                ("single-brace", format_value(placeholder) + " is sent as it stands")
                for _, placeholder in text_checks.find_placeholders(value)
            )
    if name == "img":
        yield from _check_image(attributes, format_value)


def check_pairs(tag_pairs: TagPairs, parsed_html: ParsedHtml) -> Iterator[TagFault]:
    """Yields the tags of a text that do not pair, and the tag that never ends."""
    yield from tag_pairs.faults
    if parsed_html.unfinished_tag_start is not None:
        yield TagFault("unclosed-tag", parsed_html.unfinished_tag_start, "this tag has no >")


def _check_image(
    attributes: Mapping[str, str], format_value: text_checks.ValueFormatter
) -> Iterator[tuple[str, AnyText]]:
    if "alt" not in attributes:
        yield "image-alt", "this image has no alt"
    src = attributes.get("src", "")
    if src.startswith((VALUE_CHAR, RAW_VALUE_CHAR)):
        return  # the values that are printed here are checked by themselves
    fault = text_checks.check_url(html.unescape(src), format_value)
    if fault and fault[0] != "http-link":
        yield fault
    elif message := text_checks.check_image_url(src):
        yield "image-https", message
    yield from (
        ("single-brace", format_value(placeholder) + " is sent as it stands")
        for _, placeholder in text_checks.find_placeholders(src)
    )
