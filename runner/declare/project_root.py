"""Finds the root of the project. It imports little, because a shell that completes a command waits for it."""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from shlex import quote
from typing import TypeVar

from runner.declare.message_files import find_unread_folders, find_unread_settings
from runner.declare.tree import Tree
from runner.errors import UsageMistake
from runner.shown_command import shown_command

SETTINGS_FILE = "msgrun.yaml"
MARKERS = (SETTINGS_FILE, "messages")  # what makes a folder a root; the first counts before the second
AnyPath = TypeVar("AnyPath", bound=PurePath)


class NoProject(UsageMistake):
    """A folder is in no project."""


def find_marker(folders: Sequence[AnyPath], is_there: Callable[[AnyPath], bool]) -> AnyPath | None:
    """Returns what makes one of the folders, nearest first, the root: its msgrun.yaml, else its messages/."""
    markers = (folder / name for name in MARKERS for folder in folders)
    return next((marker for marker in markers if is_there(marker)), None)


def is_marker(path: Path) -> bool:
    """Returns whether a path of one of these names is a settings file or a folder.

    A msgrun.yaml that is a link counts, broken or not: reading it raises an error. Ignored, it would make a parent
    folder the root.
    """
    return path.is_file() or path.is_symlink() if path.name == SETTINGS_FILE else path.is_dir()


def find_root(start: Path) -> Path:
    """Returns the root of the project that `start` is in.

    It is the nearest folder with msgrun.yaml, else the nearest with messages/; `start` itself is the first to be looked
    at, then its parents, up to the top of its git repository. A submodule is a repository of its own, as it is for git.
    Raises NoProject if there is neither.
    """
    folders = [start, *start.parents]
    top = next((number for number, folder in enumerate(folders) if (folder / ".git").exists()), len(folders))
    if marker := find_marker(folders[: top + 1], is_marker):
        return marker.parent
    misnamed = [*find_unread_settings(Tree(start), SETTINGS_FILE), *find_unread_folders(Tree(start))]
    hints = [f"in {problem.place.path}: {problem.message}; {problem.hint}" for problem in misnamed]
    if outer := next((folder for folder in folders[top + 1 :] if is_marker(folder / SETTINGS_FILE)), None):
        hints.append(f"a project of the repository around this one is in {outer}: cd {quote(str(outer))}")
    hint = next(iter(hints), f"{shown_command('init')} makes one")
    up_to = " in its git repository" if top < len(folders) else ""
    raise NoProject(f"no project in {start} or above it{up_to}: neither {SETTINGS_FILE} nor messages/", hint)
