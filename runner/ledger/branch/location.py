"""Where a ledger on a branch of a git remote is, how commands read it (also offline), and how they open it."""

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote

from runner.errors import LedgerUnavailable
from runner.git.process import GitFailed
from runner.git.pushing import failure_reason
from runner.git.repository import Repository
from runner.ledger.branch.ledger import BranchLedger
from runner.ledger.branch.remote_file import FileVersion, RemoteFile
from runner.ledger.branch.shared_file import SharedFile, read_version
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.known_hosts import refuse_other_push_url
from runner.ledger.lock_address import BranchAddress

_LONGEST_PAUSE = 10.0  # seconds
_UNREADABLE_HINT = (
    "only the remote has the record of what was sent: connect to it, or let this job read it (contents: read)"
)


class _NoRemote(LedgerUnavailable):
    """The clone has no remote of this name, so it cannot have a ledger there."""


@dataclass(frozen=True, slots=True)
class BranchLocation:
    """A ledger on a branch of a git remote."""

    context: LedgerContext
    address: BranchAddress

    def read(self) -> Facts | None:
        """Returns the records of the branch, and those it lost since this clone read it; None if there is no file.

        If the remote does not answer, they are of the version that was fetched last, and its age is reported.
        Raises LedgerUnavailable, also without the remote if msgrun.yaml names a ledger.
        """
        try:
            remote = self._remote_file()
        except _NoRemote as error:
            if self.context.declared.ledger_id:  # it was started, so what was sent is there
                raise
            self.context.report(f"{error.message}: {error.hint}")
            return None
        version = self._latest_version(remote)
        return read_version(version, self.address) if version.exists else None

    def require_remote(self) -> None:
        """Raises LedgerUnavailable if this clone does not know the remote."""
        self._repository()

    @contextlib.contextmanager
    def open(self, command: str, commits: Sequence[tuple[str, str]] = ()) -> Iterator[BranchLedger]:
        """Opens the ledger on the branch. Raises GuardRefused, LedgerUnavailable."""
        del commits  # its only version is on the remote
        remote = self._remote_file()
        refuse_other_push_url(self._repository(), self.address.remote)
        with contextlib.closing(remote):
            file = SharedFile(remote, self.context.salt, _pause)
            ledger = BranchLedger(file, self.context.salt, _writer_name(command), self.context.now)
            try:
                ledger.refresh()
            except GitFailed as error:
                raise LedgerUnavailable(
                    f"the ledger {self.address.display_name} cannot be read: {failure_reason(error)}", _UNREADABLE_HINT
                ) from error
            yield ledger

    def count_lines(self) -> int:
        """Returns the number of lines that the file had when it was read last. Raises LedgerUnavailable."""
        cached = self._remote_file().cached_version()
        return cached[0].data.count(b"\n") if cached else 0

    def restore_command(self) -> str:
        """Returns the command that restores a deleted branch from this clone; empty if it never read the branch.

        Raises LedgerUnavailable.
        """
        try:
            commit, folder = self._remote_file().restoring_commit(), self._repository().toplevel
        except _NoRemote:
            return ""
        if not commit:
            return ""
        git_option = "" if (folder / ".git").exists() else f"-C {quote(str(folder))} "
        return f"git {git_option}push {quote(self.address.remote)} {commit}:{self.address.ref}"

    def _latest_version(self, remote: RemoteFile) -> FileVersion:
        """Returns the newest version; if the remote does not answer, the one fetched last. Raises LedgerUnavailable."""
        try:
            return remote.fetch()
        except LedgerUnavailable as error:
            reason = failure_reason(error) if isinstance(error, GitFailed) else error.message
            cached, name = remote.cached_version(), self.address.display_name
            if cached is None:
                message = f"the ledger {name} cannot be read, and this clone never read it: {reason}"
                raise LedgerUnavailable(message, _UNREADABLE_HINT) from error
            version, seconds = cached
            self.context.report(f"{name} does not answer, so it is shown as of {_format_age(seconds)} ago. {reason}")
            return version

    def _remote_file(self) -> RemoteFile:
        return RemoteFile(self._repository(), self.address, self.context.declared.ledger_id)

    def _repository(self) -> Repository:
        """Returns the git repository of the project.

        Raises LedgerUnavailable if there is none, or if `lock:` names a remote that does not exist.
        """
        remote, repository = self.address.remote, self.context.repository
        if repository is None and self.address.has_host:
            raise LedgerUnavailable(
                f"{self.context.root} is in no git repository, and a ledger on a branch needs one", "git init"
            )
        if repository is None:
            message = f"{self.context.root} is in no git repository, so it has no remote {remote}"
            raise _NoRemote(message, f"git init, git remote add {remote} URL")
        if not self.address.has_host and repository.try_git("remote", "get-url", remote) is None:
            from difflib import get_close_matches  # noqa: PLC0415  # saves 1 ms in every command whose remote exists

            remotes = (repository.try_git("remote") or "").split()
            other = "" if self.context.declared.ledger_id else ", or name another as lock: in msgrun.yaml"
            meant = get_close_matches(remote, remotes, 1)
            hint = f"did you mean git+{meant[0]}?" if meant else f"git remote add {remote} URL{other}"
            raise _NoRemote(f"git knows no remote {remote}", hint)
        return repository


def _writer_name(command: str) -> str:
    """Returns how commit messages begin: the command and the number of its CI run, else the host's name."""
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
