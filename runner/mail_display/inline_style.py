"""What an element's own style does to its text: it decorates it, strikes it, hides it, or does what is not known here.

A list of what hides text would never be complete. So it is the other way round: a style that is not written in plain
CSS, a property that is not known to decorate alone, and a value beyond its bounds are named.
"""

import re
from dataclasses import dataclass, replace

from runner.mail_display.colors import BLACK, WHITE, Color, find_background, parse_color
from runner.mail_display.look import MAIL_WIDTH, MAX_OFFSET, NOT_DISPLAYED, Look
from runner.mail_display.style_properties import NUMBER, decorates, in_pixels, is_plain_font

_UNREAD = "styled in a way that is not read here"
_STRING = r"\"[^\"\\\n]*\"|'[^'\\\n]*'"
_SPACE = r"[ \t\r\n\f]"
# No comment, escape, block or at-rule is among them: where one of these is, browsers and mail clients differ. Of names
# beyond ASCII, those of East Asian fonts are known.
_TOKEN = re.compile(
    rf"(?P<url>url\({_SPACE}*(?:{_STRING}|[^\"'()\\\s]*){_SPACE}*\))|{_STRING}|[\w.%#\u3041-\u9fff\uac00-\ud7a3-]+|"
    rf"[,:;!()+=|?]|/(?!\*)|{_SPACE}+",
    re.IGNORECASE | re.ASCII,
)
_MAX_CLIPPED_OFFSET, _MIN_CLIPPED_WIDTH = 60.0, 100.0  # pixels, where what does not fit is cut
_MIN_OPACITY = 0.6
_SIZES = {"xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0,
          "xx-large": 32.0, "xxx-large": 48.0, "initial": 16.0}  # fmt: skip
_RELATIVE_SIZES = {"smaller": 0.83, "larger": 1.2, "inherit": 1.0, "unset": 1.0}
_NUMBER = re.compile(rf"({NUMBER})([a-z]*|%)", re.ASCII)
_IMPORTANT = re.compile(r" ?! ?important$")
_INHERITED = frozenset({"inherit", "unset"})
# Properties that may have such a value: those that elements inherit anyway, and the background, which shines through.
_TEXT_PROPERTY = re.compile(
    r"color|font(?:-.*)?|line-height|(?:text|letter|word|list-style)(?:-.*)?|white-space|background(?:-color)?|direction"
)
_FONT = re.compile(
    r"(?:bold italic )?(?:(?:normal|italic|oblique) )?(?:(?:normal|small-caps) )?"
    r"(?:(?:normal|bold|bolder|lighter|[1-9]00) )?"
    r"(?!in|un)([\w.%-]+)(?: ?/ ?(?!in|un)([\w.%]+))? (?!inherit$|unset$)(.+)"
)
# Signs of the items of a list that are those of the other kind of list.
_OTHER_SIGNS = {"ol": re.compile("none|disc|circle|square"), "ul": re.compile("decimal|alpha|latin|roman")}
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


def read_style(style: str, tag: str, look: Look, text_length: int = 0, around: Look | None = None) -> Style:
    """Returns what a style does, in an element whose text would have the look without it.

    `text_length` is the number of characters of all texts inside. `around` is the look around the element.
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
    new_look, marks = _find_look(declarations, look, around or look, grows=grows)
    marks += [
        "struck" if "line-through" in value else "not in Outlook" if name == "mso-hide" else f"styled with {name}"
        for name, value in declarations
        if (name.startswith("list-style") and tag in _OTHER_SIGNS and _OTHER_SIGNS[tag].search(value))
        or not (_decorates(name, value, new_look.size) and (grows or _fits(name, value, new_look, text_length)))
    ]
    mark = NOT_DISPLAYED if displays == {"none"} else marks[0] if marks else ""
    addresses += [value for name, value in declarations if name.startswith("background") and "gradient" in value]
    heights = [value for name, value in declarations if name in {"height", "min-height"}]
    height = max((in_pixels(value, new_look.size) or 0 for value in heights), default=0)
    return Style(mark, tuple(addresses), new_look, height, _find_gap(declarations, new_look.size))


def _find_gap(declarations: list[tuple[str, str]], size: float) -> float:
    """Returns the pixels of the margins and paddings above and below an element."""
    gap = 0.0
    for name, value in declarations:
        numbers = [in_pixels(number, size) or 0 for number in value.split()]
        if name in {"margin", "padding"} and numbers:
            gap += numbers[0] + numbers[2 if len(numbers) > 2 else 0]  # noqa: PLR2004
        elif re.fullmatch("(?:margin|padding)-(?:top|bottom)", name):
            gap += sum(numbers)
    return gap


def _split(style: str, addresses: list[str]) -> list[tuple[str, str]] | None:
    """Returns the properties of a style with their values, in lower case; None if it is not plain CSS.

    Those that count for more come later. `font` is taken apart. Adds the addresses to `addresses`.
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
    plain = [(name.strip(), value.strip()) for name, _, value in pairs]
    important = [name for name, value in plain if _IMPORTANT.search(value)]
    names = [name for name, _ in plain]
    if any(names.count(name) > 1 for name in {*important}):
        return None  # not all mail clients know the word
    plain.sort(key=lambda each: _IMPORTANT.search(each[1]) is not None)
    # A browser ignores a property without a value.
    return [
        part for name, value in plain if (word := _IMPORTANT.sub("", value)) for part in _take_font_apart(name, word)
    ]


def _take_font_apart(name: str, value: str) -> list[tuple[str, str]]:
    font = _FONT.fullmatch(value) if name == "font" else None
    if font is None:
        return [(name, value)]
    return [("font-size", font[1]), ("line-height", font[2] or "normal"), ("font-family", font[3])]


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
        tokens.append("url()" if match["url"] else match[0].lower() if match[0].strip() else " ")
    return tokens


def _find_look(declarations: list[tuple[str, str]], look: Look, around: Look, *, grows: bool) -> tuple[Look, list[str]]:
    """Returns the look of a text inside, and what is wrong with it."""
    marks: list[str] = []
    if sizes := {_find_size(value, around.size) for name, value in declarations if name == "font-size"}:
        marks += ["styled with font-size"] * (None in sizes or len(sizes) > 1)
        look = replace(look, size=min((size for size in sizes if size is not None), default=look.size))
    for name, value in declarations:
        if name == "line-height":
            look = _find_line_height(value, look, around, marks)
        elif name == "opacity" and re.fullmatch(NUMBER, value) and float(value) < 1:
            look = replace(look, opacity=look.opacity * float(value))
            marks += ["styled with opacity"] * (look.opacity < _MIN_OPACITY)
        elif re.match(r"(?:margin|padding|border-spacing)\b", name):
            largest = max((in_pixels(number, look.size) or 0 for number in value.split()), default=0)
            look = replace(look, offset=look.offset + largest)
            marks += [f"styled with {name}"] * (look.offset > MAX_OFFSET)
        elif name in {"width", "max-width"} and not grows and (pixels := in_pixels(value, look.size)) is not None:
            look = replace(look, room=min(look.room, pixels))
        elif name in {"background", "background-color", "background-image"}:
            is_picture = name != "background-color" and re.search(r"url\(|gradient\(", value) is not None
            is_known = is_picture or (
                value in {"none", "initial"} if name == "background-image" else find_background(value, WHITE)
            )
            marks += [f"styled with {name}"] * (not is_known)
            if is_picture or name != "background-image":
                look = replace(look, background=None if is_picture else find_background(value, around.background))
        else:
            look = _apply_property(name, value, look, around)
    return look, marks


def _apply_property(name: str, value: str, look: Look, around: Look) -> Look:
    if name == "color":
        return replace(look, color=around.color if value in _INHERITED else _parse_text_color(value))
    if name == "white-space":
        keeps_spaces = around.keeps_spaces if value in _INHERITED else value.startswith(("pre", "break-spaces"))
        return replace(look, keeps_spaces=keeps_spaces)
    return replace(look, is_clipped=True) if name.startswith("overflow") and value != "visible" else look


def _parse_text_color(value: str) -> Color | None:
    return BLACK if value == "initial" else parse_color(value)


def _find_size(value: str, size: float) -> float | None:
    """Returns a font size in pixels, inside an element of the size; None if it is not known."""
    if value in _SIZES:
        return _SIZES[value]
    if value in _RELATIVE_SIZES:
        return size * _RELATIVE_SIZES[value]
    number = _NUMBER.fullmatch(value)
    # Without a unit, it depends on the page around the mail whether a size counts.
    if number is None or number[2] in {"vw", "vh"} or (not number[2] and float(number[1])):
        return None
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
    return replace(look, line_height=pixels or 0.01)


def _decorates(name: str, value: str, size: float) -> bool:
    if name in {"font-size", "line-height"} or (value in _INHERITED and _TEXT_PROPERTY.fullmatch(name)):
        return True
    if name == "font-family":
        return is_plain_font(value)
    return _parse_text_color(value) is not None if name == "color" else decorates(name, value, size)


def _fits(name: str, value: str, look: Look, text_length: int) -> bool:
    """Returns whether the texts inside have room: what has none is cut, or covered by what comes next."""
    if name in {"height", "max-height"}:
        if value in {"auto", "none", "100%"}:
            return True
        return not look.is_clipped and look.has_room_for(in_pixels(value, look.size) or 0, text_length)
    if not look.is_clipped:
        return True
    if name == "white-space":
        return value in {"normal", "pre-wrap", "pre-line"}
    if name in {"width", "max-width"}:
        return (in_pixels(value, look.size) or MAIL_WIDTH) >= _MIN_CLIPPED_WIDTH
    is_offset = re.match(r"(?:margin|padding|text-indent)\b", name) is not None
    return not is_offset or all((in_pixels(word, look.size) or 0) <= _MAX_CLIPPED_OFFSET for word in value.split())
