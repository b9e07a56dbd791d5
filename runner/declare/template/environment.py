"""The Jinja sandbox of all templates. It limits how large texts grow, and prints only what is printable.

Without a loop, no text grows huge. Every value passes check_printable before it becomes text.

The same input renders the same bytes: nothing depends on randomness, a clock, addresses in memory, the order of a set,
or on what one render leaves behind for the next.
"""

from collections.abc import Iterable, Sized
from collections.abc import Set as AbstractSet
from types import NoneType
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
    MissingItem,
    MissingPart,
    check_printable,
    escape_html,
    finalize_value,
    too_long_fault,
)

# Up to so many parts are joined before their length is checked: none is longer than a template, so the result fits
# into memory.
_MAX_UNCHECKED_PARTS = 1000
_SAFE_OPERATORS = frozenset({"+", "-"})  # on two numbers, neither makes a huge number
_NUMBER_TYPES = frozenset({int, float})
# Values of variables: an attribute looks up data in them, never a member of the Python class.
_DATA_TYPES = (str, dict, list, tuple, int, float, NoneType)
_PARTLESS_TYPES = (str, list, tuple, int, float)  # no attribute of these is data
# Methods of a text that are refused: the arguments do not bound the size of the result, or the result is no text.
_REFUSED_METHODS = frozenset({"expandtabs", "translate", "maketrans", "encode", "format_map"})
_REMOVED_GLOBALS = ("lipsum",)  # it returns a random text


class _Template(jinja2.Template):
    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        """Imports the module again in every render.

        Jinja would keep one module for all renders, with the state of the counters and cyclers in it.
        """
        self._module = None
        return super()._get_default_module(ctx)


class _Generator(CodeGenerator):
    """Generates code that prints a value, and looks up a variable, with one call each.

    Jinja's own code makes three calls to print a value, and calls a Python function to look up a variable. `used` are
    the variables that the code may take from the values; jinja2.meta would generate the code a second time to find
    them. `assigned` are those that the template sets without using them first. A block may still use one before it is
    set, so a name can be in both.
    """

    used: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()

    def enter_frame(self, frame: Frame) -> None:
        loads = frame.symbols.loads
        looked_up = {target: name for target, (action, name) in loads.items() if action == VAR_LOAD_RESOLVE}
        self.used |= set(looked_up.values())
        if not frame.rootlevel:
            super().enter_frame(frame)
            return
        self.assigned = frozenset(frame.symbols.stores - set(looked_up.values()))
        # The same as Context.resolve. At the start of a template only its child template can have set variables.
        self.writeline("given = ({**context.parent, **context.vars} if context.vars else context.parent).get")
        for target, name in looked_up.items():
            self.writeline(f"{target} = given({name!r}, missing)")
        frame.symbols.loads = {target: load for target, load in loads.items() if target not in looked_up}
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
    """Joins the output of a template, macro, capture or block; Jinja calls it in place of its own join.

    Raises TemplateFault if the text is longer than MAX_RENDERED characters.
    """
    all_parts = list(parts)
    if len(all_parts) > _MAX_UNCHECKED_PARTS and (
        len(all_parts) > MAX_RENDERED or sum(map(len, all_parts)) > MAX_RENDERED
    ):
        raise too_long_fault()
    text = "".join(all_parts)
    if len(text) > MAX_RENDERED:
        raise too_long_fault()
    return text


class Environment(ImmutableSandboxedEnvironment):
    """The Jinja environment of every text of a project.

    `remaining_chars` is how many characters the current render may still print.
    """

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
        for name in _REMOVED_GLOBALS:
            del self.globals[name]
        self.filters = restrict_filters(self.filters)
        self.tests.update({"defined": is_defined, "undefined": lambda value: not is_defined(value)})

    def html(self, value: Any) -> str:
        """The escaped text of a value that is printed into a body. Raises TemplateFault."""
        if type(value) is not str:
            if type(value) is int:
                return str(value)
            return escape(check_printable(value) if not isinstance(value, str) else self._count_chars(value))
        self.remaining_chars -= len(value) + 1
        if self.remaining_chars < 0:
            raise too_long_fault()
        return value if value.isalnum() else escape_html(value)

    def plain(self, value: Any) -> str:
        """The text of a value that is printed into any other text, not escaped. Raises TemplateFault."""
        return self._count_chars(value) if isinstance(value, str) else str(check_printable(value))

    def _count_chars(self, value: str) -> str:
        self.remaining_chars -= len(value) + 1
        if self.remaining_chars < 0:
            raise too_long_fault()
        return value

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Computes `left operator right`.

        Raises SecurityError, OverflowError or TemplateFault if the result would be huge, if a text that is a number
        would be repeated, if a difference of sets has no order, or if a format prints more than the text of a value.
        """
        if operator in _SAFE_OPERATORS and type(left) in _NUMBER_TYPES and type(right) in _NUMBER_TYPES:
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
        """Calls `obj` for a template.

        Raises SecurityError or TemplateFault if a method of a text would make a huge text or print what is no text.
        """
        if isinstance(obj, Missing):
            return obj()  # raises; the sandbox would ask for its attributes first
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
        """The value of `obj.attribute` in a template: the item of that key, or missing.

        Jinja would return a Python method for names such as `items` or `count`, which is true in every `if`. Objects
        that Jinja itself makes, such as `loop`, have attributes. A text or a list has none: see MissingPart.
        """
        if type(obj) is dict:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, _PARTLESS_TYPES):
            return MissingPart(obj=obj, name=attribute)
        if isinstance(obj, _DATA_TYPES):
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The value of `obj[argument]` in a template: an item, or missing. Jinja would look for an attribute next."""
        if isinstance(obj, _DATA_TYPES):
            try:
                return obj[argument]  # type: ignore[index]  # of a number it is a TypeError
            except (LookupError, TypeError):
                return MissingItem(obj=obj, name=argument)
        return super().getitem(obj, argument)

    def get_method(self, obj: Any, name: str) -> Any:
        """What `obj.name(…)` in a template calls: a method of a text, or what `getattr` returns for any other object.

        Raises SecurityError for a method of a text that is not allowed.
        """
        if not isinstance(obj, str):
            return self.getattr(obj, name)
        if not self.is_safe_attribute(obj, name, getattr(obj, name, None)):
            raise SecurityError(f"the method {name} of a text")
        return super().getattr(obj, name)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may use an attribute.

        Beyond Jinja's rules, it must not be a method of a text whose result has a size that cannot be foreseen.
        """
        return not (isinstance(obj, str) and attr in _REFUSED_METHODS) and super().is_safe_attribute(obj, attr, value)

    def compile_tree(self, tree: nodes.Template) -> tuple[jinja2.Template, frozenset[str], frozenset[str]]:
        """Compiles a parsed template without a name.

        Returns it, the variables that it may take from its values, and those that it sets itself.
        """
        generator = self._run_generator(tree, None, None)
        code = self._compile(generator.stream.getvalue(), "<template>")
        template = self.template_class.from_code(self, code, self.make_globals(None))
        return template, generator.used - self.globals.keys(), generator.assigned

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        """Overrides Jinja's hook, which generates the code of every template that the loader returns."""
        code: str = self._run_generator(source, *args, **kwargs).stream.getvalue()
        return code

    def _run_generator(self, tree: nodes.Template, *args: Any, **kwargs: Any) -> Any:
        """A generator that has written the code of the template.

        What `~` joins must be as printable as what stands in {{ }}, so each part of it gets the filter `printable`. An
        attribute that is called becomes the filter `method`, which calls `get_method`.
        """
        for call in list(tree.find_all(nodes.Call)):
            if isinstance(call.node, nodes.Getattr):
                name = nodes.Const(call.node.attr)
                call.node = nodes.Filter(
                    call.node.node, "method", [name], [], None, None, lineno=call.lineno, environment=self
                )
        for concat in list(tree.find_all(nodes.Concat)):
            concat.nodes = [
                nodes.Filter(part, "printable", [], [], None, None, lineno=part.lineno, environment=self)
                for part in concat.nodes
            ]
        generator = self.code_generator_class(self, *args, **kwargs)
        generator.visit(tree)
        return generator
