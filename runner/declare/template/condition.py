"""A condition on a row: a Jinja expression that is true or false, where a value that is missing is never compared."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.parser import Parser
from jinja2.runtime import Context

from runner.declare.template.environment import Environment
from runner.declare.template.language import MAX_PRINTED, Missing, MissingValueError, TemplateFault
from runner.declare.template.template import RenderMonitor, render_fault, syntax_fault

_BRACES = re.compile(r"\s*\{\{(.*)\}\}\s*", re.DOTALL)


_RESULT = "result"


CONDITION_HINT = 'say what it means: … is defined and …, or (… | default("")) == …'


class _Absent(Missing):
    """Like Missing, and an error in a comparison or a test too: it would decide silently who gets a message."""

    __slots__ = ()

    def _fail(self, *_: Any, **__: Any) -> NoReturn:
        raise MissingValueError(self)

    __bool__ = __eq__ = __ne__ = _fail
    __hash__ = Missing.__hash__


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A compiled expression. `holds` takes the values (with the globals) and raises TemplateFault.

    `names` are the variables that it uses; `numbers` those that it compares with a number, or with true or false, and
    with which.
    """

    evaluate: Callable[[dict[str, Any]], bool]
    variables: frozenset[str]
    number_comparisons: Mapping[str, int | float]


def compile_condition(written: str, watch: RenderMonitor) -> Condition:
    """Compiles `{{ … }}`, or what may stand in it. Raises TemplateFault."""
    whole = _BRACES.fullmatch(written)
    source = whole.group(1) if whole else written
    environment = Environment(autoescape=False, loader=jinja2.DictLoader({}))
    environment.undefined = _Absent
    try:
        parser = Parser(environment, source, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            parser.fail("one expression is expected", parser.stream.current.lineno)
        tree = nodes.Template([nodes.Assign(nodes.Name(_RESULT, "store"), expression, lineno=1)], lineno=1)
        tree.set_environment(environment)
        numbers = _compared_with_numbers(tree)  # first: what follows makes other nodes of a list
        template, names = environment.compile_tree(tree)
    except jinja2.TemplateSyntaxError as error:
        raise syntax_fault(error) from error
    except RecursionError as error:
        raise TemplateFault("template-syntax", "the expression is nested too deeply") from error

    context = environment.context_class(environment, {}, template.name, template.blocks)

    def holds(values: dict[str, Any]) -> bool:
        environment.remaining_chars = MAX_PRINTED
        # One for all rows: an expression leaves nothing in it but its result.
        context.parent, context.vars, context.exported_vars = values, {}, set()
        return _evaluated(template, context, watch)

    return Condition(holds, names, numbers)


def _evaluated(template: jinja2.Template, context: Context, watch: RenderMonitor) -> bool:
    watch.render_count += 1
    watch.is_rendering = True
    try:
        deque(template.root_render_func(context), maxlen=0)
        result = context.vars[_RESULT]
        bool(result)  # raises for a value that is missing
    except Exception as error:
        watch.is_rendering = False
        fault = render_fault(error)
        if fault.code == "undefined-variable":
            fault.hint = CONDITION_HINT
        elif isinstance(error, TypeError) and "'str'" in str(error):
            fault.hint = "a cell of a CSV file is text: … | int makes it a number"
        raise fault from error
    finally:
        watch.is_rendering = False
    if type(result) is not bool:
        kind = "text" if isinstance(result, str) else type(result).__name__
        hint = "compare it: {{ plan == 'pro' }}"
        raise TemplateFault("where-not-boolean", f"where gives {kind}, not true or false", hint)
    return result


def _compared_with_numbers(tree: nodes.Template) -> dict[str, int | float]:
    """The variables that are compared as they are, where text would never be equal, and with which number."""
    found: dict[str, int | float] = {}
    for compare in tree.find_all(nodes.Compare):
        sides = [compare.expr, *(operand.expr for operand in compare.ops)]
        numbers = [const.value for side in sides for const in _constants(side) if isinstance(const.value, int | float)]
        if numbers:
            found.update((side.name, numbers[0]) for side in sides if isinstance(side, nodes.Name))
    return found


def _constants(side: nodes.Node) -> list[nodes.Const]:
    if isinstance(side, nodes.Const):
        return [side]
    if isinstance(side, nodes.List | nodes.Tuple):
        return [item for item in side.items if isinstance(item, nodes.Const)]
    return []
