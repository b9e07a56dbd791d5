"""JSON with its parts marked for colours."""

import html
import re

from markupsafe import Markup

_PART = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)')


def mark_json(text: str) -> Markup:
    """Returns indented JSON as HTML: keys, texts and other values are each in a span with a class."""
    pieces: list[str] = []
    position = 0
    for part in _PART.finditer(text):
        kind = "n" if part[3] else "k" if part[2] else "s"
        pieces += [html.escape(text[position : part.start()]), f'<span class="{kind}">']
        pieces += [html.escape(part[1] or part[3]), "</span>", part[2] or ""]
        position = part.end()
    return Markup("".join([*pieces, html.escape(text[position:])]))  # noqa: S704  # each piece is escaped above
