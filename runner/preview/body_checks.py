"""What a reviewer looks at in one body: its links, its images, its size, and what mail clients support of it."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import lru_cache

from runner.characters import name_in_dns, show_on_one_line
from runner.compare.link_hosts import find_host
from runner.lint.html import ParsedHtml, Tag
from runner.lint.links import find_links
from runner.mail_display.element_style import IN_OUTLOOK, describe_element, find_page_look
from runner.mail_display.html_events import read_events
from runner.mail_display.look import BACKGROUND_COLOR_OF_SHEET, IN_SHADOW, OWN_BACKGROUND
from runner.preview.body_frame import parse_body
from runner.preview.client_support import find_style_conditions, find_unsupported
from runner.preview.named_masks import show_or_name
from runner.preview.views import BodyChecks, Image, Link
from runner.privacy import AnyText, reveal_or_mask

GMAIL_LIMIT = 102 * 1024  # bytes; Gmail hides the rest of a longer body behind a link
_MAX_LISTED = 100  # links and images of a body
_MAX_TEXT, _MAX_ADDRESS = 80, 240  # characters of a link's text, and of an image's address
_MAX_READ = 200_000  # characters of a body that are read as a browser reads them, as for the comment
# What does not hide a link, or hides it in rare cases alone.
_NOT_HIDING = frozenset(
    {"", "struck", "not in Outlook", "caption", "at the right", "in another direction", "perhaps not struck",
     BACKGROUND_COLOR_OF_SHEET, OWN_BACKGROUND, IN_SHADOW}
    | {f"styled with {name}" for name in ("background", "background-color", "box-shadow", "float", "height",
       "line-height", "list-style", "list-style-type", "margin", "overflow", "padding", "text-indent", "vertical-align",
       "white-space", "width", "word-break")}
)  # fmt: skip
_IGNORED = re.compile(r"[\t\n\r]")  # a browser drops them wherever they stand
# A browser takes any number of slashes after the scheme, a backslash for a slash, and the last @ for the end of a name.
_WEB_ADDRESS = re.compile(r"((?:https?:[/\\]*|[/\\]{2,})(?:[^/\\?#]*@)?)([^/\\?#:]*)(.*)", re.IGNORECASE | re.DOTALL)
_TRIMMED = "".join(map(chr, range(33)))
_MAX_START, _MAX_REST = 40, 44  # characters that are shown before and after a host; a host is never shortened


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
        images=tuple(
            Image(_shorten(_address(tag, "src"), _MAX_ADDRESS), _alt(tag)) for tag in _find_tags(parsed, "img")
        )[:_MAX_LISTED],
        clients=find_unsupported(body) if is_email else (),
        style_conditions=find_style_conditions(body),
    )


def _list_links(body: str, parsed: ParsedHtml, new_hosts: AbstractSet[str]) -> Iterator[Link]:
    hidden = find_hidden_links(body)
    for tag in _find_tags(parsed, "a", "area"):
        if "href" in tag.attributes:
            yield _make_link(
                _address(tag, "href"), _read_text(parsed, tag), new_hosts, hidden.get(_address(tag, "href"), "")
            )
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


def _read_text(html: ParsedHtml, start: Tag) -> str:
    """Returns what is written between a link's start and its end, on one line."""
    end = next((tag.start for tag in html.tags if tag.is_end and tag.name == start.name and tag.start > start.start), 0)
    text = " ".join(" ".join(run.text for run in html.text_runs if start.start < run.start < end).split())
    if not text:
        texts = (_alt(tag) for tag in html.tags if tag.name == "img" and start.start < tag.start < end)
        text = next((f"(image: {alt})" for alt in texts if alt), "(no text)")
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def find_hidden_links(body: str) -> dict[str, str]:
    """Returns how each link appears that may not be seen, by its address.

    A link is left out if another one with its address is seen, as in a mail with one part for phones. What is not
    certain is left out too: the preview draws it.
    """
    events = [*read_events(body[:_MAX_READ])]
    elements = [("", find_page_look(events))]
    hidden: dict[str, str] = {}
    seen: set[str] = set()
    for event in events:
        if event.kind == "end":
            elements.pop()
        elif event.kind == "start":
            outer_mark, outer_look = elements[-1]
            appearance = describe_element(event, event.attributes, outer_look)
            mark = outer_mark or next((mark for mark in appearance.marks if mark not in _NOT_HIDING), "")
            elements.append((mark, appearance.look))
            if event.name == "a" and (address := event.attributes.get("href", "").strip()) and mark != IN_OUTLOOK:
                reason = mark or appearance.look.describe_text()
                hidden |= {address: reason} if reason not in _NOT_HIDING else {}
                seen |= {address} if reason in _NOT_HIDING else set()
    return {address: reason for address, reason in hidden.items() if address not in seen}


def split_address(address: str) -> tuple[str, str, str]:
    """Returns what stands before the host of an address, the host, and what follows. The host is empty if it has none.

    What is long is shortened in its middle. A host beyond ASCII has its name in the DNS behind it.
    """
    plain = _IGNORED.sub("", address).strip(_TRIMMED)
    match = _WEB_ADDRESS.fullmatch(plain)
    if match is None or not match[2]:
        return "", "", _shorten(plain, _MAX_START + _MAX_REST)
    host = show_on_one_line(_name_in_dns(match[2]))
    return _shorten(match[1], _MAX_START), host, _shorten(match[3], _MAX_REST)


def _name_in_dns(host: str) -> str:
    if host.isascii():
        return host
    return f"{host} ({name_in_dns(host) or 'browsers read it as another host'})"


def _shorten(text: str, room: int) -> str:
    """Returns the text, or its beginning and its end with a mark between them."""
    text = show_on_one_line(text)
    if len(text) <= room:
        return text
    end = room // 2 - 1
    return f"{text[: room - 1 - end]}…{text[-end:]}"
