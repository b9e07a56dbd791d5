"""The context in which the parts of a document are parsed: project, document and the problems collected so far."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from runner.declare.audience.suppression import SuppressionList
from runner.declare.declaration import TemplateOrigin
from runner.declare.settings import Settings
from runner.declare.settings_problems import find_variable_problems
from runner.declare.template.language import TemplateFault
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.template.template import Template, Templates
from runner.declare.tree import NotReadable, Tree
from runner.declare.yaml.document import Document, YamlPath
from runner.errors import Problem
from runner.privacy import AnyText


class ProjectContext(NamedTuple):
    """The parts of a project that its declarations depend on.

    `monitor` is informed of every render and of every evaluation of a filter. `suppression_list` is the project's own
    list; None if it has none.
    """

    tree: Tree
    settings: Settings
    templates: Templates
    monitor: RenderMonitor
    suppression_list: SuppressionList | None


class ParseContext:
    """One document while it is parsed. `value` fits the schema. The methods add what they find to `problems`."""

    def __init__(self, document: Document, value: dict[str, Any], project_context: ProjectContext) -> None:
        self.document = document
        self.value = value
        self.project_context = project_context
        self.problems = list[Problem]()

    def add_error(self, code: str, path: YamlPath, message: AnyText, hint: str = "") -> None:
        """Adds an error at the value of a path."""
        self.problems.append(self.document.problem(code, path, message, hint))

    def add_unreadable(self, error: NotReadable, path: YamlPath) -> None:
        """Adds the error that the file named at a path cannot be used."""
        self.add_error(error.code, path, error.message, error.hint)

    def compile(self, origin: TemplateOrigin, source: str, *, html: bool) -> Template | None:
        """Returns the compiled template. If the source has a fault: adds it to the problems, and returns None."""
        variables = {*self.project_context.settings.vars, *self.value.get("vars", {})}
        try:
            return self.project_context.templates.compile(source, html=html, variables=variables)
        except TemplateFault as fault:
            self.problems.append(origin.problem(fault))
            return None

    def compile_value(self, origin: TemplateOrigin, source: str) -> Template | None:
        """As `compile`, for an identifier or a variable, which is part of who gets what and includes no file."""
        template = self.compile(origin, source, html=False)
        if template is None or not template.includes:
            return template
        name = next(iter(template.includes))
        message = f"{name} is included here: only subject and body may include files"
        fault = TemplateFault(
            "include-in-value", message, "write what it says here, or include it in the body", name=name
        )
        self.problems.append(origin.problem(fault))
        return None

    def check_vars(self, path: YamlPath, names: Iterable[str]) -> None:
        """Adds an error for each name of the mapping at a path that cannot be a variable of a template."""
        self.problems.extend(find_variable_problems(self.document, path, names))
