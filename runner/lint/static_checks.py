"""Checks a text as it is written, without a recipient's values: all its branches, its includes, its tags."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.lint import text_checks
from runner.lint.findings import MessageFindings
from runner.lint.html import VALUE_CHAR, ParsedHtml, Tag, is_known_tag, parse_html, unescape_with_offsets
from runner.lint.placeholders import Placeholder, find_placeholders, find_placeholders_in_url
from runner.lint.tag_pairs import TagFault, TagPairs, pair_tags
from runner.lint.template_layout import RAW_VALUE_CHAR, Layout, Slot
from runner.lint.text_checks import Fault

_LINK_ATTRIBUTES = ("href", "action", "formaction", "background", "poster", "data")
_URL_ATTRIBUTES = (*_LINK_ATTRIBUTES, "src", "srcset", "cite", "longdesc")
_TAG_RULES = {
    "form": Fault("form", "<form> does not work in a message"),
    "iframe": Fault("iframe", "<iframe> is removed by mail clients"),
    "object": Fault("iframe", "<object> is removed by mail clients"),
    "embed": Fault("iframe", "<embed> is removed by mail clients"),
}
# An endpoint in the text of a message to developers: there {id} is documentation.
_API_URL = re.compile(r"https?://(?:api[.-]|[^/\s]+/(?:[^\s]*/)?api/)", re.IGNORECASE)
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
        return next((tag for tag in self.parsed_html.tags if tag.start < slot.start < tag.end), None)

    def check(self, findings: MessageFindings) -> None:
        """Adds the findings that can be found without a recipient."""
        layout = self.layout
        findings.read_ignores(layout)
        for start, fault in self._check_passages():
            findings.add_at_offset(layout, start, fault)
        for tag in self.parsed_html.tags:
            for fault in check_tag(tag):
                findings.add_at_offset(layout, tag.start, fault)
        if not self.has_varying_pairs:
            for tag_fault in check_pairs(self.tag_pairs, self.parsed_html):
                fault = Fault(tag_fault.code, tag_fault.message)
                findings.add_at_offset(layout, tag_fault.start, fault, as_warning=tag_fault.is_valid_html)
        for slot in layout.slots:
            for fault in self._check_slot(slot):
                findings.add_at_offset(layout, slot.start, fault)

    def _check_passages(self) -> Iterator[tuple[int, Fault]]:
        """Yields the faults of the texts between the tags, each after its offset."""
        passages = [(passage.start, passage.text) for passage in self.parsed_html.passages if not passage.is_code]
        if not self.is_html:
            passages = [(0, self.layout.text)]
        for start, text in passages:
            unescaped, offsets = unescape_with_offsets(text) if self.is_html else (text, range(len(text)))
            placeholders = list(find_placeholders(unescaped))
            for placeholder in placeholders:
                yield start + offsets[placeholder.start], _leftover_fault(placeholder)
            for offset, link in text_checks.find_links(unescaped):
                if fault := text_checks.check_url(link):
                    yield start + offsets[offset], fault
                is_reported = any(offset <= placeholder.start < offset + len(link) for placeholder in placeholders)
                if not is_reported and not _API_URL.match(link):
                    for placeholder in find_placeholders_in_url(link):
                        yield start + offsets[offset], _leftover_fault(placeholder)

    def _check_slot(self, slot: Slot) -> Iterator[Fault]:
        """Yields the faults in values that are the same for every recipient, and in the template's own fallbacks."""
        tag = self.find_enclosing_tag(slot)
        before = self.layout.text[max(slot.start - 8, 0) : slot.start].lower()
        scheme = next((scheme for scheme in ("https://", "http://") if before.endswith(scheme)), "")
        for quoted in slot.string_literals:
            if word := text_checks.find_null_word(quoted):
                yield Fault("null-text", f"this may print {word}")
        for name in sorted(slot.variables & self.values.keys()):
            for text in text_checks.iter_strings(self.values[name]):
                if word := text_checks.find_null_word(text):
                    yield Fault("null-text", f"this prints {word}: it is what {name} is")
                for placeholder in find_placeholders(text):
                    yield printed_fault(placeholder, name)
                yield from check_links(scheme + text, tag)

    def _is_unquoted(self, slot: Slot) -> bool:
        """Returns whether a slot stands in a tag, and there in no quotes."""
        tag = self.find_enclosing_tag(slot)
        return tag is not None and not re.search(r"=\s*(\"[^\"]*|'[^']*)$", self.layout.text[tag.start : slot.start])


def parse_message_text(layout: Layout, values: Mapping[str, Any], *, is_html: bool) -> MessageText:
    """Returns a text of a message with its HTML parsed and its tags paired."""
    parsed_html = parse_html(layout.text) if is_html else ParsedHtml((), ())
    tag_pairs = pair_tags(parsed_html, layout.branches, layout.detached_spans)
    return MessageText(layout, values, parsed_html, tag_pairs, is_html)


def printed_fault(placeholder: Placeholder, variable: str, format_value: text_checks.ValueFormatter = str) -> Fault:
    """Returns the fault of a variable whose value holds a placeholder."""
    message = "this prints " + format_value(placeholder.text) + ", which is sent as it stands"
    return Fault("single-brace", message, f"another tool left it in the value of {variable}: put in the text itself")


def _leftover_fault(placeholder: Placeholder, format_value: text_checks.ValueFormatter = str) -> Fault:
    hint = placeholder.hint if format_value is str else ""  # a hint shows no recipient's value
    return Fault("single-brace", format_value(placeholder.text) + " is sent as it stands", hint)


def check_links(text: str, tag: Tag | None, format_value: text_checks.ValueFormatter = str) -> Iterator[Fault]:
    """Yields the faults of the links in a value.

    `tag` is the tag that prints the value; None for running text. `format_value` returns a recipient's value as the
    message may show it.
    """
    for _, link in text_checks.find_links(text):
        if fault := text_checks.check_url(link, format_value):
            is_image = tag is not None and tag.name == "img" and fault[0] == "http-link"
            yield Fault("image-https", text_checks.check_image_url(link)) if is_image else fault


def check_tag(tag: Tag, format_value: text_checks.ValueFormatter = str) -> Iterator[Fault]:
    """Yields the faults that a tag has by itself."""
    name, attributes = tag.name, tag.attributes
    if not is_known_tag(name):
        yield Fault("unknown-tag", f"HTML knows no <{'/' if tag.is_end else ''}" + format_value(name) + ">")
    if tag.is_end:
        return
    if name == "script" and attributes.get("type", "").lower() not in _DATA_SCRIPT_TYPES:
        yield Fault("script", "<script> is not run, and may be shown")
    if name in _TAG_RULES:
        yield _TAG_RULES[name]
    for attribute, value in attributes.items():
        if re.fullmatch(r"on[a-z]+", attribute):
            yield Fault("event-handler", f"{attribute} is removed by mail clients")
        if attribute in _LINK_ATTRIBUTES and (fault := text_checks.check_url(html.unescape(value), format_value)):
            yield fault
        if attribute != "style" and is_known_tag(name):
            find = find_placeholders_in_url if attribute in _URL_ATTRIBUTES else find_placeholders
            yield from (_leftover_fault(placeholder, format_value) for placeholder in find(html.unescape(value)))
    if name == "img":
        yield from _check_image(attributes, format_value)


def check_pairs(tag_pairs: TagPairs, parsed_html: ParsedHtml) -> Iterator[TagFault]:
    """Yields the tags of a text that do not pair, and the tag that never ends."""
    yield from tag_pairs.faults
    if parsed_html.unfinished_tag_start is not None:
        yield TagFault("unclosed-tag", parsed_html.unfinished_tag_start, "this tag has no >")


def _check_image(attributes: Mapping[str, str], format_value: text_checks.ValueFormatter) -> Iterator[Fault]:
    if "alt" not in attributes:
        yield Fault("image-alt", "this image has no alt")
    src = attributes.get("src", "")
    if src.startswith((VALUE_CHAR, RAW_VALUE_CHAR)):
        return  # the values that are printed here are checked by themselves
    fault = text_checks.check_url(html.unescape(src), format_value)
    if fault and fault[0] != "http-link":
        yield fault
    elif message := text_checks.check_image_url(src):
        yield Fault("image-https", message)
