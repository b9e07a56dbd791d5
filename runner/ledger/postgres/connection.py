"""One connection to the database, made anew whenever it is lost, to whichever server takes writes by then."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runner.errors import GuardRefused, LedgerUnavailable, MsgrunError
from runner.ledger.address import DatabaseAddress
from runner.ledger.location import explain_move
from runner.ledger.postgres.connection_security import add_secure_defaults

# Seconds for which a lost server is looked for. A run that ends waits for its last write no longer than 90 seconds.
RETRY_SECONDS, CLAIM_RETRY_SECONDS = 40.0, 10.0
_FIRST_PATIENCE = 5.0  # seconds for one that was never reached: more often the address or the password is wrong
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between two tries; the last repeats
_MIGRATIONS = Path(__file__).parent / "migrations"
_BOUNDS = {  # what keeps a connection to a server that vanished from waiting for ever; the URL may say otherwise
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "target_session_attrs": "read-write",
    "application_name": "msgrun",
}
_IS_SENDING, _LEASE_OVER, _HAS_MOVED = "MR001", "MR002", "MR003"  # raised by the functions of the migrations
_WEAK = ("off", "local", "remote_write")  # settings of synchronous_commit with which a claim may be forgotten
# What says that the same may go well on another try or another server; nothing of a statement that said so remains.
_PASSING = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.ReadOnlySqlTransaction,
    errors.TooManyConnections,
)

Result = TypeVar("Result")


class CommitUncertain(LedgerUnavailable):
    """The connection was lost under a statement, and nobody answered since: it may have been committed."""


class Connection:
    """A connection in autocommit: every statement is a transaction, so none is left open when a process dies.

    Used by one thread at a time. `patience` is in seconds.
    """

    def __init__(self, to: DatabaseAddress, retry_seconds: float = RETRY_SECONDS) -> None:
        self._to = to
        self._patience = retry_seconds
        self._was_linked = False
        self._link: psycopg.Connection[tuple[Any, ...]] | None = None

    def run(
        self, work: Callable[[psycopg.Connection[tuple[Any, ...]], bool], Result], most: float = RETRY_SECONDS
    ) -> Result:
        """What `work` returns, which is tried again (its second argument says so) for `most` seconds.

        Raises LedgerUnavailable if nothing of it was committed, Unsure if it may have been.
        """
        until = time.monotonic() + min(most, self._patience, RETRY_SECONDS if self._was_linked else _FIRST_PATIENCE)
        is_unsure, tries = False, 0
        while True:
            is_sent = False
            try:
                link = self._linked()
                is_sent = True
                return work(link, tries > 0)
            except _PASSING as error:
                failure: psycopg.Error = error
                self.close()
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                failure = error
                is_unsure = is_unsure or is_sent
                self.close()
            except psycopg.Error as error:
                self.close()
                raise self._failed(error) from error
            pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
            tries += 1
            if time.monotonic() + pause > until:
                kind = CommitUncertain if is_unsure else LedgerUnavailable
                raise kind(*self._told(failure)) from failure
            time.sleep(pause)

    def fetch_rows(self, query: LiteralString, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises LedgerUnavailable."""
        return self.run(lambda link, _: link.execute(query, values).fetchall())

    def migrate(self, *, create: bool) -> bool:
        """Brings the tables to this version's form; whether there are any. Raises LedgerUnavailable."""
        return self.run(lambda link, _: self._migrated(link, create=create))

    def close(self) -> None:
        """Ends the connection; the next use makes a new one."""
        if self._link is not None:
            self._link.close()
        self._link = None

    def _linked(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._link is None or self._link.closed:
            try:
                link = psycopg.connect(self._conninfo(), autocommit=True)
            except UnicodeError:  # of a host whose name cannot be one in DNS
                message = f"{self._to.display_name} names no host"
                raise LedgerUnavailable(message, "postgresql://host/database#schema") from None
            self._link, self._was_linked = link, True  # from here on `close` ends it
            link.execute(sql.SQL("SET search_path TO {}, pg_catalog").format(sql.Identifier(self._to.schema)))
            link.execute("SET statement_timeout TO '15s'")
            link.execute("SET lock_timeout TO '10s'")
            weak = link.execute("SHOW synchronous_commit").fetchone()
            if weak and weak[0] in _WEAK:
                link.execute("SET synchronous_commit TO 'on'")
        return self._link

    def _conninfo(self) -> str:
        """Raises LedgerUnavailable. What libpq says of an address that it cannot read may repeat the password in it."""
        try:
            given: dict[str, Any] = conninfo_to_dict(self._to.conninfo)
        except psycopg.ProgrammingError:
            hint = "postgresql://host/database#schema; see libpq's connection URIs"
            raise LedgerUnavailable(f"{self._to.display_name} is no address of a database", hint) from None
        return make_conninfo("", **{**_BOUNDS, **add_secure_defaults(given)})

    def _migrated(self, link: psycopg.Connection[tuple[Any, ...]], *, create: bool) -> bool:
        files = sorted(_MIGRATIONS.glob("*.sql"))
        found = link.execute("SELECT to_regclass(%s)", (f"{self._to.schema}.migrations",)).fetchone()
        has_tables = found is not None and found[0] is not None
        if not has_tables and not create:
            return False
        if has_tables and _version(link) == len(files):
            return True
        with link.transaction():
            link.execute("SELECT pg_advisory_xact_lock(hashtextextended('msgrun ' || %s, 0))", (self._to.schema,))
            link.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self._to.schema)))
            link.execute("CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY)")
            version = _version(link)
            if version > len(files):
                message = f"{self._to.display_name} has version {version}, and this msgrun knows {len(files)}"
                raise LedgerUnavailable(message, "update msgrun")
            for number, path in enumerate(files[version:], version + 1):
                link.execute(path.read_bytes())
                link.execute("INSERT INTO migrations VALUES (%s)", (number,))
        return True

    def _failed(self, error: psycopg.Error) -> MsgrunError:
        if error.sqlstate == _IS_SENDING:
            hint = "wait until it ends; if its machine is lost, its claims are free to be settled in two minutes"
            return GuardRefused(f"this is being sent right now, by {_said(error)}", hint)
        if error.sqlstate == _LEASE_OVER:
            return LedgerUnavailable("the database did not hear of this run for too long", "run the command again")
        if error.sqlstate == _HAS_MOVED:
            return LedgerUnavailable(*explain_move(self._to.display_name, _said(error)))
        if isinstance(error, errors.InsufficientPrivilege):
            return LedgerUnavailable(
                f"{self._to.display_name}: {_said(error)}", "docs/scaling.md says which grants it takes"
            )
        return LedgerUnavailable(*self._told(error))

    def _told(self, error: psycopg.Error) -> tuple[str, str]:
        hint = (
            "can it be reached from here? Credentials come from libpq's own places (PGUSER, PGPASSWORD, ~/.pgpass,"
            " PGSERVICE) or from MSGRUN_LOCK"
        )
        if any(word in str(error) for word in ("SSL", "certificate", "authentication method")):
            hint = (
                "on another machine the server's certificate is verified, and a password is sent by SCRAM alone:"
                " sslrootcert= in the address names your own authority, sslmode= and require_auth= change the rest"
            )
        return f"{self._to.display_name}: {_said(error)}", hint


def _version(link: psycopg.Connection[tuple[Any, ...]]) -> int:
    found = link.execute("SELECT coalesce(max(version), 0) FROM migrations").fetchone()
    return int(found[0]) if found else 0


def _said(error: psycopg.Error) -> str:
    """The first line of what the server or libpq said; further ones may repeat a statement, and so its values."""
    return (error.diag.message_primary or str(error)).strip().partition("\n")[0]
