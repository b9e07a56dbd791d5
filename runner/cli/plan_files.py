"""Plans that bind: the plan file in git and plans that are saved, read, written and compared."""

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from runner.cli.context import Context
from runner.errors import GuardRefused, Place, Problem, RunStopped, UsageMistake
from runner.ledger.record import salt_check
from runner.managed_path import managed_path
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan
from runner.plan.plan_file import PlanFile, PlanFileChange, parse_plan_file
from runner.plan.saved_plan import SavedPlan, parse_saved_plan
from runner.privacy import reveal_or_mask
from runner.report import json_output, plain_text
from runner.report.problem_text import pluralize

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO}


def load_plan_file(context: Context, *, ignore_contents: bool = False) -> PlanFile:
    """The plan file of the work tree. Raises ProblemsFound, RunStopped.

    One that is about to be `replaced` follows from the declarations alone, so what is in it does not matter.
    """
    path = context.settings.plan_file
    if ignore_contents:
        return PlanFile(path, {})
    try:
        data = managed_path(context.tree.root, path).read_bytes()
    except FileNotFoundError:
        return PlanFile(path, {}, exists=False)
    except OSError as error:
        raise RunStopped(f"{path} cannot be read: {error.strerror}") from error
    return parse_plan_file(path, data)


def apply_options(context: Context, choices: PlanOptions, paths: tuple[str, ...], file: PlanFile) -> PlanOptions:
    """The choices with the plan file, if there is one or has to be."""
    binds = file.exists or context.settings.require_plan
    return replace(choices, is_full_selection=context.is_full_selection(paths), plan_file=file if binds else None)


def require_same_workspace(context: Context, choices: PlanOptions, id_code: str) -> None:
    """Compares the workspace that is talked to with the saved plan's. Raises GuardRefused."""
    if choices.saved_plan and not context.options.sandbox:
        for guard in choices.saved_plan.mismatches(context.settings.environment, id_code, context.settings.salt):
            raise GuardRefused(guard.message, guard.hint)


def undeclared_recipient_notes(made: Plan) -> list[str]:
    """What a saved plan would still send and is no longer declared."""
    return [plain_text.undeclared_recipients(message) for message in made.messages if message.undeclared_count]


def write_plan_file(context: Context, made: Plan, file: PlanFile, *, is_full_selection: bool) -> None:
    """Writes the plan file. Unless `whole`, lines of other messages stay. Raises RunStopped, UsageMistake."""
    path = managed_path(context.tree.root, file.path)
    wanted = file.new_content((message.plan_entry for message in made.messages), is_full_selection=is_full_selection)
    if path.is_file() and path.read_bytes() == wanted:
        context.output.extra_result(f"{file.path} is up to date")
        return
    _replace(path, [wanted])
    context.output.extra_result(f"{file.path} is written: {pluralize(len(wanted.splitlines()), 'message')}")


def print_plan_file_changes(context: Context, file: PlanFile, changes: Sequence[PlanFileChange]) -> None:
    """Tells how the plan file differs from what is declared, on GitHub at its lines."""
    if context.output.form != "github":
        context.output.extra_result(
            plain_text.plan_file_changes(file, changes) if changes else f"{file.path} is up to date"
        )
    elif changes:
        told = zip(changes, plain_text.plan_file_change_lines(file, changes, len(changes)), strict=True)
        places = [(Place(file.path, change.line_number or 1), words) for change, words in told]
        context.output.problems(Problem("plan-outdated", place, words, file.write_command) for place, words in places)


def save_plan(context: Context, made: Plan, path: Path) -> None:
    """Saves a plan for `apply --plan`. Raises UsageMistake."""
    parts = json_output.plan(made, salt_check(context.settings.salt))
    _replace(_named(context, path), (f"{reveal_or_mask(part, show_values=False)}\n".encode() for part in parts))


def load_saved_plan(context: Context, path: Path) -> SavedPlan:
    """Reads a saved plan. Raises ProblemsFound, UsageMistake."""
    try:
        with _named(context, path).open("rb") as lines:
            return parse_saved_plan(str(path), lines)
    except OSError as error:
        raise UsageMistake(f"{path} cannot be read: {error.strerror}", "msgrun plan --out writes a plan") from error


def _named(context: Context, path: Path) -> Path:
    """A file that the user named. Raises GuardRefused if it is a link in the project: a commit may have made it."""
    full, root = context.resolve_path(path), context.tree.root
    return managed_path(root, full.relative_to(root).as_posix()) if full.is_relative_to(root) else full


def _replace(path: Path, parts: Iterable[bytes]) -> None:
    """Writes a file as a whole or not at all; what is no file, as a pipe, is written to.

    Raises RunStopped if the disk is full or fails, UsageMistake if the path is wrong.
    """
    is_special = path.exists() and not path.is_file()
    real = path if is_special else Path(os.path.realpath(path))
    temporary = real if is_special else real.with_name(f".{real.name}.{os.getpid()}")
    try:
        try:
            with temporary.open("wb") as handle:
                handle.writelines(parts)
                handle.flush()
                if not is_special:
                    os.fsync(handle.fileno())
            if not is_special:
                os.replace(temporary, real)  # noqa: PTH105  # the atomic rename is the point
        except BaseException:
            if not is_special:
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        kind = RunStopped if error.errno in _DISK else UsageMistake
        raise kind(f"{path} cannot be written: {error.strerror}") from error
