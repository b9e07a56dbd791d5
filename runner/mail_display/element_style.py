"""How an element makes its text appear: as it is written, or in another way, which is named.

Elements and attributes that mails do not use are named elsewhere, once for the whole body.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runner.mail_display.colors import BLACK, YELLOW, is_seen, parse_color_attribute
from runner.mail_display.flow import Flow, find_flow
from runner.mail_display.html_events import OUTLOOK, Event
from runner.mail_display.inline_style import read_style
from runner.mail_display.look import MAX_OFFSET, NOT_DISPLAYED, Look
from runner.mail_display.style_parser import ParsedStyle, parse_style
from runner.mail_display.style_properties import is_plain_font
from runner.mail_elements import is_inert_attribute, split_names

IN_OUTLOOK = "in Outlook alone"
WITHOUT_ROOM = split_names("area base link meta param source track wbr")  # elements that are never drawn
VOID_ELEMENTS = split_names("area base br col embed hr img input link meta param source track wbr")
TITLE = "title"
OVER_ROWS = "over several rows"
STRUCK = "struck"
_APPEARANCES = {OUTLOOK: IN_OUTLOOK, "title": TITLE, "s": STRUCK, "strike": STRUCK, "del": STRUCK,
                "caption": "caption"}  # fmt: skip
CODE_ELEMENTS = frozenset({"style", "script"})  # which are not displayed
_SIZES = {"small": 0.83, "big": 1.2, "sub": 0.83, "sup": 0.83, "h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67}
_FONT_SIZES = (10.0, 13.0, 16.0, 18.0, 24.0, 32.0, 48.0)
# Attributes with an address that is loaded, or where a click leads. `href` of a link and `src` of an image stand apart.
ADDRESS_ATTRIBUTES = (
    "href", "src", "srcset", "action", "formaction", "data", "background", "poster", "ping", "xlink:href",
    "imagesrcset", "longdesc", "lowsrc", "dynsrc", "codebase", "archive", "classid", "manifest", "profile", "cite",
    "code", "icon",
)  # fmt: skip
LABEL_ATTRIBUTES = ("alt", "value", "placeholder", "label", "prompt", "srcdoc")
# Attributes that may hold any value of a recipient.
_FREE_ATTRIBUTES = frozenset(
    {
        "class",
        "id",
        "title",
        "name",
        "lang",
        "content",
        "target",
        "rel",
        "summary",
        *ADDRESS_ATTRIBUTES,
        *LABEL_ATTRIBUTES,
    }
)
# The elements on which an attribute is a colour.
_COLORS = {
    "color": {"font"}, "bgcolor": {"body", "table", "thead", "tbody", "tfoot", "tr", "td", "th"},
    "text": {"body"}, "link": {"body"}, "vlink": {"body"}, "alink": {"body"},
}  # fmt: skip
PARAGRAPH_ELEMENTS = split_names("blockquote h1 h2 h3 h4 h5 h6 ol p pre table ul")
_MARGIN = 16.0  # pixels above and below them; for a headline a little more
_MIN_RATIO, _MAX_RATIO = 0.75, 1.3
_RAISED = frozenset({"sub", "sup"})
_ROOTS = frozenset({"body", "table"})  # besides boxes, cells and floats, the elements that hold what floats in them
_DOTS = frozenset({"disc", "circle", "square"})
_LISTS = frozenset({"ol", "ul", "menu", "dir"})
_INDENTS = dict.fromkeys(("ul", "ol", "dd", "blockquote", "figure"), 40.0) | {"sub": 5.0, "sup": 5.0}  # pixels
# Attributes with a length that moves texts, in pixels.
_GAPS = (
    "cellpadding", "cellspacing", "border", "hspace", "vspace", "marginheight", "marginwidth", "leftmargin",
    "topmargin", "rightmargin", "bottommargin",
)  # fmt: skip
_MAX_GAP = 64.0
_MAX_HEIGHT = 400.0  # of which all may be above a text
_INTEGER = re.compile(r"[ \t\r\n\f]*\+?([0-9]{1,9})[0-9.]*(%?)")
_WIDTH = re.compile(r"\d{1,6}(?:\.\d+)?%?")


@dataclass(frozen=True, slots=True)
class Appearance:
    """How an element appears. `marks` say what it does to its text other than to decorate it.

    Without any text, the element has the `height`, and `gap` around it, in pixels, and takes no more than `room` in any
    direction. `shadows` is the number of them.
    """

    marks: tuple[str, ...]
    look: Look
    flow: Flow
    height: float = 0.0
    gap: float = 0.0
    room: float = 0.0
    shadows: int = 0


def describe_element(event: Event, shown: Mapping[str, str], look: Look) -> Appearance:
    """Returns how an element appears, in which a text would have the look.

    `shown` are the attributes as they are displayed, in which values are replaced by others.
    """
    tag, attributes = event.name, event.attributes
    # The style comes after the attribute, and counts for more.
    width = attributes.get("width", "").strip() if tag != "img" else ""
    style = parse_style(f"width:{width};" * bool(_WIDTH.fullmatch(width)) + attributes.get("style", ""))
    flow, wrong_property = find_flow(tag, style, attributes.get("align", "").strip().lower())
    default_look = _find_default_look(tag, attributes, flow, look)
    own = read_style(style, tag, flow, default_look, look)
    marks = [f"styled with {wrong_property}"] if wrong_property else [*own.marks]
    marks = [_find_own_mark(tag, attributes, marks[0] if marks else ""), *marks, *_judge_distance(default_look, look)]
    if STRUCK in marks and own.look.describe_text():
        marks[marks.index(STRUCK)] = "styled with text-decoration"  # in the colour of the text
    marks += ["at the right"] * (flow == "right")
    if flow in {"left", "right"} and look.block_background != look.root_background:
        marks.append("styled with float")  # a block is not drawn behind what floats in it
    if tag in WITHOUT_ROOM and flow != "inline":
        marks.append("styled with display")
    if look.struck_size and not _keeps_struck(tag, flow, own.look.size / look.struck_size):
        marks.append("not struck")
    marks += _judge_attributes(tag, attributes, shown, look)
    if tag in _RAISED and look.is_raised:
        marks.append(f"styled with {tag}")
    if tag == "html" and style.list_values("font-size"):
        marks.append("styled with font-size")  # which is that of the unit rem
    written_height = attributes.get("size" if tag == "hr" else "height", "").strip()
    height = max(own.height, _read_pixels(written_height) if written_height != "100%" and tag != "img" else 0.0)
    if height > _MAX_HEIGHT:
        marks.append("styled with height")
    struck_size = own.look.size if STRUCK in marks else 0.0 if "not struck" in marks else look.struck_size
    own_look = replace(own.look, struck_size=struck_size)
    new_look = own_look if flow == "inline" else replace(own_look, block_background=own_look.background)
    if flow not in {"inline", "below"} or tag in _ROOTS:
        new_look = replace(new_look, root_background=new_look.background)
    if tag == "table":
        new_look = replace(new_look, outer_background=look.block_background)  # that of its caption
    margin = _MARGIN * (tag in PARAGRAPH_ELEMENTS - {"table"})
    around = margin + sum(_read_pixels(attributes.get(name, "")) for name in _GAPS)
    around += new_look.cell if tag in {"td", "th"} else 0.0
    room = own.lengths + height + 4 * around + new_look.height_of_line
    marks = list(dict.fromkeys(filter(None, marks)))
    return Appearance(tuple(marks), new_look, flow, height, own.gap or 2 * margin, room, _count_shadows(style))


def _keeps_struck(tag: str, flow: Flow, size: float) -> bool:
    """Returns whether a line through the letters around an element goes through its own, with their relative size.

    It goes neither through a box, nor where letters of another size are.
    """
    return (flow in {"inline", "below"} or tag in {"td", "th"}) and _MIN_RATIO <= size <= _MAX_RATIO


def has_style_sheet(events: Iterable[Event]) -> bool:
    """Returns whether a body has a style sheet, which may give any element other colours."""
    return any(
        event.kind == "start"
        and (
            event.name == "style" or (event.name == "link" and "stylesheet" in event.attributes.get("rel", "").lower())
        )
        for event in events
    )


def _count_shadows(style: ParsedStyle) -> int:
    values = (re.sub(r"\([^)]*\)", "", value) for value in style.list_values("box-shadow") - {"none"})
    return sum(value.count(",") + 1 for value in values)


def _judge_distance(look: Look, parent: Look) -> tuple[str, ...]:
    return ("far from the other texts",) if look.offset > MAX_OFFSET >= parent.offset else ()


def _read_pixels(value: str) -> float:
    """Returns the number that HTML reads at the start of an attribute."""
    number = _INTEGER.match(value)
    return float(number[1]) * (MAX_OFFSET / 100 if number[2] else 1) if number else 0.0


def _find_default_look(tag: str, attributes: Mapping[str, str], flow: Flow, look: Look) -> Look:
    if flow != "inline":
        look = replace(look, background=look.block_background, background_size=math.inf)
    size = look.size * _SIZES.get(tag, 1.0)
    if tag == "font" and (number := re.match(r"\s*([+-]?)(\d{1,3})", attributes.get("size", ""))):
        step = int(number[2]) * (-1 if number[1] == "-" else 1) + (3 if number[1] else 0)
        size = _FONT_SIZES[max(1, min(7, step)) - 1]
    look = look if size == look.size else replace(look, size=size)
    if tag in _RAISED:
        look = replace(look, is_raised=True)
    if tag in _LISTS:
        look = replace(look, list_tag=tag)
    if tag == "pre":
        look = replace(look, keeps_spaces=True)
    if tag == "table":
        look = replace(
            look, cell=sum(_read_pixels(attributes.get(name, "1")) for name in ("cellpadding", "cellspacing"))
        )
    if move := _INDENTS.get(tag, look.cell if tag in {"td", "th"} else 0.0):
        look = replace(look, offset=look.offset + move)
    return _find_default_decoration(tag, attributes, look)


def _find_default_decoration(tag: str, attributes: Mapping[str, str], look: Look) -> Look:
    if tag == OUTLOOK:
        look = replace(look, background=None)  # shapes of its own
    if tag == "caption":
        look = replace(look, background=look.outer_background, block_background=look.outer_background)
    if tag == "mark":
        look = replace(look, color=BLACK, background=YELLOW)
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
    is_hidden = "hidden" in attributes or (tag in CODE_ELEMENTS and bool(style))
    mark = NOT_DISPLAYED if is_hidden else _APPEARANCES.get(tag, "")
    if mark == STRUCK and "decoration" in style:
        return style_mark or "styled with text-decoration"  # which may leave the line out
    # A style may show the element all the same.
    is_shown = mark in {NOT_DISPLAYED, TITLE} and (style_mark or "display" in style)
    return style_mark or "styled with display" if is_shown else mark


def _judge_attributes(tag: str, attributes: Mapping[str, str], shown: Mapping[str, str], look: Look) -> list[str]:
    marks = []
    for name, value in attributes.items():
        if shown.get(name) != value and name not in _FREE_ATTRIBUTES and not is_inert_attribute(name):
            marks.append(f"with a recipient's value as {name if name in shown else 'attribute'}")
        elif name == "dir" and value.lower() not in {"ltr", "auto"}:
            marks.append("in another direction")
        elif tag == "caption" and value.lower() == "bottom":
            marks.append("below its table")
        elif name == "rowspan" and value.strip() != "1":
            marks.append(OVER_ROWS)
        elif (
            (
                _read_pixels(value) > _MAX_GAP
                if name in _GAPS
                else _has_color(name, tag, attributes) and parse_color_attribute(value) is None
            )
            or name == "nowrap"
            or (name == "type" and _has_other_sign(tag, value.lower(), look))
            or (name == "face" and not is_plain_font(value.lower()))
        ):
            marks.append(f"styled with {name}")
    return marks


def _has_other_sign(tag: str, kind: str, look: Look) -> bool:
    """Returns whether the `type` of a list or an item gives it another sign than a list of its tag has."""
    list_tag = look.list_tag if tag == "li" else tag
    return list_tag in _LISTS and (kind in _DOTS) != (list_tag != "ol")
