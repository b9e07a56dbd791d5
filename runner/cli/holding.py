"""The ledger of a session: where it lives, reading it, and holding it."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from posixpath import dirname, join
from typing import Protocol
from urllib.parse import quote

from runner.cli.context import SANDBOX_FOLDER, Session
from runner.cli.hosts import require_known_host
from runner.cli.recalling import note_used
from runner.database import AS_URL, is_conninfo, is_postgres
from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.ledger import Ledger, hold, lockfile, moved
from runner.ledger.facts import Facts
from runner.ledger.lockfile import Lockfile, Places
from runner.ledger.record import Record
from runner.managed_path import own_file
from runner.report import text

_UNASKED = {"lock import", "lock compact", "lock free"}  # commands that other ledgers have no say in


_ANYWAY = {*_UNASKED, "lock push", "adopt"}  # commands for a ledger that moved, too: they let nothing be sent


class Home(Protocol):
    """Where a project's ledger lives, whatever kind it is; `shown` is what to call it in messages."""

    @property
    def shown(self) -> str:
        """What to call it in messages."""
        ...

    @property
    def exists(self) -> bool:
        """Whether a ledger was started there. Raises LedgerUnavailable."""
        ...

    def read(self) -> Facts:
        """What it knows, without holding it. Raises LedgerUnavailable."""
        ...

    def history(self, start: str) -> list[Record]:
        """Every fact that is written about the keys that begin with `start`, by time. Raises LedgerUnavailable."""
        ...

    def held(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[Ledger]:
        """The ledger to write, brought up to date. Raises GuardRefused, LedgerUnavailable."""
        ...


def home(here: Session) -> Home:
    """Where the ledger lives, by what `lock:` says. Raises LedgerUnavailable; GuardRefused if its host is not known."""
    if not here.options.sandbox:
        require_known_host(here)
    if here.settings.lock.startswith("git+") and not here.options.sandbox:
        from runner.cli.branching import BranchHome  # noqa: PLC0415  # imported where used

        return BranchHome(here)
    if is_postgres(here.settings.lock) and not here.options.sandbox:
        from runner.cli.connecting import PostgresHome  # noqa: PLC0415  # needs an extra

        return PostgresHome(here)
    if is_conninfo(here.settings.lock) and not here.options.sandbox:  # of MSGRUN_LOCK; it may hold a password
        raise LedgerUnavailable("MSGRUN_LOCK is no address of a ledger in a database", AS_URL)
    return _File(here)


def places(here: Session, *, tolerant: bool = False) -> Places:
    """Where the lockfile lives. `tolerant`: without git's journal if git cannot be read. Raises LedgerUnavailable."""
    lock = here.settings.lock
    if here.options.sandbox:
        name = f"{here.settings.plan_file.removesuffix('.plan')}.lock" if is_elsewhere(lock) else Path(lock).name
        path = f"{SANDBOX_FOLDER}/{name}"
        # Beside it, so that sandbox --reset removes it too.
        return replace(located(here.tree.root, path, None), rescue=own_file(here.tree.root, f"{path}.rescue"))
    if is_elsewhere(lock):
        raise LedgerUnavailable(f"lock: {lock.split(':', maxsplit=1)[0]}: this needs a lockfile", "name a file")
    try:
        return located(here.tree.root, lock, find_repository(here.tree.root.resolve()))
    except LedgerUnavailable as error:
        if not tolerant:
            raise
        here.screen.note(f"without git's journal: {error.message}")
        return replace(located(here.tree.root, lock, None), rescue=None)


def rescue_file(here: Session, lock: str) -> Path:
    """`rescue` for a ledger that is no lockfile. Raises LedgerUnavailable if git cannot be read."""
    root = here.tree.root
    return rescue(root, lock, find_repository(root.resolve()))


def located(root: Path, lock: str, repository: Repository | None) -> Places:
    """Where the lockfile `lock` of a project lives, and what belongs to it. Raises GuardRefused if a link is there."""
    path = own_file(root, lock)
    own_file(root, join(dirname(lock), ".msgrun/lock"))
    return Places(path, repository.journal(path) if repository else None, lock, rescue(root, lock, repository))


def rescue(root: Path, lock: str, repository: Repository | None) -> Path:
    """Where outcomes wait that a ledger did not take; `lock` is its lockfile, or what that would be.

    Where no commit can write: a record that a pull request brings must never count as an outcome of a run.
    Raises GuardRefused if a link is there.
    """
    return repository.rescue(root / lock) if repository else own_file(root, f".msgrun/{quote(lock, safe='')}.rescue")


def known(here: Session) -> Facts:
    """What the ledger knows, read without holding it; torn lines and duplicates are told."""
    there = home(here)
    facts = there.read()
    facts.header(here.settings.salt)
    _tell_of(here, facts)
    if facts.moved and facts.moved != moved.name(here.settings.lock):
        here.screen.note(moved.refusal(there.shown, facts.moved)[0])
    return facts


@contextlib.contextmanager
def held(here: Session, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[Ledger]:
    """The ledger, brought up to date; a lockfile is held alone. Raises GuardRefused, LedgerUnavailable."""
    if new_lock:
        here.known_hosts.add(here.settings.lock)  # a person starts a ledger, and so vouches for its host
    asks = command not in _UNASKED and not (here.options.sandbox or no_fetch)
    if asks and new_lock and not home(here).exists:
        _nothing_left(here, Facts(), ever=True)  # before it is begun: the next run would find it there
    with home(here).held(command, new_lock=new_lock, no_fetch=no_fetch) as ledger:
        _tell_of(here, ledger.facts)
        stay(here, ledger, anyway=command in _ANYWAY)
        if asks and (formers := _nothing_left(here, ledger.facts)):
            for former in formers:
                _leave(here, former)
            ledger.refresh()
            stay(here, ledger, anyway=command in _ANYWAY)
        if asks:
            note_used(here)
        yield ledger


def stay(here: Session, ledger: Ledger, *, anyway: bool) -> None:
    """Raises GuardRefused if the ledger moved; not if only its name is another one than before."""
    if ledger.facts.moved == moved.name(here.settings.lock):
        ledger.move("")  # by that name it was told that it moves, and by this one that it arrives
    elif ledger.facts.moved and not anyway:
        raise GuardRefused(*moved.refusal(home(here).shown, ledger.facts.moved))


@contextlib.contextmanager
def lockfile_held(here: Session, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[Lockfile]:
    """The lockfile, held alone and brought up to date. Raises GuardRefused, LedgerUnavailable."""
    where = places(here, tolerant=no_fetch)
    in_sandbox = here.options.sandbox
    if not where.exists and not (new_lock or in_sandbox):
        raise GuardRefused(
            f"there is no lockfile {where.shown}",
            "without it everything would be sent again: take it back from git; if nothing was sent yet, msgrun lock"
            " begin or --new-lock starts it",
        )
    repository = None if in_sandbox or no_fetch else find_repository(here.tree.root.resolve())
    if repository and not where.exists and command != "lock import":
        _nothing_on_branch(here, Facts())  # before it is begun: a run with --no-fetch would find it there
    removed = list(repository.removed_version(where.lockfile)) if repository and not where.exists else []
    with Lockfile(where, here.settings.salt, command, here.now) as ledger:
        if repository:
            _unheld(repository, where.lockfile, although_moved=command in _ANYWAY)
            ledger.fold_in(chain(removed, repository.remote_versions(where.lockfile)))
        healed = ledger.heal()
        if healed and not in_sandbox:
            here.screen.note(f"{where.shown} lacked {healed:,} records that git or its remote knew")
        if repository and command != "lock import":
            _nothing_on_branch(here, ledger.facts)
        yield ledger


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """The lockfile of the project, or of its sandbox."""

    here: Session

    @property
    def shown(self) -> str:
        """Its path."""
        return places(self.here, tolerant=True).shown

    @property
    def exists(self) -> bool:
        """Whether there is a lockfile."""
        return places(self.here, tolerant=True).exists

    def read(self) -> Facts:
        """What it and its journal know."""
        return lockfile.read(places(self.here, tolerant=True))

    def history(self, start: str) -> list[Record]:
        """Every line of it and of its journal."""
        return lockfile.history(places(self.here, tolerant=True), start)

    def held(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[Ledger]:
        """The lockfile, held alone."""
        return lockfile_held(self.here, command, new_lock=new_lock, no_fetch=no_fetch)


def is_elsewhere(lock: str) -> bool:
    """Whether `lock:` names something else than a file."""
    return "://" in lock or lock.startswith("git+")


def _unheld(repository: Repository, lockfile: Path, *, although_moved: bool) -> None:
    """Raises LedgerUnavailable if a run holds the ledger on a remote: what that one sent is not known here yet.

    GuardRefused if the ledger moved.
    """
    path = repository.inside(lockfile)
    for remote in repository.remotes() if path else ():
        hold.check(repository, remote, path or "", although_moved=although_moved)


def _nothing_left(here: Session, facts: Facts, *, ever: bool = False) -> list[str]:
    from runner.cli.moving import nothing_left, nothing_overridden  # noqa: PLC0415  # imported where used

    if ever:
        nothing_overridden(here)
    return nothing_left(here, facts, ever=ever)


def _leave(here: Session, former: str) -> None:
    from runner.cli.arriving import leave  # noqa: PLC0415  # imported where used

    try:
        leave(here, former)
    except LedgerUnavailable as error:
        here.screen.note(f"{former} was not told that the ledger moved here: {error.message}")


def _nothing_on_branch(here: Session, facts: Facts) -> None:
    from runner.cli.moving import nothing_on_branch  # noqa: PLC0415  # imported where used

    nothing_on_branch(here, facts)


def _tell_of(here: Session, facts: Facts) -> None:
    for line in text.ledger_warnings(facts):
        here.screen.error(line)
