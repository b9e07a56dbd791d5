"""The Jinja sandbox of all templates. It limits how large texts grow, and prints only what is printable.

Without a loop, no text grows huge. Every value passes check_printable before it becomes text.

The same input renders the same bytes: nothing depends on randomness, a clock, addresses in memory, the order of a set,
or on what one render leaves behind for the next.
"""

from collections.abc import Collection, Iterable, Sequence, Sized
from collections.abc import Set as AbstractSet
from functools import cache
from types import NoneType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from runner.declare.template.code_generator import Generator
from runner.declare.template.filters import check_parts, is_defined, restrict_filters
from runner.declare.template.jinja_objects import has_data, has_method
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
from runner.declare.template.size_limits import check_format, check_growth, check_numbers, check_repetition, check_size
from runner.declare.template.written_texts import DataFlow, Written

# Up to so many parts are joined before their length is checked: none is longer than a template, so the result fits
# into memory.
_MAX_UNCHECKED_PARTS = 1000
_SAFE_OPERATORS = frozenset({"+", "-"})  # on two numbers, neither makes a huge number
_NUMBER_TYPES = frozenset({int, float})
# Values of variables: an attribute looks up data in them, never a member of the Python class.
_DATA_TYPES = (str, dict, list, tuple, int, float, NoneType)
# Methods of a text that are refused: the arguments do not bound the size of the result, or the result is not a text.
_REFUSED_METHODS = frozenset({"expandtabs", "translate", "maketrans", "encode", "format_map"})
_REMOVED_GLOBALS = ("lipsum",)  # it returns a random text


class _Template(jinja2.Template):
    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        """Imports the module again in every render.

        Jinja would keep one module for all renders, with the state of the counters and cyclers in it.
        """
        self._module = None
        return super()._get_default_module(ctx)


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
    code_generator_class = Generator
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
        """Returns the escaped text of a value that is printed into a body. Raises TemplateFault."""
        if type(value) is not str:
            if type(value) is int:
                return str(value)
            return escape(check_printable(value) if not isinstance(value, str) else self._count_chars(value))
        self.remaining_chars -= len(value) + 1
        if self.remaining_chars < 0:
            raise too_long_fault()
        return value if value.isalnum() else escape_html(value)

    def plain(self, value: Any) -> str:
        """Returns the text of a value that is printed into any other text, not escaped. Raises TemplateFault."""
        return self._count_chars(value) if isinstance(value, str) else str(check_printable(value))

    def mark_written(self, names: Sequence[str], text: str) -> Written:
        """Returns a printed text as one of the author's words alone."""
        written = Written(text)
        written.names = names
        return written

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

        Raises SecurityError or TemplateFault if a method of a text would make a huge text or print what is not a text.
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
        """Returns the value of `obj.attribute` in a template: the item of that key, or missing.

        Jinja would return a Python method for names such as `items` or `count`, which is true in every `if`. Of objects
        that Jinja itself makes, such as `loop`, `jinja_objects` knows the data. A text or a list has none: see
        MissingPart.
        """
        if type(obj) is dict:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if obj is None or isinstance(obj, dict):
            return self.undefined(obj=obj, name=attribute)
        if isinstance(obj, jinja2.Undefined) or has_data(obj, attribute):
            return super().getattr(obj, attribute)
        return MissingPart(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Returns the value of `obj[argument]` in a template: an item, or missing.

        Jinja would look for an attribute next.
        """
        if isinstance(obj, _DATA_TYPES):
            try:
                return obj[argument]  # type: ignore[index]  # of a number it is a TypeError
            except (LookupError, TypeError):
                return MissingItem(obj=obj, name=argument)
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        return super().getitem(obj, argument)

    def get_written_item(self, obj: Any, key: str | int) -> Any:
        """Returns the value of `obj[key]`, or `obj.0`, where the key stands in the template: no recipient's value."""
        item = self.getitem(obj, key)
        return self.undefined(obj=obj, name=str(key)) if type(item) is MissingItem else item

    def get_method(self, obj: Any, name: str) -> Any:
        """Returns what `obj.name(…)` in a template calls: a method of a text, or what `getattr` returns otherwise.

        Raises SecurityError for a method of a text that is not allowed.
        """
        if has_method(obj, name):
            return super().getattr(obj, name)
        if not isinstance(obj, str):
            return self.getattr(obj, name)
        if not self.is_safe_attribute(obj, name, getattr(obj, name, None)):
            raise SecurityError(f"the method {name} of a text")
        return super().getattr(obj, name)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Returns whether a template may use an attribute.

        Beyond Jinja's rules, it must not be a method of a text whose result has a size that cannot be foreseen.
        """
        return not (isinstance(obj, str) and attr in _REFUSED_METHODS) and super().is_safe_attribute(obj, attr, value)

    def compile_tree(
        self, tree: nodes.Template, variables: Collection[str] | None = None
    ) -> tuple[jinja2.Template, frozenset[str], frozenset[str]]:
        """Compiles a parsed template without a name. For `variables` see `DataFlow.find_written`.

        Returns it, the variables that it may take from its values, and those that it sets itself.
        """
        generator = self._run_generator(tree, None, None, variables=variables)
        code = self._compile(generator.stream.getvalue(), "<template>")
        template = self.template_class.from_code(self, code, self.make_globals(None))
        return template, generator.used - self.globals.keys(), generator.assigned

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        """Overrides Jinja's hook, which generates the code of every template that the loader returns."""
        code: str = self._run_generator(source, *args, **kwargs).stream.getvalue()
        return code

    def _run_generator(
        self, tree: nodes.Template, *args: Any, variables: Collection[str] | None = None, **kwargs: Any
    ) -> Any:
        """Returns a generator that has written the code of the template.

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
        flow = cache(lambda: DataFlow(tree))  # most templates print nothing but variables and words
        generator = self.code_generator_class(self, *args, **kwargs)
        generator.find_names = lambda node: flow().find_written(node, variables)
        generator.visit(tree)
        return generator
