"""The lockfile of a project, or of its sandbox: where it is, reading it, and opening it to write."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from posixpath import dirname, join

from runner.cli.context import SANDBOX_FOLDER, Context
from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.ledger.address import is_shared_ledger
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.lockfile.files import LockfilePaths, read_history, read_lockfile
from runner.ledger.lockfile.ledger import LockfileLedger
from runner.ledger.lockfile.remote_hold import refuse_if_held
from runner.ledger.record import Record
from runner.ledger.rescue_file import rescue_path
from runner.managed_path import managed_path

ALONE = {"lock import", "lock compact", "lock free"}  # commands that other ledgers have no say in


DESPITE_A_MOVE = {*ALONE, "lock push", "adopt"}  # commands for a ledger that moved, too: they let nothing be sent


def lockfile_paths(context: Context, *, allow_unreadable_git: bool = False) -> LockfilePaths:
    """Where the lockfile lives. `tolerant`: without git's journal if git cannot be read. Raises LedgerUnavailable."""
    lock = context.settings.lock
    if context.options.sandbox:
        name = f"{context.settings.plan_file.removesuffix('.plan')}.lock" if is_shared_ledger(lock) else Path(lock).name
        path = f"{SANDBOX_FOLDER}/{name}"
        # Beside it, so that sandbox --reset removes it too.
        return replace(
            lockfile_paths_in(context.tree.root, path, None), rescue=managed_path(context.tree.root, f"{path}.rescue")
        )
    if is_shared_ledger(lock):
        raise LedgerUnavailable(f"lock: {lock.split(':', maxsplit=1)[0]}: this needs a lockfile", "name a file")
    try:
        return lockfile_paths_in(context.tree.root, lock, find_repository(context.tree.root.resolve()))
    except LedgerUnavailable as error:
        if not allow_unreadable_git:
            raise
        context.output.note(f"without git's journal: {error.message}")
        return replace(lockfile_paths_in(context.tree.root, lock, None), rescue=None)


def lockfile_paths_in(root: Path, lock: str, repository: Repository | None) -> LockfilePaths:
    """Where the lockfile `lock` of a project lives, and what belongs to it. Raises GuardRefused if a link is there."""
    path = managed_path(root, lock)
    managed_path(root, join(dirname(lock), ".msgrun/lock"))
    return LockfilePaths(
        path, repository.journal_path(path) if repository else None, lock, rescue_path(root, lock, repository)
    )


@contextlib.contextmanager
def open_lockfile(context: Context, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[LockfileLedger]:
    """The lockfile, held alone and brought up to date. Raises GuardRefused, LedgerUnavailable."""
    where = lockfile_paths(context, allow_unreadable_git=no_fetch)
    in_sandbox = context.options.sandbox
    if not where.exists and not (new_lock or in_sandbox):
        raise GuardRefused(
            f"there is no lockfile {where.display_name}",
            "without it everything would be sent again: take it back from git; if nothing was sent yet, msgrun lock"
            " begin or --new-lock starts it",
        )
    repository = None if in_sandbox or no_fetch else find_repository(context.tree.root.resolve())
    if repository and not where.exists and command != "lock import":
        _nothing_on_branch(context, Facts())  # before it is begun: a run with --no-fetch would find it there
    removed = list(repository.removed_version(where.lockfile)) if repository and not where.exists else []
    with LockfileLedger(where, context.settings.salt, command, context.now) as ledger:
        if repository:
            _unheld(repository, where.lockfile, although_moved=command in DESPITE_A_MOVE)
            ledger.merge_versions(chain(removed, repository.remote_versions(where.lockfile)))
        healed = ledger.recover()
        if healed and not in_sandbox:
            context.output.note(f"{where.display_name} lacked {healed:,} records that git or its remote knew")
        if repository and command != "lock import":
            _nothing_on_branch(context, ledger.facts)
        yield ledger


@dataclass(frozen=True, slots=True, eq=False)
class LockfileLocation:
    """The lockfile of the project, or of its sandbox."""

    context: Context

    @property
    def display_name(self) -> str:
        """Its path."""
        return lockfile_paths(self.context, allow_unreadable_git=True).display_name

    @property
    def exists(self) -> bool:
        """Whether there is a lockfile."""
        return lockfile_paths(self.context, allow_unreadable_git=True).exists

    def read(self) -> Facts:
        """What it and its journal know."""
        return read_lockfile(lockfile_paths(self.context, allow_unreadable_git=True))

    def read_history(self, start: str) -> list[Record]:
        """Every line of it and of its journal."""
        return read_history(lockfile_paths(self.context, allow_unreadable_git=True), start)

    def open(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[Ledger]:
        """The lockfile, held alone."""
        return open_lockfile(self.context, command, new_lock=new_lock, no_fetch=no_fetch)


def _unheld(repository: Repository, lockfile: Path, *, although_moved: bool) -> None:
    """Raises LedgerUnavailable if a run holds the ledger on a remote: what that one sent is not known here yet.

    GuardRefused if the ledger moved.
    """
    path = repository.relative_path(lockfile)
    for remote in repository.relevant_remotes() if path else ():
        refuse_if_held(repository, remote, path or "", allow_moved=although_moved)


def _nothing_on_branch(context: Context, facts: Facts) -> None:
    from runner.ledger.moves.check import require_records_of_branch  # noqa: PLC0415  # imported where used

    require_records_of_branch(context, facts)
