"""What reading the parts of one document shares: texts, files, and the problems that are collected on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.declare.audience.suppression import Suppression
from runner.declare.declaration import Origin
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Templates, Text, Watch
from runner.declare.tree import NotReadable, Tree
from runner.declare.yaml.document import Document, Path
from runner.errors import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What a declaration is parsed in: the project's files, templates, default sender, variables and API version.

    `suppressed` is the project's own list; `watch` sees every expression that is evaluated; `salt`
    is the project's.
    """

    tree: Tree
    templates: Templates
    sender: str | None
    vars: Mapping[str, Any]
    flag_allowed: bool
    watch: Watch
    salt: str
    suppressed: Suppression | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One document being parsed: `value` fits the schema; problems are collected, and it goes on."""

    document: Document
    value: dict[str, Any]
    around: Surroundings
    problems: list[Problem] = field(default_factory=list)

    def error(self, code: str, path: Path, message: str, hint: str = "") -> None:
        """Tells an error at the value of a path."""
        self.problems.append(self.document.problem(code, path, message, hint))

    def refused(self, error: NotReadable, path: Path) -> None:
        """Tells that what is named at a path cannot be used."""
        self.error(error.code, path, error.message, error.hint)

    def text(self, origin: Origin, source: str, *, html: bool) -> Text | None:
        """The compiled template, if it is one."""
        try:
            return self.around.templates.text(source, html=html)
        except TemplateFault as fault:
            self.problems.append(origin.problem(fault))
            return None

    def locate(self, named: str, path: Path) -> str | None:
        """The path of a file that is named at a path of the document, if it can be used."""
        try:
            return self.around.tree.locate(named, self.document.source.path)
        except NotReadable as error:
            self.refused(error, path)
            return None

    def check_vars(self, path: Path) -> None:
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
