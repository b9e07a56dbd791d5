"""Finds the root of the project. It imports little, because a shell that completes a command waits for it."""

from pathlib import Path

from runner.declare.message_files import find_unread_folders, find_unread_settings
from runner.declare.tree import Tree
from runner.errors import UsageMistake
from runner.shown_command import shown_command

SETTINGS_FILE = "msgrun.yaml"


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
