"""Checks of the project's files: declarations, schema copies, git, and what reconcile will need."""

import filecmp
import os
from pathlib import Path

from runner.cli.context import Context
from runner.cli.pauses import find_pause
from runner.cli.scaffold import REQUIRED_LINES, find_missing_lines
from runner.declare.project import Project
from runner.declare.schema import SCHEMA_NAMES, schema_path
from runner.declare.settings import SETTINGS_FILE
from runner.declare.tree import Tree
from runner.errors import GuardRefused, LedgerUnavailable, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.report.checkup_text import Check
from runner.report.problem_text import list_first, pluralize
from runner.shown_command import shown_command

_MAX_NAMED = 3  # messages
_COUNT_COMMITS = ("rev-list", "--left-right", "--count", "HEAD...@{upstream}")  # ahead, a tab, behind


def check_project(context: Context, project: Project) -> Check:
    """Returns the check of the declarations, without the rows of their audiences."""
    errors = sum(problem.is_error for problem in project.problems)
    if errors:
        return Check("project", "fail", f"{pluralize(errors, 'problem')} in the files", shown_command("validate"))
    has_settings = (context.tree.root / SETTINGS_FILE).exists()
    without = "" if has_settings else f", without a {SETTINGS_FILE}"
    detail = f"{pluralize(len(project.declarations), 'message')}{without}"
    if not project.declarations:
        return Check("project", "warn", f"no message is declared{without}", shown_command("new", "NAME"))
    return Check("project", "ok", detail)


def check_pauses(context: Context) -> Check:
    """Returns the check whether something puts off what would be sent now: a stop file, HOLD or quiet hours."""
    try:
        reason = find_pause(context)
    except GuardRefused as error:  # the stop file is a link
        return Check("sending", "fail", str(error.message), error.hint)
    if reason:
        return Check("sending", "warn", str(reason.message), reason.hint)
    hours = context.settings.quiet_hours
    return Check("sending", "ok", f"not now in quiet hours: {hours}" if hours else "no HOLD, no quiet hours")


def check_schemas(root: Path) -> Check:
    """Returns the check of the copies of the schemas, which editors read."""
    paths = {name: root / "schema" / f"{name}.schema.json" for name in SCHEMA_NAMES}
    copies = {name: path for name, path in paths.items() if path.is_file()}
    outdated = [name for name, path in copies.items() if not filecmp.cmp(path, schema_path(name), shallow=False)]
    if outdated:
        files = ", ".join(f"schema/{name}.schema.json" for name in outdated)
        fix = " && ".join(f"{shown_command('schema', name)} > schema/{name}.schema.json" for name in outdated)
        return Check("schemas", "warn", f"not those of this msgrun: {files}", fix)
    names = ", ".join(f"{name}.schema.json" for name in copies)
    return Check("schemas", "ok", f"up to date in schema/: {names}" if copies else "no copies for editors in schema/")


def check_git(root: Path) -> Check:
    """Returns the check of git: what is not committed, what was not pulled, and how lockfiles are merged."""
    try:
        repository = find_repository(root.resolve())
        return _check_repository(repository, root) if repository else _NO_GIT
    except (LedgerUnavailable, UsageMistake) as error:
        return Check("git", "fail", str(error.message), error.hint)


_NO_GIT = Check("git", "warn", "not a git repository: nothing keeps what was sent, or who changed what", "git init")


def _check_repository(repository: Repository, root: Path) -> Check:
    for name in REQUIRED_LINES:
        if find_missing_lines(Tree(root), name):
            return Check("git", "warn", f"{name} lacks a line that msgrun needs", shown_command("init"))
    prefix = repository.relative_path(root) or "."
    pathspec = ("--", f":(top,literal){prefix}") if prefix != "." else ()
    # Without optional locks git does not refresh its index, so this changes nothing.
    status = os.fsdecode(repository.git("--no-optional-locks", "status", "--porcelain", *pathspec))
    branch = repository.try_git("symbolic-ref", "--quiet", "--short", "HEAD") or "no branch"
    if changed := len(status.splitlines()):
        return Check(
            "git", "warn", f"{pluralize(changed, 'change')} not committed, on {branch}", "git add . && git commit"
        )
    ahead, _, behind = (repository.try_git(*_COUNT_COMMITS) or "0\t0").partition("\t")
    if behind != "0":
        detail = f"{branch} lacks {pluralize(int(behind), 'commit')} of its upstream, as last fetched"
        return Check("git", "warn", detail, "git pull")
    not_pushed = f", {pluralize(int(ahead), 'commit')} not pushed" if ahead != "0" else ""
    return Check("git", "ok", f"everything is committed, on {branch}{not_pushed}")


def check_reconcile(context: Context, project: Project) -> Check:
    """Returns the check whether reconcile could find what became of a delivery whose answer was lost."""
    if not context.settings.can_open_conversation:
        detail = f"api_version {context.settings.api_version} opens no conversations: a person settles what is unknown"
        return Check("reconcile", "warn", detail, f'write api_version: "2.14" into {SETTINGS_FILE}')
    without = [declaration.name for declaration in project.declarations if not declaration.opens_conversation]
    if not without:
        return Check("reconcile", "ok", "every message opens a conversation, by which it is found if an answer is lost")
    if "no-conversation" in context.settings.lint.ignore:
        return Check(
            "reconcile", "ok", f"{len(without)} open no conversation, as lint.ignore of {SETTINGS_FILE} allows"
        )
    names = list_first(without[:_MAX_NAMED], len(without))
    detail = f"no conversation is opened by {names}: if an answer is lost, a person has to settle it"
    return Check("reconcile", "warn", detail, "add create_conversation_without_contact_reply: true to the message")
