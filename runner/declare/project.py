"""A project: its root, its settings, and every declaration below messages/."""

from dataclasses import dataclass
from pathlib import Path

from runner.declare.declaration import Declaration
from runner.declare.recipient_problems import check_recipients
from runner.declare.settings import SETTINGS_FILE, Settings
from runner.declare.tree import Tree
from runner.errors import Problem, UsageMistake


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """What was found below a root: settings, the valid declarations of the selection by name, and all problems.

    `unsound` declarations have a problem among these: only their recipients can still be looked at.
    """

    tree: Tree
    settings: Settings
    declarations: tuple[Declaration, ...]
    problems: tuple[Problem, ...]
    invalid_declarations: tuple[Declaration, ...] = ()

    def find_recipient_problems(self) -> list[Problem]:
        """What rendering every recipient shows, of unsound declarations too."""
        both = (*self.declarations, *self.invalid_declarations)
        return [problem for found in both for problem in check_recipients(found, self.settings.salt, lambda _: None)]


def find_root(start: Path) -> Path:
    """The nearest folder upwards with msgrun.yaml, else the nearest with messages/. Raises UsageMistake."""
    folders = [start, *start.parents]
    marks = [[folder / SETTINGS_FILE for folder in folders], [folder / "messages" for folder in folders]]
    for mark in (mark for kind in marks for mark in kind):
        # A link in the place of the settings is refused when they are read, wherever it leads.
        if (mark.is_file() or mark.is_symlink()) if mark.name == SETTINGS_FILE else mark.is_dir():
            return mark.parent
    raise UsageMistake(
        f"no project in {start} or above it: neither {SETTINGS_FILE} nor messages/", "msgrun init makes one"
    )
