"""Renders texts of only words and variables, as most subjects and identifiers are, without Jinja.

The result is the text that Jinja renders. Tests compare the two.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from jinja2 import nodes

from runner.declare.template.language import MAX_RENDERED, escape_html

# Renders a text from the values. Returns it, and the parts that it was joined from.
Render = Callable[[dict[str, Any]], tuple[str, Sequence[str]]]
Pieces = list[str | nodes.Name]  # words, and variables between them
_MAX_VALUE_CHARS = 1000  # characters; Jinja renders a text with a longer value, and counts what it prints
_MAX_ESCAPE_FACTOR = 5  # times that a value becomes longer, at most, when it is escaped: " becomes &#34;


def split_pieces(tree: nodes.Template, reserved: Collection[str]) -> Pieces | None:
    """Returns the words and variables that a template consists of, in order.

    None if it has anything else in it, if a name is reserved, or if the text may become too long.
    """
    pieces: Pieces = []
    for output in tree.body:
        if type(output) is not nodes.Output:
            return None
        for node in output.nodes:
            if type(node) is nodes.TemplateData:
                pieces.append(node.data)
            elif type(node) is nodes.Name and node.name not in reserved:
                pieces.append(node)
            else:
                return None
    max_chars = sum(len(piece) if isinstance(piece, str) else _MAX_ESCAPE_FACTOR * _MAX_VALUE_CHARS for piece in pieces)
    return pieces if max_chars < MAX_RENDERED else None


def make_renderer(pieces: Pieces, *, html: bool, fallback: Render) -> Render:
    """Returns a function that renders the pieces. With `html` it escapes the values.

    It calls `fallback` instead if a value is missing, is not a text, or is longer than 1000 characters.
    """
    names = [piece.name for piece in pieces if isinstance(piece, nodes.Name)]
    words = _join_words(pieces)
    slots = [(2 * index + 1, name) for index, name in enumerate(names)]  # the part that each variable becomes

    def render(values: dict[str, Any]) -> tuple[str, Sequence[str]]:
        parts = words.copy()
        for index, name in slots:
            value = values.get(name)
            if type(value) is not str or len(value) > _MAX_VALUE_CHARS:
                return fallback(values)
            parts[index] = escape_html(value) if html and not value.isalnum() else value
        return "".join(parts), parts

    def render_single(values: dict[str, Any]) -> tuple[str, Sequence[str]]:
        value = values.get(names[0])
        return (value, (value,)) if type(value) is str and len(value) <= _MAX_VALUE_CHARS else fallback(values)

    return render_single if words == ["", "", ""] and not html else render


def _join_words(pieces: Pieces) -> list[str]:
    """Returns the words before, between and after the variables, with an empty text in the place of each variable."""
    words = [""]
    for piece in pieces:
        if isinstance(piece, str):
            words[-1] += piece
        else:
            words += ["", ""]
    return words
