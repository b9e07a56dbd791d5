"""What the author of a template wrote, as it prints: the words between its tags, and the literals in them."""

from itertools import groupby

import jinja2
from jinja2 import nodes

from runner.declare.template.language import escape_html

# A number in one of them may be printed as it is. In another it is compared, counted with, or passed on.
_PRINTING_NODES = (
    nodes.Output, nodes.CondExpr, nodes.Or, nodes.And, nodes.List, nodes.Tuple, nodes.Pair, nodes.Assign, nodes.Neg,
)  # fmt: skip


def find_written_texts(source: str) -> tuple[set[str], set[str]]:
    """Returns what the author wrote into a valid template, as it prints: parts of its text, and numbers.

    The parts hold no value: they are the texts between the tags, and the string literals. The numbers are those that an
    expression may print.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if "{" not in source:
        return {source, source.removesuffix("\n")}, set()
    tree = jinja2.Environment(autoescape=True).parse(source)
    parts = set()
    for output in tree.find_all(nodes.Output):
        for node_type, group in groupby(output.nodes, type):
            if node_type is nodes.TemplateData:
                parts.add("".join(node.as_const() for node in group))
    for literal in tree.find_all(nodes.Const):
        if isinstance(literal.value, str):
            parts |= {literal.value, escape_html(literal.value)}
    numbers = {
        str(child.value)
        for parent in tree.find_all((*_PRINTING_NODES, nodes.Filter))
        if not isinstance(parent, nodes.Filter) or parent.name in {"default", "d"}
        for child in parent.iter_child_nodes()
        if isinstance(child, nodes.Const) and type(child.value) in {int, float}
    }
    return parts, numbers
