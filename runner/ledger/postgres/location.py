"""The ledger in PostgreSQL, for commands: where it is, reading it, and writing it."""

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from runner.cli.context import Context
from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.address import DatabaseAddress, parse_database_address
from runner.ledger.facts import Facts
from runner.ledger.moves.check import require_records_of_branch, require_records_of_lockfile
from runner.ledger.record import Record
from runner.ledger.rescue_file import rescue_path_here
from runner.managed_path import managed_path

try:
    from runner.ledger.postgres.ledger import PostgresLedger
except ImportError as missing:  # without the extra, or with a psycopg that finds no libpq
    raise LedgerUnavailable("a PostgreSQL ledger needs psycopg", "pip install 'msgrun[postgres]'") from missing


@dataclass(frozen=True, slots=True, eq=False)
class PostgresLocation:
    """A ledger in a PostgreSQL database."""

    context: Context

    @property
    def display_name(self) -> str:
        """The server, the database and the schema, without who connects."""
        return self._address.display_name

    @property
    def exists(self) -> bool:
        """Whether there are its tables."""
        with self._ledger("read") as ledger:
            return ledger.exists

    def read(self) -> Facts:
        """What it knows, and what waits in the rescue file."""
        with self._ledger("read") as ledger:
            is_there, facts = ledger.open(), ledger.facts
            sending = ledger.other_runs(sorted(facts.message_names())) if is_there else None
        if sending:
            self.context.output.note(
                f"{sending.total():,} of the unknown are just being sent, by {'; '.join(sending)}: their outcome comes"
            )
        facts.read_file(self._rescue, self._rescue.name)
        return facts

    def read_history(self, start: str) -> list[Record]:
        """Every fact about the keys that begin with `start`."""
        with self._ledger("read") as ledger:
            ledger.open()
            return ledger.read_history(start)

    def open(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[PostgresLedger]:
        """The ledger, as others have it at the same time; begun if it is not there and `new_lock` permits it."""
        return self._held(command, new_lock=new_lock, no_fetch=no_fetch)

    @contextlib.contextmanager
    def _held(self, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[PostgresLedger]:
        if no_fetch and command != "lock compact":
            self.context.output.note("the ledger is in a database, so --no-fetch changes nothing")
        with self._ledger(command) as ledger:
            if not ledger.open():
                self._begin(ledger, command, new_lock=new_lock)
            healed = ledger.recover()
            if healed:
                self.context.output.note(f"{self.display_name} lacked {healed:,} records that {self._rescue.name} knew")
            if command != "lock import":
                require_records_of_lockfile(self.context, self._lockfile, ledger.facts)
            yield ledger

    def _begin(self, ledger: PostgresLedger, command: str, *, new_lock: bool) -> None:
        """Makes the tables. Raises GuardRefused unless that is permitted, and no other ledger is known to be older."""
        if not new_lock:
            raise GuardRefused(
                f"there is no ledger {self.display_name}",
                "without it everything would be sent again: look whether the address is right; if nothing was sent"
                " yet, msgrun lock begin or --new-lock starts it",
            )
        if command != "lock import":
            require_records_of_lockfile(self.context, self._lockfile, Facts())
            require_records_of_branch(self.context, Facts())
        ledger.open(create=True)

    def _ledger(self, command: str) -> PostgresLedger:
        who = f"msgrun {command}, process {os.getpid()} on {socket.gethostname()}, since {self.context.now:%FT%TZ}"
        # What another run is just sending is no business of this one; whoever settles claims has to see them all.
        sees_living = command != "apply"
        return PostgresLedger(
            self._address, self._rescue, self.context.settings.salt, who, include_live_claims=sees_living
        )

    @property
    def _address(self) -> DatabaseAddress:
        return parse_database_address(self.context.settings.lock)

    @property
    def _lockfile(self) -> Path:
        """Where the ledger would be if it were a file of the default name."""
        return managed_path(self.context.tree.root, f"{self.context.settings.plan_file.removesuffix('.plan')}.lock")

    @property
    def _rescue(self) -> Path:
        return rescue_path_here(self.context, self._lockfile.name)
