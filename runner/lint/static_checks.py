"""What is wrong with a text before anybody's values are in it: all its branches, its includes, its tags."""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runner.lint import text_checks
from runner.lint.findings import MessageFindings
from runner.lint.html import HOLE, Markup, Tag, is_known, read
from runner.lint.tag_pairs import Fault, Pairing
from runner.lint.template_layout import RAW_HOLE, Hole, Layout

_LINKS = ("href", "action", "formaction", "background", "poster", "data")


_TAG_RULES = {
    "form": ("form", "<form> does not work in a message"),
    "iframe": ("iframe", "<iframe> is removed by mail clients"),
    "object": ("iframe", "<object> is removed by mail clients"),
    "embed": ("iframe", "<embed> is removed by mail clients"),
}


_DATA_SCRIPTS = ("application/ld+json", "application/json")


class Writing:
    """One text of a message, as its author wrote it. `values` are what every recipient gets alike.

    `varies`: the tags of a rendered text may pair in another way than the tags as written.
    """

    def __init__(self, layout: Layout, values: Mapping[str, Any], *, is_html: bool) -> None:
        self.layout = layout
        self.is_html = is_html
        self.markup = read(layout.text) if is_html else Markup((), ())
        self._values = values
        self.literal = layout.text.translate({ord(HOLE): " ", ord(RAW_HOLE): " "})
        self._pairing = Pairing(self.markup, layout.branches, layout.asides)
        loose = any(self.inside(hole) and not self._is_quoted(hole) for hole in layout.holes if not hole.is_branch)
        self.varies = is_html and (layout.raw or not layout.whole or not self._pairing.balanced or loose)

    def inside(self, hole: Hole) -> Tag | None:
        """The tag that a hole is in."""
        return next((tag for tag in self.markup.tags if tag.start < hole.start < tag.end), None)

    def check(self, found: MessageFindings) -> None:
        """Finds what can be found without a recipient."""
        layout = self.layout
        found.heed(layout)
        for start, code, message in self._in_words():
            found.at(layout, start, code, message)
        for tag in self.markup.tags:
            for code, message in tag_faults(tag):
                found.at(layout, tag.start, code, message)
        if not self.varies:
            for fault in pairing_faults(self._pairing, self.markup):
                found.at(layout, fault.start, fault.code, fault.message, gentle=fault.optional)
        for hole in layout.holes:
            for code, message in self._in_hole(hole):
                found.at(layout, hole.start, code, message)

    def _in_words(self) -> Iterator[tuple[int, str, str]]:
        texts = [(run.start, run.text) for run in self.markup.words if not run.in_code]
        if not self.is_html:
            texts = [(0, self.layout.text)]
        for begin, text in texts:
            for at, left in text_checks.leftovers(text):
                yield begin + at, "single-brace", f"{left} is sent as it stands"
            for at, link in text_checks.links(text):
                if fault := text_checks.link_fault(link):
                    yield begin + at, *fault

    def _in_hole(self, hole: Hole) -> Iterator[tuple[str, str]]:
        """What the values that everybody gets, and the fallbacks in the template itself, bring in."""
        tag = self.inside(hole)
        before = self.layout.text[max(hole.start - 8, 0) : hole.start].lower()
        scheme = next((scheme for scheme in ("https://", "http://") if before.endswith(scheme)), "")
        for quoted in hole.quoted:
            if word := text_checks.null_in(quoted):
                yield "null-text", f"this may print {word}"
        for name in sorted(hole.names & self._values.keys()):
            for text in text_checks.texts_of(self._values[name]):
                if word := text_checks.null_in(text):
                    yield "null-text", f"this prints {word}: it is what {name} is"
                for _, left in text_checks.leftovers(text):
                    yield "single-brace", f"this prints {left}, which is sent as it stands"
                yield from link_faults(scheme + text, tag)

    def _is_quoted(self, hole: Hole) -> bool:
        tag = self.inside(hole)
        return tag is not None and bool(re.search(r"=\s*(\"[^\"]*|'[^']*)$", self.layout.text[tag.start : hole.start]))


def link_faults(text: str, tag: Tag | None, show: text_checks.Show = str) -> Iterator[tuple[str, str]]:
    """What is wrong with the links in a value that is printed in a tag, or in the running text."""
    for _, link in text_checks.links(text):
        if fault := text_checks.link_fault(link, show):
            is_image = tag is not None and tag.name == "img" and fault[0] == "http-link"
            yield ("image-https", text_checks.image_fault(link)) if is_image else fault


def tag_faults(tag: Tag, show: text_checks.Show = str) -> Iterator[tuple[str, str]]:
    """What is wrong with a tag by itself: codes and messages."""
    name, given = tag.name, tag.attributes
    if not is_known(name):
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
        if attribute in _LINKS and (fault := text_checks.link_fault(html.unescape(value), show)):
            yield fault
        if attribute not in {"style", "src"} and is_known(name):
            yield from (
                ("single-brace", f"{show(left)} is sent as it stands") for _, left in text_checks.leftovers(value)
            )
    if name == "img":
        yield from _image_faults(given, show)


def pairing_faults(pairing: Pairing, markup: Markup) -> Iterator[Fault]:
    """What does not pair in a text, and the tag that never ends."""
    yield from pairing.faults
    if markup.broken is not None:
        yield Fault("unclosed-tag", markup.broken, "this tag has no >")


def _image_faults(given: Mapping[str, str], show: text_checks.Show) -> Iterator[tuple[str, str]]:
    if "alt" not in given:
        yield "image-alt", "this image has no alt"
    src = given.get("src", "")
    if src.startswith((HOLE, RAW_HOLE)):
        return  # the values are looked at
    fault = text_checks.link_fault(html.unescape(src), show)
    if fault and fault[0] != "http-link":
        yield fault
    elif about := text_checks.image_fault(src):
        yield "image-https", about
    yield from (("single-brace", f"{show(left)} is sent as it stands") for _, left in text_checks.leftovers(src))
