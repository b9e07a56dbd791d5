"""The edit of a sent message as git has it: the commit with the text that was sent, and the commands that show it."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from runner.cli.context import Context
from runner.cli.render_time_limit import RENDER_MONITOR
from runner.compare.commit import find_commit
from runner.compare.commit_tree import tree_at
from runner.declare.declaration import Declaration
from runner.declare.project_reader import load_project
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.settings import load_settings
from runner.declare.template.faults import FOLDER
from runner.errors import LedgerUnavailable, ProblemsFound, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.facts import Facts
from runner.plan.guards import Guard, WayOut
from runner.plan.plan import Plan
from runner.shown_command import shown_command, shown_git, shown_path

HEAD = "HEAD"
_MAX_NAMED = 3  # guards whose ways out are shown as steps
_MAX_FILES = 50  # of a message; the arguments of git have a limit of 2 MiB, and a path may have 4 KB
_MAX_READ = 512 * 1024  # bytes of these files in all commits: to compile a megabyte of templates takes 15 s
_MAX_COMMITS = 8  # that changed these files, and are read


def name_edits(context: Context, plan: Plan, facts: Facts) -> Plan:
    """Returns the plan with the commands that show and undo an edit in the steps of its guards.

    The steps stay as they are without git, where no commit has the text that was sent, or for a message of many files.
    """
    messages = {message.name: message for message in plan.messages}
    guards = list(plan.guards)
    edited = [index for index, guard in enumerate(guards) if guard.code == "edited"][:_MAX_NAMED]
    try:
        if edited and (repository := find_repository(context.tree.root.resolve())):
            for index in edited:
                message = messages[guards[index].messages[0]]
                history = TextHistory(context, repository, message.declaration)
                key = message.deliveries.first_key("edited")
                guards[index] = _name_edit(guards[index], history, history.find_commit(facts, key))
    except LedgerUnavailable:
        return plan
    return replace(plan, guards=tuple(guards))


def _name_edit(guard: Guard, history: "TextHistory", ref: str) -> Guard:
    """Returns a guard with the steps that show and undo the edit since a commit; without one as it is."""
    if not ref:
        return guard
    changed = [shown_path(path) for path in history.find_changed(ref)]
    options = ["--staged", "--worktree"] if ref == HEAD else [f"--source={ref}"]
    undo, *others = guard.ways_out
    see = WayOut("", shown_command("plan", "--against", ref), shows_edit_of=guard.messages[0])
    if changed == [shown_path(SETTINGS_FILE)]:
        # It has other settings too, which are not to be undone.
        purpose = f"Undo the edit in {changed[0]}, if it is a mistake. See it"
        undo = WayOut(purpose, shown_git("diff", ref, "--", *changed), is_shared=True)
    elif changed:
        undo = replace(undo, command=shown_git("restore", *options, *changed))
    return replace(guard, ways_out=(see, undo, *others))


class TextHistory:
    """What git knows of the files with the texts of a message: its own one, that of its body, and those included.

    `root` is that of the project. Of a message of more than 50 files nothing is known. An edit that is in none of them
    is one of the vars or the sender in msgrun.yaml.
    """

    def __init__(self, context: Context, repository: Repository, declaration: Declaration) -> None:
        self.root = context.tree.root
        self._context, self._repository, self._declaration = context, repository, declaration
        body, path = declaration.body_origin.file, declaration.document.source.path
        included = [FOLDER + name for text in declaration.texts for name in text.includes]
        paths = dict.fromkeys([path, *([body.path] if body else []), *included])
        names = {path: repository.relative_path(self.root / path) for path in paths} if len(paths) <= _MAX_FILES else {}
        self._names = {path: name for path, name in names.items() if name}
        settings_name = repository.relative_path(self.root / SETTINGS_FILE)
        self._room = _MAX_READ
        self._settings_names = {SETTINGS_FILE: settings_name} if settings_name and self._names else {}

    def find_commit(self, facts: Facts, key: str) -> str:
        """Returns the newest commit with the text that a delivery was sent with; empty if none of the last has it.

        It is HEAD if that has it. Raises LedgerUnavailable if git fails.
        """
        refs = chain(
            [HEAD] if self._names else [], self._list_commits(self._names), self._list_commits(self._settings_names)
        )
        return next((ref for ref in refs if facts.was_sent_with(bytes.fromhex(key), self._read_content(ref))), "")

    def _list_commits(self, names: Mapping[str, str]) -> Iterator[str]:
        """Yields the last commits that changed files."""
        if names:
            options = (f"-{_MAX_COMMITS}", "--format=%h", "--", *_list_specs(names.values()))
            yield from (self._repository.try_git("log", *options) or "").split()

    def _read_content(self, ref: str) -> str:
        """Returns the hash of what the author wrote of the message in a commit; empty if that cannot be read."""
        commit, context = find_commit(self._repository, ref), self._context
        files = tree_at(self._repository, commit, self.root, self._names, self._room)
        with contextlib.suppress(ProblemsFound, UsageMistake), files as tree:
            settings = load_settings(tree, context.settings.environment_name, context.settings.salt)
            project = load_project(tree, settings, RENDER_MONITOR, [self._declaration.document.source.path])
            self._room = tree.room
            found = (one.content for one in project.declarations if one.name == self._declaration.name)
            return next(found, "")
        return ""

    def find_changed(self, ref: str) -> list[str]:
        """Returns the paths of the files that differ between a commit and the work tree. msgrun.yaml stands alone."""
        return self._find_changed(ref, self._names) or self._find_changed(ref, self._settings_names)

    def _find_changed(self, ref: str, names: Mapping[str, str]) -> list[str]:
        options = ("--name-only", "--no-relative", "-z", ref)
        printed = self._repository.try_git("diff", *options, "--", *_list_specs(names.values())) if names else None
        changed = set((printed or "").split("\0"))
        return [path for path, name in names.items() if name in changed]

    def read_changes(self, ref: str) -> Iterator[tuple[str, list[str]]]:
        """Yields each file that differs from a commit, with the lines that are gone or new, each with its sign."""
        names = self._names | self._settings_names
        for path in self.find_changed(ref):
            options = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv")
            diff = self._repository.try_git("diff", *options, ref, "--", *_list_specs([names[path]])) or ""
            yield path, [line for line in diff.partition("\n@@")[2].split("\n")[1:] if line[:1] in {"-", "+"}]


def _list_specs(names: Iterable[str]) -> list[str]:
    return [f":(top,literal){name}" for name in names]
