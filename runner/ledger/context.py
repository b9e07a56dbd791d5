"""What the ledger has to know of a command: the project, the ledger's address, and how to report."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from shlex import quote

from runner.errors import LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.ledger.lock_address import DeclaredLedger, LedgerAddress, file_stem, parse_address
from runner.shown_command import shown_command


@dataclass(frozen=True, slots=True, eq=False)
class LedgerContext:
    """One environment's ledger in one command.

    `address` is the address in use. It differs from `declared.address` if MSGRUN_LOCK overrides it, or in a move.
    `stem` begins the names of the environment's files, e.g. messages.eu. `base_ref` is the ref of --against, or empty.
    `warn` prints a warning and its hint, and repeats it where a person confirms a run.
    `declared_at` reads msgrun.yaml of a commit; None if that commit has no valid one with this environment.
    """

    root: Path
    address: LedgerAddress
    declared: DeclaredLedger
    environment: str
    stem: str
    salt: str
    now: Callable[[], datetime]
    report: Callable[[str], None]
    warn: Callable[[str, str], None]
    declared_at: Callable[[Repository, str], DeclaredLedger | None]
    base_ref: str = ""
    is_sandbox: bool = False
    trusts_host: bool = False

    def at(self, address: LedgerAddress, *, trusts_host: bool = True) -> "LedgerContext":
        """Returns the same with another address. `trusts_host`: a person named it, so its host may be contacted."""
        return replace(self, address=address, trusts_host=trusts_host)

    @property
    def command(self) -> str:
        """The start of a command line for this environment's ledger, for hints."""
        return shown_command(environment="" if self.stem == file_stem(None) else self.environment)

    @property
    def begin_command(self) -> str:
        """The command that starts a ledger at the address in use, for hints."""
        # By their names: MSGRUN_LOCK may only add a password, which the hint must not repeat.
        is_override = self.address.display_name != self.declared.address.display_name
        override = f"MSGRUN_LOCK={quote(self.address.setting)} " if is_override else ""
        return f"{override}{self.command} lock begin"

    def parse(self, lock: str) -> LedgerAddress:
        """Parses a value of `lock:` for this environment. Raises UsageMistake."""
        return parse_address(lock, self.stem)

    @property
    def repository(self) -> Repository | None:
        """The git repository of the project; None outside of git, and in the sandbox. Raises LedgerUnavailable."""
        return None if self.is_sandbox else find_repository(self.root.resolve())

    @property
    def readable_repository(self) -> Repository | None:
        """The same; but if git cannot read it, this is reported and the result is None: enough to read a ledger."""
        try:
            return self.repository
        except LedgerUnavailable as error:
            self.report(f"without git's journal: {error.message}")
            return None

    @property
    def project_path(self) -> str:
        """The path of the project from the top of its repository; `.` at the top and outside of git."""
        repository = self.repository
        return (repository.relative_path(self.root) or ".") if repository else "."


def process_name(command: str, since: datetime) -> str:
    """Returns what other runs call this process in messages. `since` is in UTC."""
    return f"msgrun {command}, process {os.getpid()} on {socket.gethostname()}, since {since:%Y-%m-%d %H:%M} (UTC)"
