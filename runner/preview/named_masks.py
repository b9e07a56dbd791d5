"""Masked texts in which a value is displayed as the name of its variable, in single angle quotation marks.

An author could write the same. So in a masked text the author's own such marks are displayed as code points, also where
they are written as entities.
"""

import re

from runner.characters import unescape_html
from runner.privacy import AnyText, reveal_or_mask

_OPEN, _CLOSE = "\u2039", "\u203a"
_SIGN = re.compile(f"[{_OPEN}{_CLOSE}]")
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]+);?")
_MAX_NAME = 40  # characters


def show_or_name(text: AnyText, *, show_values: bool, is_html: bool = False) -> str:
    """Returns the text with recipients' values in clear (`show_values`), or with the names of their variables.

    A value that is not that of one variable is masked as everywhere.
    """
    if show_values:
        return reveal_or_mask(text, show_values=True)
    pieces: list[str] = []
    written = ""
    for part in (text,) if isinstance(text, str) else text.parts:
        if isinstance(part, str):
            written += part  # an entity may be joined from two parts
            continue
        pieces += [_escape_signs(written, is_html=is_html), _format_name(part.name) if part.name else part.instead]
        written = ""
    return "".join([*pieces, _escape_signs(written, is_html=is_html)])


def _format_name(name: str) -> str:
    return f"{_OPEN}{name if len(name) <= _MAX_NAME else name[:_MAX_NAME] + '…'}{_CLOSE}"


def _escape_signs(text: str, *, is_html: bool) -> str:
    if is_html and "&" in text:
        text = _ENTITY.sub(lambda match: sign if _SIGN.search(sign := unescape_html(match[0])) else match[0], text)
    before, after = ("&lt;", "&gt;") if is_html else ("<", ">")
    return _SIGN.sub(lambda match: f"{before}U+{ord(match[0]):04X}{after}", text)
