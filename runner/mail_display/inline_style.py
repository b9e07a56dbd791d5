"""What an element's own style does to its text: it decorates it, strikes it, hides it, or does what is not known here.

A list of what hides text would never be complete, and nothing here can lay out a page. So each property is judged by
itself, by a list of those that only decorate. All others are named, and so is a style that is not written in plain CSS.
"""

import re
from dataclasses import dataclass, replace

from runner.mail_display.colors import adds_no_background, parse_background, parse_color
from runner.mail_display.flow import Flow
from runner.mail_display.look import NOT_DISPLAYED, OWN_BACKGROUND, Look
from runner.mail_display.style_parser import ParsedStyle
from runner.mail_display.style_properties import BOUNDS, NUMBER, decorates, in_pixels, is_plain_font

_UNREAD = "styled in a way that is not read here"
_SIZES = {"xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0,
          "xx-large": 32.0, "xxx-large": 48.0, "initial": 16.0}  # fmt: skip
_RELATIVE_SIZES = {"smaller": 0.83, "larger": 1.2, "inherit": 1.0, "unset": 1.0}
_NUMBER = re.compile(rf"({NUMBER})([a-z]*|%)", re.ASCII)
# What a property does with one value.
_KNOWN = {
    ("text-decoration", "line-through"): "struck", ("text-decoration-line", "line-through"): "struck",
    ("mso-hide", "all"): "not in Outlook",
}  # fmt: skip
_INHERITED = frozenset({"inherit", "unset"})
# Properties that may have such a value: those that elements inherit anyway, and the background, which shines through.
_TEXT_PROPERTY = re.compile(
    r"color|font(?:-.*)?|line-height|(?:text|letter|word)(?:-.*)?|white-space|background(?:-color)?|direction"
)
_GROWING = frozenset({"td", "th", "tr", "table", "tbody", "thead", "tfoot", "img"})  # they grow with what is in them
_PICTURE = re.compile(r"url\(|gradient\(")
# What stands in a background besides a picture and a colour. Browsers refuse a value with anything else.
_PICTURE_WORD = re.compile(
    r"no-repeat|repeat(?:-[xy])?|center|top|bottom|left|right|/|cover|contain|auto|scroll|[\d.]+(?:px|%)?"
)
_UNPAINTED = frozenset({"none", "transparent", "initial", "unset"})
_NO_BORDERS = {
    "style": re.compile(r"none(?: none)*|hidden"),
    "width": re.compile(r"0(?:px)?(?: 0(?:px)?)*"),
    "": re.compile(r"(?:none|0(?:px)?)(?: (?:none|solid|transparent|black|white|#[0-9a-f]{3,6}))*"),
}
_WHOLE = frozenset({"auto", "none", "100%"})
_MIN_WIDTH, _WHOLE_WIDTH = 100.0, 600.0  # pixels
_MIN_FIXED = 300.0  # pixels: in a narrower table whose cells do not grow, one lies over the other
_MAX_EMPTY_LINE = 250.0  # pixels: above and below letters, or where there are none
_SIDEWAYS = re.compile(r"0(?:px)? -1px")  # a margin with which columns of inline-block fit into a line


@dataclass(frozen=True, slots=True)
class Style:
    """What a style does: `marks` say how a text appears; none if the style only decorates.

    `has_background`: whether it gives the element a background; None if it says nothing of it.
    """

    marks: tuple[str, ...]
    look: Look
    has_background: bool | None = None


def read_style(style: ParsedStyle, tag: str, flow: Flow, look: Look, around: Look) -> Style:
    """Returns what a style does, in an element whose text would have the look without it, and that stands in another.

    The text itself is judged with the look that is returned.
    """
    if style.declarations is None:
        return Style((_UNREAD,), look)
    if tag == "table" or "fixed" in style.list_values("table-layout"):
        look = replace(look, is_fixed="fixed" in style.list_values("table-layout"))
    displays = style.list_values("display")
    new_look, marks = _find_look(style, look, around)
    grows = tag in _GROWING and not displays and not look.is_fixed
    width = min((in_pixels(value, look.size) or 0 for value in style.list_values("width") - _WHOLE), default=0)
    widths = (in_pixels(value, look.size) or 0 for value in style.list_values("min-width"))
    is_column = flow in {"box", "beside"} and max(widths, default=0) >= _MIN_WIDTH
    for name, value in style.declarations:
        fits = _fits(name, value, tag, flow, new_look.size, grows=grows, keeps_spaces=look.keeps_spaces, width=width)
        # Those of several narrow elements, or one above the other, add up.
        is_shifted = name.startswith("margin") and "-" in value and not (is_column and _SIDEWAYS.fullmatch(value))
        if not (fits and not is_shifted and _decorates(name, value, new_look.size)):
            marks.append(_describe(style, name, value, new_look.size))
    if look.is_fixed and tag in {"td", "th", "col"} and "100%" in style.list_values("width"):
        marks.append("styled with width")  # which leaves no room for the other cells
    if flow == "inline" and any(_is_painted_in_line(*one) for one in style.declarations):
        marks.append(OWN_BACKGROUND)
    if displays == {"none"}:
        marks = [NOT_DISPLAYED]
    return Style(
        marks=_choose_marks(marks),
        look=new_look,
        has_background=_draws_background(style),
    )


def _draws_background(style: ParsedStyle) -> bool | None:
    """Returns whether the last declaration of a background draws one; None without any."""
    names = {"background", "background-color", "background-image"}
    declared = [one for one in style.declarations or () if one[0] in names]
    return any(not adds_no_background(*one) for one in declared) if declared else None


def _describe(style: ParsedStyle, name: str, value: str, size: float) -> str:
    if name in {"height", "min-height"}:
        pixels = in_pixels(value, size)
        if pixels is None or pixels > BOUNDS[name][1]:
            return f"styled with a large {name}"
    mark = _KNOWN.get((name, value), f"styled with {name}")
    lines = [each for each, _ in style.declarations or () if each.startswith("text-decoration")]
    # Another declaration may give the line the colour of the background, or take it away.
    return f"styled with {name}" if mark == "struck" and len(lines) > 1 else mark


def _choose_marks(marks: list[str]) -> tuple[str, ...]:
    """Returns the marks of a style: first what is known, then the properties of which no more is known."""
    known = dict.fromkeys(mark for mark in marks if not mark.startswith("styled"))
    return (*known, *dict.fromkeys(mark for mark in marks if mark not in known))


def _is_painted_in_line(name: str, value: str) -> bool:
    """Returns whether a property draws a background, which covers the lines above and below an element in a line."""
    return name in {"background", "background-color", "background-image"} and value not in _UNPAINTED


def _find_look(style: ParsedStyle, look: Look, around: Look) -> tuple[Look, list[str]]:
    """Returns the look of a text inside, and what is wrong with it."""
    marks: list[str] = []
    if sizes := {_find_size(value, around.size) for value in style.list_values("font-size")}:
        known = [size for size in sizes if size is not None]
        marks += ["styled with font-size"] * (len(known) < len(sizes) or len(sizes) > 1)
        look = replace(look, size=min(known)) if len(known) == len(sizes) else look
    for name, value in style.declarations or ():
        if name == "line-height":
            look = _find_line_height(value, look, around, marks)
        elif name == "letter-spacing":
            spacing = around.letter_spacing if value in _INHERITED else in_pixels(value, look.size) or 0
            look = replace(look, letter_spacing=spacing)
        elif name == "color":
            look = replace(look, color=around.color if value in _INHERITED else parse_color(value))
        elif name in {"background", "background-color", "background-image"}:
            look = _add_background(name, value, look, around, marks)
    marks += ["styled with line-height"] * (look.height_of_line > _MAX_EMPTY_LINE >= around.height_of_line)
    return look, marks


def _add_background(name: str, value: str, look: Look, around: Look, marks: list[str]) -> Look:
    if adds_no_background(name, value):
        return look.add_background(around.backgrounds[-1])
    is_picture = name != "background-color" and _PICTURE.search(value) is not None
    if is_picture:  # which may be absent, or let a colour shine through
        words = value.split()
        for word in words:
            look = look.add_background(known) if (known := parse_color(word)) else look
        others = [word for word in words if word != "url()" and not _PICTURE_WORD.fullmatch(word)]
        is_refused = len([word for word in others if not parse_color(word)]) > 0 or len(others) > 1
        marks += [f"styled with {name}"] * (is_refused and "gradient" not in value)
    color = None if is_picture or name == "background-image" else parse_background(name, value)
    marks += [f"styled with {name}"] * (color is None and not is_picture)
    return look.add_background(color)


def _find_size(value: str, size: float) -> float | None:
    """Returns a font size in pixels, inside an element of the size; None if it is not known."""
    if value in _SIZES:
        return _SIZES[value]
    if value in _RELATIVE_SIZES:
        return size * _RELATIVE_SIZES[value]
    number = _NUMBER.fullmatch(value)
    if number is None:
        return None
    if not number[2] and float(number[1]):
        return None  # it depends on the page around the mail whether a size without a unit counts
    return size * float(number[1]) / 100 if number[2] == "%" else in_pixels(value, size)


def _find_line_height(value: str, look: Look, around: Look, marks: list[str]) -> Look:
    number = _NUMBER.fullmatch(value)
    if value in _INHERITED:
        return replace(look, line_height=around.line_height, relative_line_height=around.relative_line_height)
    if value in {"normal", "initial"}:
        return replace(look, line_height=0.0, relative_line_height=1.2)
    if number is None:
        marks.append("styled with line-height")
        return look
    if not number[2] and float(number[1]):
        return replace(look, line_height=0.0, relative_line_height=float(number[1]))
    pixels = look.size * float(number[1]) / 100 if number[2] == "%" else in_pixels(value, look.size)
    marks += ["styled with line-height"] * (pixels is None)
    return replace(look, line_height=pixels or 0.01)


def _decorates(name: str, value: str, size: float) -> bool:
    is_whole = value in _WHOLE and name in {"height", "max-height"}
    if is_whole or name in {"font-size", "line-height"} or (value in _INHERITED and _TEXT_PROPERTY.fullmatch(name)):
        return True
    if name == "font-family":
        return is_plain_font(value)
    return parse_color(value) is not None if name == "color" else decorates(name, value, size)


def _fits(
    name: str, value: str, tag: str, flow: Flow, size: float, *, grows: bool, keeps_spaces: bool, width: float
) -> bool:
    """Returns whether a property only decorates on this element."""
    largest = max((in_pixels(word, size) or 0 for word in value.split()), default=0)
    if name in {"height", "max-height"}:
        return grows or value in _WHOLE
    if name in {"width", "max-width", "min-width"} and "%" in value:
        return (in_pixels(value, size) or 0) <= _WHOLE_WIDTH and (grows or value in _WHOLE or largest >= _MIN_WIDTH)
    if name in {"width", "max-width"}:
        is_wide_enough = grows and (name == "width" or tag == "img")
        return is_wide_enough or value in _WHOLE or largest >= _MIN_WIDTH
    if name == "vertical-align":
        return flow != "inline" or tag == "img" or value == "baseline"
    if name == "table-layout":
        return value != "fixed" or not 0 < width < _MIN_FIXED
    if name == "white-space":
        return not keeps_spaces  # which it could end
    if name in {"clear", "box-shadow"}:
        return flow == "below"
    if name.startswith("border") and flow == "inline" and tag != "img":  # a line could be drawn through letters
        kind = next((kind for kind in ("style", "width") if name.endswith(kind)), "")
        return "radius" in name or "color" in name or _NO_BORDERS[kind].fullmatch(value) is not None
    return True
