"""Where a ledger in PostgreSQL is, how commands read it, and how they open it to write."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runner.errors import LedgerUnavailable
from runner.ledger.context import LedgerContext, process_name
from runner.ledger.facts import Facts
from runner.ledger.ledger import name_runs
from runner.ledger.lock_address import DatabaseAddress

try:
    from runner.ledger.postgres.ledger import PostgresLedger
except ImportError as missing:  # psycopg is not installed, or does not find libpq
    raise LedgerUnavailable("a PostgreSQL ledger needs psycopg", "pip install 'msgrun[postgres]'") from missing


@dataclass(frozen=True, slots=True)
class PostgresLocation:
    """A ledger in a PostgreSQL database."""

    context: LedgerContext
    address: DatabaseAddress

    def read(self) -> Facts | None:
        """Returns the records of the database; None if there is no ledger in it.

        Reports how many deliveries other runs are sending now. Raises GuardRefused, LedgerUnavailable.
        """
        with contextlib.closing(self._make_ledger("read")) as ledger:
            ledger.open()
            if not ledger.exists:
                return None
            sending = ledger.other_runs(sorted(ledger.facts.message_names()))
        if sending:
            self.context.report(
                f"{sending.total():,} of the unknown are just being sent, by {name_runs(sending)}: their outcome comes"
            )
        return ledger.facts

    @contextlib.contextmanager
    def open(self, command: str, commits: Sequence[tuple[str, str]] = ()) -> Iterator[PostgresLedger]:
        """Opens the ledger, which other runs may have open too. Raises GuardRefused, LedgerUnavailable."""
        del commits  # its only version is in the database
        with contextlib.closing(self._make_ledger(command)) as ledger:
            ledger.open()
            yield ledger

    def _make_ledger(self, command: str) -> PostgresLedger:
        owner = process_name(command, self.context.now())
        # apply finds out when it claims what other runs are sending; a command that settles claims needs all of them.
        return PostgresLedger(self.address, self.context.salt, owner, include_live_claims=command != "apply")
