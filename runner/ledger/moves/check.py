"""What a changed `lock:` would leave behind, and send again: where the ledger was before, or may have been."""

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
    """What apply would stop at, as far as this machine alone can tell: a plan needs no network."""
    if context.options.sandbox:
        return None
    if facts.moved_to and facts.moved_to != redact_password(context.settings.lock):
        return Guard("ledger-moved", *explain_move(location_of(context).display_name, facts.moved_to))
    try:
        if is_shared_ledger(context.settings.lock):
            require_records_of_lockfile(context, managed_path(context.tree.root, _default_name(context)), facts)
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
    """Raises GuardRefused if the ledger that the last two commits named has records that these facts lack.

    A ledger that is elsewhere may have been one before, and hold only what was sent then: that it is there proves
    nothing. `offline`: only a lockfile is asked. `ever`: whatever any commit named, for a ledger that begins has no
    other chance. Raises LedgerUnavailable if a former one cannot be read. Returns those that may not know of the move.
    """
    untold = []
    for before in find_previous_ledgers(context, offline=offline, all_commits=all_commits):
        if offline and is_shared_ledger(before.lock):
            continue
        try:
            facts_then = read_previous_ledger(context, before)
        except LedgerUnavailable as error:
            way = f"if nothing was ever sent with it, name the ledger yourself: {no_previous_ledger_hint(context)}"
            raise LedgerUnavailable(
                f"lock: named another ledger before ({before.source}), and what it knows is needed: {error.message}",
                f"{error.hint}; {way}" if error.hint else way,
            ) from error
        if missing := _forgotten(context, facts_then, facts):
            raise GuardRefused(*explain_missing_records(context, before.lock, missing, _in_git_alone(context, before)))
        if facts_then.moved_to != redact_password(context.settings.lock):
            untold.append(before.lock)
    return untold


def _in_git_alone(context: Context, before: PreviousLedger) -> str:
    """How git names the lockfile of a commit that the work tree has no more; empty for any other ledger."""
    if is_shared_ledger(before.lock) or not before.repository or (context.tree.root / before.lock).exists():
        return ""
    path = before.repository.relative_path(context.tree.root / before.lock)
    return f"{before.source}:{path}" if path else ""


def refuse_second_ledger(context: Context) -> None:
    """Raises GuardRefused if MSGRUN_LOCK is about to begin a ledger beside the one of msgrun.yaml that has records."""
    if context.options.sandbox or not os.environ.get("MSGRUN_LOCK"):
        return
    named = load_settings(context.tree, context.options.environment, context.settings.salt).lock
    if named == context.settings.lock or not is_shared_ledger(named):  # of a lockfile more is asked, elsewhere
        return
    try:
        count = len(location_of(replace(context, settings=replace(context.settings, lock=named))).read())
    except (LedgerUnavailable, GuardRefused) as error:
        context.output.note(f"what the ledger {named} of msgrun.yaml knows is not known: {error.message}")
        return
    if count:
        raise GuardRefused(
            f"MSGRUN_LOCK would begin a ledger beside {named} of msgrun.yaml, which knows of {count:,} deliveries",
            "all of them would be sent again: change lock: and move it, or give another workspace an environment of"
            " its own",
        )


def explain_missing_records(context: Context, named: str, missing: int, gone: str = "") -> tuple[str, str]:
    """That the ledger lacks records of a former one, and how to bring them; `gone`: a lockfile that git alone has."""
    export = f"git show {gone} > sent.lock" if gone else f"MSGRUN_LOCK={named} msgrun lock export sent.lock"
    return (
        f"the ledger {named}, which lock: named before, has {missing:,} records that {context.settings.lock} lacks",
        f"what it forgets is sent again: {export}, then msgrun lock import sent.lock --new-lock",
    )


def require_records_of_lockfile(context: Context, lockfile: Path, facts: Facts) -> None:
    """Raises GuardRefused if a lockfile in the project, or its journal, knows what these facts lack."""
    repository = find_repository(context.tree.root.resolve())
    for place in (lockfile, *([repository.journal_path(lockfile)] if repository else ())):
        former = Facts()
        former.read_file(place, str(place))
        if missing := _forgotten(context, former, facts):
            raise GuardRefused(
                f"{place} has {missing:,} records that the ledger {location_of(context).display_name} lacks",
                f"what it forgets is sent again: msgrun lock import {place} --new-lock, and then remove it",
            )


def require_records_of_branch(context: Context, facts: Facts, *, offline: bool = False) -> None:
    """Raises GuardRefused if the branch that may have been the ledger before has records that these facts lack.

    `offline`: as it was read last. LedgerUnavailable if the remote does not answer.
    """
    repository = find_repository(context.tree.root.resolve())
    remote = next(reversed(repository.relevant_remotes() if repository else ()), "")
    if repository is None or not remote:
        return
    there, former = RemoteFile(repository, BranchAddress(remote, DEFAULT_BRANCH, _default_name(context))), Facts()
    version = (there.cached_version() or (None, 0.0))[0] if offline else there.fetch()
    if version is None or not former.read(version.data, str(there.address)):
        return
    try:
        former.merged_header(context.settings.salt)
    except GuardRefused:  # of another project in this repository
        return
    missing = count_missing_records(former, facts)
    if missing:
        raise GuardRefused(
            f"the branch {there.address} has {missing:,} records that the ledger {context.settings.lock} lacks",
            f"what it forgets is sent again: MSGRUN_LOCK=git+{remote} msgrun lock export sent.lock, then msgrun lock"
            " import sent.lock --new-lock",
        )


def _default_name(context: Context) -> str:
    return f"{context.settings.plan_file.removesuffix('.plan')}.lock"


def _forgotten(context: Context, former: Facts, facts: Facts) -> int:
    """How many records of a former ledger the one of now lacks, of which a run may see a part only.

    In PostgreSQL it does not see what others are just sending, so all of it is read before anything is refused.
    """
    missing = count_missing_records(former, facts)
    return (
        count_missing_records(former, location_of(context).read())
        if missing and len(facts) and is_postgres(context.settings.lock)
        else missing
    )
