"""What stands in a text for an element that is more than its text: an image, an address, a style sheet."""

import re
from collections.abc import Mapping
from dataclasses import replace

from runner.mail_display.attributes import ADDRESS_ATTRIBUTES, LABEL_ATTRIBUTES
from runner.mail_display.html_events import Event
from runner.mail_display.style_parser import parse_style
from runner.mail_display.style_properties import in_pixels
from runner.report.hosts import describe_hosts

BRACKETS = str.maketrans("[]\u2502\u22ef", "\uff3b\uff3d|\u2026")  # of the author
_MAX_HEIGHT = 400  # pixels
SOURCE_HINT = "see the HTML source"
_VIEWPORT = re.compile(
    r"(?:(?:width=device-width|(?:initial|minimum|maximum)-scale=1(?:\.0+)?|user-scalable=\w+|shrink-to-fit=no"
    r"|viewport-fit=\w+|height=device-height)[,;]?)*"
)
STYLE_SHEET, SCRIPT = (f"[{name}: {SOURCE_HINT}]" for name in ("a style sheet", "a script"))
_CODE = {"style": STYLE_SHEET, "script": SCRIPT}


def escape_words(words: str, space: str = " ") -> str:
    """Returns words of the author on one line, which neither end a bracket of a mark, nor look like one."""
    return space.join(words.split()).translate(BRACKETS)


def escape_brackets(event: Event) -> Event:
    """Returns an event, to be printed, in which the author's words neither end a bracket of a mark nor look like one.

    A style is left as it is, to be read: what of it is printed is escaped later.
    """
    attributes = {
        escape_words(name): value if name == "style" else escape_words(value, "%20" if name == "href" else " ")
        for name, value in event.attributes.items()
    }
    name, text = escape_words(event.name), event.text.translate(BRACKETS)
    is_same = (name, text, attributes) == (event.name, event.text, event.attributes)
    return event if is_same else replace(event, name=name, text=text, attributes=attributes)


def label_element(tag: str, attributes: Mapping[str, str]) -> str:
    """Returns what stands for an element besides its text; empty for one that only holds text."""
    if not attributes and tag not in {*_CODE, "img"}:
        return ""
    addresses = " ".join(f"{each}{describe_hosts(each)}" for each in _list_addresses(tag, attributes))
    pictures = parse_style(attributes.get("style", "")).addresses
    styles = "".join(f"[picture: {each}{describe_hosts(each)}]" for each in map(escape_words, pictures))
    if tag in {"col", "colgroup"} and ("bgcolor" in attributes or "background" in attributes.get("style", "").lower()):
        return f"[{tag} with a background: {SOURCE_HINT}]{styles}"
    if tag == "img":
        return f"[image {attributes.get('alt') or 'without alt'}{_describe_height(attributes)}: {addresses}]{styles}"
    if tag in _CODE:
        return _CODE[tag]
    if tag == "meta" and attributes.get("name", "").strip().lower() == "viewport":
        is_usual = _VIEWPORT.fullmatch(attributes.get("content", "").replace(" ", "").lower())
        return "" if is_usual else "[another width or scale on phones: see the preview]"
    if _has_dark_theme(tag, attributes):
        is_only = "light" not in attributes.get("content", "").lower()
        return f"[{'a dark page in all themes' if is_only else 'other colours in a dark theme'}: see the preview]"
    texts = " ".join(
        filter(None, (attributes.get(name) for name in LABEL_ATTRIBUTES if (tag, name) != ("li", "value")))
    )
    separator = ": " if texts and addresses else ""
    return (
        f"[{tag} {texts}{separator}{addresses}]" if texts else f"[{tag}: {addresses}]" if addresses else ""
    ) + styles


def _describe_height(attributes: Mapping[str, str]) -> str:
    """Returns how high an image is, if that puts what follows far below."""
    heights = [attributes.get("height", ""), *parse_style(attributes.get("style", "")).list_values("height")]
    pixels = max(in_pixels(height.strip().lower(), 16) or 0 for height in heights)
    return f", {pixels:,.0f} pixels high" if pixels > _MAX_HEIGHT else ""


def _list_addresses(tag: str, attributes: Mapping[str, str]) -> list[str]:
    found = [attributes.get(name, "") for name in ADDRESS_ATTRIBUTES if tag != "a" or name == "ping"]
    if tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
        found.append(attributes.get("content", ""))
    return [each for each in found if each]


def _has_dark_theme(tag: str, attributes: Mapping[str, str]) -> bool:
    return (
        tag == "meta"
        and attributes.get("name", "").strip().lower() == "color-scheme"
        and "dark" in attributes.get("content", "").lower()
    )
