"""Templates, compiled once and rendered for every recipient. The same input renders the same bytes.

A template sees its variables and nothing else: no clock, no randomness, no file outside `messages/`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from posixpath import normpath
from typing import Any, NamedTuple

import jinja2
from jinja2 import nodes

from runner.declare.template.css_braces import check_comments
from runner.declare.template.environment import Environment, join_bounded
from runner.declare.template.faults import FOLDER, render_fault, syntax_fault
from runner.declare.template.language import MAX_PRINTED, MAX_RENDERED, TemplateFault
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.substitution import Render, make_renderer, split_pieces
from runner.declare.template.written_texts import INCLUDES
from runner.declare.tree import NotReadable, Tree
from runner.declare.yaml.document import decode
from runner.errors import Problem

_RESERVED = frozenset({"self"})  # names to which Jinja gives a meaning of its own
_MAX_PARTS = MAX_RENDERED + 1  # an endless loop that prints nothing has no parts: RenderTimeout ends it


class Template(NamedTuple):
    """A compiled template.

    `render_parts` takes the values, which include the globals. It returns the text, and the parts that it was joined
    from: each is what the author wrote, or what an expression printed. It raises TemplateFault. `variables` maps the
    variables that the template may use to their lines. `assigned` are the variables that it sets itself. `includes`
    maps the names of the files that it includes to their sources. `is_substitution` says that the template has nothing
    but words and variables.
    """

    source: str
    render_parts: Render
    variables: Mapping[str, int] = {}
    assigned: frozenset[str] = frozenset()
    includes: Mapping[str, str] = {}
    is_substitution: bool = False

    def render(self, values: dict[str, Any]) -> str:
        """Returns the text. Raises TemplateFault."""
        return self.render_parts(values)[0]


def used_variables(texts: Sequence[Template]) -> frozenset[str] | None:
    """Returns the variables that some texts use; None if an include may use any variable."""
    return None if any(text.includes for text in texts) else frozenset().union(*(text.variables for text in texts))


class Templates:
    """Compiles the texts of one project.

    The monitor shows every render. The values of every render must include `globals`.
    """

    def __init__(self, tree: Tree, monitor: RenderMonitor) -> None:
        self._tree = tree
        self._monitor = monitor
        self._includes: dict[str, str] = {}
        loader = jinja2.FunctionLoader(self._load)
        self._html = Environment(autoescape=True, loader=loader)
        self._plain = Environment(autoescape=False, loader=loader)
        self.globals: dict[str, Any] = dict(self._html.globals)

    def compile(self, source: str, *, html: bool, variables: Iterable[str] = ()) -> Template:
        """Compiles a text. With `html`, as for a body, the values that it prints are escaped. Raises TemplateFault.

        `variables` are those that the message has values for.
        """
        if "{" not in source:
            # Without a tag, Jinja would only normalise the line ends and drop the last: a third of real-world texts.
            constant = source.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
            return Template(source, lambda _: (constant, (constant,)))
        environment = self._html if html else self._plain
        try:
            tree = _parse(environment, source)
            tree_nodes = [*tree.find_all((nodes.Name, *INCLUDES))]
            includes = self._read_includes(tree_nodes, environment, {})
            lines = {node.name: node.lineno for node in reversed(tree_nodes) if isinstance(node, nodes.Name)}
            pieces = split_pieces(tree, _RESERVED | self.globals.keys())
            if pieces is None:
                is_alone = not any(isinstance(node, INCLUDES) for node in tree_nodes)
                known = {*self.globals, *variables} if is_alone else None
                template, variables, assigned = environment.compile_tree(tree, known)
                render = self._make_renderer(environment, template)
            else:
                variables, assigned = frozenset(lines), frozenset()
                render = make_renderer(pieces, html=html, fallback=self._make_lazy_renderer(environment, source))
        except jinja2.TemplateSyntaxError as error:
            fault = syntax_fault(error, source)
            self._add_excerpt(fault)
            raise fault from error
        except RecursionError as error:
            raise TemplateFault("template-syntax", "the template is nested too deeply") from error
        except AssertionError as error:  # of Jinja, which looks for no variable there
            message = "template: the filter of a {% set %} block cannot have a variable"
            hint = "filter it where it is printed: {{ x | replace('a', b) }}"
            raise TemplateFault("template-syntax", message, hint) from error
        except ValueError as error:  # Python's own limit of 4,300 digits
            raise TemplateFault("template-syntax", "template: a number has thousands of digits") from error
        used = {name: lines[name] for name in sorted(variables & lines.keys())}
        return Template(source, render, used, assigned, includes, is_substitution=pieces is not None)

    def _load(self, name: str) -> str | None:
        """Loads a file for Jinja, without a file name: Python would show lines of the file that has it.

        By then `compile` has read every name, so a name is missing only where the template allows that.
        """
        try:
            return self._read_include(name)
        except NotReadable:
            return None

    def _read_include(self, name: str) -> str:
        """Returns the text of a file below messages/. Raises NotReadable, TemplateFault."""
        self._tree.on_look(normpath(FOLDER + name))
        if name not in self._includes:
            if not normpath(FOLDER + name).startswith(FOLDER):
                raise NotReadable("file-outside", f"{name} is outside {FOLDER}", "includes are files below it")
            path = self._tree.locate(name, FOLDER + "_")
            source = decode(path, self._tree.read(path))
            if isinstance(source, Problem):
                raise TemplateFault(source.code, source.message, source.hint, source.place.line, path)
            self._includes[name] = source.text
        return self._includes[name]

    def _read_includes(
        self, tree_nodes: Iterable[nodes.Node], environment: Environment, sources: dict[str, str]
    ) -> dict[str, str]:
        """Adds the source of every include, import and parent, and of theirs, to `sources`, and returns it.

        Raises TemplateFault, also if the name of one is not literal.
        """
        for node in tree_nodes:
            name = self._find_existing(node) if isinstance(node, INCLUDES) else None
            if name is None or name in sources:
                continue
            sources[name] = self._read_include(name)
            try:
                tree = _parse(environment, sources[name], name)
                self._read_includes(tree.find_all(INCLUDES), environment, sources)
            except TemplateFault as fault:
                self._add_excerpt(fault, FOLDER + name)
                raise
        return sources

    def _find_existing(self, node: Any) -> str | None:
        """Returns the first of the node's template names that exists.

        None if none exists and the node allows that. Raises TemplateFault if it does not.
        """
        names = _read_literal_names(node)
        for name in names:
            try:
                self._read_include(name)
            except NotReadable as error:
                last = name is names[-1]
                if error.code != "file-missing" or (last and not getattr(node, "ignore_missing", False)):
                    hint = error.hint or "includes are relative to messages/"
                    raise TemplateFault(error.code, error.message, hint, node.lineno, name=name) from error
            else:
                return name
        return None

    def _add_excerpt(self, fault: TemplateFault, file: str = "") -> None:
        """Fills in the fault's file, if it has none, and its excerpt: the line of the include that it is in."""
        fault.file = fault.file or file
        lines = self._includes.get(fault.file.removeprefix(FOLDER), "").splitlines()
        fault.excerpt = lines[fault.line - 1] if 0 < fault.line <= len(lines) else ""

    def _make_lazy_renderer(self, environment: Environment, source: str) -> Render:
        compiled = cache(lambda: self._make_renderer(environment, environment.from_string(source)))

        def render(values: dict[str, Any]) -> tuple[str, Sequence[str]]:
            return compiled()(values)

        return render

    def _make_renderer(self, environment: Environment, template: jinja2.Template) -> Render:
        root, blocks, name, monitor = template.root_render_func, template.blocks, template.name, self._monitor
        context = environment.context_class(environment, {}, name, blocks)

        def render(values: dict[str, Any]) -> tuple[str, Sequence[str]]:
            nonlocal context
            environment.remaining_chars = MAX_PRINTED
            monitor.render_count += 1
            monitor.is_rendering = True
            try:
                # A render leaves the blocks of parents in its context. A failed render, below, may leave half of an
                # {% autoescape %} in it.
                if blocks or context.blocks:
                    context = environment.context_class(environment, values, name, blocks)
                else:
                    context.parent, context.vars, context.exported_vars = values, {}, set()
                # Parts are only references, and their number is limited: a runaway text is refused before it is joined.
                parts = list(islice(root(context), _MAX_PARTS))
                text = join_bounded(parts)
            except Exception as error:
                monitor.is_rendering = False
                context = environment.context_class(environment, {}, name, blocks)
                fault = render_fault(error)
                self._add_excerpt(fault)
                raise fault from error
            finally:
                monitor.is_rendering = False
            return text, parts

        return render


def _parse(environment: Environment, source: str, name: str | None = None) -> nodes.Template:
    """Parses a text, or the include `name`. Raises TemplateSyntaxError, TemplateFault."""
    check_comments(source, environment)
    return environment.parse(source, name, name and FOLDER + name)


def _read_literal_names(node: Any) -> list[str]:
    try:
        value = node.template.as_const()
    except nodes.Impossible:
        value = None
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        hint = "so that a review shows what is sent"
        message = "the name of an included template is written out"
        raise TemplateFault("include-not-literal", message, hint, node.lineno)
    return list(names)
