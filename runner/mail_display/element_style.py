"""How an element makes its text appear: as it is written, or in another way, which is named.

Elements and attributes that mails do not use are named elsewhere, once for the whole body.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from runner.mail_display.attributes import COLORS, LISTS, has_color, judge_attributes
from runner.mail_display.colors import BLACK, DARK, LINKS, WHITE, YELLOW, parse_color_attribute
from runner.mail_display.flow import Flow, find_flow
from runner.mail_display.html_events import OUTLOOK, Event
from runner.mail_display.inline_style import Style, read_style
from runner.mail_display.look import MAX_SIZE, NOT_DISPLAYED, OWN_BACKGROUND, Look
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
_MIN_RATIO, _MAX_RATIO = 0.85, 1.15
_RAISED = frozenset({"sub", "sup"})
_LINED = frozenset({"a", "abbr", "acronym", "del", "ins", "s", "strike", "u"})
_PAINTING = frozenset({"bgcolor", "background", "border", "frame", "rules"})
_UNPAINTED = frozenset({"none", "0", "0px", "transparent", "inherit", "initial", "unset"})
_FONT_SIZE = re.compile(r"[ \t\r\n\f]*([+-]?)([0-9])[ \t\r\n\f]*")
_HTML_SPACE = " \t\r\n\f"
_WIDTH = re.compile(r"(\d{1,4}(?:\.\d+)?)(%?)(?:px)?")


@dataclass(frozen=True, slots=True)
class Appearance:
    """How an element appears. `marks` say what it does to its text other than to decorate it.

    `paints`: it is seen even without a text. `is_lined`: a line is drawn along its text.
    """

    marks: tuple[str, ...]
    look: Look
    flow: Flow
    paints: bool = False
    is_lined: bool = False


def describe_element(event: Event, shown: Mapping[str, str], look: Look) -> Appearance:
    """Returns how an element appears, in which a text would have the look.

    `shown` are the attributes as they are displayed, in which values are replaced by others.
    """
    tag, attributes = event.name, event.attributes
    style = _parse_style_of(tag, attributes)
    flow, wrong_property = find_flow(tag, style, attributes.get("align", "").strip(_HTML_SPACE).lower())
    if look.is_row and flow in {"inline", "below"}:
        flow = "beside"
    is_column = tag in {"td", "th"} or "100%" in style.list_values("width") or style.list_values("min-width")
    is_beside = look.is_beside or flow in {"left", "right", "box"} or (flow == "beside" and not is_column)
    default_look = _find_default_look(tag, attributes, flow, look)
    default_look = replace(default_look, is_row=_is_row(tag, style), is_beside=is_beside)
    own = read_style(style, tag, flow, default_look, look)
    if shown.get("style", "") != attributes.get("style", ""):
        own, wrong_property = Style((), default_look), ""  # what a recipient's value does is not printed: it is named
    named = [f"styled with {wrong_property}"] if wrong_property else [*own.marks]
    marks = [
        _find_own_mark(tag, attributes, named[0] if named else ""),
        *named,
        *_judge_place(tag, flow),
        *_judge_size(tag, style, flow, own.look, look),
        *judge_attributes(tag, attributes, shown, look),
    ]
    if STRUCK in marks and own.look.describe_text():
        marks[marks.index(STRUCK)] = "styled with text-decoration"  # in the colour of the text
    has_background = _has_background(tag, attributes) if own.has_background is None else own.has_background
    if look.struck_size and (has_background or not _keeps_struck(tag, flow, own.look.size / look.struck_size)):
        marks.append("perhaps not struck")
    struck_size = own.look.size if STRUCK in marks else 0.0 if "perhaps not struck" in marks else look.struck_size
    new_look = own.look if struck_size == own.look.struck_size else replace(own.look, struck_size=struck_size)
    if tag == "body" and has_background and look.backgrounds == (WHITE,):  # it is drawn behind all of the page
        own_colors = new_look.backgrounds[1:]
        new_look = replace(new_look, backgrounds=own_colors) if own_colors and None not in own_colors else new_look
    if tag == "html" and has_background:  # then that of <body> is not
        new_look = replace(new_look, backgrounds=(WHITE, *new_look.backgrounds))
    return Appearance(
        marks=tuple(dict.fromkeys(filter(None, marks))),
        look=new_look,
        flow=flow,
        paints=(flow != "below" or look.is_beside) and tag not in {"td", "th"} and _paints(style, attributes),
        is_lined=_is_lined(tag, style),
    )


def _is_row(tag: str, style: ParsedStyle) -> bool:
    return tag != "table" and style.list_values("display") == {"table"}


def _parse_style_of(tag: str, attributes: Mapping[str, str]) -> ParsedStyle:
    """Returns the style of an element and its width. The style comes after the attribute, and counts for more."""
    width = _WIDTH.fullmatch(attributes.get("width", "").strip(_HTML_SPACE)) if tag != "img" else None
    start = f"width:{width[1]}{width[2] or 'px'};" if width else ""
    return parse_style(start + attributes.get("style", ""))


def _has_background(tag: str, attributes: Mapping[str, str]) -> bool:
    return has_color("bgcolor", tag, attributes) or bool(attributes.get("background", ""))


def _is_lined(tag: str, style: ParsedStyle) -> bool:
    values = [value for name, value in style.declarations or () if name.startswith("text-decoration")]
    return any(value != "none" for value in values) if values else tag in _LINED


def _paints(style: ParsedStyle, attributes: Mapping[str, str]) -> bool:
    """Returns whether a border or a background is drawn, also without a text: a sign could be made of it."""
    return not _PAINTING.isdisjoint(attributes) or any(
        re.match(r"border(?!.*(?:radius|collapse|spacing))|background", name) and value not in _UNPAINTED
        for name, value in style.declarations or ()
    )


def _judge_place(tag: str, flow: Flow) -> Iterator[str]:
    if flow == "right":
        yield "at the right"
    if (tag in WITHOUT_ROOM and flow != "inline") or (tag == "hr" and flow != "below"):
        yield "styled with display"
    if tag == "mark":
        yield OWN_BACKGROUND


def _judge_size(tag: str, style: ParsedStyle, flow: Flow, own: Look, look: Look) -> Iterator[str]:
    if own.size > MAX_SIZE >= look.size:
        yield own.describe_size()  # also of a line or an underline, where no text has the size
    if _is_lined(tag, style) and own.height_of_line < own.size:
        yield "styled with line-height"  # an underline as thick as large letters need would cover the next line
    if tag in _RAISED and (style.list_values("vertical-align") or flow != "inline"):
        yield "styled with vertical-align" if flow == "inline" else "styled with display"
    if tag in _RAISED and look.is_raised:
        yield f"styled with {tag}"
    if tag == "html" and style.list_values("font-size"):
        yield "styled with font-size"  # which is that of the unit rem


def _keeps_struck(tag: str, flow: Flow, size: float) -> bool:
    """Returns whether a line through the letters around an element goes through its own, with their relative size.

    It goes neither through a box, nor where letters of another size are.
    """
    return (
        tag not in _RAISED and (flow in {"inline", "below"} or tag in {"td", "th"}) and _MIN_RATIO <= size <= _MAX_RATIO
    )


def find_page_look(events: Iterable[Event]) -> Look:
    """Returns the look of a text outside of all elements of a body."""
    starts = [event for event in events if event.kind == "start"]
    has_sheet = any(
        event.name == "style" or (event.name == "link" and "stylesheet" in event.attributes.get("rel", "").lower())
        for event in starts
    )
    has_shadow = any("box-shadow" in event.attributes.get("style", "").lower() for event in starts)
    themes = [event.attributes.get("content", "").lower() for event in starts if _is_theme(event)]
    is_dark = any("dark" in theme and "light" not in theme for theme in themes)
    return Look(has_sheet=has_sheet, has_shadow=has_shadow, backgrounds=(DARK,) if is_dark else (WHITE,))


def _is_theme(event: Event) -> bool:
    return event.name == "meta" and event.attributes.get("name", "").strip(_HTML_SPACE).lower() == "color-scheme"


def _find_default_look(tag: str, attributes: Mapping[str, str], flow: Flow, look: Look) -> Look:
    if flow in {"left", "right"}:  # a background may end before what floats
        look = replace(look, backgrounds=(WHITE, *look.backgrounds))
    size = look.size * _SIZES.get(tag, 1.0)
    if tag == "font" and (number := _FONT_SIZE.fullmatch(attributes.get("size", ""))):
        step = int(number[2]) * (-1 if number[1] == "-" else 1) + (3 if number[1] else 0)
        size = _FONT_SIZES[max(1, min(7, step)) - 1]
    look = look if size == look.size else replace(look, size=size)
    if tag in _RAISED:
        look = replace(look, is_raised=True)
    if tag in LISTS:
        look = replace(look, list_tag=tag)
    if tag == "pre":
        look = replace(look, keeps_spaces=True)
    return _find_default_decoration(tag, attributes, look)


def _find_default_decoration(tag: str, attributes: Mapping[str, str], look: Look) -> Look:
    if tag == OUTLOOK:
        look = replace(look, backgrounds=(None,))  # shapes of its own
    if tag == "mark":
        look = replace(look.add_background(YELLOW), color=BLACK)
    return _find_default_colors(tag, attributes, look) if attributes else look


def _find_default_colors(tag: str, attributes: Mapping[str, str], look: Look) -> Look:
    if tag == "a" and "href" in attributes:
        # A link has one of several colours, and must be seen in all of them.
        unseen = (color for color in look.links if not look.is_seen_in(color))
        look = replace(look, color=next(unseen, look.links[0]))
    if has_color("bgcolor", tag, attributes):
        look = look.add_background(parse_color_attribute(attributes["bgcolor"]))
    if attributes.get("background") and tag in COLORS["bgcolor"]:
        look = look.add_background(None)  # a picture, which is named
    for name in ("color", "text"):
        if has_color(name, tag, attributes):
            look = replace(look, color=parse_color_attribute(attributes[name]))
    if tag == "body":
        names = [name for name in (*LINKS, "alink") if has_color(name, tag, attributes)]
        own = {name: parse_color_attribute(attributes[name]) for name in names}
        look = replace(look, links=tuple((LINKS | own).values()))
    return look


def _find_own_mark(tag: str, attributes: Mapping[str, str], style_mark: str) -> str:
    style = attributes.get("style", "").lower()
    if attributes.get("hidden", "").lower() == "until-found":
        return "styled with hidden"  # which hides the text of a block alone, and not its box
    is_hidden = "hidden" in attributes or (tag in CODE_ELEMENTS and bool(style))
    mark = NOT_DISPLAYED if is_hidden else _APPEARANCES.get(tag, "")
    if mark == STRUCK and "decoration" in style:
        return style_mark or "styled with text-decoration"  # which may leave the line out
    # A style may show the element all the same.
    is_shown = mark in {NOT_DISPLAYED, TITLE} and (style_mark or "display" in style)
    return style_mark or "styled with display" if is_shown else mark
