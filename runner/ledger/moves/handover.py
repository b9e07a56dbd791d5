"""Moves the ledger: marks the previous ledgers as moved, so that no run uses them from then on.

Without the mark, a clone whose `lock:` goes back to a previous ledger, and that has no record of the move, would send
again what was sent since.
"""

import os
from dataclasses import replace

from runner.cli.context import Context
from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.ledger.address import is_shared_ledger, redact_password
from runner.ledger.facts import Facts
from runner.ledger.kinds import location_of
from runner.ledger.ledger import Ledger
from runner.ledger.lockfile.ledger import LockfileLedger
from runner.ledger.lockfile.location import lockfile_paths
from runner.ledger.lockfile.remote_hold import mark_remote_moved, read_moved_to, release_hold
from runner.ledger.lockfile.upload import back_off, resolve_push_target
from runner.ledger.missing_records import count_missing_records
from runner.ledger.moves.check import explain_missing_records
from runner.ledger.moves.last_used import save_last_used
from runner.ledger.moves.previous import (
    RECENT_REFS,
    PreviousLedger,
    find_previous_ledgers,
    no_previous_ledger_hint,
    read_previous_ledger,
    require_full_clone,
)
from runner.ledger.opening import refuse_if_moved


def require_lockfile_history(context: Context) -> None:
    """Raises LedgerUnavailable if this clone is too shallow to show whether git removed the lockfile to be started.

    It does not matter where a shared ledger (a branch or a database) was in use last: that one was started with all the
    records of the lockfile.
    """
    repository, own_address = find_repository(context.tree.root.resolve()), context.settings.lock
    if not (repository and repository.is_shallow) or os.environ.get("MSGRUN_LOCK") or is_shared_ledger(own_address):
        return
    shared_ledgers = (previous for previous in find_previous_ledgers(context) if is_shared_ledger(previous.lock))
    if not any(
        _read_previous(context, previous).moved_to != redact_password(own_address) for previous in shared_ledgers
    ):
        require_full_clone(context, repository)


def mark_incomplete(context: Context, ledger: Ledger) -> None:
    """Marks the ledger as moved to a previous one if it lacks records of that one; `complete_import` ends the mark.

    So an import that is killed, or lacks records, leaves a new ledger that no run uses, not two that look current.
    Raises GuardRefused, and LedgerUnavailable if a previous ledger cannot be read.
    """
    own_address = redact_password(context.settings.lock)
    for previous in find_previous_ledgers(context):
        facts = _read_previous(context, previous)
        if facts.moved_to != own_address and not ledger.facts.moved_to and count_missing_records(facts, ledger.facts):
            ledger.mark_moved(redact_password(previous.lock))


def complete_import(context: Context, ledger: Ledger) -> None:
    """Marks the previous ledgers as moved to this one. If this one is marked as moved, its mark is removed.

    The previous ledgers are the one that this ledger moved to, those that `lock:` named last, and those that these
    moved to. Raises GuardRefused if one of them has records that this ledger lacks, LedgerUnavailable if one cannot be
    read or marked.
    """
    new_address, own_address = moved_to(context, ledger.facts), redact_password(context.settings.lock)
    queue, visited = [new_address, *(previous.lock for previous in find_previous_ledgers(context))], {"", own_address}
    for lock in queue:  # the loop appends to it
        if lock in visited or not (is_shared_ledger(lock) or is_shared_ledger(own_address)):
            continue
        visited.add(lock)
        context.known_hosts.add(lock)  # a person moves the ledger by this import, and so vouches for its previous hosts
        try:
            facts = location_of(replace(context, settings=replace(context.settings, lock=lock))).read()
            _require_all_records(context, lock, facts, ledger.facts)
            queue.append(facts.moved_to)
            _require_all_records(context, lock, mark_previous_moved(context, lock) or facts, ledger.facts)
        except LedgerUnavailable as error:
            raise _explain_mark_failure(
                context, lock, error, "msgrun lock free" if lock == new_address else no_previous_ledger_hint(context)
            ) from error
    ledger.refresh()
    refuse_if_moved(context, ledger, allow_moved=True)
    if new_address:
        mark_current(context, ledger)
        context.output.result(f"{location_of(context).display_name} is the ledger now")
    save_last_used(context)


def mark_previous_moved(context: Context, lock: str) -> Facts | None:
    """Marks the previous ledger `lock` as moved to this one.

    Returns its records after the mark, when no run can claim in it any more; None for a lockfile, or if there is no
    such ledger. Raises GuardRefused, LedgerUnavailable.
    """
    previous_context, address = (
        replace(context, settings=replace(context.settings, lock=lock)),
        redact_password(context.settings.lock),
    )
    if not is_shared_ledger(lock):
        _mark_lockfile_moved(previous_context, address)
        return None
    location = location_of(previous_context)
    if not location.exists:
        return None
    with location.open("lock import", new_lock=False, no_fetch=False) as ledger:
        if ledger.facts.moved_to != address:
            ledger.mark_moved(address)
            ledger.refresh()
            context.output.note(f"{location.display_name} knows that the ledger moved to {address}")
        return ledger.facts


def mark_current(context: Context, ledger: Ledger) -> None:
    """Removes the mark of a move, for a lockfile also on the remote. Raises GuardRefused, LedgerUnavailable."""
    repository = _find_sharing_repository(context)
    if ledger.facts.moved_to or repository:
        ledger.mark_moved("")
    if repository:
        release_hold(
            repository, resolve_push_target(repository, lockfile_paths(context).lockfile, None), back_off, force=True
        )


def moved_to(context: Context, facts: Facts) -> str:
    """The address that this ledger moved to; empty if it did not move.

    For a lockfile without a mark, the remote is asked. Raises LedgerUnavailable.
    """
    if facts.moved_to or not (repository := _find_sharing_repository(context)):
        return "" if facts.moved_to == redact_password(context.settings.lock) else facts.moved_to
    target = resolve_push_target(repository, lockfile_paths(context).lockfile, None)
    return read_moved_to(repository, target.remote, target.path)


def _read_previous(context: Context, previous: PreviousLedger) -> Facts:
    context.known_hosts.add(previous.lock)  # a person moves the ledger, and vouches for the host that it leaves
    try:
        return read_previous_ledger(context, previous)
    except LedgerUnavailable as error:
        raise _explain_mark_failure(context, previous.lock, error, no_previous_ledger_hint(context)) from error


def _find_sharing_repository(context: Context) -> Repository | None:
    """The git repository of a lockfile that can be pushed to a remote; None for other ledgers, and in the sandbox."""
    if is_shared_ledger(context.settings.lock) or context.options.sandbox:
        return None
    repository = find_repository(context.tree.root.resolve())
    is_shared = (
        repository and repository.relevant_remotes() and repository.relative_path(lockfile_paths(context).lockfile)
    )
    return repository if is_shared else None


def _mark_lockfile_moved(previous_context: Context, address: str) -> None:
    """Marks a lockfile as moved: in its journal for this clone, and on the remote for all clones."""
    paths, repository = lockfile_paths(previous_context), _find_sharing_repository(previous_context)
    is_in_clone = paths.exists or (paths.journal is not None and paths.journal.exists())
    if is_in_clone:
        with LockfileLedger(paths, previous_context.settings.salt, "lock import", previous_context.now) as ledger:
            if ledger.facts.moved_to != address:
                ledger.mark_moved(address, journal_only=True)
    if repository:
        target = resolve_push_target(repository, paths.lockfile, None)
        if is_in_clone or any(
            repository.try_git("cat-file", "-e", f"{ref}:{target.path}") == "" for ref in RECENT_REFS
        ):
            mark_remote_moved(repository, target, address)


def _explain_mark_failure(context: Context, lock: str, error: LedgerUnavailable, if_lost: str) -> LedgerUnavailable:
    remedy = f"import again once it can be told; if it is lost for ever: {if_lost}"
    return LedgerUnavailable(
        f"{lock} has to know that the ledger moved to {redact_password(context.settings.lock)}: {error.message}",
        f"{error.hint}; {remedy}" if error.hint else remedy,
    )


def _require_all_records(context: Context, lock: str, previous: Facts, current: Facts) -> None:
    if missing := count_missing_records(previous, current):
        raise GuardRefused(*explain_missing_records(context, lock, missing))
