"""Where a ledger in PostgreSQL is, how commands read it, and how they open it to write."""

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
from runner.ledger.rescue_file import rescue_path_for
from runner.managed_path import managed_path

try:
    from runner.ledger.postgres.ledger import PostgresLedger
except ImportError as missing:  # psycopg is not installed, or does not find libpq
    raise LedgerUnavailable("a PostgreSQL ledger needs psycopg", "pip install 'msgrun[postgres]'") from missing


@dataclass(frozen=True, slots=True, eq=False)
class PostgresLocation:
    """A ledger in a PostgreSQL database."""

    context: Context

    @property
    def display_name(self) -> str:
        """The server, the database and the schema, without user and password."""
        return self._address.display_name

    @property
    def exists(self) -> bool:
        """Whether the database has the tables. Migrates old ones. Raises LedgerUnavailable."""
        with self._make_ledger("read") as ledger:
            return ledger.exists

    def read(self) -> Facts:
        """The records of the database and of the rescue file.

        Prints a note about deliveries that other runs are sending now. Raises GuardRefused, LedgerUnavailable.
        """
        with self._make_ledger("read") as ledger:
            exists, facts = ledger.open(), ledger.facts
            sending = ledger.other_runs(sorted(facts.message_names())) if exists else None
        if sending:
            self.context.output.note(
                f"{sending.total():,} of the unknown are just being sent, by {'; '.join(sending)}: their outcome comes"
            )
        facts.read_file(self._rescue, self._rescue.name)
        return facts

    def read_history(self, key_prefix: str) -> list[Record]:
        """The records of the database whose key begins with `key_prefix`, in order of time, without superseded ones."""
        with self._make_ledger("read") as ledger:
            ledger.open()
            return ledger.read_history(key_prefix)

    def open(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[PostgresLedger]:
        """The ledger, which other runs may have open too. It is started if there is none and `new_lock` permits it."""
        return self._open_ledger(command, new_lock=new_lock, no_fetch=no_fetch)

    @contextlib.contextmanager
    def _open_ledger(self, command: str, *, new_lock: bool, no_fetch: bool) -> Iterator[PostgresLedger]:
        if no_fetch and command != "lock compact":
            self.context.output.note("the ledger is in a database, so --no-fetch changes nothing")
        with self._make_ledger(command) as ledger:
            if not ledger.open():
                self._create_ledger(ledger, command, new_lock=new_lock)
            recovered = ledger.recover()
            if recovered:
                self.context.output.note(
                    f"{self.display_name} lacked {recovered:,} records that {self._rescue.name} knew"
                )
            if command != "lock import":
                require_records_of_lockfile(self.context, self._lockfile, ledger.facts)
            yield ledger

    def _create_ledger(self, ledger: PostgresLedger, command: str, *, new_lock: bool) -> None:
        """Creates the tables.

        Raises GuardRefused without `new_lock`. Except for an import, raises it also if a lockfile or the ledger branch
        has records.
        """
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

    def _make_ledger(self, command: str) -> PostgresLedger:
        owner = f"msgrun {command}, process {os.getpid()} on {socket.gethostname()}, since {self.context.now:%FT%TZ}"
        # apply finds out when it claims what other runs are sending; a command that settles claims needs all of them.
        include_live_claims = command != "apply"
        return PostgresLedger(
            self._address, self._rescue, self.context.settings.salt, owner, include_live_claims=include_live_claims
        )

    @property
    def _address(self) -> DatabaseAddress:
        return parse_database_address(self.context.settings.lock)

    @property
    def _lockfile(self) -> Path:
        """The path of a lockfile with the default name, which may have been the ledger before."""
        return managed_path(self.context.tree.root, f"{self.context.settings.plan_file.removesuffix('.plan')}.lock")

    @property
    def _rescue(self) -> Path:
        return rescue_path_for(self.context, self._lockfile.name)
