"""What reading the parts of one document shares: texts, files, and the problems that are collected on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.declare.audience.suppression import SuppressionList
from runner.declare.declaration import TemplateOrigin
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import RenderMonitor, Template, Templates
from runner.declare.tree import NotReadable, Tree
from runner.declare.yaml.document import Document, YamlPath
from runner.errors import Problem


@dataclass(frozen=True, slots=True, eq=False)
class ProjectContext:
    """What a declaration is parsed in: the project's files, templates, default sender, variables and API version.

    `suppressed` is the project's own list; `watch` sees every expression that is evaluated; `salt`
    is the project's.
    """

    tree: Tree
    templates: Templates
    sender: str | None
    vars: Mapping[str, Any]
    conversation_flag_allowed: bool
    monitor: RenderMonitor
    salt: str
    suppression_list: SuppressionList | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ParseContext:
    """One document being parsed: `value` fits the schema; problems are collected, and it goes on."""

    document: Document
    value: dict[str, Any]
    project_context: ProjectContext
    problems: list[Problem] = field(default_factory=list)

    def add_error(self, code: str, path: YamlPath, message: str, hint: str = "") -> None:
        """Tells an error at the value of a path."""
        self.problems.append(self.document.problem(code, path, message, hint))

    def add_unreadable(self, error: NotReadable, path: YamlPath) -> None:
        """Tells that what is named at a path cannot be used."""
        self.add_error(error.code, path, error.message, error.hint)

    def compile(self, origin: TemplateOrigin, source: str, *, html: bool) -> Template | None:
        """The compiled template, if it is one."""
        try:
            return self.project_context.templates.compile(source, html=html)
        except TemplateFault as fault:
            self.problems.append(origin.problem(fault))
            return None

    def locate(self, named: str, path: YamlPath) -> str | None:
        """The path of a file that is named at a path of the document, if it can be used."""
        try:
            return self.project_context.tree.locate(named, self.document.source.path)
        except NotReadable as error:
            self.add_unreadable(error, path)
            return None

    def check_vars(self, path: YamlPath) -> None:
        """Tells which names of variables no template could use."""
        value: Any = self.value
        for step in path:
            value = value.get(step, {}) if isinstance(value, dict) else value[step]
        for name in value:
            if not name.isidentifier():
                message = f"{name} cannot be a variable: letters, digits and underscores, the first no digit"
                self.problems.append(self.document.problem("variable-name", (*path, name), message, at_key=True))


def without_nulls(value: Any) -> Any:
    """The value without keys that have none, at any depth: null is undefined, and undefined is noticed."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
