"""Checks that a ledger has the records of those that were, or may have been, in use before.

Without these checks, a changed `lock:` would send again what the former ledger records as sent.
"""

import os
from dataclasses import replace
from pathlib import Path

from runner.cli.context import Context
from runner.declare.settings import load_settings
from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import find_repository
from runner.ledger.address import DEFAULT_BRANCH, BranchAddress, is_postgres, is_shared_ledger, redact_password
from runner.ledger.branch.remote_file import RemoteFile
from runner.ledger.facts import Facts
from runner.ledger.kinds import location_of
from runner.ledger.location import explain_move
from runner.ledger.missing_records import count_missing_records
from runner.ledger.moves.previous import (
    PreviousLedger,
    find_previous_ledgers,
    no_previous_ledger_hint,
    read_previous_ledger,
)
from runner.managed_path import managed_path
from runner.plan.guards import Guard


def ledger_guard(context: Context, facts: Facts) -> Guard | None:
    """The guard that would stop apply because of this ledger; None if there is none.

    It asks no remote, because a plan needs no network, so apply may still find another reason.
    """
    if context.options.sandbox:
        return None
    if facts.moved_to and facts.moved_to != redact_password(context.settings.lock):
        return Guard("ledger-moved", *explain_move(location_of(context).display_name, facts.moved_to))
    try:
        if is_shared_ledger(context.settings.lock):
            require_records_of_lockfile(
                context, managed_path(context.tree.root, _default_lockfile_name(context)), facts
            )
        else:
            require_records_of_branch(context, facts, offline=True)
        require_records_of_previous(context, facts, offline=True)
    except GuardRefused as error:
        return Guard("ledger-behind", error.message, error.hint)
    except LedgerUnavailable as error:
        context.output.note(f"where the ledger was before is not known: {error.message}")
    return None


def require_records_of_previous(
    context: Context, facts: Facts, *, offline: bool = False, all_commits: bool = False
) -> list[str]:
    """Raises GuardRefused if a ledger that `lock:` named before has records that `facts` lack.

    It reads the ledgers of the last two commits. That the ledger of `lock:` exists proves nothing: it may be an older
    one, with only the records of its time. `offline`: reads only lockfiles. `all_commits`: reads the ledgers that any
    commit named, which is needed before a ledger is started.
    Returns the addresses of the previous ledgers that are not marked as moved to this one. Raises LedgerUnavailable if
    one cannot be read.
    """
    unmarked = []
    for previous in find_previous_ledgers(context, offline=offline, all_commits=all_commits):
        if offline and is_shared_ledger(previous.lock):
            continue
        try:
            previous_facts = read_previous_ledger(context, previous)
        except LedgerUnavailable as error:
            remedy = f"if nothing was ever sent with it, name the ledger yourself: {no_previous_ledger_hint(context)}"
            raise LedgerUnavailable(
                f"lock: named another ledger before ({previous.source}), and what it knows is needed: {error.message}",
                f"{error.hint}; {remedy}" if error.hint else remedy,
            ) from error
        if missing := _count_missing(context, previous_facts, facts):
            raise GuardRefused(
                *explain_missing_records(context, previous.lock, missing, _find_in_git_only(context, previous))
            )
        if previous_facts.moved_to != redact_password(context.settings.lock):
            unmarked.append(previous.lock)
    return unmarked


def _find_in_git_only(context: Context, previous: PreviousLedger) -> str:
    """The name `COMMIT:PATH` of a lockfile that the commit has and the work tree does not.

    Empty for any other ledger.
    """
    if is_shared_ledger(previous.lock) or not previous.repository or (context.tree.root / previous.lock).exists():
        return ""
    path = previous.repository.relative_path(context.tree.root / previous.lock)
    return f"{previous.source}:{path}" if path else ""


def refuse_second_ledger(context: Context) -> None:
    """Raises GuardRefused if MSGRUN_LOCK would start a ledger although the one that msgrun.yaml names has records."""
    if context.options.sandbox or not os.environ.get("MSGRUN_LOCK"):
        return
    lock = load_settings(context.tree, context.options.environment, context.settings.salt).lock
    # A lockfile is checked by require_records_of_lockfile.
    if lock == context.settings.lock or not is_shared_ledger(lock):
        return
    try:
        count = len(location_of(replace(context, settings=replace(context.settings, lock=lock))).read())
    except (LedgerUnavailable, GuardRefused) as error:
        context.output.note(f"what the ledger {lock} of msgrun.yaml knows is not known: {error.message}")
        return
    if count:
        raise GuardRefused(
            f"MSGRUN_LOCK would begin a ledger beside {lock} of msgrun.yaml, which knows of {count:,} deliveries",
            "all of them would be sent again: change lock: and move it, or give another workspace an environment of"
            " its own",
        )


def explain_missing_records(context: Context, lock: str, missing: int, git_object: str = "") -> tuple[str, str]:
    """The message and the hint for a ledger that lacks `missing` records of the previous ledger `lock`.

    `git_object`: git's name of a lockfile that is only in git.
    """
    export = f"git show {git_object} > sent.lock" if git_object else f"MSGRUN_LOCK={lock} msgrun lock export sent.lock"
    return (
        f"the ledger {lock}, which lock: named before, has {missing:,} records that {context.settings.lock} lacks",
        f"what it forgets is sent again: {export}, then msgrun lock import sent.lock --new-lock",
    )


def require_records_of_lockfile(context: Context, lockfile: Path, facts: Facts) -> None:
    """Raises GuardRefused if a lockfile of the project, or its journal, has records that `facts` lack."""
    repository = find_repository(context.tree.root.resolve())
    for path in (lockfile, *([repository.journal_path(lockfile)] if repository else ())):
        previous = Facts()
        previous.read_file(path, str(path))
        if missing := _count_missing(context, previous, facts):
            raise GuardRefused(
                f"{path} has {missing:,} records that the ledger {location_of(context).display_name} lacks",
                f"what it forgets is sent again: msgrun lock import {path} --new-lock, and then remove it",
            )


def require_records_of_branch(context: Context, facts: Facts, *, offline: bool = False) -> None:
    """Raises GuardRefused if the default ledger branch has records that `facts` lack.

    That branch may have been the ledger before. `offline`: uses the version that was read last.
    Raises LedgerUnavailable if the remote does not answer.
    """
    repository = find_repository(context.tree.root.resolve())
    remote = next(reversed(repository.relevant_remotes() if repository else ()), "")
    if repository is None or not remote:
        return
    remote_file, previous = (
        RemoteFile(repository, BranchAddress(remote, DEFAULT_BRANCH, _default_lockfile_name(context))),
        Facts(),
    )
    version = (remote_file.cached_version() or (None, 0.0))[0] if offline else remote_file.fetch()
    if version is None or not previous.read(version.data, str(remote_file.address)):
        return
    try:
        previous.merged_header(context.settings.salt)
    except GuardRefused:  # the branch is the ledger of another project in this repository
        return
    missing = count_missing_records(previous, facts)
    if missing:
        raise GuardRefused(
            f"the branch {remote_file.address} has {missing:,} records that the ledger {context.settings.lock} lacks",
            f"what it forgets is sent again: MSGRUN_LOCK=git+{remote} msgrun lock export sent.lock, then msgrun lock"
            " import sent.lock --new-lock",
        )


def _default_lockfile_name(context: Context) -> str:
    return f"{context.settings.plan_file.removesuffix('.plan')}.lock"


def _count_missing(context: Context, previous: Facts, facts: Facts) -> int:
    """How many records of a previous ledger the current one lacks.

    In PostgreSQL, `facts` may not have the claims of other active runs. So if records are missing there, the whole
    ledger is read and counted again. Raises LedgerUnavailable.
    """
    missing = count_missing_records(previous, facts)
    return (
        count_missing_records(previous, location_of(context).read())
        if missing and len(facts) and is_postgres(context.settings.lock)
        else missing
    )
