"""Colours of texts and backgrounds, and whether a text can be read on its background."""

import re

Color = tuple[int, int, int]
BLACK, WHITE, YELLOW = (0, 0, 0), (255, 255, 255), (255, 255, 0)
DARK = (18, 18, 18)  # a page whose only theme is dark
LINKS: dict[str, Color | None] = {"link": (0, 0, 238), "vlink": (85, 26, 139)}
# Those that mails use; a text in another one is named.
_NAMES = {
    "black": BLACK, "white": WHITE, "red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255),
    "gray": (128, 128, 128), "grey": (128, 128, 128), "silver": (192, 192, 192), "maroon": (128, 0, 0),
    "navy": (0, 0, 128), "purple": (128, 0, 128), "teal": (0, 128, 128), "olive": (128, 128, 0),
    "yellow": YELLOW, "orange": (255, 165, 0), "lime": (0, 255, 0), "aqua": (0, 255, 255),
    "fuchsia": (255, 0, 255), "darkgray": (169, 169, 169), "darkgrey": (169, 169, 169), "lightgray": (211, 211, 211),
    "lightgrey": (211, 211, 211), "dimgray": (105, 105, 105), "dimgrey": (105, 105, 105), "gainsboro": (220, 220, 220),
    "whitesmoke": (245, 245, 245), "snow": (255, 250, 250), "ivory": (255, 255, 240), "darkblue": (0, 0, 139),
    "darkred": (139, 0, 0), "darkgreen": (0, 100, 0), "crimson": (220, 20, 60), "brown": (165, 42, 42),
    "gold": (255, 215, 0), "tomato": (255, 99, 71), "darkorange": (255, 140, 0), "steelblue": (70, 130, 180),
    "royalblue": (65, 105, 225), "midnightblue": (25, 25, 112), "slategray": (112, 128, 144), "pink": (255, 192, 203),
    "aliceblue": (240, 248, 255), "azure": (240, 255, 255), "beige": (245, 245, 220), "coral": (255, 127, 80),
    "cornflowerblue": (100, 149, 237), "darkslategray": (47, 79, 79), "dodgerblue": (30, 144, 255),
    "ghostwhite": (248, 248, 255), "indigo": (75, 0, 130), "lavender": (230, 230, 250), "lightblue": (173, 216, 230),
    "lightgreen": (144, 238, 144), "lightyellow": (255, 255, 224), "linen": (250, 240, 230), "salmon": (250, 128, 114),
    "skyblue": (135, 206, 235),
}  # fmt: skip
_HEX = re.compile(r"#(?:([0-9a-f])([0-9a-f])([0-9a-f])|([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2}))")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*1(?:\.0+)?\s*)?\)", re.ASCII)
# What mails write in `background:` besides a colour, without a picture. Browsers refuse a value with anything else.
_NO_PICTURE = re.compile(
    r"(?:none(?: |$))?(?:(?:no-repeat|repeat(?:-[xy])?)(?: |$))?(?:scroll(?: |$))?(?:0(?:px|%)? 0(?:px|%)?)?", re.ASCII
)
_MAX_SHADE = 0.23  # of the two shadows that an element may have, each of 12 % at most
_MIN_CONTRAST = 1.4  # light grey on white, as in small print, has 1.5


def parse_color(value: str) -> Color | None:
    """Returns the red, green and blue of a colour; None if it is not known, or lets something shine through."""
    if match := _HEX.fullmatch(value):
        digits = [2 * digit for digit in match.groups()[:3]] if match[1] else match.groups()[3:]
        red, green, blue = (int(digit, 16) for digit in digits)
        return red, green, blue
    if match := _RGB.fullmatch(value):
        red, green, blue = (min(255, int(number)) for number in match.groups())
        return red, green, blue
    return _NAMES.get(value)


def parse_color_attribute(value: str) -> Color | None:
    """Returns the colour of an attribute of HTML; None if it is not known.

    Any letters are a colour there: `fff` is nearly black, and `fffffffff` is white.
    """
    value = value.strip(" \t\r\n\f").lower()
    if re.fullmatch(r"#[0-9a-f]{3}|#?[0-9a-f]{6}", value):
        return parse_color("#" + value.removeprefix("#"))
    return _NAMES.get(value)


def adds_no_background(name: str, value: str) -> bool:
    """Returns whether `background`, `background-color` or `background-image` draws nothing with its value."""
    if name == "background-image":
        return value in {"none", "initial"}
    if value in {"transparent", "inherit", "initial", "unset"}:
        return True
    return name == "background" and _NO_PICTURE.fullmatch(value.removeprefix("transparent ")) is not None


def parse_background(name: str, value: str) -> Color | None:
    """Returns the colour of `background` or `background-color`; None if it is not known."""
    if name == "background-color":
        return parse_color(value)
    first, *rest = re.findall(r"[a-z]+\([^)]*\)|\S+", value)
    if rest and (last := parse_color(rest[-1])):
        return last if _NO_PICTURE.fullmatch(" ".join((first, *rest[:-1]))) else None
    return parse_color(first) if _NO_PICTURE.fullmatch(" ".join(rest)) else None


def is_seen(text: Color | None, background: Color | None) -> bool:
    """Returns whether a text can be read on its background. If that is not known, it counts as readable."""
    if text is None or background is None:
        return True
    light, dark = sorted((_luminance(text), _luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05) >= _MIN_CONTRAST


def list_shadowed(background: Color | None) -> list[Color]:
    """Returns what shadows may make of a background: the darkest and the lightest colour."""
    return [] if background is None else [_throw_shadow(color, background) for color in (BLACK, WHITE)]


def _throw_shadow(color: Color, background: Color) -> Color:
    red, green, blue = (round(b + (c - b) * _MAX_SHADE) for c, b in zip(color, background, strict=True))
    return red, green, blue


def _luminance(color: Color) -> float:
    """Returns the relative luminance of WCAG 2."""
    red, green, blue = (_to_linear(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  # of sRGB
