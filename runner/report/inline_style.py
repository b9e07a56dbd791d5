"""What an element's own style does to its text: it decorates it, strikes it, hides it, or does what is not known here.

A list of what hides text would never be complete. So it is the other way round: a property that is not known to
decorate alone, or a value that may do more, is named.
"""

import re
import sys

NOT_DISPLAYED = "not displayed"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.DOTALL)
_ADDRESS = re.compile(r"url\((?:\"[^\"]*\"|'[^']*'|[^)]*)\)")
_ZERO = re.compile(r"(?:0+\.?0*|\.0+)[a-z%]*(?![\d.])")
_NUMBER = re.compile(r"(-?(?:\d+\.?\d*|\.\d+))([a-z%]*)")
_HIDING = re.compile(r"display:none|visibility:(?:hidden|collapse)|mso-hide:all")
_DECORATING = re.compile(
    r"font-(?:family|style|weight|variant)|text-(?:align|transform|rendering|shadow)|(?:vertical|text)-align"
    r"|background(?:-[a-z]+)*|border(?:-[a-z]+)*|padding(?:-[a-z]+)?|outline(?:-[a-z]+)?|list-style(?:-[a-z]+)?"
    r"|table-layout|cursor|box-(?:shadow|sizing)|word-(?:break|wrap)|overflow-wrap|white-space|hyphens|float|clear"
    r"|line-height|z-index|min-(?:width|height)|object-fit|color-scheme|page-break-[a-z]+|-(?:webkit|ms)-text-size-adjust"
    r"|-webkit-font-smoothing|-moz-osx-font-smoothing|-ms-interpolation-mode|align-[a-z]+|justify-[a-z]+|flex(?:-[a-z]+)*|gap"
    r"|mso-(?!hide)[a-z-]+|v-text-anchor|overflow(?:-[xy])?"
)
# The values with which other properties decorate alone; numbers are judged by _MIN_NUMBERS.
_VALUES = {
    "color": re.compile(r"(?!transparent)[a-z]+|#(?:[0-9a-f]{3}|[0-9a-f]{6})|(?:rgb|hsl)\([^,/]+,[^,/]+,[^,/]+\)"),
    "display": re.compile(r"(?:inline-)?(?:block|flex|grid|table)|inline|table-[a-z-]+|list-item"),
    "visibility": re.compile(r"visible"),
    "position": re.compile(r"static|relative"),
    "text-decoration": re.compile(r"(?!.*line-through).*"),
    "text-decoration-line": re.compile(r"(?!.*line-through).*"),
    "direction": re.compile(r"ltr"),
    "opacity": re.compile(r"1|1\.0+|0?\.[5-9]\d*"),
}
# The smallest number with which a property decorates alone, by unit; a unit that is not here is not judged as a number.
_SIZE = {"": 1.0, "px": 5.0, "pt": 4.0, "em": 0.4, "rem": 0.4, "%": 40.0, "vw": 1.0}
_OFFSET = {"": -20.0, "px": -20.0, "pt": -15.0, "em": -1.5, "rem": -1.5, "%": -5.0}
_MIN_NUMBERS = {
    "font-size": _SIZE, "font": _SIZE, "width": _SIZE, "height": _SIZE, "max-width": _SIZE, "max-height": _SIZE,
    "text-indent": dict.fromkeys(_SIZE, 0.0),
    "letter-spacing": {unit: -2.0 if unit in {"px", "pt"} else -0.1 for unit in _SIZE},
    "word-spacing": dict.fromkeys(_SIZE, 0.0), "margin": _OFFSET, "left": _OFFSET, "right": _OFFSET, "top": _OFFSET,
    "bottom": _OFFSET,
}  # fmt: skip
_MAX_OFFSET = 100.0  # of any unit: what is moved further may be off the screen
_MOVING = frozenset({"margin", "left", "right", "top", "bottom", "text-indent", "letter-spacing", "word-spacing"})


def find_font_size(style: str) -> bool | None:
    """Returns whether text has a size with which it is seen, True or False; None if the style does not say.

    Elements inside may give their text another size, as those of MJML do.
    """
    sizes = [value for name, value in _split(style) if name == "font-size" or (name == "font" and value[:1].isdigit())]
    return not any(_ZERO.match(size) for size in sizes) if sizes else None


def describe_style(style: str) -> str:
    """Returns what a reader must know of a style: `not displayed`, `struck`, `styled with PROPERTY`; empty if nothing.

    A text of no size is left to `find_font_size`.
    """
    declarations = _split(style)
    if any(_HIDING.fullmatch(f"{name}:{value}") for name, value in declarations):
        return NOT_DISPLAYED
    for name, value in declarations:
        if not _decorates(name, value):
            if _hides_by_size(name, value):
                return NOT_DISPLAYED
            return "struck" if "line-through" in value else f"styled with {name}"
    return ""


def _split(style: str) -> list[tuple[str, str]]:
    """Returns the properties of a style with their values, in lower case, as a browser reads them."""
    plain = _ADDRESS.sub("url", _ESCAPE.sub(_unescape, _COMMENT.sub("", style))).lower()
    declarations = (declaration.partition(":") for declaration in plain.split(";"))
    return [(name.strip(), value.replace("!important", "").strip()) for name, colon, value in declarations if colon]


def _decorates(name: str, value: str) -> bool:
    if name in {"font-size", "font"} and _ZERO.match(value):
        return True
    if not value or (
        value in {"inherit", "initial", "unset", "auto", "normal", "none"} and name not in {"display", "all"}
    ):
        return True
    if rule := _VALUES.get(name):
        return rule.fullmatch(value) is not None
    base = "margin" if name.startswith("margin-") else name
    if minimums := _MIN_NUMBERS.get(base):
        return "(" not in value and all(
            _is_sound_number(base, minimums, match[1], match[2]) for match in _NUMBER.finditer(value)
        )
    return _DECORATING.fullmatch(name) is not None


def _is_sound_number(name: str, minimums: dict[str, float], number: str, unit: str) -> bool:
    value = float(number)
    if name in _MOVING and (value == 0 or unit not in minimums):
        return value == 0
    return unit in minimums and value >= minimums[unit] and (name not in _MOVING or value <= _MAX_OFFSET)


def _hides_by_size(name: str, value: str) -> bool:
    """Returns whether a size or the opacity is zero."""
    return name in {"width", "height", "max-width", "max-height", "opacity"} and _ZERO.fullmatch(value) is not None


def _unescape(escape: re.Match[str]) -> str:
    if escape[2]:
        return escape[2]
    code = int(escape[1], 16)
    return chr(code) if code <= sys.maxunicode else ""
