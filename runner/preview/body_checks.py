"""What a reviewer looks at in one body: its links, its images, its size, and what mail clients support of it."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import lru_cache

from runner.characters import show_on_one_line
from runner.compare.link_hosts import find_host
from runner.lint.html import ParsedHtml, Tag
from runner.lint.links import find_links
from runner.preview.body_frame import parse_body
from runner.preview.client_support import find_style_conditions, find_unsupported
from runner.preview.hidden_links import find_hidden_links
from runner.preview.link_targets import split_address
from runner.preview.named_masks import show_or_name
from runner.preview.views import BodyChecks, Image, Link
from runner.privacy import AnyText, reveal_or_mask

GMAIL_LIMIT = 102 * 1024  # bytes; Gmail hides the rest of a longer body behind a link
_MAX_LISTED = 100  # links and images of a body
_MAX_TEXT, _MAX_ADDRESS = 80, 240  # characters of a link's text, and of an image's address


def check_body(
    body: AnyText, *, is_email: bool, show_values: bool, new_hosts: frozenset[str] = frozenset()
) -> BodyChecks:
    """Returns what there is to look at in a body. What is wrong with its links and images, lint says.

    A link that is there several times is listed once. Links to `new_hosts` come first, so that they are never cut off.
    """
    shown = show_or_name(body, show_values=show_values, is_html=True)
    size = len(reveal_or_mask(body, show_values=True).encode())
    return replace(_check_body(shown, new_hosts, is_email=is_email), size=size)


# Most recipients' masked bodies are the same, so they are checked once. More are not kept: a body may have a megabyte.
@lru_cache(maxsize=4)
def _check_body(body: str, new_hosts: frozenset[str], *, is_email: bool) -> BodyChecks:
    parsed = parse_body(body)
    links = [*dict.fromkeys(_list_links(body, parsed, new_hosts))]
    links.sort(key=lambda link: not link.is_new_host)
    return BodyChecks(
        links=tuple(links[:_MAX_LISTED]),
        unlisted_links=len(links[_MAX_LISTED:]),
        images=tuple(Image(_shorten(_address(tag, "src")), _alt(tag)) for tag in _find_tags(parsed, "img"))[
            :_MAX_LISTED
        ],
        clients=find_unsupported(body) if is_email else (),
        style_conditions=find_style_conditions(body),
    )


def _list_links(body: str, parsed: ParsedHtml, new_hosts: AbstractSet[str]) -> Iterator[Link]:
    hidden = find_hidden_links(parsed)
    for tag in _find_tags(parsed, "a", "area"):
        if "href" in tag.attributes:
            yield _make_link(_address(tag, "href"), _read_text(parsed, tag), new_hosts, hidden.get(tag.start, ""))
    for tag in parsed.conditional_tags:
        if not tag.is_end and tag.attributes.get("href"):
            yield _make_link(_address(tag, "href"), "(in Outlook alone)", new_hosts)
    if not parsed.tags:
        for _, url in find_links(body):
            yield _make_link(url, "", new_hosts)


def _make_link(address: str, text: str, new_hosts: AbstractSet[str], hidden: str = "") -> Link:
    is_new = find_host(address) in new_hosts
    return Link(show_on_one_line(address), show_on_one_line(text), split_address(address), is_new, hidden)


def _find_tags(parsed: ParsedHtml, *names: str) -> list[Tag]:
    return [tag for tag in parsed.tags if tag.name in names and not tag.is_end]


def _address(tag: Tag, attribute: str) -> str:
    return tag.attributes.get(attribute, "").strip()


def _alt(tag: Tag) -> str:
    return tag.attributes.get("alt", "").strip()


def _shorten(address: str) -> str:
    return address if len(address) <= _MAX_ADDRESS else f"{address[:_MAX_ADDRESS]}…"


def _read_text(html: ParsedHtml, start: Tag) -> str:
    """Returns what is written between a link's start and its end, on one line."""
    end = next((tag.start for tag in html.tags if tag.is_end and tag.name == start.name and tag.start > start.start), 0)
    text = " ".join(" ".join(run.text for run in html.text_runs if start.start < run.start < end).split())
    if not text:
        texts = (_alt(tag) for tag in html.tags if tag.name == "img" and start.start < tag.start < end)
        text = next((f"(image: {alt})" for alt in texts if alt), "(no text)")
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
