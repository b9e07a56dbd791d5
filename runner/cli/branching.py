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

from runner.cli.session import Session
from runner.errors import GuardRefused, LedgerUnavailable, UsageMistake
from runner.ledger import git, lockfile
from runner.ledger.branch import MOST_RECORDS, Branch
from runner.ledger.facts import Facts
from runner.ledger.git import Repository
from runner.ledger.record import Record
from runner.ledger.remote import Address, Remote, Version, address

_LONGEST_PAUSE = 10.0  # seconds
_OWN_REPOSITORY = ".msgrun/ledger.git"  # where the project is in none


@dataclass(frozen=True, slots=True, eq=False)
class BranchHome:
    """A ledger on a branch of a git remote."""

    here: Session

    @property
    def shown(self) -> str:
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
        if version and version.data and not facts.read(version.data, self.shown):
            raise LedgerUnavailable(f"{self.shown} has lost its header", "take the line with msgrun_lock back from git")
        facts.read_file(self._rescue, self._rescue.name)
        return facts

    def history(self, start: str) -> list[Record]:
        """Every line of the newest version."""
        version = self._newest()
        saved = self._rescue.read_bytes() if self._rescue.exists() else b""
        return lockfile.matching([(self.shown, version.data if version else b""), (self._rescue.name, saved)], start)

    def held(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[Branch]:
        """The branch, brought up to date; started if it is not there and `new_lock` permits it."""
        return self._held(command, new_lock=new_lock, no_fetch=no_fetch)

    @contextlib.contextmanager
    def _held(self, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[Branch]:
        here = self.here
        if no_fetch and command != "lock compact":
            here.screen.note("the ledger is on the remote, so --no-fetch changes nothing")
        with (
            Remote(self._repository(), self._address) as remote,
            Branch(remote, self._rescue, here.settings.salt, _name(command), _pause, _most()) as ledger,
        ):
            if not ledger.exists and not new_lock:
                raise GuardRefused(
                    f"there is no ledger {self.shown}",
                    "without it everything would be sent again: push the branch from a clone that has it; if nothing"
                    " was sent yet, --new-lock",
                )
            ledger.begin()
            healed = ledger.heal()
            if healed:
                here.screen.note(f"{self.shown} lacked {healed:,} records that {self._rescue.name} knew")
            if command != "lock import":
                self._nothing_left_behind(ledger.facts)
            yield ledger

    def _nothing_left_behind(self, facts: Facts) -> None:
        """Raises GuardRefused if the project's former lockfile knows of deliveries that the branch does not know of."""
        path = self.here.tree.root / self._address.path
        repository = git.repository(self.here.tree.root.resolve())
        journal = [repository.journal(path)] if repository else []
        for place in (path, *journal):
            former = Facts()
            former.read_file(place, str(place))
            missing = sum(1 for key in former if facts.state(key) is None)
            if missing:
                raise GuardRefused(
                    f"{place} knows of {missing:,} deliveries that the ledger {self.shown} does not know of",
                    f"they would be sent again: msgrun lock import {place}, and then remove it",
                )

    def _newest(self) -> Version | None:
        return _newest(self.here)

    def asked(self) -> Version | None:
        """The newest version; if the remote does not answer, what was fetched last. Raises LedgerUnavailable."""
        remote = Remote(self._repository(), self._address)
        try:
            return remote.fetched()
        except LedgerUnavailable as error:
            cached = remote.cached()
            if cached is None:
                raise
            version, seconds = cached
            self.here.screen.note(f"as of {_age(seconds)} ago, when {self.shown} was last read: {error.message}")
            return version

    @property
    def _address(self) -> Address:
        return address(self.here.settings.lock, f"{self.here.settings.plan_file.removesuffix('.plan')}.lock")

    @property
    def _rescue(self) -> Path:
        return self.here.tree.root / f"{self._address.path}.rescue"

    def _repository(self) -> Repository:
        """The repository around the project; where there is none, one of its own, which only a URL can do with."""
        root, remote = self.here.tree.root.resolve(), self._address.remote
        found = git.repository(root)
        if found:
            if "://" not in remote and found.attempted("remote", "get-url", remote) is None:
                raise LedgerUnavailable(
                    f"git knows no remote {remote}", f"git remote add {remote} URL, or name another"
                )
            return found
        if "://" not in remote:
            raise LedgerUnavailable(f"{root} is in no git repository, so there is no remote {remote}", "name a URL")
        return git.bare(root / _OWN_REPOSITORY)


@functools.lru_cache(maxsize=1)
def _newest(here: Session) -> Version | None:
    """What a command reads, which asks for it more than once."""
    return BranchHome(here).asked()


def _most() -> int:
    found = os.environ.get("MSGRUN_GIT_RECORDS") or str(MOST_RECORDS)
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
