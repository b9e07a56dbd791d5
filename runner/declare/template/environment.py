"""Jinja in a sandbox: no text grows huge without a loop, and no way around `printable` turns a value into text.

The same input renders the same bytes: no chance, no clock, no addresses, no order of a set, nothing that one render
leaves behind for the next.
"""

from collections.abc import Iterable, Sized
from collections.abc import Set as AbstractSet
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from runner.declare.template.bounds import check_format, check_growth, check_numbers, check_repetition, check_size
from runner.declare.template.filters import check_parts, is_defined, restrict_filters
from runner.declare.template.language import (
    MAX_PRINTED,
    MAX_RENDERED,
    Missing,
    check_printable,
    escape_html,
    finalize_value,
    too_long_fault,
)

_FEW = 1000  # parts, of which none is longer than a template: what they make fits into memory


_HARMLESS = frozenset({"+", "-"})  # of numbers


_NUMBERS = frozenset({int, float})


_OF_MAPPINGS = frozenset(dir(dict))


# What each would build could not be bounded by looking at the arguments, or is no text.
_NO_METHODS = frozenset({"expandtabs", "translate", "maketrans", "encode", "format_map"})


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


def join_bounded(parts: Iterable[str]) -> str:
    """What Jinja joins the output of templates, macros, captures and blocks with. Raises TemplateFault."""
    listed = list(parts)
    if len(listed) > _FEW and (len(listed) > MAX_RENDERED or sum(map(len, listed)) > MAX_RENDERED):
        raise too_long_fault()
    text = "".join(listed)
    if len(text) > MAX_RENDERED:
        raise too_long_fault()
    return text


class Environment(ImmutableSandboxedEnvironment):
    """The language of every text of a project. `room` is how many characters the running render may still print."""

    remaining_chars = MAX_PRINTED

    intercepted_binops = frozenset({"+", "-", "*", "**", "%"})
    template_class = _Template
    code_generator_class = _Generator
    concat = staticmethod(join_bounded)

    def __init__(self, *, autoescape: bool, loader: jinja2.BaseLoader) -> None:
        super().__init__(
            autoescape=autoescape,
            undefined=Missing,
            finalize=finalize_value,
            loader=loader,
            auto_reload=False,
            cache_size=-1,
        )
        for name in _WITHOUT_GLOBALS:
            del self.globals[name]
        self.filters = restrict_filters(self.filters)
        self.tests.update({"defined": is_defined, "undefined": lambda value: not is_defined(value)})

    def html(self, value: Any) -> str:
        """A value as it is printed into a body. Raises TemplateFault."""
        if type(value) is not str:
            if type(value) is int:
                return str(value)
            return escape(check_printable(value) if not isinstance(value, str) else self._counted(value))
        self.remaining_chars -= len(value) + 1
        if self.remaining_chars < 0:
            raise too_long_fault()
        return value if value.isalnum() else escape_html(value)

    def plain(self, value: Any) -> str:
        """A value as it is printed into any other text. Raises TemplateFault."""
        return self._counted(value) if isinstance(value, str) else str(check_printable(value))

    def _counted(self, value: str) -> str:
        self.remaining_chars -= len(value) + 1
        if self.remaining_chars < 0:
            raise too_long_fault()
        return value

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Computes left operator right, unless the result would be huge or no text. Raises SecurityError."""
        if operator in _HARMLESS and type(left) in _NUMBERS and type(right) in _NUMBERS:
            return left + right if operator == "+" else left - right
        if isinstance(left, int | float) and isinstance(right, int | float):
            check_numbers(operator, left, right)
        elif operator == "*":
            check_repetition(left, right)
        elif operator == "+" and isinstance(left, Sized) and isinstance(right, Sized):
            if not isinstance(left, Missing) and not isinstance(right, Missing):
                check_size(len(left) + len(right))
        elif operator == "-" and (isinstance(left, AbstractSet) or isinstance(right, AbstractSet)):
            raise SecurityError("a difference of keys has no order; use | reject")
        elif operator == "%" and isinstance(left, str):
            check_format(left, right if isinstance(right, tuple) else (right,))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls what a template calls, unless a text would grow huge. Raises SecurityError."""
        method = getattr(obj, "__wrapped__", obj)  # the sandbox wraps str.format
        owner = getattr(method, "__self__", None)
        if isinstance(owner, str):
            if method.__name__ == "format":
                check_format(owner, [*args, *kwargs.values()])
            elif method.__name__ == "join" and args:
                args = (check_parts(owner, args[0]),)
            check_growth(owner, [*args, *kwargs.values()])
        return super().call(context, obj, *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What a template calls obj.attribute: of a mapping its member, which Jinja would look for last."""
        if type(obj) is dict and attribute not in _OF_MAPPINGS and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Jinja's rules, and no method of a text that grows beyond what can be foreseen."""
        return not (isinstance(obj, str) and attr in _NO_METHODS) and super().is_safe_attribute(obj, attr, value)

    def compile_tree(self, tree: nodes.Template) -> tuple[jinja2.Template, frozenset[str]]:
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
