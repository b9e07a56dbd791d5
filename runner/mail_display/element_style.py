"""How an element makes its text appear: as it is written, or in another way, which is named.

Elements and attributes that mails do not use are named elsewhere, once for the whole body.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from runner.mail_display.attributes import COLORS, GAPS, LISTS, has_color, judge_attributes, read_pixels
from runner.mail_display.colors import BLACK, YELLOW, is_seen, parse_color_attribute
from runner.mail_display.flow import Flow, find_flow
from runner.mail_display.html_events import OUTLOOK, Event
from runner.mail_display.inline_style import read_style
from runner.mail_display.look import MAX_OFFSET, MAX_SIZE, NOT_DISPLAYED, Look
from runner.mail_display.style_parser import ParsedStyle, parse_style
from runner.mail_elements import split_names

IN_OUTLOOK = "in Outlook alone"
WITHOUT_ROOM = split_names("area base link meta param source track wbr")  # elements that are never drawn
VOID_ELEMENTS = split_names("area base br col embed hr img input link meta param source track wbr")
TITLE = "title"
STRUCK = "struck"
_APPEARANCES = {OUTLOOK: IN_OUTLOOK, "title": TITLE, "s": STRUCK, "strike": STRUCK, "del": STRUCK,
                "caption": "caption"}  # fmt: skip
CODE_ELEMENTS = frozenset({"style", "script"})  # which are not displayed
_SIZES = {"small": 0.83, "big": 1.2, "sub": 0.83, "sup": 0.83, "h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67}
_FONT_SIZES = (10.0, 13.0, 16.0, 18.0, 24.0, 32.0, 48.0)
PARAGRAPH_ELEMENTS = split_names("blockquote h1 h2 h3 h4 h5 h6 ol p pre table ul")
_MARGIN = 16.0  # pixels above and below them; for a headline a little more
_MIN_RATIO, _MAX_RATIO = 0.75, 1.3
_RAISED = frozenset({"sub", "sup"})
_UNPAINTED = frozenset({"none", "0", "0px", "transparent", "inherit", "initial", "unset"})
_UNDERLINED = frozenset({"a", "u", "ins"})
_INDENTS = dict.fromkeys(("ul", "ol", "dd", "blockquote", "figure"), 40.0) | {"sub": 5.0, "sup": 5.0}  # pixels
_MAX_HEIGHT = 400.0  # of which all may be above a text
_WIDTH = re.compile(r"\d{1,6}(?:\.\d+)?%?")


@dataclass(frozen=True, slots=True)
class Appearance:
    """How an element appears. `marks` say what it does to its text other than to decorate it.

    Without any text, the element has the `height`, and `gap` around it, in pixels, takes no more than `room` in any
    direction, and moves what stands behind it by `move`. `paints`: it is seen even without a text. `stands_apart`: in a
    line it has room of its own. `shadows` is the number of them.
    """

    marks: tuple[str, ...]
    look: Look
    flow: Flow
    height: float = 0.0
    gap: float = 0.0
    room: float = 0.0
    move: float = 0.0
    paints: bool = False
    stands_apart: bool = False
    shadows: int = 0


def describe_element(event: Event, shown: Mapping[str, str], look: Look) -> Appearance:
    """Returns how an element appears, in which a text would have the look.

    `shown` are the attributes as they are displayed, in which values are replaced by others.
    """
    tag, attributes = event.name, event.attributes
    style = _parse_style_of(tag, attributes)
    flow, wrong_property = find_flow(tag, style, attributes.get("align", "").strip().lower())
    default_look = _find_default_look(tag, attributes, flow, look)
    own = read_style(style, tag, flow, default_look, look)
    named = [f"styled with {wrong_property}"] if wrong_property else [*own.marks]
    height = _find_height(tag, attributes, own.height)
    marks = [
        _find_own_mark(tag, attributes, named[0] if named else ""),
        *named,
        *_judge_distance(default_look, look),
        *_judge_place(tag, flow),
        *_judge_size(tag, style, own.look, look),
        *judge_attributes(tag, attributes, shown, look),
        *(["styled with height"] if height > _MAX_HEIGHT else []),
    ]
    if STRUCK in marks and own.look.describe_text():
        marks[marks.index(STRUCK)] = "styled with text-decoration"  # in the colour of the text
    if look.struck_size and not _keeps_struck(tag, flow, own.look.size / look.struck_size):
        marks.append("not struck")
    struck_size = own.look.size if STRUCK in marks else 0.0 if "not struck" in marks else look.struck_size
    has_background = own.has_background or _has_background(tag, attributes)
    is_sure = has_background and (own.is_background_sure or tag == "body")
    new_look = _set_lines(own.look, struck_size, _find_underline(tag, style, own.look))
    new_look = _set_backgrounds(tag, flow, new_look, look, is_sure=is_sure)
    margin = _MARGIN * (tag in PARAGRAPH_ELEMENTS - {"table"})
    around = margin + sum(read_pixels(value) for name, value in attributes.items() if name in GAPS)
    around += new_look.cell if tag in {"td", "th"} else 0.0
    return Appearance(
        marks=tuple(dict.fromkeys(filter(None, marks))),
        look=new_look,
        flow=flow,
        height=height,
        gap=own.gap or 2 * margin,
        room=own.lengths + height + 4 * around + new_look.height_of_line,
        move=own.lengths if flow == "inline" else 0.0,
        stands_apart=flow == "box" or (flow == "inline" and own.lengths > 0),
        paints=flow in {"inline", "box"} and _paints(style),
        shadows=_count_shadows(style),
    )


def _parse_style_of(tag: str, attributes: Mapping[str, str]) -> ParsedStyle:
    """Returns the style of an element and its width. The style comes after the attribute, and counts for more."""
    width = attributes.get("width", "").strip() if tag != "img" else ""
    unit = "" if width.endswith("%") else "px"
    return parse_style(f"width:{width}{unit};" * bool(_WIDTH.fullmatch(width)) + attributes.get("style", ""))


def _has_background(tag: str, attributes: Mapping[str, str]) -> bool:
    return has_color("bgcolor", tag, attributes) or bool(attributes.get("background", "").strip())


def _paints(style: ParsedStyle) -> bool:
    """Returns whether a border or a background is drawn, also without a text: a sign could be made of it."""
    return any(
        re.match(r"border(?!.*(?:radius|collapse|spacing))|background", name) and value not in _UNPAINTED
        for name, value in style.declarations or ()
    )


def _set_lines(look: Look, struck: float, underline: float) -> Look:
    is_same = (struck, underline) == (look.struck_size, look.underline_size)
    return look if is_same else replace(look, struck_size=struck, underline_size=underline)


def _find_underline(tag: str, style: ParsedStyle, look: Look) -> float:
    """Returns the size of the largest letters that have a line below them."""
    values = style.list_values("text-decoration") | style.list_values("text-decoration-line")
    is_underlined = any("underline" in value for value in values) or (tag in _UNDERLINED and "none" not in values)
    return max(look.underline_size, look.size) if is_underlined else look.underline_size


def _set_backgrounds(tag: str, flow: Flow, look: Look, around: Look, *, is_sure: bool) -> Look:
    """Returns the look of what is in an element, with the backgrounds that are drawn behind it.

    `is_sure`: the element has one that is drawn behind all of its text.
    """
    if flow != "inline":
        look = replace(look, block_background=look.background)
    if tag == "table":
        look = replace(look, caption_background=around.sure_background)
    return replace(look, sure_background=look.background) if is_sure else look


def _find_height(tag: str, attributes: Mapping[str, str], of_style: float) -> float:
    written = attributes.get("size" if tag == "hr" else "height", "").strip()
    return max(of_style, read_pixels(written) if written != "100%" and tag != "img" else 0.0)


def _judge_place(tag: str, flow: Flow) -> Iterator[str]:
    if flow == "right":
        yield "at the right"
    if tag in WITHOUT_ROOM and flow != "inline":
        yield "styled with display"


def _judge_size(tag: str, style: ParsedStyle, own: Look, look: Look) -> Iterator[str]:
    if own.size > MAX_SIZE >= look.size:
        yield own.describe_size()  # also of a line or an underline, where no text has the size
    if tag in _RAISED and style.list_values("vertical-align"):
        yield "styled with vertical-align"
    if tag in _RAISED and look.is_raised:
        yield f"styled with {tag}"
    if tag == "html" and style.list_values("font-size"):
        yield "styled with font-size"  # which is that of the unit rem


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


def _find_default_look(tag: str, attributes: Mapping[str, str], flow: Flow, look: Look) -> Look:
    if flow != "inline":
        look = replace(look, background=look.block_background)
    size = look.size * _SIZES.get(tag, 1.0)
    if tag == "font" and (number := re.match(r"\s*([+-]?)(\d{1,3})", attributes.get("size", ""))):
        step = int(number[2]) * (-1 if number[1] == "-" else 1) + (3 if number[1] else 0)
        size = _FONT_SIZES[max(1, min(7, step)) - 1]
    look = look if size == look.size else replace(look, size=size)
    if tag in _RAISED:
        look = replace(look, is_raised=True)
    if tag in LISTS:
        look = replace(look, list_tag=tag, list_indent=_INDENTS["ol"])
    if tag == "pre":
        look = replace(look, keeps_spaces=True)
    if tag == "table":
        look = replace(
            look,
            cell=sum(read_pixels(attributes.get(name, "1")) for name in ("cellpadding", "cellspacing"))
            + read_pixels(attributes.get("border", "0")),
        )
    if move := _INDENTS.get(tag, look.cell if tag in {"td", "th"} else 0.0):
        look = replace(look, offset=look.offset + move)
    return _find_default_decoration(tag, attributes, look)


def _find_default_decoration(tag: str, attributes: Mapping[str, str], look: Look) -> Look:
    if tag == OUTLOOK:
        look = replace(look, background=None, sure_background=None)  # shapes of its own
    if tag == "caption":
        around = look.caption_background
        look = replace(look, background=around, block_background=around, sure_background=around)
    if tag == "mark":
        look = replace(look, color=BLACK, background=YELLOW)
    return _find_default_colors(tag, attributes, look) if attributes else look


def _find_default_colors(tag: str, attributes: Mapping[str, str], look: Look) -> Look:
    if tag == "a" and "href" in attributes:
        # A link has one of several colours, and must be seen in all of them.
        unseen = (color for color in look.links if not is_seen(color, look.background))
        look = replace(look, color=next(unseen, look.links[0]))
    if attributes.get("background", "").strip() and tag in COLORS["bgcolor"]:
        look = replace(look, background=None)  # a picture, which is named
    elif has_color("bgcolor", tag, attributes):
        look = replace(look, background=parse_color_attribute(attributes["bgcolor"]))
    for name in ("color", "text"):
        if has_color(name, tag, attributes):
            look = replace(look, color=parse_color_attribute(attributes[name]))
    if tag == "body":
        names = [name for name in ("link", "vlink", "alink") if has_color(name, tag, attributes)]
        links = [parse_color_attribute(attributes[name]) for name in names]
        look = replace(look, links=(*links, *look.links * ("link" not in names)))
    return look


def _find_own_mark(tag: str, attributes: Mapping[str, str], style_mark: str) -> str:
    style = attributes.get("style", "").lower()
    is_hidden = "hidden" in attributes or (tag in CODE_ELEMENTS and bool(style))
    mark = NOT_DISPLAYED if is_hidden else _APPEARANCES.get(tag, "")
    if mark == STRUCK and "decoration" in style:
        return style_mark or "styled with text-decoration"  # which may leave the line out
    # A style may show the element all the same.
    is_shown = mark in {NOT_DISPLAYED, TITLE} and (style_mark or "display" in style)
    return style_mark or "styled with display" if is_shown else mark
