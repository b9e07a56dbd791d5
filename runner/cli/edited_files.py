"""The edit of a sent message as git has it: the commit with the text that was sent, and the commands that show it."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from shlex import join

from runner.declare.declaration import Declaration
from runner.declare.template.faults import FOLDER
from runner.errors import LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.ledger.facts import Facts
from runner.plan.guards import SEE_EDIT, Guard
from runner.plan.plan import Plan
from runner.shown_command import shown_command

HEAD = "HEAD"
_MAX_NAMED = 3  # guards whose ways out are shown as steps
_MAX_FILES = 50  # of a message; the arguments of git have a limit of 2 MiB, and a path may have 4 KB


def name_edits(plan: Plan, root: Path, facts: Facts) -> Plan:
    """Returns the plan with the commands that show and undo an edit in the steps of its guards.

    The steps stay as they are without git, where it does not have the text before, or for a message of many files.
    """
    messages = {message.name: message for message in plan.messages}
    guards = list(plan.guards)
    edited = [index for index, guard in enumerate(guards) if guard.code == "edited"][:_MAX_NAMED]
    try:
        if edited and (repository := find_repository(root.resolve())):
            for index in edited:
                message = messages[guards[index].messages[0]]
                sent_at = find_time_of_sending(facts, message.deliveries.first_key("edited"))
                guards[index] = _name_edit(guards[index], TextHistory(repository, root, message.declaration), sent_at)
    except LedgerUnavailable:
        return plan
    return replace(plan, guards=tuple(guards))


def _name_edit(guard: Guard, history: "TextHistory", sent_at: str) -> Guard:
    """Returns a guard with the steps that show and undo the edit."""
    if not (ref := history.find_commit(sent_at)):
        return guard
    changed = [os.path.relpath(history.root / path) for path in history.find_changed(ref)]
    options = ["--staged", "--worktree"] if ref == HEAD else [f"--source={ref}"]
    (purpose, _), *others = guard.steps
    see = SEE_EDIT, shown_command("plan", "--against", ref)
    return replace(guard, steps=(see, (purpose, join(["git", "restore", *options, *changed])), *others))


def find_time_of_sending(facts: Facts, key: str) -> str:
    """Returns when the text was sent that a delivery counts as sent with, or accepted as it; empty if not known."""
    return max((record.at for record in facts.records_of(key) if record.status == "sent"), default="")


class TextHistory:
    """What git knows of the files with the texts of a message: its own one, that of its body, and those included.

    `root` is that of the project. Of a message of more than 50 files nothing is known.
    """

    def __init__(self, repository: Repository, root: Path, declaration: Declaration) -> None:
        self.root = root
        self._repository = repository
        body, path = declaration.body_origin.file, declaration.document.source.path
        included = [FOLDER + name for text in declaration.texts for name in text.includes]
        paths = dict.fromkeys([path, *([body.path] if body else []), *included])
        names = {path: repository.relative_path(root / path) for path in paths} if len(paths) <= _MAX_FILES else {}
        self._names = {path: name for path, name in names.items() if name}

    def find_commit(self, sent_at: str) -> str:
        """Returns the commit with the text before the edit, HEAD if it is the newest; empty if git has none.

        That is the one that was there at the time of sending. Else it is HEAD, or the one before the last change.
        """
        specs = self._list_specs(self._names)
        if not specs:
            return ""
        sent = sent_at and self._repository.try_git("log", "-1", f"--before={sent_at}", "--format=%h", "--", *specs)
        if sent and self.find_changed(sent):
            return sent if self.find_changed(sent, HEAD) else HEAD
        if self.find_changed(HEAD):
            return HEAD
        last = self._repository.try_git("log", "-1", "--diff-filter=M", "--format=%h", "--", *specs)
        return (last and self._repository.try_git("rev-parse", "--short", "--verify", "--quiet", f"{last}^")) or ""

    def find_changed(self, *refs: str) -> list[str]:
        """Returns the paths of the files that differ between a commit and the work tree, or between two commits."""
        options = ("--name-only", "--no-relative", "-z", *refs)
        printed = self._repository.try_git("diff", *options, "--", *self._list_specs(self._names)) or ""
        names = set(printed.split("\0"))
        return [path for path, name in self._names.items() if name in names]

    def read_changes(self, ref: str) -> Iterator[tuple[str, list[str]]]:
        """Yields each file that differs from a commit, with the lines that are gone or new, each with its sign."""
        for path in self.find_changed(ref):
            options = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv")
            diff = self._repository.try_git("diff", *options, ref, "--", *self._list_specs([path])) or ""
            yield path, [line for line in diff.partition("\n@@")[2].split("\n")[1:] if line[:1] in {"-", "+"}]

    def _list_specs(self, paths: Iterable[str]) -> list[str]:
        return [f":(top,literal){self._names[path]}" for path in paths]
