"""The project: its root, its settings, and the declarations below messages/."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from runner.declare.declaration import Declaration
from runner.declare.message_files import find_unread_folders, find_unread_settings
from runner.declare.recipient_problems import check_recipients
from runner.declare.settings import SETTINGS_FILE, Settings
from runner.declare.similar_names import list_first, suggest_or_list
from runner.declare.tree import Tree
from runner.errors import Problem, ProblemsFound, UsageMistake
from runner.shown_command import shown_command


class Project(NamedTuple):
    """The settings of a project, its selected declarations and their problems.

    `declarations` are the valid ones, sorted by name. An `invalid_declarations` entry has an error among `problems`: it
    must not be sent, but its recipients can still be checked.
    """

    tree: Tree
    settings: Settings
    declarations: tuple[Declaration, ...]
    problems: tuple[Problem, ...]
    invalid_declarations: tuple[Declaration, ...] = ()

    def require(self, name: str) -> Declaration:
        """Returns the valid declaration with a name.

        Raises UsageMistake if there is none, and ProblemsFound if there is none but files have errors.
        """
        for declaration in self.declarations:
            if declaration.name == name:
                return declaration
        if any(problem.is_error for problem in self.problems):
            raise ProblemsFound(list(self.problems))
        names = [one.name for one in self.declarations]
        raise UsageMistake(f"no message is named {name}", suggest_name(name, self.declarations, names))

    def find_recipient_problems(self) -> list[Problem]:
        """Renders every recipient of every declaration, the invalid ones included. Returns the problems."""
        declarations = (*self.declarations, *self.invalid_declarations)
        return [
            problem
            for declaration in declarations
            for problem in check_recipients(declaration, self.settings.salt, lambda _: None)
        ]


def suggest_name(name: str, declarations: Iterable[Declaration], names: Sequence[str]) -> str:
    """Returns a hint for what is not among `names`: the names in the file that was given, or a similar name."""
    in_file = [one.name for one in declarations if one.document.source.path == name.removeprefix("./")]
    return f"a name is wanted: {list_first(in_file)}" if in_file else suggest_or_list(name, names)


class NoProject(UsageMistake):
    """A folder is in no project."""


def find_root(start: Path) -> Path:
    """Returns the root of the project that `start` is in.

    It is the nearest folder with msgrun.yaml, else the nearest with messages/; `start` itself is the first to be looked
    at, then its parents. Raises NoProject if there is neither.
    """
    folders = [start, *start.parents]
    markers = [[folder / SETTINGS_FILE for folder in folders], [folder / "messages" for folder in folders]]
    for marker in (marker for group in markers for marker in group):
        # A msgrun.yaml that is a link counts, broken or not: reading it raises an error. Ignored, it would make a
        # parent folder the root.
        if (marker.is_file() or marker.is_symlink()) if marker.name == SETTINGS_FILE else marker.is_dir():
            return marker.parent
    misnamed = [*find_unread_settings(Tree(start), SETTINGS_FILE), *find_unread_folders(Tree(start))]
    hints = [f"in {problem.place.path}: {problem.message}; {problem.hint}" for problem in misnamed]
    hint = next(iter(hints), f"{shown_command('init')} makes one")
    raise NoProject(f"no project in {start} or above it: neither {SETTINGS_FILE} nor messages/", hint)
