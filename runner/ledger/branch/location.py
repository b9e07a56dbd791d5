"""The ledger on a branch of the git remote, for commands: where it is, reading it also offline, and writing it."""

import contextlib
import functools
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from runner.cli.context import Context
from runner.errors import GuardRefused, LedgerUnavailable, UsageMistake
from runner.git.pushing import failure_reason
from runner.git.repository import GitFailed, Repository, find_repository, init_bare_repository
from runner.ledger.address import BranchAddress, parse_branch_address
from runner.ledger.branch.ledger import MAX_RECORDS, BranchLedger
from runner.ledger.branch.remote_file import FileVersion, RemoteFile
from runner.ledger.facts import Facts
from runner.ledger.lockfile.files import find_records
from runner.ledger.moves.check import require_records_of_lockfile
from runner.ledger.record import Record
from runner.ledger.rescue_file import rescue_path_here
from runner.managed_path import managed_path

_LONGEST_PAUSE = 10.0  # seconds


_OWN_REPOSITORY = ".msgrun/ledger.git"  # where the project is in none


_UNREAD = "nothing else tells what was sent: connect to the remote, or let this job read it (contents: read)"


class _NoRemote(LedgerUnavailable):
    """There is no such remote here, so nothing on it either."""


@dataclass(frozen=True, slots=True, eq=False)
class BranchLocation:
    """A ledger on a branch of a git remote."""

    context: Context

    @property
    def display_name(self) -> str:
        """The remote, the branch and the file on it."""
        return str(self._address)

    @property
    def exists(self) -> bool:
        """Whether there is the branch."""
        version = self._newest()
        return version is not None and version.data != b""

    def read(self) -> Facts:
        """What the branch knows; offline what was fetched last, and told how old that is."""
        facts, version = Facts(), self._newest()
        if version and version.data and not facts.read(version.data, self.display_name):
            raise LedgerUnavailable(
                f"{self.display_name} has lost its header", "take the line with msgrun_lock back from git"
            )
        facts.read_file(self._rescue, self._rescue.name)
        with contextlib.suppress(_NoRemote):
            facts.read(RemoteFile(self._repository(), self._address).removed_lines(), "what this clone read before")
        return facts

    def read_history(self, start: str) -> list[Record]:
        """Every line of the newest version."""
        version = self._newest()
        saved = self._rescue.read_bytes() if self._rescue.exists() else b""
        return find_records([(self.display_name, version.data if version else b""), (self._rescue.name, saved)], start)

    def open(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[BranchLedger]:
        """The branch, brought up to date; started if it is not there and `new_lock` permits it."""
        return self._held(command, new_lock=new_lock, no_fetch=no_fetch)

    @contextlib.contextmanager
    def _held(self, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[BranchLedger]:
        context = self.context
        if no_fetch and command != "lock compact":
            context.output.note("the ledger is on the remote, so --no-fetch changes nothing")
        with RemoteFile(self._repository(), self._address) as remote, self._opened(remote, command) as ledger:
            if not ledger.exists:
                self._never_was(remote)
                if command != "lock import":
                    require_records_of_lockfile(
                        context, managed_path(context.tree.root, self._address.path), ledger.facts
                    )
                if not new_lock:
                    raise GuardRefused(
                        f"there is no ledger {self.display_name}",
                        "without it everything would be sent again: push the branch from a clone that has it; if"
                        " nothing was sent yet, msgrun lock begin or --new-lock starts it",
                    )
            ledger.create()
            healed = ledger.recover()
            if healed:
                context.output.note(f"{self.display_name} lacked {healed:,} records that this clone knew")
            if command != "lock import":
                require_records_of_lockfile(context, managed_path(context.tree.root, self._address.path), ledger.facts)
            yield ledger

    def _opened(self, remote: RemoteFile, command: str) -> BranchLedger:
        """The ledger on the branch, just read. Raises LedgerUnavailable."""
        try:
            return BranchLedger(remote, self._rescue, self.context.settings.salt, _name(command), _pause, _most())
        except GitFailed as error:
            raise LedgerUnavailable(
                f"the ledger {self.display_name} cannot be read: {failure_reason(error)}", _UNREAD
            ) from error

    def _never_was(self, remote: RemoteFile) -> None:
        """Raises GuardRefused if this clone knows of deliveries on a branch that the remote has no more."""
        cached, facts = remote.cached_version(), Facts()
        if cached is None:
            return
        version, seconds = cached
        facts.read(version.data, self.display_name)
        if len(facts):
            at, folder = self._address, self._repository().toplevel
            inside = "" if (folder / ".git").exists() else f"-C {folder} "
            raise GuardRefused(
                f"the ledger {self.display_name} is gone: {_age(seconds)} ago it knew of {len(facts):,} deliveries",
                f"they would be sent again: git {inside}push {at.remote} {version.commit}:{at.ref}, from the clone that"
                " read it last",
            )

    def _newest(self) -> FileVersion | None:
        return _newest(self.context)

    def fetch_latest(self) -> FileVersion | None:
        """The newest version; if the remote does not answer, what was fetched last. Raises LedgerUnavailable.

        None where there is no such branch, or not even the remote: then nothing can have been sent from here yet.
        """
        try:
            repository = self._repository()
        except _NoRemote as error:
            self.context.output.note(f"{error.message}: {error.hint}")
            return None
        remote = RemoteFile(repository, self._address)
        try:
            return remote.fetch()
        except LedgerUnavailable as error:
            why = failure_reason(error) if isinstance(error, GitFailed) else error.message
            cached = remote.cached_version()
            if cached is None:
                message = f"the ledger {self.display_name} cannot be read, and this clone never read it: {why}"
                raise LedgerUnavailable(message, _UNREAD) from error
            version, seconds = cached
            self.context.output.note(f"as of {_age(seconds)} ago, when {self.display_name} was last read: {why}")
            return version

    @property
    def _address(self) -> BranchAddress:
        return parse_branch_address(
            self.context.settings.lock, f"{self.context.settings.plan_file.removesuffix('.plan')}.lock"
        )

    @property
    def _rescue(self) -> Path:
        return rescue_path_here(self.context, self._address.path)

    def _repository(self) -> Repository:
        """The repository around the project; where there is none, one of its own, which only a URL can do with."""
        root, remote = self.context.tree.root.resolve(), self._address.remote
        found = find_repository(root)
        if found:
            if "://" not in remote and found.try_git("remote", "get-url", remote) is None:
                raise _NoRemote(
                    f"git knows no remote {remote}", f"git remote add {remote} URL, or name another in lock:"
                )
            return found
        if "://" not in remote:
            message = f"{root} is in no git repository, so it has no remote {remote}"
            raise _NoRemote(message, f"git init, git remote add {remote} URL; or name a URL in lock:")
        return init_bare_repository(managed_path(root, _OWN_REPOSITORY))


@functools.lru_cache(maxsize=1)
def _newest(context: Context) -> FileVersion | None:
    """What a command reads, which asks for it more than once."""
    return BranchLocation(context).fetch_latest()


def _most() -> int:
    found = os.environ.get("MSGRUN_GIT_RECORDS") or str(MAX_RECORDS)
    if not found.isdecimal():
        raise UsageMistake(f"MSGRUN_GIT_RECORDS is {found}, and no number")
    return int(found)


def _name(command: str) -> str:
    """Who writes, in the first line of a commit: the command, and the number that the CI system gives its run."""
    number = os.environ.get("GITHUB_RUN_NUMBER") or os.environ.get("CI_PIPELINE_IID") or ""
    return f"{command} {number or f'on {socket.gethostname()}'}"


def _pause(number: int) -> None:
    """Waits before a further try: longer each time, and never as long as whoever was faster."""
    time.sleep(min(_LONGEST_PAUSE, 0.25 * 2**number) * secrets.randbelow(1000) / 1000)


def _age(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
