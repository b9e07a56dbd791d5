"""A condition on a row: a Jinja expression that is true or false. To compare a missing value is an error."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.parser import Parser
from jinja2.runtime import Context

from runner.declare.template.environment import Environment
from runner.declare.template.faults import render_fault, syntax_fault
from runner.declare.template.language import MAX_PRINTED, Missing, MissingValueError, TemplateFault
from runner.declare.template.render_monitor import RenderMonitor

_BRACES = re.compile(r"\s*\{\{(.*)\}\}\s*", re.DOTALL)
_RESULT = "result"
_HINT = 'say what it means: {0} is defined and …, or ({0} | default("")) == …'  # {0} is what lacks a value


class _Absent(Missing):
    """A missing value in a condition. Unlike Missing, it is an error in a comparison or a test too.

    Otherwise the missing value would decide, without a warning, who gets a message.
    """

    __slots__ = ()

    def _fail(self, *_: Any, **__: Any) -> NoReturn:
        raise MissingValueError(self)

    __bool__ = __eq__ = __ne__ = _fail
    __hash__ = Missing.__hash__


class Condition(NamedTuple):
    """A compiled condition.

    `evaluate` takes the values, which include the globals, and returns whether the condition is true. It raises
    TemplateFault. `variables` are the variables that the condition uses. `number_comparisons` maps each variable that
    the condition compares with a number, or with true or false, to that constant.
    """

    evaluate: Callable[[dict[str, Any]], bool]
    variables: frozenset[str]
    number_comparisons: Mapping[str, int | float]


def compile_condition(text: str, monitor: RenderMonitor) -> Condition:
    """Compiles an expression, with or without `{{ }}` around it. Raises TemplateFault."""
    braces = _BRACES.fullmatch(text)
    source = braces.group(1) if braces else text
    environment = Environment(autoescape=False, loader=jinja2.DictLoader({}))
    environment.undefined = _Absent
    try:
        parser = Parser(environment, source, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            parser.fail("one expression is expected", parser.stream.current.lineno)
        tree = nodes.Template([nodes.Assign(nodes.Name(_RESULT, "store"), expression, lineno=1)], lineno=1)
        tree.set_environment(environment)
        # Before compile_tree: it folds a list of constants into one, so that the numbers in it are no longer found.
        number_comparisons = _find_number_comparisons(tree)
        template, variables, _ = environment.compile_tree(tree)
    except jinja2.TemplateSyntaxError as error:
        raise syntax_fault(error) from error
    except RecursionError as error:
        raise TemplateFault("template-syntax", "the expression is nested too deeply") from error
    except ValueError as error:  # Python's own limit of 4,300 digits
        raise TemplateFault("template-syntax", "a number has thousands of digits") from error

    context = environment.context_class(environment, {}, template.name, template.blocks)

    def evaluate(values: dict[str, Any]) -> bool:
        environment.remaining_chars = MAX_PRINTED
        # One context serves all rows: an expression stores nothing in it but its result.
        context.parent, context.vars, context.exported_vars = values, {}, set()
        try:
            return _evaluate(template, context, monitor)
        except TemplateFault as fault:
            if fault.code == "undefined-variable":
                fault.hint = _HINT.format(fault.name if fault.name in variables else "…")
            raise

    return Condition(evaluate, variables, number_comparisons)


def _evaluate(template: jinja2.Template, context: Context, monitor: RenderMonitor) -> bool:
    monitor.render_count += 1
    monitor.is_rendering = True
    try:
        deque(template.root_render_func(context), maxlen=0)
        result = context.vars[_RESULT]
        bool(result)  # raises MissingValueError if the result is a missing value
    except Exception as error:
        monitor.is_rendering = False
        fault = render_fault(error)
        if isinstance(error, TypeError) and "'str'" in str(error):
            fault.hint = "a cell of a CSV file is text: … | int makes it a number"
        raise fault from error
    finally:
        monitor.is_rendering = False
    if type(result) is not bool:
        kind = "text" if isinstance(result, str) else type(result).__name__
        hint = "compare it: {{ plan == 'pro' }}"
        raise TemplateFault("where-not-boolean", f"where gives {kind}, not true or false", hint)
    return result


def _find_number_comparisons(tree: nodes.Template) -> dict[str, int | float]:
    """Maps each variable that is compared with a number, or with true or false, to that constant.

    Only variables that are compared without a filter are in it: if they are text, they never equal the constant.
    """
    comparisons: dict[str, int | float] = {}
    for compare in tree.find_all(nodes.Compare):
        sides = [compare.expr, *(operand.expr for operand in compare.ops)]
        numbers = [
            const.value for side in sides for const in _list_constants(side) if isinstance(const.value, int | float)
        ]
        if numbers:
            comparisons.update((side.name, numbers[0]) for side in sides if isinstance(side, nodes.Name))
    return comparisons


def _list_constants(side: nodes.Node) -> list[nodes.Const]:
    if isinstance(side, nodes.Const):
        return [side]
    if isinstance(side, nodes.List | nodes.Tuple):
        return [item for item in side.items if isinstance(item, nodes.Const)]
    return []
