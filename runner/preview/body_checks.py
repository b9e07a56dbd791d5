"""What a reviewer checks of one body: its links, its images, its size, and what mail clients support of it."""

from bisect import bisect
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import lru_cache

from runner.characters import show_on_one_line
from runner.compare.link_hosts import find_host
from runner.lint.html import ParsedHtml, Tag
from runner.lint.links import check_anchor_url, check_image_url, find_links
from runner.preview.body_frame import parse_body
from runner.preview.client_support import find_style_conditions, find_unsupported
from runner.preview.hidden_links import find_hidden_links
from runner.preview.link_targets import split_address
from runner.preview.named_masks import show_or_name
from runner.preview.views import BodyChecks, Image, Link
from runner.privacy import AnyText, Private, mark_private, reveal_or_mask

GMAIL_LIMIT = 102 * 1024  # bytes; Gmail hides the rest of a longer body behind a link
_MAX_LISTED = 100  # links and images of a body
_MAX_TEXT = 80  # characters of a link's text
_LINK_TAGS = ("a", "area")


def check_body(
    body: AnyText, *, is_email: bool, show_values: bool, new_hosts: frozenset[str] = frozenset()
) -> BodyChecks:
    """Returns the checks of a body. What is displayed of them is masked, what is checked is the body as it is sent.

    A link that is there several times is listed once. Links to `new_hosts` come first, so that they are never cut off.
    """
    shown = show_or_name(body, show_values=show_values, is_html=True)
    checked = shown if show_values else _mask_outside_tags(body)
    size = len(reveal_or_mask(body, show_values=True).encode())
    return replace(_check_body(shown, checked, new_hosts, is_email=is_email, show_values=show_values), size=size)


# Most recipients' masked bodies are the same, so they are checked once. More are not kept: a body may have a megabyte.
@lru_cache(maxsize=4)
def _check_body(
    shown: str, checked: str, new_hosts: frozenset[str], *, is_email: bool, show_values: bool
) -> BodyChecks:
    parsed, displayed = parse_body(checked), parse_body(shown)
    links = [*dict.fromkeys(_list_links(shown, parsed, displayed, new_hosts, show_values=show_values))]
    links.sort(key=lambda link: not link.is_new_host)
    return BodyChecks(
        links=tuple(links[:_MAX_LISTED]),
        unlisted_links=len(links[_MAX_LISTED:]),
        images=tuple(_list_images(parsed, displayed))[:_MAX_LISTED],
        clients=find_unsupported(shown) if is_email else (),
        style_conditions=find_style_conditions(shown),
    )


def _mask_outside_tags(body: AnyText) -> str:
    """Returns the masked body, with the values in clear that stand in a tag: its addresses are those that are sent."""
    masked = reveal_or_mask(body, show_values=False)
    if isinstance(body, str):
        return masked
    tags = parse_body(masked).tags
    starts, ends = [tag.start for tag in tags], [0, *(tag.end for tag in tags)]
    pieces: list[str] = []
    position = 0
    for part in body.parts:
        shown = part if isinstance(part, str) else part.instead
        is_in_tag = position < ends[bisect(starts, position)]
        pieces.append(part.value if isinstance(part, Private) and is_in_tag else shown)
        position += len(shown)
    return "".join(pieces)


def _list_links(
    text: str, parsed: ParsedHtml, displayed: ParsedHtml, new_hosts: AbstractSet[str], *, show_values: bool
) -> Iterator[Link]:
    tags, shown_tags = (_find_tags(html, _LINK_TAGS, "href") for html in (parsed, displayed))
    hidden = find_hidden_links(displayed)
    for index, shown in enumerate(shown_tags):
        # Values that build HTML could make other tags of the masked body: then the addresses alone are listed.
        fault = check_anchor_url(tags[index].attributes["href"], mark_private) if len(tags) == len(shown_tags) else None
        message = reveal_or_mask(fault.message, show_values=show_values) if fault else ""
        link = _make_link(shown.attributes["href"].strip(), _read_text(displayed, shown), new_hosts, message)
        yield replace(link, hidden=hidden.get(shown.start, ""))
    for tag in displayed.conditional_tags:
        if not tag.is_end and tag.attributes.get("href"):
            yield _make_link(tag.attributes["href"].strip(), "(in Outlook alone)", new_hosts)
    if not displayed.tags:
        for _, url in find_links(text):
            yield _make_link(url, "", new_hosts)


def _make_link(address: str, text: str, new_hosts: AbstractSet[str], fault: str = "") -> Link:
    is_new = find_host(address) in new_hosts
    return Link(show_on_one_line(address), show_on_one_line(text), fault, split_address(address), is_new)


def _list_images(parsed: ParsedHtml, displayed: ParsedHtml) -> Iterator[Image]:
    tags, shown_tags = (_find_tags(html, ("img",), "") for html in (parsed, displayed))
    for index, shown in enumerate(shown_tags):
        tag = tags[index] if len(tags) == len(shown_tags) else shown
        fault = check_image_url(tag.attributes.get("src", ""))
        if "alt" not in tag.attributes:
            fault = "no alt text: who sees no images reads nothing" if not fault else f"{fault}, and it has no alt text"
        address = shown.attributes.get("src", "").strip()
        yield Image(address if len(address) <= _MAX_TEXT * 3 else f"{address[: _MAX_TEXT * 3]}…", _alt(shown), fault)


def _alt(tag: Tag) -> str:
    return tag.attributes.get("alt", "").strip()


def _find_tags(html: ParsedHtml, names: tuple[str, ...], attribute: str) -> list[Tag]:
    return [
        tag
        for tag in html.tags
        if tag.name in names and not tag.is_end and (not attribute or attribute in tag.attributes)
    ]


def _read_text(html: ParsedHtml, start: Tag) -> str:
    """Returns what is written between a link's start and its end, on one line."""
    end = next((tag.start for tag in html.tags if tag.is_end and tag.name == start.name and tag.start > start.start), 0)
    text = " ".join(" ".join(run.text for run in html.text_runs if start.start < run.start < end).split())
    if not text:
        texts = (_alt(tag) for tag in html.tags if tag.name == "img" and start.start < tag.start < end)
        text = next((f"(image: {alt})" for alt in texts if alt), "(no text)")
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
