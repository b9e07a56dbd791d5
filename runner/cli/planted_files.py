"""Refuses what a commit may plant in a project: files that only msgrun writes, and repositories in the repository."""

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from runner.cli.context import Context
from runner.compare.merged_lockfiles import ATTRIBUTES_FILE
from runner.compare.rewritten_files import find_rewritten_files
from runner.errors import GuardRefused
from runner.git.repository import Repository, find_repository


def refuse_planted_files(context: Context) -> None:
    """Raises GuardRefused if git tracks a file that only msgrun writes, or a folder that git may take for a repository.

    The first is a rescue file of the project, or a file in any .msgrun/. The second would bring a configuration for the
    git commands of a job that works in it or below it. So does a submodule of the project, whose files are elsewhere.
    """
    root = context.tree.root.resolve()
    repository = find_repository(root)
    if repository is None:
        return
    _refuse_submodules(repository, root)
    for path, attribute in find_rewritten_files(repository, root):
        raise GuardRefused(
            f"git writes {path} in another form than the committed one, by the attribute {attribute}",
            f"remove the attribute of this file from {ATTRIBUTES_FILE}, and commit",
        )
    paths = repository.tracked_files(repository.toplevel)
    for path in paths:
        shown = os.path.relpath(repository.toplevel / path, root)
        if ".msgrun" in path.split("/") or (path.endswith(".rescue") and not shown.startswith("..")):
            raise GuardRefused(
                f"git tracks {shown}, and only msgrun itself writes such files",
                f"git rm --cached {quote(shown)}, and commit",
            )
    for folder in _find_repositories(paths):
        full_path = repository.toplevel / folder
        if root.is_relative_to(full_path) or full_path.is_relative_to(root):
            shown = os.path.relpath(full_path, root)
            message = (
                f"git tracks {shown}/HEAD and what else makes a repository of that folder: git could follow its config"
            )
            raise GuardRefused(message, f"git rm --cached {quote(f'{shown}/HEAD')}, and commit")


def _refuse_submodules(repository: Repository, root: Path) -> None:
    """Raises GuardRefused if a submodule is in the project: what it declares, a checkout of CI usually lacks."""
    for shown in (os.path.relpath(repository.toplevel / path, root) for path in repository.tracked_modules()):
        if not shown.startswith(".."):
            raise GuardRefused(
                f"{shown} is a submodule: its files are in another repository, and a review may lack them",
                f"git rm --cached {quote(shown)}, commit, and add its files themselves",
            )


def _find_repositories(paths: Sequence[str]) -> Iterator[str]:
    """Yields the folders that git may take for a repository: with HEAD, and with objects/ and refs/ or with commondir.

    Upper and lower case count as one, as some file systems have it.
    """
    names = {path.casefold() for path in paths}
    in_order = sorted(names)

    def is_there(path: str) -> bool:
        below, place = f"{path}/", bisect_left(in_order, f"{path}/")
        return path in names or any(name.startswith(below) for name in in_order[place : place + 1])

    for path in paths:
        folder, slash, name = path.rpartition("/")
        start = f"{folder}{slash}".casefold()
        if name.casefold() == "head" and (
            is_there(f"{start}commondir") or (is_there(f"{start}objects") and is_there(f"{start}refs"))
        ):
            yield folder
