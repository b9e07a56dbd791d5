"""Finds the links of a body that its reader may not see, because of the style of an element around them."""

from collections import Counter
from dataclasses import replace

from runner.lint.colors import LINK
from runner.lint.html import VOID_TAGS, ParsedHtml, Tag
from runner.lint.inline_style import read_style
from runner.lint.look import NOT_DISPLAYED, Look

_IMPLIED_ENDS = frozenset({"p", "li", "td", "th", "tr"})  # another one of the same name ends it
# A background that is not known hides a link only in rare cases.
_HARMLESS = frozenset({"", "struck", "not in Outlook", "styled with background", "styled with background-color"})


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
