"""The properties of CSS that count as decoration of a text, with their values: those that honest mails use."""

import re

# Of a mail 600 pixels wide. The size of the window is not known, so neither are its parts.
_PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "rem": 16.0, "in": 96.0, "cm": 38.0, "mm": 3.8, "pc": 16.0, "%": 6.0}
_SIZES = {"em": 1.0}  # of the size of letters; ex and ch depend on the font
NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_LENGTH = re.compile(rf"([-+]?{NUMBER})([a-z]*|%)", re.ASCII)
# Words in the names of fonts whose letters are drawn as signs, or whose lines are several times as high as their size,
# so that a background behind them covers the line above.
_UNUSUAL_FONT = re.compile(
    r"symbol|dings|dingbat|marlett|icon|awesome|mt extra|barcode|code ?\d|mdl2|braille|ornament|glyph|ms outlook|"
    "specialty|math|zapfino|nastal|gabriola"
)
FONT = re.compile(
    r"(?:bold italic |(?:(?:normal|italic|oblique) )?(?:(?:normal|small-caps) )?"
    r"(?:(?:normal|bold|bolder|lighter|[1-9]00) )?)"
    r"(?!in|un)([\w.%-]*[a-z%]|0)(?: ?/ ?(?!in|un)([\w.%]+))? (?!inherit$|unset$)(.+)"
)
# Browsers refuse a list with another name.
_FAMILY = re.compile(
    r"(?!(?:inherit|initial|unset|revert|revert-layer|default)$)-?[^\W\d][\w-]*(?: +-?[^\W\d][\w-]*)*|"
    r"\"[^\"]*\"|'[^']*'"
)
# Behind letters of all kinds, they add emoji and signs alone.
_SUPPLEMENTS = re.compile(r"[\"']?(?:segoe ui symbol|noto sans symbols|apple symbols)[\"']?")

# The smallest and the largest number, of lengths in pixels, of properties whose value is one to four of them.
BOUNDS = {
    "margin": (-1.0, 64.0), "padding": (0.0, 64.0), "width": (10.0, 1000.0), "max-width": (10.0, 2000.0),
    "min-width": (0.0, 600.0), "height": (0.0, 200.0), "max-height": (0.0, 5000.0), "min-height": (0.0, 200.0),
    "text-indent": (0.0, 0.0), "letter-spacing": (-1.0, 2.0), "word-spacing": (0.0, 10.0),
    "border-spacing": (0.0, 64.0), "mso-table-lspace": (0.0, 20.0), "mso-table-rspace": (0.0, 20.0),
    "mso-padding-alt": (0.0, 200.0), "mso-text-raise": (0.0, 60.0), "mso-line-height-alt": (10.0, 200.0),
    "mso-style-priority": (0.0, 100.0), "outline": (0.0, 0.0),
    "orphans": (0.0, 9.0), "widows": (0.0, 9.0),
}  # fmt: skip

_MOST_WORDS = {"margin": 4, "padding": 4, "border-spacing": 2, "outline": 3, "mso-padding-alt": 4}
# The words that they may have, besides lengths; "number": also numbers without a unit.
_KEYWORDS_OF = {
    "margin": "auto initial", "width": "auto initial", "height": "auto initial", "max-width": "none initial",
    "max-height": "none initial", "min-width": "auto initial", "min-height": "auto initial",
    "letter-spacing": "normal initial", "word-spacing": "normal initial", "padding": "initial",
    "outline": "none initial number", "orphans": "number", "widows": "number",
    "mso-style-priority": "number", "mso-table-lspace": "number", "mso-table-rspace": "number",
    "mso-line-height-alt": "normal number", "mso-text-raise": "number", "text-indent": "number",
}  # fmt: skip

_COLOR = r"[a-z]+|#[0-9a-f]{3,8}|(?:rgba?|hsla?)\([^()]*\)"
_BORDER_WIDTH = r"(?:\d|[1-5]\d)(?:\.\d+)?(?:px|pt)?"
_KEYWORDS = r"[a-z-]+(?:\s+[a-z-]+)*"
_POSITION = r"[a-z0-9.% ,-]+"
_SWITCH = r"none|auto|100%"

_WORDS = {
    "visibility": r"visible", "opacity": r"1(?:\.0+)?|100%", "position": r"static", "direction": r"ltr|initial",
    "display": r"[a-z-]+", "float": r"[a-z]+",  # judged as a flow
    "clear": _KEYWORDS, "text-align": r"[a-z-]+", "text-rendering": r"\w+",
    "text-justify": r"[a-z-]+",
    "text-decoration-line": r"none|underline", "text-decoration-style": r"solid|dotted|dashed",
    "text-decoration-color": _COLOR,
    "text-transform": r"none|uppercase|lowercase|capitalize", "text-size-adjust": _SWITCH,
    "-webkit-text-size-adjust": _SWITCH,
    "-ms-text-size-adjust": _SWITCH, "-moz-text-size-adjust": _SWITCH, "font-feature-settings": r"normal",
    "vertical-align": r"baseline|top|middle|bottom",
    "font-style": _KEYWORDS, "font-weight": r"[a-z]+|[1-9]00",
    "font-variant": r"normal|small-caps",
    "font-stretch": r"normal|100%", "font-display": r"\w+", "-webkit-font-smoothing": r"[a-z-]+",
    "-moz-osx-font-smoothing": r"[a-z-]+", "-ms-interpolation-mode": r"[a-z-]+", "background-color": _COLOR,
    "background-repeat": _KEYWORDS, "background-position": _POSITION, "background-size": _POSITION,
    "background-attachment": _KEYWORDS, "background-origin": _KEYWORDS, "border-collapse": _KEYWORDS,
    "table-layout": r"auto|fixed", "cursor": r"[a-z-]+", "box-sizing": _KEYWORDS,
    "word-break": r"normal|break-word|break-all", "word-wrap": _KEYWORDS, "overflow-wrap": _KEYWORDS,
    "hyphens": r"[a-z-]+", "white-space": r"normal|initial",
    "-webkit-hyphens": r"[a-z-]+", "line-break": r"[a-z-]+", "object-fit": r"[a-z-]+",
    "color-scheme": r"light", "supported-color-schemes": r"light", "text-shadow": r"none",
    "overflow": r"visible",
    "mso-line-height-rule": r"exactly|at-least", "v-text-anchor": r"[a-z-]+", "mso-table-layout-alt": r"\w+",
    "mso-element": r"para-border-div", "mso-shading": _COLOR, "mso-fareast-language": r"[a-z-]+",
    "mso-ansi-language": r"[a-z-]+", "appearance": r"none", "-webkit-appearance": r"none",
    "-webkit-tap-highlight-color": _COLOR,
}  # fmt: skip
_BORDER = f"{_COLOR}|{_BORDER_WIDTH}"
_BACKGROUND = (
    rf"{_COLOR}|url\(\)|(?:linear|radial)-gradient\((?:[^()]|\([^()]*\))*\)|-?[\d.]+(?:px|%|em)?|[a-z]+-[a-z-]+"
)
# Of properties whose value is a row of parts, what each of these is.
_PARTS = {
    "background": _BACKGROUND, "background-image": _BACKGROUND, "border-color": _COLOR, "border-style": r"[a-z]+",
    "border-width": rf"{_BORDER_WIDTH}|[a-z]+", "border": _BORDER,
    "mso-border-alt": _BORDER,
    # Only one that lets what is below shine through.
    "box-shadow": r"none|rgba\([^()]*, ?0?\.(?:0\d*|1[0-2]?)\)|(?:1?\d|2[0-5])(?:\.\d+)?(?:px|pt)?",
    "text-decoration": rf"none|underline|solid|dotted|dashed|(?!line-through|overline|blink|wavy|double){_COLOR}",
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
    group = re.sub(r"^(margin|padding)-(?:top|right|bottom|left)$", r"\1", name)
    if bounds := BOUNDS.get(group):
        words = value.split()
        most = 1 if group != name else _MOST_WORDS.get(name, 1)  # browsers refuse more
        return len(words) <= most and all(_is_within(word, size, bounds, _KEYWORDS_OF.get(group, "")) for word in words)
    if name == "box-shadow" and re.sub(r"\([^()]*\)", "", value).count(",") > 1:
        return False  # many shadows together are as dark as one that is not allowed
    if rule := _PART_RULES.get(name):
        position = 0
        while part := _PART.match(value, position):
            if not part["gap"] and not rule.fullmatch(part[0]):
                return False
            position = part.end()
        return position == len(value)
    word_rule = _WORD_RULES.get(name)
    return word_rule is not None and word_rule.fullmatch(value) is not None


def _is_within(word: str, size: float, bounds: tuple[float, float], keywords: str) -> bool:
    if word in keywords.split():
        return True
    pixels = in_pixels(word, size)
    # A length without a unit is refused, but for 0 and what is a number.
    is_length = not word.replace(".", "").strip("-+").isdigit() or not pixels or "number" in keywords
    return pixels is not None and is_length and bounds[0] <= pixels <= bounds[1]


def in_pixels(length: str, size: float) -> float | None:
    """Returns a length in pixels, about, in a mail of the usual width with letters of a size; None if it is none."""
    match = _LENGTH.fullmatch(length)
    if match is None:
        return None
    unit = _PIXELS.get(match[2]) or _SIZES.get(match[2], 0.0) * size
    return float(match[1]) * unit if match[2] in _PIXELS or match[2] in _SIZES else None


def is_plain_font(family: str) -> bool:
    """Returns whether no font of a list draws letters as signs, or is much higher than its size."""
    names = [name.strip() for name in family.split(",")]
    return all(
        (_FAMILY.fullmatch(name) is not None and not _UNUSUAL_FONT.search(name))
        or (position > 0 and _SUPPLEMENTS.fullmatch(name) is not None)
        for position, name in enumerate(names)
    )
