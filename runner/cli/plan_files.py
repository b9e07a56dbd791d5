"""Reads, writes and compares the plans that limit what apply sends: the plan file in git, and saved plans."""

import contextlib
import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from runner.atomic_write import write_atomically
from runner.cli.context import Context
from runner.cli.output import Output
from runner.declare.project import Project
from runner.declare.project_root import NoProject, find_root
from runner.errors import GuardRefused, Place, Problem, ProblemsFound, RunStopped, UsageMistake
from runner.ledger.record import salt_check
from runner.managed_path import managed_path, user_path
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan
from runner.plan.plan_file import PlanEntry, PlanFile, PlanFileChange, parse_plan_file
from runner.plan.saved_plan import MAX_HEAD, SavedPlan, parse_saved_plan
from runner.plan.sending_rules import list_sending_rules
from runner.report import json_output, plain_text
from runner.report.plan_words import format_undeclared_recipients
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command, shown_path

MAX_PLAN_FILE = 32 * 1024 * 1024  # bytes; a line has about 150, and there is one for each message
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
_START = 4096  # bytes of a file that show whether msgrun wrote it


def load_plan_file(context: Context, *, ignore_contents: bool = False) -> PlanFile:
    """Reads the plan file of the work tree. Raises ProblemsFound, RunStopped.

    With `ignore_contents` it does not read the file, and returns an empty one. This is for a plan file that is about to
    be rewritten from the declarations alone, so that a mistake in the old one does not matter.
    """
    path = context.settings.plan_file
    if ignore_contents:
        return PlanFile(path, {})
    try:
        with managed_path(context.tree.root, path).open("rb") as handle:
            data = handle.read(MAX_PLAN_FILE + 1)
    except FileNotFoundError:
        return PlanFile(path, {}, exists=False)
    except OSError as error:
        raise RunStopped(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_PLAN_FILE:
        message = f"{path} is larger than {MAX_PLAN_FILE >> 20} MiB"
        hint = f"{PlanFile(path, {}).write_command} writes it again"
        raise ProblemsFound([Problem("plan-form", Place(path), message, hint)])
    return parse_plan_file(path, data)


def apply_options(context: Context, options: PlanOptions, paths: tuple[str, ...], file: PlanFile) -> PlanOptions:
    """Returns the options for a run of these paths.

    They contain the plan file if it exists, or if the settings require one.
    """
    is_binding = file.exists or context.settings.require_plan
    selected = () if context.is_full_selection(paths) else paths
    return replace(options, paths=selected, plan_file=file if is_binding else None)


def require_same_workspace(context: Context, saved: SavedPlan | None, workspace: str) -> None:
    """Raises GuardRefused if the saved plan is of another environment, workspace or salt than this run.

    An empty `workspace` is not known yet, and is not compared.
    """
    settings = context.settings
    if saved:
        saved.require_made_for(settings.environment, workspace, settings.salt)


def undeclared_recipient_notes(plan: Plan) -> list[str]:
    """Returns a note for each message that a saved plan would send to recipients who are no longer declared."""
    return [format_undeclared_recipients(message) for message in plan.messages if message.undeclared_count]


def list_plan_entries(plan: Plan) -> list[PlanEntry]:
    """Returns the lines of the plan file for a plan: of every message whose audience is in the project's files."""
    return [message.plan_entry for message in plan.messages if not message.workspace_contacts]


def write_plan_file(context: Context, plan: Plan, file: PlanFile, *, is_full_selection: bool) -> None:
    """Writes the plan file. Unless `is_full_selection`, it keeps the lines of other messages.

    Raises RunStopped, UsageMistake.
    """
    path = managed_path(context.tree.root, file.path)
    content = file.new_content(list_plan_entries(plan), is_full_selection=is_full_selection)
    if path.is_file() and path.read_bytes() == content:
        _print_second_result(context.output, f"{file.path} is up to date")
        return
    _write(path, [content])
    _print_second_result(context.output, f"{file.path} is written: {pluralize(len(content.splitlines()), 'message')}")


def print_plan_file_changes(context: Context, file: PlanFile, changes: Sequence[PlanFileChange]) -> None:
    """Prints how the plan file differs from what is declared. For GitHub, prints an annotation at each line."""
    if context.output.output_format != "github":
        _print_second_result(
            context.output,
            plain_text.format_plan_file_changes(file, changes) if changes else f"{file.path} is up to date",
        )
    elif changes:
        lines = zip(changes, plain_text.format_plan_file_change_lines(file, changes, len(changes)), strict=True)
        problems = [(Place(file.path, change.line_number or 1), text) for change, text in lines]
        context.output.problems(Problem("plan-outdated", place, text, file.write_command) for place, text in problems)


def save_plan(context: Context, plan: Plan, paths: Sequence[str], path: Path) -> None:
    """Saves a plan of the selected `paths` for `apply --plan`. Raises UsageMistake, RunStopped, GuardRefused."""
    rules = list_sending_rules(context.settings, [message.declaration for message in plan.messages])
    selected = [context.relative_to_root(selected_path) for selected_path in paths]
    parts = json_output.format_plan(plan, salt_check(context.settings.salt), rules=rules, paths=selected)
    _write(find_saved_plan_path(context, path), (f"{part}\n".encode() for part in parts))
    if plan.unread:
        save = shown_command("plan", *paths, "--online", "--out", str(path))
        context.output.note(
            f"{path} does not send {', '.join(plan.unread)}: the audience was not read; {save} reads it"
        )
    context.output.note(f"{path} is written.")


def find_saved_plan_path(context: Context, path: Path) -> Path:
    """Returns the full path of the file for a saved plan. Raises UsageMistake, GuardRefused if it cannot be there."""
    target = context.user_path(path)
    _refuse_other_file(target, path, b'"format_version"', "no saved plan", ".json", "--out plan.json")
    if target.is_dir() or not target.parent.is_dir():
        why = "it is a folder" if target.is_dir() else "its folder does not exist"
        raise UsageMistake(f"{path} cannot be written: {why}", "name a file in a folder that exists")
    return target


def load_agreed_project(
    context: Context, paths: tuple[str, ...], path: Path | None
) -> tuple[Project, SavedPlan | None]:
    """Reads the project, and the saved plan at `path` if there is one: then only the messages of that plan.

    `paths` select some of them. Raises ProblemsFound, UsageMistake, GuardRefused.
    """
    if path is None:
        return context.load_valid_project(paths), None
    saved = _load_saved_plan(context, path)
    require_same_workspace(context, saved, context.settings.workspace)
    try:  # as when it was made, a mistake in another file does not matter
        project = context.load_valid_project(paths or tuple(map(shown_path, saved.paths)))
    except UsageMistake:
        if paths:
            raise
        project = context.load_valid_project()  # a file was moved: its messages are found by their names
    declarations = tuple(declaration for declaration in project.declarations if declaration.name in saved.names)
    return project._replace(declarations=declarations), saved


def _load_saved_plan(context: Context, path: Path) -> SavedPlan:
    """Reads a saved plan. Raises ProblemsFound, UsageMistake, GuardRefused."""
    try:
        with context.user_path(path).open("rb") as handle:
            return parse_saved_plan(str(path), iter(partial(handle.readline, MAX_HEAD + 1), b""))
    except OSError as error:
        raise UsageMistake(
            f"{path} cannot be read: {error.strerror}", f"save a plan: {shown_command('plan', '--out', str(path))}"
        ) from error


def find_comment_path(start: Path, path: Path) -> Path:
    """Returns the full path of the file for a comment, which is needed even if the project cannot be read.

    It is relative to the folder `start`. Raises GuardRefused if the file is a link: a commit may have created it.
    """
    full = Path(os.path.normpath(start / path))
    base = start
    with contextlib.suppress(NoProject):  # the command reports that itself
        base = find_root(start)
    full = user_path(base, full)
    if full.is_symlink():
        raise GuardRefused(f"{path} is a link, and msgrun writes no comment through one", "name another file")
    _refuse_other_file(full, path, b"<!-- msgrun", "no comment of msgrun", ".md", "--comment comment.md")
    if full.is_dir():
        raise UsageMistake(f"{path} cannot be written: it is a folder", "name a file: --comment comment.md")
    return full


def _refuse_other_file(target: Path, path: Path, mark: bytes, kind: str, suffix: str, hint: str) -> None:
    """Raises UsageMistake if a file is there that may be the ledger, or a declaration.

    What msgrun wrote has the mark. In CI a commit may have put a file in the place, whose name ends in the suffix.
    """
    if target.suffix == suffix or not target.is_file():  # a pipe is not read
        return
    with target.open("rb") as file:
        start = file.read(_START)
    if start and mark not in start:
        raise UsageMistake(f"{path} is there and is {kind}, so it is not replaced", f"name another file: {hint}")


def _write(path: Path, parts: Iterable[bytes]) -> None:
    """Replaces a file atomically. Raises RunStopped if the disk is full or fails, UsageMistake if the path is wrong."""
    try:
        write_atomically(path, parts)
    except OSError as error:
        error_type = RunStopped if error.errno in _DISK_ERRORS else UsageMistake
        raise error_type(f"{path} cannot be written: {error.strerror}") from error


def _print_second_result(output: Output, text: str) -> None:
    """Prints a result after the plan: to stderr if stdout is one document, as JSON."""
    if output.output_format == "text":
        output.result(f"\n{text}")
    else:
        output.error(text)
