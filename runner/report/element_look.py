"""How an element makes its text appear: as it is written, or in another way, which is named.

Elements and attributes that mails do not use are named elsewhere, once for the whole body.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from runner.mail_display.colors import BLACK, YELLOW, is_seen, parse_color_attribute
from runner.mail_display.html_events import OUTLOOK, Event
from runner.mail_display.inline_style import read_style
from runner.mail_display.look import MAX_OFFSET, NOT_DISPLAYED, Look
from runner.mail_display.style_properties import is_plain_font
from runner.mail_elements import is_inert_attribute, split_names
from runner.report.hosts import describe_hosts

IN_OUTLOOK = "in Outlook alone"
VOID_ELEMENTS = split_names("area base br col embed hr img input link meta param source track wbr")
_APPEARANCES = {OUTLOOK: IN_OUTLOOK, "title": "title", "s": "struck", "strike": "struck", "del": "struck",
                "details": "after a click"}  # fmt: skip
NAMED_ELEMENTS = {"style": "a style sheet", "script": "a script"}  # which are not displayed
_TOLD_ELEMENTS = {*_APPEARANCES, *NAMED_ELEMENTS, "img"}  # of others without attributes there is nothing to say
_SIZES = {"small": 0.83, "big": 1.2, "sub": 0.83, "sup": 0.83, "h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67}
_FONT_SIZES = (10.0, 13.0, 16.0, 18.0, 24.0, 32.0, 48.0)
# Attributes with an address that is loaded, or where a click leads. `href` of a link and `src` of an image stand apart.
_ADDRESS_ATTRIBUTES = (
    "href", "src", "srcset", "action", "formaction", "data", "background", "poster", "ping", "xlink:href",
    "imagesrcset", "longdesc", "lowsrc", "dynsrc", "codebase", "archive", "classid", "manifest", "profile", "cite",
    "code", "icon",
)  # fmt: skip
_LABELS = ("alt", "value", "placeholder", "label", "prompt", "srcdoc")
# Attributes that may hold any value of a recipient.
_FREE_ATTRIBUTES = frozenset(
    {"class", "id", "title", "name", "lang", "content", "target", "rel", "summary", *_ADDRESS_ATTRIBUTES, *_LABELS}
)
# The elements on which an attribute is a colour.
_COLORS = {
    "color": {"font"}, "bgcolor": {"body", "table", "thead", "tbody", "tfoot", "tr", "td", "th"},
    "text": {"body"}, "link": {"body"}, "vlink": {"body"}, "alink": {"body"},
}  # fmt: skip
_INDENTS = dict.fromkeys(("ul", "ol", "dd", "blockquote", "figure"), 40.0) | {"sub": 5.0, "sup": 5.0}  # pixels
# Attributes with a length that moves texts, in pixels.
_GAPS = (
    "cellpadding", "cellspacing", "border", "hspace", "vspace", "marginheight", "marginwidth", "leftmargin",
    "topmargin", "rightmargin", "bottommargin",
)  # fmt: skip
_MAX_GAP = 100.0
_INTEGER = re.compile(r"[ \t\r\n\f]*\+?([0-9]{1,9})[0-9.]*(%?)")
_WIDTH = re.compile(r"\d{1,6}(?:\.\d+)?%?")


BRACKETS = str.maketrans("[]", "\uff3b\uff3d")  # of the author


@dataclass(frozen=True, slots=True)
class Appearance:
    """`marks` say how the text of an element appears other than it is written, `label` stands before it.

    Without any text, the element has the `height`, and `gap` around it, in pixels.
    """

    marks: tuple[str, ...]
    label: str
    look: Look
    height: float = 0.0
    gap: float = 0.0


def escape_words(words: str, space: str = " ") -> str:
    """Returns words of the author on one line, which neither end a bracket of a mark, nor look like one."""
    return space.join(words.split()).translate(BRACKETS)


def describe_element(event: Event, shown: Mapping[str, str], look: Look, text_length: int = 0) -> Appearance:
    """Returns how an element appears, in which a text would have the look.

    `shown` are the attributes as they are displayed, in which values are replaced by others. `text_length` is the
    number of characters inside.
    """
    tag, attributes = event.name, event.attributes
    if not attributes and tag not in _TOLD_ELEMENTS:
        new_look = _find_default_look(tag, attributes, look)
        return Appearance(_judge_distance(new_look, look), "", new_look)
    # The style comes after the attribute, and counts for more.
    width = attributes.get("width", "").strip() if tag != "img" else ""
    own_style = f"width:{width};" * bool(_WIDTH.fullmatch(width)) + attributes.get("style", "")
    default_look = _find_default_look(tag, attributes, look)
    style = read_style(own_style, tag, default_look, text_length, look)
    marks = [_find_own_mark(tag, attributes, style.mark), style.mark, *_judge_distance(default_look, look)]
    marks += _judge_attributes(tag, attributes, shown)
    height = max(style.height, _read_pixels(attributes.get("size" if tag == "hr" else "height", "")))
    if height > MAX_OFFSET and tag != "img":
        marks.append("styled with height")
    shown_style = read_style(shown.get("style", ""), tag, look)
    label = _label(tag, shown, shown_style.addresses)
    return Appearance(
        tuple(dict.fromkeys(map(escape_words, filter(None, marks)))), label, style.look, height, style.gap
    )


def _judge_distance(look: Look, parent: Look) -> tuple[str, ...]:
    return ("far from the other texts",) if look.offset > MAX_OFFSET >= parent.offset else ()


def _read_pixels(value: str) -> float:
    """Returns the number that HTML reads at the start of an attribute."""
    number = _INTEGER.match(value)
    return float(number[1]) * (MAX_OFFSET / 100 if number[2] else 1) if number else 0.0


def _find_default_look(tag: str, attributes: Mapping[str, str], look: Look) -> Look:
    size = look.size * _SIZES.get(tag, 1.0)
    if tag == "font" and (number := re.match(r"\s*([+-]?)(\d{1,3})", attributes.get("size", ""))):
        step = int(number[2]) * (-1 if number[1] == "-" else 1) + (3 if number[1] else 0)
        size = _FONT_SIZES[max(1, min(7, step)) - 1]
    look = look if size == look.size else replace(look, size=size)
    if tag == "pre":
        look = replace(look, keeps_spaces=True)
    if tag == OUTLOOK:
        look = replace(look, background=None)  # it draws shapes of its own below a text
    if tag == "mark":
        look = replace(look, color=BLACK, background=YELLOW)
    if tag == "table":
        look = replace(
            look, cell=sum(_read_pixels(attributes.get(name, "1")) for name in ("cellpadding", "cellspacing"))
        )
    if move := _INDENTS.get(tag, look.cell if tag in {"td", "th"} else 0.0):
        look = replace(look, offset=look.offset + move)
    return _find_default_colors(tag, attributes, look) if attributes else look


def _find_default_colors(tag: str, attributes: Mapping[str, str], look: Look) -> Look:
    if tag == "a" and "href" in attributes:
        # A link has one of several colours, and must be seen in all of them.
        unseen = (color for color in look.links if not is_seen(color, look.background))
        look = replace(look, color=next(unseen, look.links[0]))
    if attributes.get("background", "").strip() and tag in _COLORS["bgcolor"]:
        look = replace(look, background=None)  # a picture, which is named
    elif _has_color("bgcolor", tag, attributes):
        look = replace(look, background=parse_color_attribute(attributes["bgcolor"]))
    for name in ("color", "text"):
        if _has_color(name, tag, attributes):
            look = replace(look, color=parse_color_attribute(attributes[name]))
    if tag == "body":
        names = [name for name in ("link", "vlink", "alink") if _has_color(name, tag, attributes)]
        links = [parse_color_attribute(attributes[name]) for name in names]
        look = replace(look, links=(*links, *look.links * ("link" not in names)))
    return look


def _has_color(name: str, tag: str, attributes: Mapping[str, str]) -> bool:
    """Returns whether an attribute gives an element a colour: without one, it has that of the elements around it."""
    value = attributes.get(name, "").strip(" \t\r\n\f").lower()
    return tag in _COLORS.get(name, ()) and value not in {"", "transparent"}


def _find_own_mark(tag: str, attributes: Mapping[str, str], style_mark: str) -> str:
    style = attributes.get("style", "").lower()
    is_hidden = "hidden" in attributes or (tag in NAMED_ELEMENTS and bool(style))
    mark = NOT_DISPLAYED if is_hidden else _APPEARANCES.get(tag, "")
    # A style may show the element all the same.
    is_shown = mark in {NOT_DISPLAYED, "title"} and (style_mark or "display" in style)
    return style_mark or "styled with display" if is_shown else mark


def _judge_attributes(tag: str, attributes: Mapping[str, str], shown: Mapping[str, str]) -> list[str]:
    marks = []
    for name, value in attributes.items():
        if shown.get(name) != value and name not in _FREE_ATTRIBUTES and not is_inert_attribute(name):
            marks.append(f"with a recipient's value as {name if name in shown else 'attribute'}")
        elif name == "dir" and value.lower() != "ltr":
            marks.append("in another direction")
        elif (
            (
                _read_pixels(value) > _MAX_GAP
                if name in _GAPS
                else _has_color(name, tag, attributes) and parse_color_attribute(value) is None
            )
            or (name == "type" and tag == "ul" and value.lower() not in {"disc", "circle", "square"})
            or (name == "face" and not is_plain_font(value.lower()))
            or (name == "align" and (tag, value.strip().lower()) in {("table", "right"), ("caption", "bottom")})
        ):
            marks.append(f"styled with {name}")
    return marks


def _label(tag: str, attributes: Mapping[str, str], style_addresses: tuple[str, ...]) -> str:
    """Returns what stands for an element besides its text; empty for one that only holds text."""
    found = [attributes.get(name, "") for name in _ADDRESS_ATTRIBUTES if tag != "a" or name == "ping"]
    content = attributes.get("content", "")
    is_dark = attributes.get("name", "").lower() == "color-scheme" and "light" not in content.lower()
    if tag == "meta" and (is_dark or attributes.get("http-equiv", "").lower() == "refresh"):
        found.append(content)
    addresses = " ".join(f"{each}{describe_hosts(each)}" for each in found if each)
    styles = "".join(f"[picture: {each}{describe_hosts(each)}]" for each in map(escape_words, style_addresses))
    if tag in {"col", "colgroup"} and ("bgcolor" in attributes or "background" in attributes.get("style", "").lower()):
        return f"[{tag} with a background: see the HTML source]{styles}"
    if tag == "img":
        return f"[image {attributes.get('alt') or 'without alt'}: {addresses}]{styles}"
    if tag in NAMED_ELEMENTS:
        return f"[{NAMED_ELEMENTS[tag]}: see the HTML source]"
    texts = " ".join(filter(None, (attributes.get(name) for name in _LABELS if (tag, name) != ("li", "value"))))
    separator = ": " if texts and addresses else ""
    return (
        f"[{tag} {texts}{separator}{addresses}]" if texts else f"[{tag}: {addresses}]" if addresses else ""
    ) + styles
