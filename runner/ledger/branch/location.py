"""Where a ledger on a branch of a git remote is, how commands read it (also offline), and how they open it."""

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
from runner.ledger.rescue_file import rescue_path_for
from runner.managed_path import managed_path

_LONGEST_PAUSE = 10.0  # seconds
_STANDALONE_REPOSITORY = ".msgrun/ledger.git"  # used where the project is in no git repository
_UNREADABLE_HINT = "nothing else tells what was sent: connect to the remote, or let this job read it (contents: read)"


class _NoRemote(LedgerUnavailable):
    """The clone has no remote of this name, so it cannot have a ledger there."""


@dataclass(frozen=True, slots=True, eq=False)
class BranchLocation:
    """A ledger on a branch of a git remote."""

    context: Context

    @property
    def display_name(self) -> str:
        """The remote, the branch and the path of the file."""
        return str(self._address)

    @property
    def exists(self) -> bool:
        """Whether the branch has the file. Raises LedgerUnavailable."""
        version = self._latest_version()
        return version is not None and version.data != b""

    def read(self) -> Facts:
        """The records of the branch, of its rescue file, and those that the branch lost since this clone read it.

        If the remote does not answer, the version that was fetched last, with a note of its age.
        Raises LedgerUnavailable.
        """
        facts, version = Facts(), self._latest_version()
        if version and version.data and not facts.read(version.data, self.display_name):
            raise LedgerUnavailable(
                f"{self.display_name} has lost its header", "take the line with msgrun_lock back from git"
            )
        facts.read_file(self._rescue, self._rescue.name)
        with contextlib.suppress(_NoRemote):
            facts.read(RemoteFile(self._repository(), self._address).removed_lines(), "what this clone read before")
        return facts

    def read_history(self, key_prefix: str) -> list[Record]:
        """Every record whose key begins with `key_prefix`, in order of time; with those of the rescue file."""
        version = self._latest_version()
        rescued = self._rescue.read_bytes() if self._rescue.exists() else b""
        return find_records(
            [(self.display_name, version.data if version else b""), (self._rescue.name, rescued)], key_prefix
        )

    def open(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[BranchLedger]:
        """The ledger on the branch, brought up to date. It is started if there is none and `new_lock` permits it."""
        return self._open_ledger(command, new_lock=new_lock, no_fetch=no_fetch)

    @contextlib.contextmanager
    def _open_ledger(self, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[BranchLedger]:
        context = self.context
        if no_fetch and command != "lock compact":
            context.output.note("the ledger is on the remote, so --no-fetch changes nothing")
        with RemoteFile(self._repository(), self._address) as remote, self._read_ledger(remote, command) as ledger:
            if not ledger.exists:
                self._refuse_if_deleted(remote)
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
            recovered = ledger.recover()
            if recovered:
                context.output.note(f"{self.display_name} lacked {recovered:,} records that this clone knew")
            if command != "lock import":
                require_records_of_lockfile(context, managed_path(context.tree.root, self._address.path), ledger.facts)
            yield ledger

    def _read_ledger(self, remote: RemoteFile, command: str) -> BranchLedger:
        """Fetches and reads the ledger on the branch. Raises GuardRefused, LedgerUnavailable."""
        try:
            return BranchLedger(
                remote, self._rescue, self.context.settings.salt, _writer_name(command), _pause, _max_records()
            )
        except GitFailed as error:
            raise LedgerUnavailable(
                f"the ledger {self.display_name} cannot be read: {failure_reason(error)}", _UNREADABLE_HINT
            ) from error

    def _refuse_if_deleted(self, remote: RemoteFile) -> None:
        """Raises GuardRefused if this clone has read deliveries from the branch, which the remote no longer has."""
        cached, facts = remote.cached_version(), Facts()
        if cached is None:
            return
        version, seconds = cached
        facts.read(version.data, self.display_name)
        if len(facts):
            address, folder = self._address, self._repository().toplevel
            git_option = "" if (folder / ".git").exists() else f"-C {folder} "
            raise GuardRefused(
                f"the ledger {self.display_name} is gone: {_format_age(seconds)} ago it knew of"
                f" {len(facts):,} deliveries",
                f"they would be sent again: git {git_option}push {address.remote} {version.commit}:{address.ref},"
                " from the clone that read it last",
            )

    def _latest_version(self) -> FileVersion | None:
        return _latest_version(self.context)

    def fetch_latest(self) -> FileVersion | None:
        """The newest version; if the remote does not answer, the one that was fetched last. Raises LedgerUnavailable.

        None if there is no such branch or no such remote: then this clone cannot have sent anything yet.
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
            reason = failure_reason(error) if isinstance(error, GitFailed) else error.message
            cached = remote.cached_version()
            if cached is None:
                message = f"the ledger {self.display_name} cannot be read, and this clone never read it: {reason}"
                raise LedgerUnavailable(message, _UNREADABLE_HINT) from error
            version, seconds = cached
            self.context.output.note(
                f"as of {_format_age(seconds)} ago, when {self.display_name} was last read: {reason}"
            )
            return version

    @property
    def _address(self) -> BranchAddress:
        return parse_branch_address(
            self.context.settings.lock, f"{self.context.settings.plan_file.removesuffix('.plan')}.lock"
        )

    @property
    def _rescue(self) -> Path:
        return rescue_path_for(self.context, self._address.path)

    def _repository(self) -> Repository:
        """The git repository of the project; where there is none, a bare one below `.msgrun`, if `lock:` has a URL.

        Raises LedgerUnavailable if `lock:` names a remote that does not exist.
        """
        root, remote = self.context.tree.root.resolve(), self._address.remote
        repository = find_repository(root)
        if repository:
            if "://" not in remote and repository.try_git("remote", "get-url", remote) is None:
                raise _NoRemote(
                    f"git knows no remote {remote}", f"git remote add {remote} URL, or name another in lock:"
                )
            return repository
        if "://" not in remote:
            message = f"{root} is in no git repository, so it has no remote {remote}"
            raise _NoRemote(message, f"git init, git remote add {remote} URL; or name a URL in lock:")
        return init_bare_repository(managed_path(root, _STANDALONE_REPOSITORY))


@functools.lru_cache(maxsize=1)
def _latest_version(context: Context) -> FileVersion | None:
    """The newest version, fetched once: a command needs it more than once."""
    return BranchLocation(context).fetch_latest()


def _max_records() -> int:
    value = os.environ.get("MSGRUN_GIT_RECORDS") or str(MAX_RECORDS)
    if not value.isdecimal():
        raise UsageMistake(f"MSGRUN_GIT_RECORDS is {value}, and no number")
    return int(value)


def _writer_name(command: str) -> str:
    """The command and the number of its CI run, else the host's name: it begins the first line of commit messages."""
    number = os.environ.get("GITHUB_RUN_NUMBER") or os.environ.get("CI_PIPELINE_IID") or ""
    return f"{command} {number or f'on {socket.gethostname()}'}"


def _pause(number: int) -> None:
    """Waits before a further try: longer each time, and a random time, so that two runs do not collide again."""
    time.sleep(min(_LONGEST_PAUSE, 0.25 * 2**number) * secrets.randbelow(1000) / 1000)


def _format_age(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
