"""Jinja in a sandbox: no text grows huge without a loop, and no way around `printable` turns a value into text.

The same input renders the same bytes: no chance, no clock, no addresses, no order of a set, nothing that one render
leaves behind for the next.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sized
from collections.abc import Set as AbstractSet
from typing import Any

import jinja2
from jinja2 import filters, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from runner.declare.language import MAX_PRINTED, MAX_RENDERED, Missing, checked, escaped, printable, too_long

_FEW = 1000  # parts, of which none is longer than a template: what they make fits into memory
MAX_POWER = 64
MAX_BITS = 4096  # of a whole number: more digits than any text needs
# Compiled when first needed: few templates format anything, and every command pays for its start.
_NUMBER = r"\s*-?\d+(\.\d+)?\s*"
_PERCENT_WIDTH = r"%(\([^)]*\))?[-+ #0]*(\*|\d{6,}|\d*\.(\*|\d{6,}))"
_BRACE_WIDTH = r":[^{}]*(\d{6,}|\{)"
_INSIDE = r"\{[^{}:!]*[.\[]"  # a field that looks inside its value: {0.upper}
_AS_CODE = r"%(\([^)]*\))?[-+ #0]*\d*[ra]|![ra]"  # a value as Python writes it in code
# What each would build could not be bounded by looking at the arguments, or is no text.
_NO_METHODS = frozenset({"expandtabs", "translate", "maketrans", "encode", "format_map"})
_OF_ONE_TEXT = (
    *("capitalize", "center", "e", "escape", "forceescape", "format", "indent", "lower", "replace", "safe"),
    *("string", "striptags", "title", "trim", "truncate", "upper", "urlize", "wordcount", "wordwrap"),
)
_WITH_A_SIZE = ("batch", "slice", "round", "tojson")
_WITHOUT_FILTERS = ("random", "pprint")  # chance; Python's own way to write a value
_WITHOUT_GLOBALS = ("lipsum",)


class _Template(jinja2.Template):
    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        """An import of its own for every render: Jinja would keep one, with a counter or a cycler in it, for all."""
        self._module = None
        return super()._get_default_module(ctx)


class _Generator(CodeGenerator):
    """Prints each value by one call, and looks variables up by another. Jinja would take three, and one in Python.

    `used` are the variables that the code takes from the values, which jinja2.meta would make the code once more for.
    """

    used: frozenset[str] = frozenset()
    _exported: frozenset[str] = frozenset()  # what the template sets itself, for its blocks

    def enter_frame(self, frame: Frame) -> None:
        loads = frame.symbols.loads
        taken = {target: name for target, (action, name) in loads.items() if action == VAR_LOAD_RESOLVE}
        if not frame.rootlevel:
            self.used |= set(taken.values()) - self._exported
            super().enter_frame(frame)
            return
        self.used |= set(taken.values())
        self._exported = frozenset(frame.symbols.stores)
        # As Context.resolve does. Where a template begins nothing is set yet, but for what a child of it has set.
        self.writeline("given = ({**context.parent, **context.vars} if context.vars else context.parent).get")
        for target, name in taken.items():
            self.writeline(f"{target} = given({name!r}, missing)")
        frame.symbols.loads = {target: load for target, load in loads.items() if target not in taken}
        super().enter_frame(frame)
        frame.symbols.loads = loads

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write(f"environment.{'html' if frame.eval_ctx.autoescape else 'plain'}(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile:
            super()._output_child_post(node, frame, finalize)
        else:
            self.write(")")


def joined(parts: Iterable[str]) -> str:
    """What Jinja joins the output of templates, macros, captures and blocks with. Raises TemplateFault."""
    listed = list(parts)
    if len(listed) > _FEW and (len(listed) > MAX_RENDERED or sum(map(len, listed)) > MAX_RENDERED):
        raise too_long()
    text = "".join(listed)
    if len(text) > MAX_RENDERED:
        raise too_long()
    return text


class Environment(ImmutableSandboxedEnvironment):
    """The language of every text of a project. `room` is how many characters the running render may still print."""

    room = MAX_PRINTED

    intercepted_binops = frozenset({"+", "-", "*", "**", "%"})
    template_class = _Template
    code_generator_class = _Generator
    concat = staticmethod(joined)

    def __init__(self, *, autoescape: bool, loader: jinja2.BaseLoader) -> None:
        super().__init__(
            autoescape=autoescape,
            undefined=Missing,
            finalize=printable,
            loader=loader,
            auto_reload=False,
            cache_size=-1,
        )
        for name in _WITHOUT_GLOBALS:
            del self.globals[name]
        for name in _WITHOUT_FILTERS:
            del self.filters[name]
        for name in _OF_ONE_TEXT:
            self.filters[name] = _of_one_text(self.filters[name])
        for name in _WITH_A_SIZE:
            self.filters[name] = _with_a_size(self.filters[name])
        self.filters.update(
            {"join": _joined, "sum": _summed, "xmlattr": _of_parts(filters.do_xmlattr), "printable": printable}
        )
        self.filters["urlencode"] = _of_parts(filters.do_urlencode)
        self.filters["d"] = self.filters["default"] = _default
        self.tests.update({"defined": _is_defined, "undefined": lambda value: not _is_defined(value)})

    def html(self, value: Any) -> str:
        """A value as it is printed into a body. Raises TemplateFault."""
        if type(value) is not str:
            return escape(checked(value) if not isinstance(value, str) else self._counted(value))
        self.room -= len(value) + 1
        if self.room < 0:
            raise too_long()
        return value if value.isalnum() else escaped(value)

    def plain(self, value: Any) -> str:
        """A value as it is printed into any other text. Raises TemplateFault."""
        return self._counted(value) if isinstance(value, str) else str(checked(value))

    def _counted(self, value: str) -> str:
        self.room -= len(value) + 1
        if self.room < 0:
            raise too_long()
        return value

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Computes left operator right, unless the result would be huge or no text. Raises SecurityError."""
        if isinstance(left, int | float) and isinstance(right, int | float):
            _check_numbers(operator, left, right)
        elif operator == "*":
            _check_repetition(left, right)
        elif operator == "+" and isinstance(left, Sized) and isinstance(right, Sized):
            if not isinstance(left, Missing) and not isinstance(right, Missing):
                _check_size(len(left) + len(right))
        elif operator == "-" and (isinstance(left, AbstractSet) or isinstance(right, AbstractSet)):
            raise SecurityError("a difference of keys has no order; use | reject")
        elif operator == "%" and isinstance(left, str):
            _check_format(left, right if isinstance(right, tuple) else (right,))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls what a template calls, unless a text would grow huge. Raises SecurityError."""
        method = getattr(obj, "__wrapped__", obj)  # the sandbox wraps str.format
        owner = getattr(method, "__self__", None)
        if isinstance(owner, str):
            if method.__name__ == "format":
                _check_format(owner, [*args, *kwargs.values()])
            elif method.__name__ == "join" and args:
                args = (_checked_parts(owner, args[0]),)
            _check_growth(owner, [*args, *kwargs.values()])
        return super().call(context, obj, *args, **kwargs)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Jinja's rules, and no method of a text that grows beyond what can be foreseen."""
        return not (isinstance(obj, str) and attr in _NO_METHODS) and super().is_safe_attribute(obj, attr, value)

    def compiled(self, tree: nodes.Template) -> tuple[jinja2.Template, frozenset[str]]:
        """A parsed template without a name, and the variables that it takes from its values."""
        generator = self._generated(tree, None, None)
        code = self._compile(generator.stream.getvalue(), "<template>")
        template = self.template_class.from_code(self, code, self.make_globals(None))
        return template, generator.used - self.globals.keys()

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        """Jinja's hook, for what the loader finds."""
        code: str = self._generated(source, *args, **kwargs).stream.getvalue()
        return code

    def _generated(self, tree: nodes.Template, *args: Any, **kwargs: Any) -> Any:
        """A generator that has written the code. What `~` joins is as printable as what stands in {{ }}."""
        for concat in list(tree.find_all(nodes.Concat)):
            concat.nodes = [
                nodes.Filter(part, "printable", [], [], None, None, lineno=part.lineno, environment=self)
                for part in concat.nodes
            ]
        generator = self.code_generator_class(self, *args, **kwargs)
        generator.visit(tree)
        return generator


def _check_numbers(operator: str, left: float, right: float) -> None:
    if operator == "**":
        if abs(right) > MAX_POWER:
            raise SecurityError(f"a power above {MAX_POWER} is not computed")
        if isinstance(left, int) and left.bit_length() * right > MAX_BITS:
            raise OverflowError
    whole = isinstance(left, int) and isinstance(right, int)
    if operator == "*" and whole and int(left).bit_length() + int(right).bit_length() > MAX_BITS:
        raise OverflowError


def _check_repetition(left: Any, right: Any) -> None:
    for text, times in ((left, right), (right, left)):
        if isinstance(text, str | list | tuple) and isinstance(times, int):
            if isinstance(text, str) and re.fullmatch(_NUMBER, text):
                raise SecurityError(f"a text is repeated here, not multiplied; write {{{{ … | float * {times} }}}}")
            _check_size(len(text) * times)


def _check_format(template: str, args: Iterable[Any]) -> None:
    if re.search(_PERCENT_WIDTH, template) or re.search(_BRACE_WIDTH, template):
        raise SecurityError("a format that pads to a longer text than a message may be")
    if re.search(_AS_CODE, template) or re.search(_INSIDE, template):
        raise SecurityError("a format that prints more of a value than its text")
    for arg in args:
        for value in arg.values() if isinstance(arg, Mapping) else (arg,):
            if not isinstance(value, bool):
                checked(value)


def _check_growth(text: str, args: Iterable[Any]) -> None:
    for arg in args:
        if isinstance(arg, int):
            _check_size(arg)
        elif isinstance(arg, str) and len(arg) > 1:
            _check_size((len(text) + 1) * (len(arg) + 1) // 8)


def _check_size(size: int) -> None:
    if size > MAX_RENDERED:
        raise too_long()


def _arguments(filter_: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments that stand in the template, without what Jinja hands in before them."""
    return args[1:] if hasattr(filter_, "jinja_pass_arg") else args


def _of_one_text(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, which would make a text of anything, for what may be printed only; no result grows huge."""

    @functools.wraps(filter_)  # with the mark that tells Jinja what to hand in first
    def guarded(*args: Any, **kwargs: Any) -> Any:
        value, *rest = _arguments(filter_, args)
        given = [*rest, *kwargs.values()]
        for each in (value, *(arg for arg in given if not isinstance(arg, bool))):
            checked(each)
        if filter_ is filters.do_format:
            _check_format(value, given)
        if isinstance(value, str):
            _check_growth(value, given)
        return filter_(*args, **kwargs)

    return guarded


def _with_a_size(filter_: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(filter_)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        _, *rest = _arguments(filter_, args)
        _check_growth("", [arg for arg in (*rest, *kwargs.values()) if isinstance(arg, int)])
        return filter_(*args, **kwargs)

    return guarded


def _of_parts(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter for a text, or for a mapping of names to what may be printed."""

    @functools.wraps(filter_)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        value = _arguments(filter_, args)[0]
        for part in value.values() if isinstance(value, Mapping) else (value,):
            checked(part)
        return filter_(*args, **kwargs)

    return guarded


def _checked_parts(glue: str, parts: Iterable[Any]) -> list[Any]:
    listed = [checked(part) for part in parts]
    _check_size(sum(len(part) + len(glue) for part in listed if isinstance(part, str)))
    return listed


@jinja2.pass_eval_context
def _joined(context: nodes.EvalContext, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    if attribute is not None:
        value = map(filters.make_attrgetter(context.environment, attribute), value)
    return filters.sync_do_join(context, _checked_parts(checked(d), value), d)


@jinja2.pass_environment
def _summed(environment: Any, value: Iterable[Any], attribute: str | int | None = None, start: Any = 0) -> Any:
    if not isinstance(start, int | float):
        raise SecurityError("a sum of anything but numbers")
    return filters.sync_do_sum(environment, value, attribute, start)


def _default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:  # noqa: FBT001, FBT002  # Jinja's own
    return default_value if not _is_defined(value) or (boolean and not value) else value


def _is_defined(value: Any) -> bool:
    """Null is as undefined inside a list as it is as a variable."""
    return value is not None and not isinstance(value, jinja2.Undefined)
