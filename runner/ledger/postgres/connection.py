"""One connection to the database. When it is lost, it is made again, to the server that accepts writes by then."""

import ipaddress
import logging
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import certifi
import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runner.errors import GuardRefused, LedgerUnavailable, MsgrunError
from runner.ledger.lock_address import DatabaseAddress
from runner.ledger.mark import MoveMark, explain_mark
from runner.ledger.postgres.bounded_connection import BoundedConnection

# Seconds for which a statement is tried again when the server is lost, and for which a claim is. A run that ends waits
# for its last write no longer than 90 seconds.
RETRY_SECONDS, CLAIM_RETRY_SECONDS = 40.0, 10.0
# Seconds for a server that was never reached: more often the address or the password is wrong.
_FIRST_RETRY_SECONDS = 5.0
_MAX_MESSAGE = 500  # characters of an error of the server
_MAX_WORK_SECONDS = 1800.0  # for all answers of one try, as the statement_timeout with which records are read
_RETRY_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between two tries; the last repeats
_MIGRATIONS = Path(__file__).parent / "migrations"
_CONNECTION_DEFAULTS = {  # most of them bound the wait for a server that is lost; `lock:` may set other values
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "target_session_attrs": "read-write",
    "application_name": "msgrun",
}
# With SCRAM, the answer to a challenge reveals the password only to a server that knows it already.
_AUTH_METHODS = "scram-sha-256"
# SQLSTATE codes that the functions of the migrations raise.
_IS_SENDING, _LEASE_OVER, _NOT_CURRENT = "MR001", "MR002", "MR003"
# Values of synchronous_commit with which a server may lose a committed claim.
_WEAK_COMMIT_MODES = ("off", "local", "remote_write")
# Errors after which the same statement may succeed on another try or another server. The server has rolled it back.
_TRANSIENT_ERRORS = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.ReadOnlySqlTransaction,
    errors.TooManyConnections,
)
# Without a handler, Python prints what psycopg logs, words of the server among it, to stderr.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

Result = TypeVar("Result")


class CommitUncertain(LedgerUnavailable):
    """The connection was lost during a statement and could not be made again: the statement may have been committed."""


class Connection:
    """A connection in autocommit: every statement is a transaction, so none is left open when a process is killed.

    For one thread at a time. `retry_seconds` is the longest time for which a statement is tried again.
    """

    def __init__(self, address: DatabaseAddress, retry_seconds: float = RETRY_SECONDS) -> None:
        self._address = address
        self._retry_seconds = retry_seconds
        self._was_connected = False
        self._connection: BoundedConnection | None = None

    def run(
        self, work: Callable[[psycopg.Connection[tuple[Any, ...]], bool], Result], max_seconds: float = RETRY_SECONDS
    ) -> Result:
        """Returns the result of `work`, which is called again for at most `max_seconds` while errors are transient.

        The second argument of `work` is whether an earlier try failed, even if only its connection. Raises
        LedgerUnavailable or CommitUncertain when the time is over: the second if a try may have been committed.
        A permanent error is raised at once, even if an earlier try may have been committed: GuardRefused if another
        run is sending the delivery, else LedgerUnavailable.
        """
        deadline = time.monotonic() + min(
            max_seconds, self._retry_seconds, RETRY_SECONDS if self._was_connected else _FIRST_RETRY_SECONDS
        )
        is_uncertain, tries = False, 0
        while True:
            is_started = False
            try:
                connection = self._connect()
                is_started = True
                connection.deadline = time.monotonic() + _MAX_WORK_SECONDS
                return work(connection, tries > 0)
            except _TRANSIENT_ERRORS as error:
                failure: psycopg.Error = error
                self.close()
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                failure = error
                is_uncertain = is_uncertain or is_started
                self.close()
            except psycopg.Error as error:
                self.close()
                raise self._translate_error(error) from error
            except UnicodeError as error:
                self.close()
                kind = CommitUncertain if is_uncertain or is_started else LedgerUnavailable
                raise kind(f"{self._address.display_name} answers in text that is not UTF-8") from error
            pause = _RETRY_PAUSES[min(tries, len(_RETRY_PAUSES) - 1)]
            tries += 1
            if time.monotonic() + pause > deadline:
                kind = CommitUncertain if is_uncertain else LedgerUnavailable
                raise kind(*self._explain_error(failure)) from failure
            time.sleep(pause)

    def fetch_rows(self, query: LiteralString, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns the rows of a query. Raises GuardRefused, LedgerUnavailable."""
        return self.run(lambda connection, _: connection.execute(query, values).fetchall())

    def migrate(self, *, create: bool) -> bool:
        """Migrates the tables to this version of msgrun, and returns whether there are any.

        `create` permits to create them. Raises LedgerUnavailable.
        """
        return self.run(lambda connection, _: self._migrate(connection, create=create))

    def close(self) -> None:
        """Closes the connection. The next use makes a new one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> BoundedConnection:
        if self._connection is None or self._connection.closed:
            try:
                connection = BoundedConnection.connect(self._conninfo(), autocommit=True)
            except UnicodeError:  # psycopg raises it for a host name that is not valid in DNS
                message = f"{self._address.display_name} names no host"
                raise LedgerUnavailable(message, "postgresql://host/database#schema") from None
            # Set before the first statement, so that `close` ends the connection if one fails.
            self._connection, self._was_connected = connection, True
            connection.execute(
                sql.SQL("SET search_path TO {}, pg_catalog").format(sql.Identifier(self._address.schema))
            )
            connection.execute("SET statement_timeout TO '15s'")
            connection.execute("SET lock_timeout TO '10s'")
            commit_mode = connection.execute("SHOW synchronous_commit").fetchone()
            if commit_mode and commit_mode[0] in _WEAK_COMMIT_MODES:
                connection.execute("SET synchronous_commit TO 'on'")
        return self._connection

    def _conninfo(self) -> str:
        """Returns the parameters for libpq: those of the address, with defaults. Raises LedgerUnavailable.

        The error does not repeat libpq's message, which may have the password of an address that it cannot read.
        """
        try:
            parameters: dict[str, Any] = conninfo_to_dict(self._address.conninfo)
        except psycopg.ProgrammingError:
            hint = "postgresql://host/database#schema; see libpq's connection URIs"
            raise LedgerUnavailable(f"{self._address.display_name} is not the address of a database", hint) from None
        return make_conninfo("", **{**_CONNECTION_DEFAULTS, **_add_secure_defaults(parameters)})

    def _migrate(self, connection: psycopg.Connection[tuple[Any, ...]], *, create: bool) -> bool:
        files = sorted(_MIGRATIONS.glob("*.sql"))
        row = connection.execute("SELECT to_regclass(%s)", (f"{self._address.schema}.migrations",)).fetchone()
        has_tables = row is not None and row[0] is not None
        if not has_tables and not create:
            return False
        if has_tables and _read_version(connection) == len(files):
            return True
        with connection.transaction():
            connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('msgrun ' || %s, 0))", (self._address.schema,)
            )
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self._address.schema)))
            connection.execute("CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY)")
            version = _read_version(connection)
            if version > len(files):
                message = f"{self._address.display_name} has version {version}, and this msgrun knows {len(files)}"
                raise LedgerUnavailable(message, "update msgrun")
            for number, path in enumerate(files[version:], version + 1):
                connection.execute(path.read_bytes())
                connection.execute("INSERT INTO migrations VALUES (%s)", (number,))
        return True

    def _translate_error(self, error: psycopg.Error) -> MsgrunError:
        if error.sqlstate == _IS_SENDING:
            hint = "wait until it ends; if its machine is lost, its claims are free to be settled in two minutes"
            return GuardRefused(f"this is being sent right now, by {_first_line(error)}", hint)
        if error.sqlstate == _LEASE_OVER:
            return LedgerUnavailable("the database did not hear of this run for too long", "run the command again")
        if error.sqlstate == _NOT_CURRENT:
            status, _, address = _first_line(error).partition(" ")
            mark = MoveMark(1, "moved" if status == "moved" else "pending", address)
            refusal = explain_mark(self._address.setting, mark)
            return LedgerUnavailable(refusal.message, "run the command again: it says what to do")
        if isinstance(error, errors.InsufficientPrivilege):
            return LedgerUnavailable(
                f"{self._address.display_name}: {_first_line(error)}", "docs/scaling.md says which grants it takes"
            )
        return LedgerUnavailable(*self._explain_error(error))

    def _explain_error(self, error: psycopg.Error) -> tuple[str, str]:
        hint = (
            "can it be reached from here? Credentials come from libpq's own places (PGUSER, PGPASSWORD, ~/.pgpass,"
            " PGSERVICE) or from MSGRUN_LOCK"
        )
        if any(word in str(error) for word in ("SSL", "certificate", "authentication method")):
            hint = (
                "on another machine the server's certificate is verified, and a password is sent by SCRAM alone:"
                " sslrootcert= in the address names your own authority, sslmode= and require_auth= change the rest"
            )
        return f"{self._address.display_name}: {_first_line(error)}", hint


def _read_version(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    row = connection.execute("SELECT coalesce(max(version), 0) FROM migrations").fetchone()
    return int(row[0]) if row else 0


def _first_line(error: psycopg.Error) -> str:
    """Returns the first line of an error. Further lines may repeat a statement, and so its values."""
    return (error.diag.message_primary or str(error)).strip().partition("\n")[0][:_MAX_MESSAGE]


def _add_secure_defaults(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters for libpq, with the strictest defaults if the server is on another machine.

    Values of the address and of libpq's environment variables stay as they are. If only a service file names the host,
    its values decide.
    Source: PostgreSQL's documentation of libpq, "Parameter Key Words" and "SSL Support".
    """
    if all(_is_local(host) for host in _hosts(parameters)):
        return dict(parameters)
    mode = parameters.get("sslmode") or os.environ.get("PGSSLMODE") or "verify-full"
    defaults = {} if os.environ.get("PGSSLMODE") else {"sslmode": mode}
    if not os.environ.get("PGREQUIREAUTH"):
        defaults["require_auth"] = _AUTH_METHODS
    has_root_certificate = os.environ.get("PGSSLROOTCERT") or (Path.home() / ".postgresql/root.crt").exists()
    if mode == "verify-full" and not has_root_certificate:
        # Not sslrootcert=system: the OpenSSL in psycopg's wheels looks for it in a folder of the build machine.
        defaults["sslrootcert"] = ssl.get_default_verify_paths().cafile or certifi.where()
    return {**defaults, **parameters}


def _hosts(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yields every host that libpq may connect to."""
    for name in ("host", "hostaddr"):
        hosts = parameters.get(name) or os.environ.get(f"PG{name.upper()}") or ""
        yield from str(hosts).split(",")


def _is_local(host: str) -> bool:
    """Returns whether a host is this machine: no host, the folder of a socket, localhost, or a loopback address."""
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
