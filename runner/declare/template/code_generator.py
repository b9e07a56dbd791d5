"""Generates the Python code of a template."""

from collections.abc import Callable
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE


class Generator(CodeGenerator):
    """Generates code that prints a value, and looks up a variable, with one call each.

    A key that stands in the template, as in `order["id"]` or `lines.0`, is looked up as such: a problem may show it.

    Jinja's own code makes three calls to print a value, and calls a Python function to look up a variable. `used` are
    the variables that the code may take from the values; jinja2.meta would generate the code a second time to find
    them. `assigned` are those that the template sets without using them first. A block may still use one before it is
    set, so a name can be in both. `find_names` is `DataFlow.find_written` of the template.
    """

    find_names: Callable[[nodes.Node], frozenset[str] | None]
    used: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()

    def enter_frame(self, frame: Frame) -> None:
        """Writes how the variables of a frame are looked up, and adds them to `used` and `assigned`."""
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

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802  # Jinja's name
        """Writes how an item is looked up."""
        if not isinstance(node.arg, nodes.Const):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.get_written_item(")
        self.visit(node.node, frame)
        self.write(f", {node.arg.value!r})")

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802  # Jinja's name
        """Writes a filter. `value | attr("name")` is `value.name`; any other `attr` gets a computed name."""
        match node:
            case nodes.Filter(name="attr", node=nodes.Expr() as owner, args=[nodes.Const(value=str(name))]):
                self.visit_Getattr(nodes.Getattr(owner, name, "load", lineno=node.lineno), frame)
            case _:
                super().visit_Filter(node, frame)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile:
            super()._output_child_pre(node, frame, finalize)
            return
        prints = f"environment.{'html' if frame.eval_ctx.autoescape else 'plain'}("
        names = None if isinstance(node, nodes.Const) else self.find_names(node)
        self.write(prints if names is None else f"environment.mark_written({sorted(names)!r}, {prints}")
        self._is_marked = names is not None

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile:
            super()._output_child_post(node, frame, finalize)
        else:
            self.write("))" if self._is_marked else ")")
