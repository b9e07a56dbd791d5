"""What the attributes of an element do to its text: they decorate it, move it, or do what is not known here."""

import re
from collections.abc import Mapping

from runner.mail_display.colors import parse_color_attribute
from runner.mail_display.look import Look
from runner.mail_display.style_properties import is_plain_font
from runner.mail_elements import is_inert_attribute

OVER_ROWS = "over several rows"
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
COLORS = {
    "color": {"font"}, "bgcolor": {"body", "table", "thead", "tbody", "tfoot", "tr", "td", "th"},
    "text": {"body"}, "link": {"body"}, "vlink": {"body"}, "alink": {"body"},
}  # fmt: skip
_NUMBERS = frozenset({"1", "a", "i", ""})
_CAPTION_SIDES = frozenset({"", "top", "left", "center", "right"})
_CSS_ALONE = re.compile(r"/\*|\\")  # browsers read some attributes as CSS
_DOTS = frozenset({"disc", "circle", "square"})
LISTS = frozenset({"ol", "ul", "menu", "dir"})
# The largest lengths of attributes that move texts, in pixels.
_BOUNDS = dict.fromkeys(
    ("cellpadding", "cellspacing", "border", "hspace", "vspace", "marginheight", "marginwidth", "leftmargin",
     "topmargin", "rightmargin", "bottommargin"), 64.0
)  # fmt: skip
_MAX_HEIGHT, _MAX_WIDTH, _WHOLE_WIDTH = 400.0, 2000.0, 600.0
_LENGTHS = frozenset({*_BOUNDS, "width", "height"})
_LENGTH = re.compile(r"\s*([0-9]{1,4})(?:\.[0-9]+)?(%?)(?:px)?\s*|[^0-9]*", re.ASCII)
_FONT_SIZE = re.compile(r"\s*[+-]?[0-9]\s*|[^0-9]*", re.ASCII)


def judge_attributes(tag: str, attributes: Mapping[str, str], shown: Mapping[str, str], look: Look) -> list[str]:
    """Returns what the attributes of an element do to its text other than to decorate it.

    `shown` are the attributes as they are displayed, in which values are replaced by others. `look` is that around it.
    """
    marks = []
    for name, value in attributes.items():
        if shown.get(name) != value and name not in _FREE_ATTRIBUTES and not is_inert_attribute(name):
            marks.append(f"with a recipient's value as {name if name in shown else 'attribute'}")
        elif name == "dir" and value.lower() not in {"ltr", "auto"}:
            marks.append("in another direction")
        elif tag == "caption" and name == "align" and value.lower() not in _CAPTION_SIDES:
            marks.append("below its table")
        elif name == "rowspan" and value.strip() != "1":
            marks.append(OVER_ROWS)
        elif name == ("size" if tag == "hr" else "height") and tag != "img" and _is_large_height(value):
            marks.append("styled with a large height")
        elif not _decorates(tag, name, attributes, look):
            marks.append(f"styled with {name}")
    return marks


def _decorates(tag: str, name: str, attributes: Mapping[str, str], look: Look) -> bool:
    value = attributes[name]
    if name in _FREE_ATTRIBUTES or name == "style":
        return True
    if name == "nowrap" or _CSS_ALONE.search(value):
        return False
    if name == "span":
        return value == "1"
    if name == "size" and tag == "font":
        return _FONT_SIZE.fullmatch(value) is not None
    if name in _LENGTHS or (name == "size" and tag == "hr"):
        return _LENGTH.fullmatch(value) is not None and _read_pixels(value) <= _BOUNDS.get(name, _MAX_WIDTH)
    if has_color(name, tag, attributes):
        return parse_color_attribute(value) is not None
    if name == "type":
        return not _has_other_sign(tag, value.lower(), look)
    return name != "face" or is_plain_font(value.lower())


def _has_other_sign(tag: str, kind: str, look: Look) -> bool:
    """Returns whether the `type` of a list or an item gives it another sign than a list of its tag has."""
    list_tag = look.list_tag if tag == "li" else tag
    return list_tag in LISTS and kind not in (_NUMBERS if list_tag == "ol" else _DOTS)


def has_color(name: str, tag: str, attributes: Mapping[str, str]) -> bool:
    """Returns whether an attribute gives an element a colour: without one, it has that of the elements around it."""
    value = attributes.get(name, "").strip(" \t\r\n\f").lower()
    return tag in COLORS.get(name, ()) and value not in {"", "transparent"}


def _is_large_height(value: str) -> bool:
    is_share = value.strip(" \t\r\n\f").endswith("%")
    return _read_pixels(value) > (_WHOLE_WIDTH if is_share else _MAX_HEIGHT)


def _read_pixels(value: str) -> float:
    """Returns a length in a mail that is 600 pixels wide; 0 if there is none, or if it is named anyway."""
    number = _LENGTH.fullmatch(value)
    return float(number[1]) * (6 if number[2] else 1) if number and number[1] else 0.0
