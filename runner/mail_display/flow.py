"""Where an element stands: in the line of the text before it, below that text, or beside it.

What is drawn in another way by a value of `display` or `float` than the elements that mails use has no place here.
"""

from typing import Literal

from runner.mail_display.html_events import OUTLOOK
from runner.mail_display.style_parser import ParsedStyle
from runner.mail_elements import split_names

BLOCK_ELEMENTS = split_names(
    "address article aside blockquote body caption center dd details div dl dt figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 header hr html li main menu nav ol option p pre script section style summary table tbody td tfoot th "
    "thead title tr ul " + OUTLOOK
)
# "box": in the line, but the lines inside of it are a column of their own. A float is "left" or "right".
Flow = Literal["inline", "box", "below", "beside", "left", "right"]
# Elements that have only their own `display`.
_OWN_DISPLAYS = {
    "td": "table-cell", "th": "table-cell", "tr": "table-row", "tbody": "table-row-group", "li": "list-item",
    "thead": "table-header-group", "tfoot": "table-footer-group",
}  # fmt: skip
_BLOCK_FLOWS: dict[str, Flow] = {
    "": "below", "block": "below", "table": "below", "inline-block": "beside", "table-cell": "beside",
}  # fmt: skip
_INLINE_FLOWS: dict[str, Flow] = {
    "": "inline", "inline": "inline", "initial": "inline", "inline-block": "box", "block": "below", "table": "below",
    "table-cell": "beside",
}  # fmt: skip
_SIDES: dict[str, Flow] = {"left": "left", "right": "right"}


def find_flow(tag: str, style: ParsedStyle, align: str = "") -> tuple[Flow, str]:
    """Returns the flow of an element, and the name of the property that gives it another one than those known here.

    `align` is its attribute.
    """
    displays = style.list_values("display")
    sides = (style.list_values("float") | ({align} & _SIDES.keys() if tag in {"table", "img"} else set())) - {"none"}
    display = next(iter(displays - {"none"}), "")
    usual: Flow = "beside" if tag in {"td", "th"} else "below" if tag in BLOCK_ELEMENTS else "inline"
    if len(displays) > 1 or len(style.list_values("float")) > 1 or len(sides) > 1 or (sides - _SIDES.keys()):
        return usual, "display" if len(displays) > 1 else "float"
    if own := _OWN_DISPLAYS.get(tag):
        return usual, "float" if sides else "display" if display not in {"", own} else ""
    is_wide = bool((style.list_values("width") | style.list_values("min-width")) - {"auto"})
    if display == "inline-block" and (is_wide or style.list_values("vertical-align") - {"baseline"}):
        return ("beside", "") if not sides else (_SIDES[next(iter(sides))], "")
    flow = (_BLOCK_FLOWS if tag in BLOCK_ELEMENTS else _INLINE_FLOWS).get(display)
    if sides and flow:
        return _SIDES[next(iter(sides))], ""
    return flow or usual, "" if flow else "display"
