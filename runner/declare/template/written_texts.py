"""What the author of a template wrote, as it prints: the words between its tags, and the literals in them."""

from dataclasses import dataclass
from itertools import groupby

import jinja2
from jinja2 import nodes

from runner.declare.template.language import escape_html

# A number in one of them may be printed as it is. In another it is compared, counted with, or passed on.
_PRINTING_NODES = (
    nodes.Output, nodes.CondExpr, nodes.Or, nodes.And, nodes.List, nodes.Tuple, nodes.Pair, nodes.Assign, nodes.Neg,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WrittenTexts:
    """What the author of a template wrote.

    `parts` are the parts of a rendered text that hold no value: the texts between the tags, and the string literals.
    `literals` are the string literals alone. `numbers` are the numbers that an expression may print.
    """

    parts: frozenset[str]
    literals: frozenset[str]
    numbers: frozenset[str]


def find_written_texts(source: str) -> WrittenTexts:
    """Returns what the author wrote into a valid template, as it prints."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if "{" not in source:
        return WrittenTexts(frozenset({source, source.removesuffix("\n")}), frozenset(), frozenset())
    tree = jinja2.Environment(autoescape=True).parse(source)
    parts = set()
    for output in tree.find_all(nodes.Output):
        for node_type, group in groupby(output.nodes, type):
            if node_type is nodes.TemplateData:
                parts.add("".join(node.as_const() for node in group))
    literals = {literal.value for literal in tree.find_all(nodes.Const) if isinstance(literal.value, str)}
    parts |= literals | set(map(escape_html, literals))
    numbers = {
        str(child.value)
        for parent in tree.find_all((*_PRINTING_NODES, nodes.Filter))
        if not isinstance(parent, nodes.Filter) or parent.name in {"default", "d"}
        for child in parent.iter_child_nodes()
        if isinstance(child, nodes.Const) and type(child.value) in {int, float}
    }
    return WrittenTexts(frozenset(parts), frozenset(literals), frozenset(numbers))
