"""The ledger takes the place of another one: that one is told, and refuses to be used from then on.

Else a `lock:` that goes back to it, in a clone that knows nothing of the way between, would send again what was sent.
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
    """Raises LedgerUnavailable if this clone cannot tell whether git removed the lockfile that is to be begun.

    Where another kind of ledger is in use until now, it need not: that one had begun with all that the lockfile knew.
    """
    repository, own = find_repository(context.tree.root.resolve()), context.settings.lock
    if not (repository and repository.is_shallow) or os.environ.get("MSGRUN_LOCK") or is_shared_ledger(own):
        return
    formers = (before for before in find_previous_ledgers(context) if is_shared_ledger(before.lock))
    if not any(_asked(context, before).moved_to != redact_password(own) for before in formers):
        require_full_clone(context, repository)


def mark_incomplete(context: Context, ledger: Ledger) -> None:
    """Notes in the ledger that it is not the one yet if it lacks what a former one has, until it has `arrived`.

    So an import that lacks something, or dies half-way, leaves two ledgers of which one says so, and not two to use.
    Raises LedgerUnavailable if a former one cannot be read.
    """
    own = redact_password(context.settings.lock)
    for before in find_previous_ledgers(context):
        facts = _asked(context, before)
        if facts.moved_to != own and not ledger.facts.moved_to and count_missing_records(facts, ledger.facts):
            ledger.mark_moved(redact_password(before.lock))


def complete_import(context: Context, ledger: Ledger) -> None:
    """Tells the ledgers that were used before that they moved here; if this one had moved itself, it is back.

    Asked are the one that it moved to, those that `lock:` named last, and wherever these have moved.
    Raises GuardRefused if one has records that this one lacks, LedgerUnavailable if one cannot be asked.
    """
    left, own = moved_to(context, ledger.facts), redact_password(context.settings.lock)
    waiting, seen = [left, *(before.lock for before in find_previous_ledgers(context))], {"", own}
    for named in waiting:  # which grows
        if named in seen or not (is_shared_ledger(named) or is_shared_ledger(own)):
            continue
        seen.add(named)
        context.known_hosts.add(named)  # a person brings the ledger back from where it moved, or was
        try:
            facts = location_of(replace(context, settings=replace(context.settings, lock=named))).read()
            _has_all(context, named, facts, ledger.facts)
            waiting.append(facts.moved_to)
            _has_all(context, named, mark_previous_moved(context, named) or facts, ledger.facts)
        except LedgerUnavailable as error:
            raise _untold(
                context, named, error, "msgrun lock free" if named == left else no_previous_ledger_hint(context)
            ) from error
    ledger.refresh()
    refuse_if_moved(context, ledger, allow_moved=True)
    if left:
        mark_current(context, ledger)
        context.output.result(f"{location_of(context).display_name} is the ledger now")
    save_last_used(context)


def mark_previous_moved(context: Context, named: str) -> Facts | None:
    """Notes in a former ledger that it moved here; what it knows since nothing is claimed in it, if that can be told.

    Raises LedgerUnavailable.
    """
    then, to = replace(context, settings=replace(context.settings, lock=named)), redact_password(context.settings.lock)
    if not is_shared_ledger(named):
        _leave_file(then, to)
        return None
    there = location_of(then)
    if not there.exists:
        return None
    with there.open("lock import", new_lock=False, no_fetch=False) as ledger:
        if ledger.facts.moved_to != to:
            ledger.mark_moved(to)
            ledger.refresh()
            context.output.note(f"{there.display_name} knows that the ledger moved to {to}")
        return ledger.facts


def mark_current(context: Context, ledger: Ledger) -> None:
    """Notes that the ledger is the one to use again. Raises LedgerUnavailable."""
    repository = _shares(context)
    if ledger.facts.moved_to or repository:
        ledger.mark_moved("")
    if repository:
        release_hold(
            repository, resolve_push_target(repository, lockfile_paths(context).lockfile, None), back_off, force=True
        )


def moved_to(context: Context, facts: Facts) -> str:
    """Where this ledger moved; of a lockfile the remote may know it alone. Raises LedgerUnavailable."""
    if facts.moved_to or not (repository := _shares(context)):
        return "" if facts.moved_to == redact_password(context.settings.lock) else facts.moved_to
    to = resolve_push_target(repository, lockfile_paths(context).lockfile, None)
    return read_moved_to(repository, to.remote, to.path)


def _asked(context: Context, before: PreviousLedger) -> Facts:
    context.known_hosts.add(before.lock)  # a person moves the ledger, and vouches for the host that it leaves
    try:
        return read_previous_ledger(context, before)
    except LedgerUnavailable as error:
        raise _untold(context, before.lock, error, no_previous_ledger_hint(context)) from error


def _shares(context: Context) -> Repository | None:
    """The repository whose remote knows of the lockfile, if it is a lockfile that a remote knows of."""
    if is_shared_ledger(context.settings.lock) or context.options.sandbox:
        return None
    repository = find_repository(context.tree.root.resolve())
    is_shared = (
        repository and repository.relevant_remotes() and repository.relative_path(lockfile_paths(context).lockfile)
    )
    return repository if is_shared else None


def _leave_file(then: Context, to: str) -> None:
    """Notes it in the journal, for this clone, and on the remote, for all."""
    where, repository = lockfile_paths(then), _shares(then)
    is_here = where.exists or (where.journal is not None and where.journal.exists())
    if is_here:
        with LockfileLedger(where, then.settings.salt, "lock import", then.now) as ledger:
            if ledger.facts.moved_to != to:
                ledger.mark_moved(to, journal_only=True)
    if repository:
        target = resolve_push_target(repository, where.lockfile, None)
        if is_here or any(repository.try_git("cat-file", "-e", f"{ref}:{target.path}") == "" for ref in RECENT_REFS):
            mark_remote_moved(repository, target, to)


def _untold(context: Context, named: str, error: LedgerUnavailable, if_lost: str) -> LedgerUnavailable:
    way = f"import again once it can be told; if it is lost for ever: {if_lost}"
    return LedgerUnavailable(
        f"{named} has to know that the ledger moved to {redact_password(context.settings.lock)}: {error.message}",
        f"{error.hint}; {way}" if error.hint else way,
    )


def _has_all(context: Context, named: str, former: Facts, now: Facts) -> None:
    if missing := count_missing_records(former, now):
        raise GuardRefused(*explain_missing_records(context, named, missing))
