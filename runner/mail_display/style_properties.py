"""The properties of CSS that count as decoration of a text, with their values: those that honest mails use."""

import re

_PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "rem": 16.0, "vw": 6.0, "vh": 6.0,
           "in": 96.0, "cm": 38.0, "mm": 3.8, "pc": 16.0, "%": 6.0}  # fmt: skip  # of a mail 600 pixels wide
_SIZES = {"em": 1.0, "ex": 0.5, "ch": 0.5}  # of the size of letters
NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_LENGTH = re.compile(rf"([-+]?{NUMBER})([a-z]*|%)", re.ASCII)
# Fonts whose letters are drawn as signs. A name that is no longer than these words says so is enough.
_SIGN_FONT = re.compile(
    r"symbol|dings|dingbat|marlett|icon|awesome|mt extra|barcode|code ?\d|mdl2|braille|ornament|glyph"
)
# Browsers refuse a list with another name.
_FAMILY = re.compile(
    r"(?!(?:inherit|initial|unset|revert|revert-layer|default)$)(?!-?\d)[\w-]+(?: +(?!-?\d)[\w-]+)*|\"[^\"]*\"|'[^']*'"
)
# Behind letters of all kinds, they add emoji and signs alone.
_SUPPLEMENTS = re.compile(r"[\"']?(?:segoe ui symbol|noto sans symbols|apple symbols)[\"']?")

# The smallest and the largest number, of lengths in pixels, of properties whose value is one to four of them.
BOUNDS = {
    "margin": (0.0, 200.0), "padding": (0.0, 200.0), "width": (10.0, 1000.0), "max-width": (10.0, 2000.0),
    "min-width": (0.0, 600.0), "height": (10.0, 2000.0), "max-height": (10.0, 5000.0), "min-height": (0.0, 2000.0),
    "text-indent": (0.0, 60.0), "letter-spacing": (-1.0, 6.0), "word-spacing": (0.0, 10.0),
    "border-spacing": (0.0, 100.0), "mso-table-lspace": (0.0, 20.0), "mso-table-rspace": (0.0, 20.0),
    "mso-padding-alt": (0.0, 200.0), "mso-text-raise": (0.0, 60.0), "mso-element-frame-width": (10.0, 2000.0),
    "tab-size": (0.0, 16.0), "orphans": (0.0, 9.0), "widows": (0.0, 9.0),
}  # fmt: skip

_COLOR = r"[a-z]+|#[0-9a-f]{3,8}|(?:rgba?|hsla?)\([^()]*\)"
_SMALL = r"-?\d{1,2}(?:\.\d+)?(?:px|pt|em)?"
_KEYWORDS = r"[a-z-]+(?:\s+[a-z-]+)*"
_LIST = r"none|disc|circle|square|decimal|(?:lower|upper)-(?:alpha|latin|roman)"
_POSITION = r"[a-z0-9.% ,-]+"
_SWITCH = r"none|auto|100%"

_WORDS = {
    "visibility": r"visible", "position": r"static", "direction": r"ltr|initial",
    "display": r"(?:inline-)?(?:block|table)|inline|table-(?:row|cell|row-group)|list-item|initial",
    "float": r"left|none", "clear": _KEYWORDS, "text-align": r"[a-z-]+", "text-rendering": r"\w+",
    "text-justify": r"[a-z-]+",
    "text-decoration-line": r"(?!.*line-through)[a-z\s-]+", "text-decoration-style": _KEYWORDS,
    "text-decoration-color": _COLOR, "text-underline-offset": r"\d(?:px)?",
    "text-transform": r"none|uppercase|lowercase|capitalize", "text-size-adjust": _SWITCH,
    "-webkit-text-size-adjust": _SWITCH,
    "-ms-text-size-adjust": _SWITCH, "-moz-text-size-adjust": _SWITCH, "font-feature-settings": r"normal",
    "vertical-align": r"baseline|top|middle|bottom|sub|super|text-top|text-bottom|-?\d(?:\.\d+)?(?:px|pt|%)?",
    "font-style": _KEYWORDS, "font-weight": r"normal|bold|bolder|lighter|initial|[1-9]00",
    "font-variant": r"normal|small-caps",
    "font-stretch": r"normal|100%", "font-display": r"\w+", "-webkit-font-smoothing": r"[a-z-]+",
    "-moz-osx-font-smoothing": r"[a-z-]+", "-ms-interpolation-mode": r"[a-z-]+", "background-color": _COLOR,
    "background-repeat": _KEYWORDS, "background-position": _POSITION, "background-size": _POSITION,
    "background-attachment": _KEYWORDS, "background-origin": _KEYWORDS, "border-collapse": _KEYWORDS,
    "list-style-type": _LIST, "list-style-position": r"inside|outside", "list-style-image": r"url\(\)|none",
    "table-layout": r"auto|fixed", "cursor": r"[a-z-]+", "box-sizing": _KEYWORDS, "word-break": _KEYWORDS,
    "word-wrap": _KEYWORDS, "overflow-wrap": _KEYWORDS, "hyphens": r"[a-z-]+",
    "white-space": r"normal|initial|nowrap|pre|pre-wrap|pre-line|break-spaces",
    "-webkit-hyphens": r"[a-z-]+", "line-break": r"[a-z-]+", "object-fit": r"[a-z-]+",
    "color-scheme": r"light(?: dark)?", "supported-color-schemes": r"light(?: dark)?",
    "overflow": r"visible|hidden|auto", "opacity": NUMBER,
    "mso-line-height-rule": r"exactly|at-least", "v-text-anchor": r"[a-z-]+", "mso-table-layout-alt": r"\w+",
    "mso-element": r"para-border-div", "appearance": r"none", "-webkit-appearance": r"none",
    "-webkit-tap-highlight-color": _COLOR,
}  # fmt: skip
_BORDER = f"{_COLOR}|{_SMALL}"
_BACKGROUND = (
    rf"{_COLOR}|url\(\)|(?:linear|radial)-gradient\((?:[^()]|\([^()]*\))*\)|-?[\d.]+(?:px|%|em)?|[a-z]+-[a-z-]+"
)
# Of properties whose value is a row of parts, what each of these is.
_PARTS = {
    "background": _BACKGROUND, "background-image": _BACKGROUND, "border-color": _COLOR, "border-style": r"[a-z]+",
    "border-width": rf"{_SMALL}|[a-z]+", "border": _BORDER,
    "outline": rf"{_COLOR}|[0-4](?:\.\d+)?(?:px|pt)?", "mso-border-alt": _BORDER,
    "text-shadow": rf"{_COLOR}|-?[0-5](?:\.\d+)?(?:px|pt)?",
    "box-shadow": rf"(?!inset){_COLOR}|(?:1?\d|2[0-5])(?:\.\d+)?(?:px|pt)?",
    "list-style": rf"url\(\)|inside|outside|{_LIST}",
    "text-decoration": rf"(?!line-through)[a-z-]+|{_COLOR}|\d(?:px)?",
}  # fmt: skip
_SIDES = ("-top", "-right", "-bottom", "-left")
_CORNERS = ("", "top-left-", "top-right-", "bottom-left-", "bottom-right-")
_PARTS |= {f"border{side}{part}": _BORDER for side in _SIDES for part in ("", "-color", "-style", "-width")}
_PARTS |= {f"{maker}border-{corner}radius": r"\d+(?:\.\d+)?(?:px|%|em|rem|pt)?"
           for maker in ("", "-webkit-", "-moz-") for corner in _CORNERS}  # fmt: skip
_WORDS |= {f"{page}break-{place}": _KEYWORDS for page in ("page-", "") for place in ("before", "after", "inside")}
_WORD_RULES = {name: re.compile(source) for name, source in _WORDS.items()}
_PART_RULES = {name: re.compile(source) for name, source in _PARTS.items()}
_PART = re.compile(r"(?:[a-z-]+\((?:[^()]|\([^()]*\))*\)|[^\s,/()]+)|(?P<gap>[\s,/]+)")


def decorates(name: str, value: str, size: float) -> bool:
    """Returns whether a property counts as decoration with its value, of letters of a size in pixels.

    The letters themselves are judged elsewhere.
    """
    if bounds := BOUNDS.get(re.sub(r"^(margin|padding)-[a-z]+$", r"\1", name)):
        return all(
            word in {"auto", "none", "normal", "initial", "bold"}
            or ((pixels := in_pixels(word, size)) is not None and bounds[0] <= pixels <= bounds[1])
            for word in value.split()
        )
    if rule := _PART_RULES.get(name):
        position = 0
        while part := _PART.match(value, position):
            if not part["gap"] and not rule.fullmatch(part[0]):
                return False
            position = part.end()
        return position == len(value)
    word_rule = _WORD_RULES.get(name)
    return word_rule is not None and word_rule.fullmatch(value) is not None


def in_pixels(length: str, size: float) -> float | None:
    """Returns a length in pixels, about, in a mail of the usual width with letters of a size; None if it is none."""
    match = _LENGTH.fullmatch(length)
    unit = (_PIXELS | {name: share * size for name, share in _SIZES.items()}).get(match[2]) if match else None
    return float(match[1]) * unit if match and unit is not None else None


def is_plain_font(family: str) -> bool:
    """Returns whether no font of a list draws letters as signs."""
    names = [name.strip() for name in family.split(",")]
    return all(
        (_FAMILY.fullmatch(name) is not None and not _SIGN_FONT.search(name))
        or (position > 0 and _SUPPLEMENTS.fullmatch(name) is not None)
        for position, name in enumerate(names)
    )
