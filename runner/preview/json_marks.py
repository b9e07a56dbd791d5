"""JSON with its parts marked for colours."""

import re

from markupsafe import Markup, escape

_PART = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)')


def mark_json(text: str) -> Markup:
    """Returns indented JSON as HTML: keys, texts and other values are each in a span with a class."""
    pieces: list[Markup] = []
    position = 0
    for part in _PART.finditer(text):
        pieces.append(escape(text[position : part.start()]))
        kind = "n" if part[3] else "k" if part[2] else "s"
        pieces.append(Markup('<span class="{}">{}</span>{}').format(kind, part[1] or part[3], part[2] or ""))
        position = part.end()
    return Markup("").join([*pieces, escape(text[position:])])
