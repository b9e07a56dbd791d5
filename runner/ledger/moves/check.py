"""What a changed `lock:` would leave behind, and send again: where the ledger was before, or may have been."""

import os
from dataclasses import replace
from pathlib import Path

from runner.cli.context import Session
from runner.declare.settings import load_settings
from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import find_repository
from runner.ledger.address import DEFAULT_BRANCH, BranchAddress, is_elsewhere, is_postgres, redact_password
from runner.ledger.branch.remote_file import RemoteFile
from runner.ledger.facts import Facts
from runner.ledger.kinds import home
from runner.ledger.location import explain_move
from runner.ledger.missing_records import lacking
from runner.ledger.moves.previous import Before, former, left_hint, seen_before
from runner.managed_path import managed_path
from runner.plan.guards import Guard


def behind(here: Session, facts: Facts) -> Guard | None:
    """What apply would stop at, as far as this machine alone can tell: a plan needs no network."""
    if here.options.sandbox:
        return None
    if facts.moved_to and facts.moved_to != redact_password(here.settings.lock):
        return Guard("ledger-moved", *explain_move(home(here).shown, facts.moved_to))
    try:
        if is_elsewhere(here.settings.lock):
            nothing_in_lockfile(here, managed_path(here.tree.root, _default_name(here)), facts)
        else:
            nothing_on_branch(here, facts, offline=True)
        nothing_left(here, facts, offline=True)
    except GuardRefused as error:
        return Guard("ledger-behind", error.message, error.hint)
    except LedgerUnavailable as error:
        here.screen.note(f"where the ledger was before is not known: {error.message}")
    return None


def nothing_left(here: Session, facts: Facts, *, offline: bool = False, ever: bool = False) -> list[str]:
    """Raises GuardRefused if the ledger that the last two commits named has records that these facts lack.

    A ledger that is elsewhere may have been one before, and hold only what was sent then: that it is there proves
    nothing. `offline`: only a lockfile is asked. `ever`: whatever any commit named, for a ledger that begins has no
    other chance. Raises LedgerUnavailable if a former one cannot be read. Returns those that may not know of the move.
    """
    untold = []
    for before in seen_before(here, offline=offline, ever=ever):
        if offline and is_elsewhere(before.lock):
            continue
        try:
            facts_then = former(here, before)
        except LedgerUnavailable as error:
            way = f"if nothing was ever sent with it, name the ledger yourself: {left_hint(here)}"
            raise LedgerUnavailable(
                f"lock: named another ledger before ({before.at}), and what it knows is needed: {error.message}",
                f"{error.hint}; {way}" if error.hint else way,
            ) from error
        if missing := _forgotten(here, facts_then, facts):
            raise GuardRefused(*lacks(here, before.lock, missing, _in_git_alone(here, before)))
        if facts_then.moved_to != redact_password(here.settings.lock):
            untold.append(before.lock)
    return untold


def _in_git_alone(here: Session, before: Before) -> str:
    """How git names the lockfile of a commit that the work tree has no more; empty for any other ledger."""
    if is_elsewhere(before.lock) or not before.repository or (here.tree.root / before.lock).exists():
        return ""
    path = before.repository.relative_path(here.tree.root / before.lock)
    return f"{before.at}:{path}" if path else ""


def nothing_overridden(here: Session) -> None:
    """Raises GuardRefused if MSGRUN_LOCK is about to begin a ledger beside the one of msgrun.yaml that has records."""
    if here.options.sandbox or not os.environ.get("MSGRUN_LOCK"):
        return
    named = load_settings(here.tree, here.options.environment, here.settings.salt).lock
    if named == here.settings.lock or not is_elsewhere(named):  # of a lockfile more is asked, elsewhere
        return
    try:
        count = len(home(replace(here, settings=replace(here.settings, lock=named))).read())
    except (LedgerUnavailable, GuardRefused) as error:
        here.screen.note(f"what the ledger {named} of msgrun.yaml knows is not known: {error.message}")
        return
    if count:
        raise GuardRefused(
            f"MSGRUN_LOCK would begin a ledger beside {named} of msgrun.yaml, which knows of {count:,} deliveries",
            "all of them would be sent again: change lock: and move it, or give another workspace an environment of"
            " its own",
        )


def lacks(here: Session, named: str, missing: int, gone: str = "") -> tuple[str, str]:
    """That the ledger lacks records of a former one, and how to bring them; `gone`: a lockfile that git alone has."""
    export = f"git show {gone} > sent.lock" if gone else f"MSGRUN_LOCK={named} msgrun lock export sent.lock"
    return (
        f"the ledger {named}, which lock: named before, has {missing:,} records that {here.settings.lock} lacks",
        f"what it forgets is sent again: {export}, then msgrun lock import sent.lock --new-lock",
    )


def nothing_in_lockfile(here: Session, lockfile: Path, facts: Facts) -> None:
    """Raises GuardRefused if a lockfile in the project, or its journal, knows what these facts lack."""
    repository = find_repository(here.tree.root.resolve())
    for place in (lockfile, *([repository.journal_path(lockfile)] if repository else ())):
        former = Facts()
        former.read_file(place, str(place))
        if missing := _forgotten(here, former, facts):
            raise GuardRefused(
                f"{place} has {missing:,} records that the ledger {home(here).shown} lacks",
                f"what it forgets is sent again: msgrun lock import {place} --new-lock, and then remove it",
            )


def nothing_on_branch(here: Session, facts: Facts, *, offline: bool = False) -> None:
    """Raises GuardRefused if the branch that may have been the ledger before has records that these facts lack.

    `offline`: as it was read last. LedgerUnavailable if the remote does not answer.
    """
    repository = find_repository(here.tree.root.resolve())
    remote = next(reversed(repository.relevant_remotes() if repository else ()), "")
    if repository is None or not remote:
        return
    there, former = RemoteFile(repository, BranchAddress(remote, DEFAULT_BRANCH, _default_name(here))), Facts()
    version = (there.cached_version() or (None, 0.0))[0] if offline else there.fetch()
    if version is None or not former.read(version.data, str(there.address)):
        return
    try:
        former.merged_header(here.settings.salt)
    except GuardRefused:  # of another project in this repository
        return
    missing = lacking(former, facts)
    if missing:
        raise GuardRefused(
            f"the branch {there.address} has {missing:,} records that the ledger {here.settings.lock} lacks",
            f"what it forgets is sent again: MSGRUN_LOCK=git+{remote} msgrun lock export sent.lock, then msgrun lock"
            " import sent.lock --new-lock",
        )


def _default_name(here: Session) -> str:
    return f"{here.settings.plan_file.removesuffix('.plan')}.lock"


def _forgotten(here: Session, former: Facts, facts: Facts) -> int:
    """How many records of a former ledger the one of now lacks, of which a run may see a part only.

    In PostgreSQL it does not see what others are just sending, so all of it is read before anything is refused.
    """
    missing = lacking(former, facts)
    return lacking(former, home(here).read()) if missing and len(facts) and is_postgres(here.settings.lock) else missing
