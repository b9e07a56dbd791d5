"""The commands for a message that was edited after it was sent: they show the edit, and undo it, as git has it."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import join

from runner.declare.declaration import Declaration
from runner.declare.template.faults import FOLDER
from runner.errors import LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.plan.guards import SEE_EDIT, Guard
from runner.plan.plan import Plan
from runner.shown_command import shown_command

_MAX_NAMED = 3  # guards whose ways out are shown as steps
_MAX_FILES = 50  # of a message; the arguments of git have a limit of 2 MiB, and a path may have 4 KB


def name_edits(plan: Plan, root: Path) -> Plan:
    """Returns the plan with the commands that show and undo an edit in the steps of its guards.

    The steps stay as they are without git, where it does not have the text before, or for a message of many files.
    """
    declarations = {message.name: message.declaration for message in plan.messages}
    guards = list(plan.guards)
    edited = [index for index, guard in enumerate(guards) if guard.code == "edited"][:_MAX_NAMED]
    files = {index: _list_files(declarations[guards[index].messages[0]]) for index in edited}
    files = {index: paths for index, paths in files.items() if len(paths) <= _MAX_FILES}
    try:
        if files and (repository := find_repository(root.resolve())):
            edits = _Edits(repository, root, (path for paths in files.values() for path in paths))
            for index, paths in files.items():
                guards[index] = edits.name(guards[index], paths)
    except LedgerUnavailable:
        return plan
    return replace(plan, guards=tuple(guards))


def _list_files(declaration: Declaration) -> list[str]:
    """Returns the files with the texts of a message: its own one, that of its body, and those that they include."""
    body, path = declaration.body_origin.file, declaration.document.source.path
    included = [FOLDER + name for text in declaration.texts for name in text.includes]
    return list(dict.fromkeys([path, *([body.path] if body else []), *included]))


class _Edits:
    """What git knows of some files of a project."""

    def __init__(self, repository: Repository, root: Path, paths: Iterable[str]) -> None:
        self._repository, self._root = repository, root
        self._names = {path: repository.relative_path(root / path) for path in paths}
        self._changed = self._find_changed("HEAD", self._names)

    def name(self, guard: Guard, paths: Sequence[str]) -> Guard:
        """Returns a guard with the steps that show and undo the edit of its files, an open one or that of a commit."""
        (purpose, _), *others = guard.steps
        if changed := [path for path in paths if path in self._changed]:
            ref, options = "HEAD", ["--staged", "--worktree"]
        elif ref := self._find_commit(paths):
            changed, options = self._find_changed(ref, paths), [f"--source={ref}"]
        else:
            return guard
        undo = ["git", "restore", *options, *(os.path.relpath(self._root / path) for path in changed)]
        see = SEE_EDIT, shown_command("plan", "--against", ref)
        return replace(guard, steps=(see, (purpose, join(undo) if changed else ""), *others))

    def _find_changed(self, ref: str, paths: Iterable[str]) -> list[str]:
        """Returns those of the paths that differ from a commit."""
        specs = [f":(top,literal){self._names[path]}" for path in paths]
        printed = self._repository.try_git("diff", "--name-only", "--no-relative", "-z", ref, "--", *specs) or ""
        names = set(printed.split("\0"))
        return [path for path in paths if self._names[path] in names]

    def _find_commit(self, paths: Iterable[str]) -> str:
        """Returns the commit before the last one that changed a file which was there before; empty without one."""
        specs = [f":(top,literal){self._names[path]}" for path in paths]
        last = self._repository.try_git("log", "-1", "--diff-filter=M", "--format=%h", "--", *specs)
        return (last and self._repository.try_git("rev-parse", "--short", "--verify", "--quiet", f"{last}^")) or ""
