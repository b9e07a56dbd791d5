"""What is wrong with a text before anybody's values are in it: all its branches, its includes, its tags."""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runner.lint import text_checks
from runner.lint.findings import MessageFindings
from runner.lint.html import VALUE_CHAR, ParsedHtml, Tag, is_known_tag, parse_html
from runner.lint.tag_pairs import TagFault, TagPairs
from runner.lint.template_layout import RAW_VALUE_CHAR, Layout, Slot

_LINKS = ("href", "action", "formaction", "background", "poster", "data")


_TAG_RULES = {
    "form": ("form", "<form> does not work in a message"),
    "iframe": ("iframe", "<iframe> is removed by mail clients"),
    "object": ("iframe", "<object> is removed by mail clients"),
    "embed": ("iframe", "<embed> is removed by mail clients"),
}


_DATA_SCRIPTS = ("application/ld+json", "application/json")


class MessageText:
    """One text of a message, as its author wrote it. `values` are what every recipient gets alike.

    `varies`: the tags of a rendered text may pair in another way than the tags as written.
    """

    def __init__(self, layout: Layout, values: Mapping[str, Any], *, is_html: bool) -> None:
        self.layout = layout
        self.is_html = is_html
        self.parsed_html = parse_html(layout.text) if is_html else ParsedHtml((), ())
        self._values = values
        self.literal_text = layout.text.translate({ord(VALUE_CHAR): " ", ord(RAW_VALUE_CHAR): " "})
        self._pairing = TagPairs(self.parsed_html, layout.branches, layout.detached_spans)
        loose = any(
            self.find_enclosing_tag(hole) and not self._is_quoted(hole) for hole in layout.slots if not hole.is_branch
        )
        self.has_varying_pairs = is_html and (
            layout.has_raw_values or not layout.is_as_rendered or not self._pairing.is_balanced or loose
        )

    def find_enclosing_tag(self, hole: Slot) -> Tag | None:
        """The tag that a hole is in."""
        return next((tag for tag in self.parsed_html.tags if tag.start < hole.start < tag.end), None)

    def check(self, found: MessageFindings) -> None:
        """Finds what can be found without a recipient."""
        layout = self.layout
        found.read_ignores(layout)
        for start, code, message in self._in_words():
            found.add_at_offset(layout, start, code, message)
        for tag in self.parsed_html.tags:
            for code, message in check_tag(tag):
                found.add_at_offset(layout, tag.start, code, message)
        if not self.has_varying_pairs:
            for fault in check_pairs(self._pairing, self.parsed_html):
                found.add_at_offset(layout, fault.start, fault.code, fault.message, as_warning=fault.is_valid_html)
        for hole in layout.slots:
            for code, message in self._in_hole(hole):
                found.add_at_offset(layout, hole.start, code, message)

    def _in_words(self) -> Iterator[tuple[int, str, str]]:
        texts = [(run.start, run.text) for run in self.parsed_html.text_runs if not run.is_code]
        if not self.is_html:
            texts = [(0, self.layout.text)]
        for begin, text in texts:
            for at, left in text_checks.find_placeholders(text):
                yield begin + at, "single-brace", f"{left} is sent as it stands"
            for at, link in text_checks.find_links(text):
                if fault := text_checks.check_url(link):
                    yield begin + at, *fault

    def _in_hole(self, hole: Slot) -> Iterator[tuple[str, str]]:
        """What the values that everybody gets, and the fallbacks in the template itself, bring in."""
        tag = self.find_enclosing_tag(hole)
        before = self.layout.text[max(hole.start - 8, 0) : hole.start].lower()
        scheme = next((scheme for scheme in ("https://", "http://") if before.endswith(scheme)), "")
        for quoted in hole.string_literals:
            if word := text_checks.find_null_word(quoted):
                yield "null-text", f"this may print {word}"
        for name in sorted(hole.variables & self._values.keys()):
            for text in text_checks.iter_strings(self._values[name]):
                if word := text_checks.find_null_word(text):
                    yield "null-text", f"this prints {word}: it is what {name} is"
                for _, left in text_checks.find_placeholders(text):
                    yield "single-brace", f"this prints {left}, which is sent as it stands"
                yield from check_links(scheme + text, tag)

    def _is_quoted(self, hole: Slot) -> bool:
        tag = self.find_enclosing_tag(hole)
        return tag is not None and bool(re.search(r"=\s*(\"[^\"]*|'[^']*)$", self.layout.text[tag.start : hole.start]))


def check_links(text: str, tag: Tag | None, show: text_checks.ValueFormatter = str) -> Iterator[tuple[str, str]]:
    """What is wrong with the links in a value that is printed in a tag, or in the running text."""
    for _, link in text_checks.find_links(text):
        if fault := text_checks.check_url(link, show):
            is_image = tag is not None and tag.name == "img" and fault[0] == "http-link"
            yield ("image-https", text_checks.check_image_url(link)) if is_image else fault


def check_tag(tag: Tag, show: text_checks.ValueFormatter = str) -> Iterator[tuple[str, str]]:
    """What is wrong with a tag by itself: codes and messages."""
    name, given = tag.name, tag.attributes
    if not is_known_tag(name):
        yield "unknown-tag", f"HTML knows no <{'/' if tag.is_end else ''}{show(name)}>"
    if tag.is_end:
        return
    if name == "script" and given.get("type", "").lower() not in _DATA_SCRIPTS:
        yield "script", "<script> is not run, and may be shown"
    if name in _TAG_RULES:
        yield _TAG_RULES[name]
    for attribute, value in given.items():
        if re.fullmatch(r"on[a-z]+", attribute):
            yield "event-handler", f"{attribute} is removed by mail clients"
        if attribute in _LINKS and (fault := text_checks.check_url(html.unescape(value), show)):
            yield fault
        if attribute not in {"style", "src"} and is_known_tag(name):
            yield from (
                ("single-brace", f"{show(left)} is sent as it stands")
                for _, left in text_checks.find_placeholders(value)
            )
    if name == "img":
        yield from _image_faults(given, show)


def check_pairs(pairing: TagPairs, markup: ParsedHtml) -> Iterator[TagFault]:
    """What does not pair in a text, and the tag that never ends."""
    yield from pairing.faults
    if markup.unfinished_tag_start is not None:
        yield TagFault("unclosed-tag", markup.unfinished_tag_start, "this tag has no >")


def _image_faults(given: Mapping[str, str], show: text_checks.ValueFormatter) -> Iterator[tuple[str, str]]:
    if "alt" not in given:
        yield "image-alt", "this image has no alt"
    src = given.get("src", "")
    if src.startswith((VALUE_CHAR, RAW_VALUE_CHAR)):
        return  # the values are looked at
    fault = text_checks.check_url(html.unescape(src), show)
    if fault and fault[0] != "http-link":
        yield fault
    elif about := text_checks.check_image_url(src):
        yield "image-https", about
    yield from (
        ("single-brace", f"{show(left)} is sent as it stands") for _, left in text_checks.find_placeholders(src)
    )
