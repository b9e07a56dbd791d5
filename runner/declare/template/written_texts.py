"""What the author of a template wrote, as it prints: the words between its tags, and the literals in them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import jinja2
from jinja2 import nodes

from runner.declare.template.language import escape_html

# A number in one of them may be printed as it is. In another it is compared, counted with, or passed on.
_PRINTING_NODES = (
    nodes.Output, nodes.CondExpr, nodes.Or, nodes.And, nodes.List, nodes.Tuple, nodes.Pair, nodes.Assign, nodes.Neg,
)  # fmt: skip
_NAMES: tuple[Any, ...] = (nodes.Name, nodes.NSRef)
_ASSIGNMENTS: tuple[Any, ...] = (
    nodes.Assign, nodes.AssignBlock, nodes.With, nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block,
    nodes.Import, nodes.FromImport,
)  # fmt: skip
INCLUDES: tuple[Any, ...] = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_UNKNOWN = nodes.Name("?", "load")  # no variable has this name
_MAX_NODES = 100_000  # of one template, that are looked at to find what its expressions are computed from


class Written(str):
    """What an expression printed from the author's words alone, if the recipient has none of the variables `names`."""

    __slots__ = ("names",)
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class WrittenTexts:
    """What the author of a template wrote.

    `parts` are the parts of a rendered text that hold no value: the texts between the tags, and the string literals.
    `literals` are the string literals alone. `numbers` are the numbers that an expression may print.
    """

    parts: frozenset[str]
    literals: frozenset[str]
    numbers: frozenset[str]


def parse_source(source: str) -> nodes.Template:
    """Returns the tree of a valid template."""
    return jinja2.Environment(autoescape=True).parse(source)


def find_written_texts(source: str) -> WrittenTexts:
    """Returns what the author wrote into a valid template, as it prints."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if "{" not in source:
        return WrittenTexts(frozenset({source, source.removesuffix("\n")}), frozenset(), frozenset())
    tree = parse_source(source)
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


class DataFlow:
    """What the expressions of some templates are computed from, in any order of their statements.

    What only decides, such as the test of an `if`, is in no value. What a loop goes through is in all that it sets.
    """

    def __init__(self, *trees: nodes.Template) -> None:
        self._trees = trees
        self._remaining = _MAX_NODES  # for find_written, which may be called for each expression
        self._sources: dict[str, list[nodes.Node]] = {}
        for statement in (each for tree in trees for each in tree.find_all(_ASSIGNMENTS)):
            for names, values in _list_assignments(statement):
                for name in names:
                    self._sources.setdefault(name, []).extend(values)
        for loop in (each for tree in trees for each in tree.find_all(nodes.For)):
            for statement in loop.find_all(_ASSIGNMENTS):
                for name in (name for names, _ in _list_assignments(statement) for name in names):
                    self._sources[name].append(loop.iter)

    def find_written(self, expression: nodes.Node, variables: Collection[str] | None) -> frozenset[str] | None:
        """Returns the names in an expression, if nothing but literals and values of the message is in what it prints.

        `variables` are the names that the message has values for; None if another file may set names. None if there may
        be more in it, or if it is a value of the message as it is.
        """
        if isinstance(expression, nodes.Name) and expression.name not in self._sources:
            return None
        names = set()
        for node in self._reach([expression]):
            self._remaining -= 1
            if isinstance(node, _NAMES):
                if variables is None or (node.name not in variables and node.name not in self._sources):
                    return None
                names.add(node.name)
            if self._remaining < 0:
                return None
        return frozenset(names)

    def find_computed(self) -> tuple[list[str], frozenset[str]]:
        """Returns the literals from which the templates compute what they print, and the names of variables in it.

        A literal that is printed as it is, such as a default, is not among them.
        """
        captured = [node for tree in self._trees for node in tree.find_all((nodes.CallBlock, nodes.FilterBlock))]
        printed = [node for tree in self._trees for output in tree.find_all(nodes.Output) for node in output.nodes]
        choices = [choice for node in printed for choice in _list_choices(node)]
        reached = [*self._reach([*captured, *(node for node in choices if not isinstance(node, nodes.Literal))])]
        literals = [getattr(node, "data", getattr(node, "value", None)) for node in reached]
        names = frozenset(node.name for node in reached if isinstance(node, _NAMES))
        return [str(each) for each in literals if isinstance(each, str | int | float)], names

    def _reach(self, start: Iterable[nodes.Node]) -> Iterator[nodes.Node]:
        """Yields the nodes whose values are in the values of some nodes, these first, each before what it has."""
        pending, names = [*start][::-1], {""}
        while pending:
            node: Any = pending.pop()
            yield node
            if isinstance(node, INCLUDES):
                pending += () if "" not in names else self._trees
                names.discard("")
            elif isinstance(node, _NAMES) and node.name not in names:
                names.add(node.name)
                pending += self._sources.get(node.name, ())
            pending += reversed([*node.iter_child_nodes(exclude=("test", "template"))])


def _list_assignments(node: Any) -> Iterator[tuple[Iterable[str], Iterable[nodes.Node]]]:
    """Yields the names that a statement sets, and what their values are computed from."""
    match node:
        case nodes.Assign():
            yield _read_names(node.target), [node.node]
        case nodes.AssignBlock():
            yield _read_names(node.target), [*node.body, *([node.filter] if node.filter else ())]
        case nodes.With():
            yield _read_names(*node.targets), node.values
        case nodes.For():
            yield _read_names(node.target), [node.iter]
            yield ["loop"], [node.iter, *(node.body if node.recursive else ())]
        case nodes.Macro() | nodes.CallBlock():
            yield [*_read_names(*node.args), "varargs", "kwargs", "caller"], [_UNKNOWN, *node.defaults]
            yield [getattr(node, "name", "caller")], node.body
        case nodes.Import():
            yield [node.target], [node]
        case nodes.FromImport():
            yield [name if isinstance(name, str) else name[1] for name in node.names], [node]
        case nodes.Block():
            yield ["self", "super"], node.body


def _read_names(*targets: Any) -> list[str]:
    return [name.name for name in nodes.List([*targets]).find_all(_NAMES)]


def _list_choices(node: Any) -> list[nodes.Node]:
    """Returns the expressions of which one is the value of an expression, as it is."""
    match node:
        case nodes.CondExpr(expr1=first, expr2=second) | nodes.Or(left=first, right=second):
            choices = [first, second]
        case nodes.Filter(name="default" | "d", node=first, args=others):
            choices = [first, *others]
        case _:
            return [node] if node else []  # an `if` without `else` prints nothing
    return [each for choice in choices for each in _list_choices(choice)]
