"""The ledger takes the place of another one: that one is told, and refuses to be used from then on.

Else a `lock:` that goes back to it, in a clone that knows nothing of the way between, would send again what was sent.
"""

import os
from dataclasses import replace

from runner.cli.context import Session
from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.ledger.address import is_elsewhere, redact_password
from runner.ledger.facts import Facts
from runner.ledger.kinds import home
from runner.ledger.ledger import Ledger
from runner.ledger.lockfile.ledger import LockfileLedger
from runner.ledger.lockfile.location import places
from runner.ledger.lockfile.remote_hold import mark_remote_moved, read_moved_to, release_hold
from runner.ledger.lockfile.upload import back_off, resolve_push_target
from runner.ledger.missing_records import lacking
from runner.ledger.moves.check import lacks
from runner.ledger.moves.last_used import note_used
from runner.ledger.moves.previous import FORMER, Before, former, left_hint, reaches_back, seen_before
from runner.ledger.opening import stay


def nothing_hidden(here: Session) -> None:
    """Raises LedgerUnavailable if this clone cannot tell whether git removed the lockfile that is to be begun.

    Where another kind of ledger is in use until now, it need not: that one had begun with all that the lockfile knew.
    """
    repository, own = find_repository(here.tree.root.resolve()), here.settings.lock
    if not (repository and repository.is_shallow) or os.environ.get("MSGRUN_LOCK") or is_elsewhere(own):
        return
    formers = (before for before in seen_before(here) if is_elsewhere(before.lock))
    if not any(_asked(here, before).moved_to != redact_password(own) for before in formers):
        reaches_back(here, repository)


def expected(here: Session, ledger: Ledger) -> None:
    """Notes in the ledger that it is not the one yet if it lacks what a former one has, until it has `arrived`.

    So an import that lacks something, or dies half-way, leaves two ledgers of which one says so, and not two to use.
    Raises LedgerUnavailable if a former one cannot be read.
    """
    own = redact_password(here.settings.lock)
    for before in seen_before(here):
        facts = _asked(here, before)
        if facts.moved_to != own and not ledger.facts.moved_to and lacking(facts, ledger.facts):
            ledger.mark_moved(redact_password(before.lock))


def arrived(here: Session, ledger: Ledger) -> None:
    """Tells the ledgers that were used before that they moved here; if this one had moved itself, it is back.

    Asked are the one that it moved to, those that `lock:` named last, and wherever these have moved.
    Raises GuardRefused if one has records that this one lacks, LedgerUnavailable if one cannot be asked.
    """
    left, own = away(here, ledger.facts), redact_password(here.settings.lock)
    waiting, seen = [left, *(before.lock for before in seen_before(here))], {"", own}
    for named in waiting:  # which grows
        if named in seen or not (is_elsewhere(named) or is_elsewhere(own)):
            continue
        seen.add(named)
        here.known_hosts.add(named)  # a person brings the ledger back from where it moved, or was
        try:
            facts = home(replace(here, settings=replace(here.settings, lock=named))).read()
            _has_all(here, named, facts, ledger.facts)
            waiting.append(facts.moved_to)
            _has_all(here, named, leave(here, named) or facts, ledger.facts)
        except LedgerUnavailable as error:
            raise _untold(here, named, error, "msgrun lock free" if named == left else left_hint(here)) from error
    ledger.refresh()
    stay(here, ledger, anyway=True)
    if left:
        back(here, ledger)
        here.screen.result(f"{home(here).shown} is the ledger now")
    note_used(here)


def leave(here: Session, named: str) -> Facts | None:
    """Notes in a former ledger that it moved here; what it knows since nothing is claimed in it, if that can be told.

    Raises LedgerUnavailable.
    """
    then, to = replace(here, settings=replace(here.settings, lock=named)), redact_password(here.settings.lock)
    if not is_elsewhere(named):
        _leave_file(then, to)
        return None
    there = home(then)
    if not there.exists:
        return None
    with there.held("lock import", new_lock=False, no_fetch=False) as ledger:
        if ledger.facts.moved_to != to:
            ledger.mark_moved(to)
            ledger.refresh()
            here.screen.note(f"{there.shown} knows that the ledger moved to {to}")
        return ledger.facts


def back(here: Session, ledger: Ledger) -> None:
    """Notes that the ledger is the one to use again. Raises LedgerUnavailable."""
    repository = _shares(here)
    if ledger.facts.moved_to or repository:
        ledger.mark_moved("")
    if repository:
        release_hold(repository, resolve_push_target(repository, places(here).lockfile, None), back_off, force=True)


def away(here: Session, facts: Facts) -> str:
    """Where this ledger moved; of a lockfile the remote may know it alone. Raises LedgerUnavailable."""
    if facts.moved_to or not (repository := _shares(here)):
        return "" if facts.moved_to == redact_password(here.settings.lock) else facts.moved_to
    to = resolve_push_target(repository, places(here).lockfile, None)
    return read_moved_to(repository, to.remote, to.path)


def _asked(here: Session, before: Before) -> Facts:
    here.known_hosts.add(before.lock)  # a person moves the ledger, and vouches for the host that it leaves
    try:
        return former(here, before)
    except LedgerUnavailable as error:
        raise _untold(here, before.lock, error, left_hint(here)) from error


def _shares(here: Session) -> Repository | None:
    """The repository whose remote knows of the lockfile, if it is a lockfile that a remote knows of."""
    if is_elsewhere(here.settings.lock) or here.options.sandbox:
        return None
    repository = find_repository(here.tree.root.resolve())
    is_shared = repository and repository.relevant_remotes() and repository.relative_path(places(here).lockfile)
    return repository if is_shared else None


def _leave_file(then: Session, to: str) -> None:
    """Notes it in the journal, for this clone, and on the remote, for all."""
    where, repository = places(then), _shares(then)
    is_here = where.exists or (where.journal is not None and where.journal.exists())
    if is_here:
        with LockfileLedger(where, then.settings.salt, "lock import", then.now) as ledger:
            if ledger.facts.moved_to != to:
                ledger.mark_moved(to, journal_only=True)
    if repository:
        target = resolve_push_target(repository, where.lockfile, None)
        if is_here or any(repository.try_git("cat-file", "-e", f"{ref}:{target.path}") == "" for ref in FORMER):
            mark_remote_moved(repository, target, to)


def _untold(here: Session, named: str, error: LedgerUnavailable, if_lost: str) -> LedgerUnavailable:
    way = f"import again once it can be told; if it is lost for ever: {if_lost}"
    return LedgerUnavailable(
        f"{named} has to know that the ledger moved to {redact_password(here.settings.lock)}: {error.message}",
        f"{error.hint}; {way}" if error.hint else way,
    )


def _has_all(here: Session, named: str, former: Facts, now: Facts) -> None:
    if missing := lacking(former, now):
        raise GuardRefused(*lacks(here, named, missing))
