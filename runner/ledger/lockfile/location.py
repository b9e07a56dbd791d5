"""Where the lockfile of a project or of its sandbox is, how it is read, and how it is opened to write."""

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

# Commands for which open_ledger does not check the previous ledgers. lock import checks them itself.
ALONE = {"lock import", "lock compact", "lock free"}
# Commands that may open a ledger that moved, because they send nothing.
DESPITE_A_MOVE = {*ALONE, "lock push", "adopt"}


def lockfile_paths(context: Context, *, allow_unreadable_git: bool = False) -> LockfilePaths:
    """The paths of the lockfile of this project, or of its sandbox.

    `allow_unreadable_git`: if git cannot be read, the result has no journal and no rescue file. Otherwise, and if
    `lock:` names no file, raises LedgerUnavailable.
    """
    lock = context.settings.lock
    if context.options.sandbox:
        name = f"{context.settings.plan_file.removesuffix('.plan')}.lock" if is_shared_ledger(lock) else Path(lock).name
        path = f"{SANDBOX_FOLDER}/{name}"
        # The rescue file is in the sandbox folder, so that sandbox --reset removes it too.
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
    """The paths of the lockfile `lock` below `root`. Raises GuardRefused if one of them is a link."""
    path = managed_path(root, lock)
    managed_path(root, join(dirname(lock), ".msgrun/lock"))
    return LockfilePaths(
        path, repository.journal_path(path) if repository else None, lock, rescue_path(root, lock, repository)
    )


@contextlib.contextmanager
def open_lockfile(context: Context, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[LockfileLedger]:
    """The lockfile, locked for this process, with the records that the journal and the git remotes have.

    `new_lock` permits to start it where there is none. `no_fetch`: no remote is asked.
    Raises GuardRefused, LedgerUnavailable.
    """
    paths = lockfile_paths(context, allow_unreadable_git=no_fetch)
    in_sandbox = context.options.sandbox
    if not paths.exists and not (new_lock or in_sandbox):
        raise GuardRefused(
            f"there is no lockfile {paths.display_name}",
            "without it everything would be sent again: take it back from git; if nothing was sent yet, msgrun lock"
            " begin or --new-lock starts it",
        )
    repository = None if in_sandbox or no_fetch else find_repository(context.tree.root.resolve())
    if repository and not paths.exists and command != "lock import":
        # Before the file is created: otherwise the next run with --no-fetch would find it and use it.
        _require_records_of_branch(context, Facts())
    removed_versions = list(repository.removed_version(paths.lockfile)) if repository and not paths.exists else []
    with LockfileLedger(paths, context.settings.salt, command, context.now) as ledger:
        if repository:
            _refuse_if_held_on_remote(repository, paths.lockfile, allow_moved=command in DESPITE_A_MOVE)
            ledger.merge_versions(chain(removed_versions, repository.remote_versions(paths.lockfile)))
        recovered = ledger.recover()
        if recovered and not in_sandbox:
            context.output.note(f"{paths.display_name} lacked {recovered:,} records that git or its remote knew")
        if repository and command != "lock import":
            _require_records_of_branch(context, ledger.facts)
        yield ledger


@dataclass(frozen=True, slots=True, eq=False)
class LockfileLocation:
    """The lockfile of the project, or of its sandbox."""

    context: Context

    @property
    def display_name(self) -> str:
        """The path of the lockfile in the project."""
        return lockfile_paths(self.context, allow_unreadable_git=True).display_name

    @property
    def exists(self) -> bool:
        """Whether there is a lockfile with content."""
        return lockfile_paths(self.context, allow_unreadable_git=True).exists

    def read(self) -> Facts:
        """The records of the lockfile, its journal and its rescue file, read without a lock."""
        return read_lockfile(lockfile_paths(self.context, allow_unreadable_git=True))

    def read_history(self, key_prefix: str) -> list[Record]:
        """Every record whose key begins with `key_prefix`, in order of time."""
        return read_history(lockfile_paths(self.context, allow_unreadable_git=True), key_prefix)

    def open(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[Ledger]:
        """The lockfile, locked for this process."""
        return open_lockfile(self.context, command, new_lock=new_lock, no_fetch=no_fetch)


def _refuse_if_held_on_remote(repository: Repository, lockfile: Path, *, allow_moved: bool) -> None:
    """Raises LedgerUnavailable if another clone holds the ledger on a remote.

    What that clone has sent is not recorded anywhere else yet. Raises GuardRefused if the ledger moved, unless
    `allow_moved`.
    """
    path = repository.relative_path(lockfile)
    for remote in repository.relevant_remotes() if path else ():
        refuse_if_held(repository, remote, path or "", allow_moved=allow_moved)


def _require_records_of_branch(context: Context, facts: Facts) -> None:
    from runner.ledger.moves.check import require_records_of_branch  # noqa: PLC0415  # breaks an import cycle

    require_records_of_branch(context, facts)
