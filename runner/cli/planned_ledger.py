"""The ledger that a plan is made with: the one in use, or in a review, where that is not read, the one of the base.

The commits under review can change `lock:`, `ledger:` and `salt:` so that no ledger can be read. The reviewer has to
see everything else that they change all the same.
"""

import os
from dataclasses import dataclass, replace

from runner.cli.against import Base
from runner.cli.context import Context
from runner.cli.ledger import read_ledger
from runner.cli.ledger_changes import add_records_at, describe_changes
from runner.cli.planning import plan_project
from runner.declare.project import Project
from runner.declare.settings import load_settings
from runner.errors import GuardRefused, LedgerUnavailable, Problem, ProblemsFound, UsageMistake
from runner.ledger import opening
from runner.ledger.facts import Facts
from runner.ledger.known_hosts import find_base_ledger
from runner.ledger.lock_address import DeclaredLedger, LockfileAddress
from runner.ledger.lockfile.files import lockfile_paths
from runner.plan.guards import Guard, ledger_not_read_guard
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan
from runner.report import ledger_size
from runner.report.markdown_escaping import shorten_line

MOVE_HINT = (
    "merge it only if the person who ran msgrun lock move names this very address; what else it changes belongs into"
    " a pull request of its own"
)
_MAX_NAME = 120  # characters of an address, so that no comment cuts what comes after it
_SALT_HINT = "do not merge it: salt: has to stay as it was"


@dataclass(frozen=True, slots=True)
class PlannedLedger:
    """The records that a plan is made with, whether there is a ledger, and the guard that stops apply because of it.

    `changes` says what the commits under review change in files of ledgers.
    """

    facts: Facts
    exists: bool
    guard: Guard | None = None
    changes: tuple[str, ...] = ()


def read_planned_ledger(context: Context, base: Base | None) -> PlannedLedger:
    """Reads the ledger in use. `base` is what --against names: then a ledger that is refused does not stop the plan.

    Raises GuardRefused without a base. Raises LedgerUnavailable if a ledger does not answer that the base names too.
    """
    if base is None:
        return _read_current(context)
    declared = _find_base_ledger(context)
    is_changed = declared is not None and declared.address != context.ledger.address
    try:
        ledger = _read_current(context)
        changes = tuple(describe_changes(context, base.commit, ledger.facts))  # before the ref's records are added
        add_records_at(context, base.commit, ledger.facts)
    except GuardRefused as error:
        reason, hint = _explain_refusal(context, base, error, is_changed=is_changed)
    except LedgerUnavailable as error:
        if not is_changed:
            raise
        reason, hint = _name_other_ledger(context, f"cannot be read: {error.message}"), MOVE_HINT
    else:
        if ledger.exists or not is_changed:
            return replace(ledger, changes=changes)
        reason, hint = _name_other_ledger(context, "is not there yet"), MOVE_HINT
    changes = tuple(describe_changes(context, base.commit, Facts()))
    facts = _read_base_ledger(context, base, declared) if declared and is_changed else None
    if facts is None:
        return PlannedLedger(Facts(), exists=True, guard=ledger_not_read_guard(reason, hint), changes=changes)
    assert declared is not None
    compared = f"This plan is made with the ledger of {base.commit.ref}, {declared.address.display_name}"
    guard = Guard("ledger-changed", f"{reason}. {compared}", hint)
    return PlannedLedger(facts, exists=True, guard=guard, changes=changes)


def plan_with_ledger(
    context: Context, project: Project, ledger: PlannedLedger, options: PlanOptions
) -> tuple[Plan, list[Problem]]:
    """Plans a project with the records of a ledger, whose guard comes first. Returns the plan and its warnings.

    Raises ProblemsFound if there is an error.
    """
    plan, warnings = plan_project(context, project, ledger.facts, options)
    return replace(plan, guards=(*filter(None, [ledger.guard]), *plan.guards)), warnings


def describe_ledger(context: Context, ledger: PlannedLedger) -> list[str]:
    """Returns what a reviewer has to know of the ledger itself."""
    notes = list(ledger.changes)
    if not (context.options.sandbox or ledger.exists or ledger.guard):
        display_name, begin = context.ledger.address.display_name, context.ledger.begin_command
        notes.append(f"there is no ledger {display_name} yet; if nothing was sent before, start it: {begin}")
    if not ledger.guard and (warning := _lockfile_size_warning(context)):
        notes.append(warning)
    return notes


def _lockfile_size_warning(context: Context) -> str:
    """Returns a warning if the lockfile is too large for GitHub, or soon will be; empty if not, or if it is none."""
    address = context.ledger.address
    if not isinstance(address, LockfileAddress):
        return ""
    path = lockfile_paths(context.tree.root, address.path, None).lockfile
    return ledger_size.format_size_warning(address.path, path.stat().st_size) if path.exists() else ""


def _read_current(context: Context) -> PlannedLedger:
    reading = read_ledger(context, refuses=False)  # a guard of the plan says why
    refusal = reading.refusal
    guard = Guard("ledger-moved", str(refusal), refusal.hint) if refusal else None
    return PlannedLedger(reading.facts, reading.exists, guard)


def _find_base_ledger(context: Context) -> DeclaredLedger | None:
    """Returns the ledger that the base commit declares; None if it declares none, or MSGRUN_LOCK names one."""
    repository = context.ledger.repository
    return None if repository is None or context.lock_override else find_base_ledger(context.ledger, repository)


def _read_base_ledger(context: Context, base: Base, declared: DeclaredLedger) -> Facts | None:
    """Returns the records of the ledger that the base commit declares; None if there are none that can be read."""
    own = context.ledger
    try:
        reading = opening.read_ledger(replace(own.at(declared.address), declared=declared))
        add_records_at(context, base.commit, reading.facts)
    except (GuardRefused, LedgerUnavailable):
        return None
    return reading.facts if reading.exists or len(reading.facts) else None


def _explain_refusal(context: Context, base: Base, error: GuardRefused, *, is_changed: bool) -> tuple[str, str]:
    """Returns why the ledger was refused, and what the reviewer can do, who is not the author."""
    if _is_salt_changed(context, base):
        return "These commits change salt:, and with another salt nothing that was sent is recognised", _SALT_HINT
    if is_changed:
        return _name_other_ledger(context, "is not asked before they are merged"), MOVE_HINT
    return str(error.message), error.hint


def _name_other_ledger(context: Context, state: str) -> str:
    name = shorten_line(context.ledger.address.display_name, _MAX_NAME)
    return f"These commits make msgrun read and write another ledger, {name}, which {state}"


def _is_salt_changed(context: Context, base: Base) -> bool:
    if os.environ.get("MSGRUN_SALT"):
        return False
    try:
        return load_settings(base.tree, context.options.environment).salt != context.settings.salt
    except (ProblemsFound, UsageMistake):
        return False
