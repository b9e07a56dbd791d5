"""Texts of nothing but words and variables, as most subjects and identifiers are: filled in without Jinja's machinery.

What comes out is what Jinja renders; tests hold the two to the same text.
"""

from collections.abc import Callable, Collection
from typing import Any

from jinja2 import nodes

from runner.declare.template.language import MAX_RENDERED, escape_html

Render = Callable[[dict[str, Any]], str]


Pieces = list[str | nodes.Name]  # words, and variables between them


_LONG = 1000  # characters of a value that are counted while it is rendered


_GROWTH = 5  # times, at most, when a value is escaped: " becomes &#34;


def split_pieces(tree: nodes.Template, reserved: Collection[str]) -> Pieces | None:
    """The words and variables that a template is made of; None if there is more to it, or a name is reserved."""
    found: Pieces = []
    for output in tree.body:
        if type(output) is not nodes.Output:
            return None
        for node in output.nodes:
            if type(node) is nodes.TemplateData:
                found.append(node.data)
            elif type(node) is nodes.Name and node.name not in reserved:
                found.append(node)
            else:
                return None
    most = sum(len(piece) if isinstance(piece, str) else _GROWTH * _LONG for piece in found)
    return found if most < MAX_RENDERED else None


def make_renderer(found: Pieces, *, html: bool, fallback: Render) -> Render:
    """Renders the pieces, escaping values in `html`; `otherwise` does it where a value is missing, no text, or long."""
    names = [piece.name for piece in found if isinstance(piece, nodes.Name)]
    form = "".join(piece.replace("%", "%%") if isinstance(piece, str) else "%s" for piece in found)

    def render(values: dict[str, Any]) -> str:
        given = []
        for name in names:
            value = values.get(name)
            if type(value) is not str or len(value) > _LONG:
                return fallback(values)
            given.append(escape_html(value) if html and not value.isalnum() else value)
        return form % tuple(given)

    def alone(values: dict[str, Any]) -> str:
        value = values.get(names[0])
        return value if type(value) is str and len(value) <= _LONG else fallback(values)

    return alone if form == "%s" and not html else render
