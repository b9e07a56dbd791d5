"""The commands for a message that was edited after it was sent: they show the edit, and undo it, as git has it."""

import os
from collections.abc import Sequence
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


def name_edits(plan: Plan, root: Path) -> Plan:
    """Returns the plan with the commands that show and undo an edit in the steps of its guards.

    Without git, or where it does not have the text before, the steps stay as they are.
    """
    declarations = {message.name: message.declaration for message in plan.messages}
    guards = list(plan.guards)
    edited = [index for index, guard in enumerate(guards) if guard.code == "edited"]
    try:
        for index in edited[:_MAX_NAMED]:
            if repository := find_repository(root.resolve()):
                declaration = declarations[guards[index].messages[0]]
                guards[index] = _name_edit(guards[index], repository, root, _list_files(declaration))
    except LedgerUnavailable:
        return plan
    return replace(plan, guards=tuple(guards))


def _list_files(declaration: Declaration) -> list[str]:
    """Returns the files with the texts of a message: its own one, that of its body, and those that they include."""
    body, path = declaration.body_origin.file, declaration.document.source.path
    included = [FOLDER + name for text in declaration.texts for name in text.includes]
    return list(dict.fromkeys([path, *([body.path] if body else []), *included]))


def _name_edit(guard: Guard, repository: Repository, root: Path, files: Sequence[str]) -> Guard:
    """Returns the guard with the step that shows the edit, and the command that undoes what is in no commit."""
    specs = {path: f":(top,literal){repository.relative_path(root / path)}" for path in files}
    changed = [path for path in files if repository.try_git("diff", "--name-only", "HEAD", "--", specs[path])]
    restored = [os.path.relpath(root / path) for path in changed]
    undo = join(["git", "restore", "--staged", "--worktree", *restored]) if changed else ""
    ref = "HEAD" if changed else _find_commit(repository, list(specs.values()))
    see = [(SEE_EDIT, shown_command("plan", "--against", ref))] if ref else []
    (purpose, _), *others = guard.steps
    return replace(guard, steps=(*see, (purpose, undo), *others))


def _find_commit(repository: Repository, files: Sequence[str]) -> str:
    """Returns the commit before the last one that changed a file which was there before; empty if there is none."""
    last = repository.try_git("log", "-1", "--diff-filter=M", "--format=%h", "--", *files)
    return (last and repository.try_git("rev-parse", "--short", "--verify", "--quiet", f"{last}^")) or ""
