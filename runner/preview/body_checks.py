"""What a reviewer looks at in one body: its links, its images, its size, and what mail clients support of it."""

import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import lru_cache

from runner.characters import name_in_dns, show_on_one_line
from runner.compare.link_hosts import find_host
from runner.lint.html import VOID_TAGS, ParsedHtml, Tag
from runner.lint.links import find_links
from runner.mail_display.colors import LINK
from runner.mail_display.inline_style import read_style
from runner.mail_display.look import NOT_DISPLAYED, Look
from runner.preview.body_frame import parse_body
from runner.preview.client_support import find_style_conditions, find_unsupported
from runner.preview.named_masks import show_or_name
from runner.preview.views import BodyChecks, Image, Link
from runner.privacy import AnyText, reveal_or_mask

GMAIL_LIMIT = 102 * 1024  # bytes; Gmail hides the rest of a longer body behind a link
_MAX_LISTED = 100  # links and images of a body
_MAX_TEXT, _MAX_ADDRESS = 80, 240  # characters of a link's text, and of an image's address
_IMPLIED_ENDS = frozenset({"p", "li", "td", "th", "tr"})  # another one of the same name ends it
# A background that is not known hides a link only in rare cases.
_HARMLESS = frozenset({"", "struck", "not in Outlook", "styled with background", "styled with background-color"})
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


def _read_text(html: ParsedHtml, start: Tag) -> str:
    """Returns what is written between a link's start and its end, on one line."""
    end = next((tag.start for tag in html.tags if tag.is_end and tag.name == start.name and tag.start > start.start), 0)
    text = " ".join(" ".join(run.text for run in html.text_runs if start.start < run.start < end).split())
    if not text:
        texts = (_alt(tag) for tag in html.tags if tag.name == "img" and start.start < tag.start < end)
        text = next((f"(image: {alt})" for alt in texts if alt), "(no text)")
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def find_hidden_links(html: ParsedHtml) -> dict[int, str]:
    """Returns how each link appears that may not be seen, by the offset of its tag.

    A link is left out if another one with its address is seen, as in a mail with one part for phones.
    """
    # A style sheet may give any element other colours.
    has_sheet = any(tag.name == "style" for tag in html.tags)
    elements = [("", "", Look(color=None, background=None) if has_sheet else Look())]
    hidden: dict[int, tuple[str, str]] = {}
    seen: set[str] = set()
    open_names: Counter[str] = Counter()  # of the elements, so that no tag looks through all of them
    for tag in html.tags:
        if tag.is_end or (tag.name in _IMPLIED_ENDS and tag.name == elements[-1][0]):
            while open_names[tag.name]:
                name, _, _ = elements.pop()
                open_names[name] -= 1
                if name == tag.name:
                    break
            if tag.is_end:
                continue
        _, outer_mark, outer_look = elements[-1]
        mark, look = _read_look(tag, outer_look)
        mark = outer_mark or mark
        if tag.name == "a" and (address := tag.attributes.get("href", "").strip()):
            if reason := mark or look.describe_text(0):
                hidden[tag.start] = address, reason
            else:
                seen.add(address)
        if tag.name not in VOID_TAGS:
            elements.append((tag.name, mark, look))
            open_names[tag.name] += 1
    return {start: reason for start, (address, reason) in hidden.items() if address not in seen}


def _read_look(tag: Tag, look: Look) -> tuple[str, Look]:
    if tag.name == "a":
        look = replace(look, color=LINK)
    if "bgcolor" in tag.attributes or "background" in tag.attributes:
        look = replace(look, background=None)
    style = read_style(tag.attributes.get("style", ""), tag.name, look)
    mark = NOT_DISPLAYED if "hidden" in tag.attributes else style.mark
    return "" if mark in _HARMLESS else mark, style.look


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
