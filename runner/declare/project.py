"""The project: its settings, and the declarations below messages/."""

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from runner.declare.declaration import Declaration
from runner.declare.recipient_problems import find_recipient_problems
from runner.declare.settings import Settings
from runner.declare.similar_names import list_first, suggest_or_list
from runner.declare.tree import Tree
from runner.declare.yaml.document import Document
from runner.errors import Problem, ProblemsFound, UsageMistake
from runner.shown_command import shown_path


class Project(NamedTuple):
    """The settings of a project, its selected declarations and their problems.

    `declarations` are the valid ones, sorted by name. An `invalid_declarations` entry has an error among `problems`: it
    must not be sent, but its recipients can still be checked. `unread_documents` have a name, but no declaration.
    """

    tree: Tree
    settings: Settings
    declarations: tuple[Declaration, ...]
    problems: tuple[Problem, ...]
    invalid_declarations: tuple[Declaration, ...] = ()
    unread_documents: tuple[Document, ...] = ()

    def require(self, name: str) -> Declaration:
        """Returns the valid declaration with a name.

        Raises UsageMistake if there is none, and ProblemsFound if there is none but files have errors.
        """
        for declaration in self.declarations:
            if declaration.name == name:
                return declaration
        if any(problem.is_error for problem in self.problems):
            raise ProblemsFound(list(self.problems))
        names = [declaration.name for declaration in self.declarations]
        raise UsageMistake(f"no message is named {name}", suggest_name(name, self.declarations, names))

    def find_recipient_problems(self) -> list[Problem]:
        """Renders every recipient of every declaration, the invalid ones included. Returns the problems."""
        declarations = (*self.declarations, *self.invalid_declarations)
        return [
            problem
            for declaration in declarations
            for problem in find_recipient_problems(declaration, self.settings.salt, lambda _: None)
        ]


def suggest_name(name: str, declarations: Iterable[Declaration], names: Sequence[str]) -> str:
    """Returns a hint for what is not among `names`: the names in the file that was given, or a similar name."""
    path = os.path.normpath(name)
    in_file = [
        each.name for each in declarations if path in {each.document.source.path, shown_path(each.document.source.path)}
    ]
    return f"a name is wanted: {list_first(in_file)}" if in_file else suggest_or_list(name, names)
