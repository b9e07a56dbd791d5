"""Templates, compiled once and rendered for every recipient: the same input renders the same bytes.

A template sees variables and nothing else: no clock, no randomness, no file outside `messages/`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from posixpath import normpath
from types import TracebackType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError

from runner.declare.template.environment import Environment, join_bounded
from runner.declare.template.language import (
    MAX_PRINTED,
    MAX_RENDERED,
    MAX_SECONDS,
    TOO_SLOW,
    UNDEFINED_HINT,
    MissingValueError,
    RenderTimeout,
    TemplateFault,
)
from runner.declare.template.substitution import make_renderer, split_pieces
from runner.declare.tree import NotReadable, Tree
from runner.declare.yaml.document import decode
from runner.errors import Problem

_FOLDER = "messages/"


_PARTS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


_RESERVED = frozenset({"self"})  # what Jinja gives a meaning of its own


_MAX_PARTS = MAX_RENDERED + 1  # an endless loop that prints nothing is one that the clock ends


@dataclass(slots=True, eq=False)
class RenderMonitor:
    """Lets somebody outside see a render that does not end: `active` while one runs, `serial` counts them.

    Kept to two assignments a render; who holds a clock raises RenderTooLong when one serial stays active too long.
    """

    is_rendering: bool = False
    render_count: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A compiled template: `render` takes the values (with the globals) and raises TemplateFault.

    `names` are the variables that it uses, with their lines; `parts` maps the includes, by name, to their source.
    """

    source: str
    render: Callable[[dict[str, Any]], str]
    variables: Mapping[str, int] = field(default_factory=dict)
    includes: Mapping[str, str] = field(default_factory=dict)


class Templates:
    """Compiles the texts of one project. `watch` sees every render; `globals` belong into every render's values."""

    def __init__(self, tree: Tree, watch: RenderMonitor) -> None:
        self._tree = tree
        self._watch = watch
        self._includes: dict[str, str] = {}
        loader = jinja2.FunctionLoader(self._include)
        self._html = Environment(autoescape=True, loader=loader)
        self._plain = Environment(autoescape=False, loader=loader)
        self.globals: dict[str, Any] = dict(self._html.globals)

    def compile(self, source: str, *, html: bool) -> Template:
        """Compiles a body (`html`: printed values are escaped) or a one-line text. Raises TemplateFault."""
        if "{" not in source:
            # No tag, so Jinja would only normalise the line ends and drop the last one: a third of real-world texts.
            constant = source.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
            return Template(source, lambda _: constant)
        environment = self._html if html else self._plain
        try:
            tree = environment.parse(source)
            found = [*tree.find_all((nodes.Name, *_PARTS))]
            parts = self._parts(found, environment, {})
            lines = {node.name: node.lineno for node in reversed(found) if isinstance(node, nodes.Name)}
            simple = split_pieces(tree, _RESERVED | self.globals.keys())
            if simple is None:
                template, used = environment.compile_tree(tree)
                render = self._renderer(environment, template)
            else:
                render, used = (
                    make_renderer(simple, html=html, fallback=self._late(environment, source)),
                    frozenset(lines),
                )
        except jinja2.TemplateSyntaxError as error:
            fault = syntax_fault(error)
            self._show(fault)
            raise fault from error
        except RecursionError as error:
            raise TemplateFault("template-syntax", "the template is nested too deeply") from error
        return Template(source, render, {name: lines[name] for name in sorted(used & lines.keys())}, parts)

    def _include(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        """Jinja's loader; by then every name was found readable, or missing where it may be."""
        try:
            return self._source(name), name, lambda: True
        except NotReadable:
            return None

    def _source(self, name: str) -> str:
        """The text of a file below messages/. Raises NotReadable, TemplateFault."""
        if name not in self._includes:
            if not normpath(_FOLDER + name).startswith(_FOLDER):
                raise NotReadable("file-outside", f"{name} is outside {_FOLDER}", "includes are files below it")
            path = self._tree.locate(name, _FOLDER + "_")
            found = decode(path, self._tree.read(path))
            if isinstance(found, Problem):
                raise TemplateFault(found.code, found.message, found.hint, found.place.line, path)
            self._includes[name] = found.text
        return self._includes[name]

    def _parts(self, found: Iterable[nodes.Node], environment: Environment, seen: dict[str, str]) -> dict[str, str]:
        """The sources of every include, import and parent, and of theirs. Their names must be literal."""
        for node in found:
            name = self._existing(node) if isinstance(node, _PARTS) else None
            if name is None or name in seen:
                continue
            seen[name] = self._source(name)
            try:
                tree = environment.parse(seen[name], name, _FOLDER + name)
                self._parts(tree.find_all(_PARTS), environment, seen)
            except TemplateFault as fault:
                self._show(fault, _FOLDER + name)
                raise
        return seen

    def _existing(self, node: Any) -> str | None:
        """The first of the node's templates that exists, or none where that is allowed. Raises TemplateFault."""
        names = _literal_names(node)
        for name in names:
            try:
                self._source(name)
            except NotReadable as error:
                last = name is names[-1]
                if error.code != "file-missing" or (last and not getattr(node, "ignore_missing", False)):
                    hint = error.hint or "includes are relative to messages/"
                    raise TemplateFault(error.code, error.message, hint, node.lineno, name=name) from error
            else:
                return name
        return None

    def _show(self, fault: TemplateFault, file: str = "") -> None:
        """Makes the fault show the line of the include that it is in, by default of `file`."""
        fault.file = fault.file or file
        lines = self._includes.get(fault.file.removeprefix(_FOLDER), "").splitlines()
        fault.excerpt = lines[fault.line - 1] if 0 < fault.line <= len(lines) else ""

    def _late(self, environment: Environment, source: str) -> Callable[[dict[str, Any]], str]:
        """A renderer that is compiled when it is first used."""
        compiled = cache(lambda: self._renderer(environment, environment.from_string(source)))

        def render(values: dict[str, Any]) -> str:
            return compiled()(values)

        return render

    def _renderer(self, environment: Environment, template: jinja2.Template) -> Callable[[dict[str, Any]], str]:
        root, blocks, name, watch = template.root_render_func, template.blocks, template.name, self._watch
        context = environment.context_class(environment, {}, name, blocks)

        def render(values: dict[str, Any]) -> str:
            nonlocal context
            environment.remaining_chars = MAX_PRINTED
            watch.render_count += 1
            watch.is_rendering = True
            try:
                # What a render leaves in a context: blocks of parents, and half of an {% autoescape %} that failed.
                if blocks or context.blocks:
                    context = environment.context_class(environment, values, name, blocks)
                else:
                    context.parent, context.vars, context.exported_vars = values, {}, set()
                # Only references pile up, and not too many, so a runaway text is stopped before it is built.
                text = join_bounded(islice(root(context), _MAX_PARTS))
            except Exception as error:
                watch.is_rendering = False
                context = environment.context_class(environment, {}, name, blocks)
                fault = render_fault(error)
                self._show(fault)
                raise fault from error
            finally:
                watch.is_rendering = False
            return text

        return render


def _literal_names(node: Any) -> list[str]:
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


def syntax_fault(error: jinja2.TemplateSyntaxError) -> TemplateFault:
    """What is no template, at its line."""
    message = (error.message or "not a template").rstrip(".")
    hint = ""
    if "Encountered unknown tag" in message or "No filter named" in message or "No test named" in message:
        hint = "see the tags and filters of Jinja's template documentation"
    elif "unexpected '}'" in message:
        hint = "an expression ends with }}"
    file = error.filename if error.filename and error.filename.startswith(_FOLDER) else ""
    return TemplateFault("template-syntax", f"template: {message}", hint, error.lineno, file)


def render_fault(error: Exception) -> TemplateFault:
    """What went wrong in a render, at its line; an error of the expression itself is told in Python's words."""
    line, file = _innermost(error.__traceback__)
    match error:
        case TemplateFault():
            fault = error
        case MissingValueError():
            fault = TemplateFault("undefined-variable", str(error), UNDEFINED_HINT, name=error.variable)
        case RenderTimeout():
            fault = TemplateFault(TOO_SLOW, f"rendering takes longer than {MAX_SECONDS:g} seconds")
        case RecursionError():
            fault = TemplateFault("template-error", "template: it calls itself without an end")
        case SecurityError():
            fault = TemplateFault("template-error", f"template: not allowed: {error}")
        case jinja2.TemplateSyntaxError():
            fault = syntax_fault(error)
        case MemoryError() | OverflowError():
            fault = TemplateFault("template-error", "template: a number, a range or a text grows too large")
        case ZeroDivisionError():
            fault = TemplateFault("template-error", "template: a number is divided by zero")
        case _:
            fault = TemplateFault("template-error", f"template: {_words(error)}")
    fault.line, fault.file = line or fault.line, fault.file or file
    return fault


def _words(error: Exception) -> str:
    # Python's messages may quote a recipient's value; the kind of error and the type names do not.
    text = str(error)
    return text if isinstance(error, TypeError) else type(error).__name__


def _innermost(traceback: TracebackType | None) -> tuple[int, str]:
    """The line and include of the innermost template frame: Jinja leaves itself in the frame's globals."""
    line, file = 0, ""
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            line = template.get_corresponding_lineno(traceback.tb_lineno)
            file = _FOLDER + template.name if template.name else ""
        traceback = traceback.tb_next
    return line, file
