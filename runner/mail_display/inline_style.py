"""What an element's own style does to its text: it decorates it, strikes it, hides it, or does what is not known here.

A list of what hides text would never be complete. So it is the other way round: a style that is not written in plain
CSS, a property that is not known to decorate alone, and a value beyond its bounds are named.
"""

import re
from dataclasses import dataclass, replace

from runner.mail_display.colors import WHITE, find_background, parse_color
from runner.mail_display.look import MAIL_WIDTH, MAX_OFFSET, NOT_DISPLAYED, Look
from runner.mail_display.style_properties import decorates, in_pixels, is_plain_font

_UNREAD = "styled in a way that is not read here"
_STRING = r"\"[^\"\\\n]*\"|'[^'\\\n]*'"
# No comment, escape, block or at-rule is among them: where one of these is, browsers and mail clients differ.
_TOKEN = re.compile(
    rf"(?P<url>url\(\s*(?:{_STRING}|[^\"'()\\\s]*)\s*\))|{_STRING}|[\w.%#-]+|[,:;!()+=|?]|/(?!\*)|\s+", re.IGNORECASE
)
_MAX_CLIPPED_OFFSET, _MIN_CLIPPED_WIDTH = 60.0, 100.0  # pixels, where what does not fit is cut
_MIN_OPACITY = 0.6
_SIZES = {"xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0,
          "xx-large": 32.0, "xxx-large": 48.0, "initial": 16.0}  # fmt: skip
_RELATIVE_SIZES = {"smaller": 0.83, "larger": 1.2, "inherit": 1.0, "unset": 1.0}
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([a-z]*|%)", re.ASCII)
_FONT = re.compile(
    r"(?:(?:normal|italic|oblique|small-caps|bold|bolder|lighter|[1-9]00)\s+)*([\w.%-]+)(?:\s*/\s*([\w.%]+))?\s+(.+)"
)
_GROWING = frozenset({"td", "th", "tr", "table", "tbody", "img"})  # they grow with what is in them


@dataclass(frozen=True, slots=True)
class Style:
    """What a style does: `mark` says how a text appears, and is empty if the style only decorates.

    `addresses` are what it loads, and the gradients that it draws. Without any text, the element has the `height`, and
    `gap` around it, in pixels.
    """

    mark: str
    addresses: tuple[str, ...]
    look: Look
    height: float = 0.0
    gap: float = 0.0


def read_style(style: str, tag: str, look: Look, text_length: int = 0) -> Style:
    """Returns what a style does, in an element whose text would have the look without it.

    `text_length` is the number of characters of all texts inside.
    """
    if not style:
        return Style("", (), replace(look, is_fixed=False) if tag == "table" and look.is_fixed else look)
    addresses: list[str] = []
    declarations = _split(style, addresses)
    if declarations is None:
        return Style(_UNREAD, tuple(re.findall(r"(?:https?:)?//[^\s\"'()]+", style)), look)
    displays = {value for name, value in declarations if name == "display"}
    if tag == "table" or ("table-layout", "fixed") in declarations:
        look = replace(look, is_fixed=("table-layout", "fixed") in declarations)
    grows = tag in _GROWING and not displays and not look.is_fixed
    new_look, marks = _find_look(declarations, look, grows=grows)
    marks += [
        "struck" if "line-through" in value else "not in Outlook" if name == "mso-hide" else f"styled with {name}"
        for name, value in declarations
        if not (_decorates(name, value) and (grows or _fits(name, value, new_look, text_length)))
    ]
    mark = NOT_DISPLAYED if displays == {"none"} else marks[0] if marks else ""
    addresses += [value for name, value in declarations if name.startswith("background") and "gradient" in value]
    height = max((in_pixels(value) or 0 for name, value in declarations if name in {"height", "min-height"}), default=0)
    return Style(mark, tuple(addresses), new_look, height, _find_gap(declarations))


def _find_gap(declarations: list[tuple[str, str]]) -> float:
    """Returns the pixels of the margins and paddings above and below an element."""
    gap = 0.0
    for name, value in declarations:
        numbers = [in_pixels(number) or 0 for number in value.split()]
        if name in {"margin", "padding"} and numbers:
            gap += numbers[0] + numbers[2 if len(numbers) > 2 else 0]  # noqa: PLR2004
        elif re.fullmatch("(?:margin|padding)-(?:top|bottom)", name):
            gap += sum(numbers)
    return gap


def _split(style: str, addresses: list[str]) -> list[tuple[str, str]] | None:
    """Returns the properties of a style with their values, in lower case; None if it is not plain CSS.

    Adds its addresses to `addresses`.
    """
    tokens = _tokenize(style, addresses)
    if tokens is None:
        return None
    declarations: list[list[str]] = [[]]
    depth = 0
    for word in tokens:
        depth += (word == "(") - (word == ")")
        if depth < 0 or (depth and word == ";"):
            return None
        if word == ";":
            declarations.append([])
        else:
            declarations[-1].append(word)
    pairs = [text.partition(":") for words in declarations if (text := "".join(words).strip())]
    if depth or not all(name and colon for name, colon, _ in pairs):
        return None
    return [(name.strip(), re.sub(r" ?! ?important$", "", value.strip())) for name, _, value in pairs]


def _tokenize(style: str, addresses: list[str]) -> list[str] | None:
    tokens: list[str] = []
    position = 0
    while position < len(style):
        match = _TOKEN.match(style, position)
        if match is None or (match[0] == "(" and tokens[-1:] == ["url"]):
            return None
        position = match.end()
        if match["url"]:
            addresses.append(match[0][4:-1].strip(" \t\r\n\f\"'"))
        tokens.append("url " if match["url"] else match[0].lower() if match[0].strip() else " ")
    return tokens


def _find_look(declarations: list[tuple[str, str]], look: Look, *, grows: bool) -> tuple[Look, list[str]]:
    """Returns the look of a text inside, and what is wrong with it."""
    marks: list[str] = []
    fonts = [match for name, value in declarations if name == "font" and (match := _FONT.fullmatch(value))]
    sizes = [value for name, value in declarations if name == "font-size"] + [match[1] for match in fonts]
    if sizes:
        font_sizes = [_find_size(value, look.size) for value in sizes]
        if None in font_sizes:
            marks.append("styled with font-size")
        look = replace(look, size=min((size for size in font_sizes if size is not None), default=look.size))
    heights = [value for name, value in declarations if name == "line-height"] + [m[2] for m in fonts if m[2]]
    look = _find_line_height(heights, look, marks)
    for name, value in declarations:
        if name == "opacity" and re.fullmatch(r"\d*\.?\d+", value) and float(value) < 1:
            look = replace(look, opacity=look.opacity * float(value))
            marks += ["styled with opacity"] * (look.opacity < _MIN_OPACITY)
        elif re.match(r"(?:margin|padding|border-spacing)\b", name):
            largest = max((in_pixels(number) or 0 for number in value.split()), default=0)
            look = replace(look, offset=look.offset + largest)
            marks += [f"styled with {name}"] * (look.offset > MAX_OFFSET)
        elif name in {"width", "max-width"} and not grows and (pixels := in_pixels(value)) is not None:
            look = replace(look, room=min(look.room, pixels))
        elif name in {"background", "background-color", "background-image"}:
            is_known = re.search("url|gradient", value) or find_background(value, WHITE)
            marks += [f"styled with {name}"] * (not is_known)
            look = replace(look, background=find_background(value, look.background))
        else:
            look = _apply_property(name, value, look)
    return look, marks


def _apply_property(name: str, value: str, look: Look) -> Look:
    if name == "color":
        return replace(look, color=look.color if value == "inherit" else parse_color(value))
    if name == "white-space":
        return replace(look, keeps_spaces=value.startswith(("pre", "break-spaces")))
    return replace(look, is_clipped=True) if name.startswith("overflow") and value != "visible" else look


def _find_size(value: str, size: float) -> float | None:
    """Returns a font size in pixels, inside an element of the size; None if it is not known."""
    if value in _SIZES:
        return _SIZES[value]
    if value in _RELATIVE_SIZES:
        return size * _RELATIVE_SIZES[value]
    if not (number := _NUMBER.fullmatch(value)):
        return None
    if number[2] in {"em", "%"}:
        return size * float(number[1]) / (100 if number[2] == "%" else 1)
    return in_pixels(value) if number[2] not in {"vw", "vh"} else None


def _find_line_height(values: list[str], look: Look, marks: list[str]) -> Look:
    for value in values:
        number = _NUMBER.fullmatch(value)
        if value in {"normal", "initial"}:
            look = replace(look, line_height=0.0, relative_line_height=1.2)
        elif number and not number[2] and float(number[1]):
            look = replace(look, line_height=0.0, relative_line_height=float(number[1]))
        elif number and number[2] in {"em", "%"}:
            look = replace(look, line_height=look.size * float(number[1]) / (100 if number[2] == "%" else 1) or 0.01)
        elif number:
            look = replace(look, line_height=in_pixels(value) or 0.01)
        elif value not in {"inherit", "unset"}:
            marks.append("styled with line-height")
    return look


def _decorates(name: str, value: str) -> bool:
    if not value or name in {"font-size", "line-height"} or (value in {"inherit", "unset"} and name != "all"):
        return True
    if name in {"font", "font-family"}:
        font = _FONT.fullmatch(value) if name == "font" else None
        return is_plain_font(font[3] if font else value) and (name != "font" or font is not None)
    return parse_color(value) is not None if name == "color" else decorates(name, value)


def _fits(name: str, value: str, look: Look, text_length: int) -> bool:
    """Returns whether the texts inside have room: what has none is cut, or covered by what comes next."""
    if name in {"height", "max-height"}:
        if value in {"auto", "none", "100%"}:
            return True
        return not look.is_clipped and look.has_room_for(in_pixels(value) or 0, text_length)
    if not look.is_clipped:
        return True
    if name == "white-space":
        return value in {"normal", "pre-wrap", "pre-line"}
    if name in {"width", "max-width"}:
        return (in_pixels(value) or MAIL_WIDTH) >= _MIN_CLIPPED_WIDTH
    is_offset = re.match(r"(?:margin|padding|text-indent)\b", name) is not None
    return not is_offset or all((in_pixels(number) or 0) <= _MAX_CLIPPED_OFFSET for number in value.split())
