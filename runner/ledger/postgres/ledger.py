"""The ledger in PostgreSQL, for any number of runs on any number of machines at the same time.

A claim is a transaction: of several runs that claim a delivery, one gets it, before any of them POSTs it.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import astuple
from pathlib import Path
from typing import IO, Any, LiteralString

import psycopg

from runner.errors import LedgerUnavailable
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.fact_reader import MAX_HEADERS
from runner.ledger.facts import Facts
from runner.ledger.forgetting import RecipientRemoval
from runner.ledger.lock_address import DatabaseAddress
from runner.ledger.mark import MARK_RANK, MAX_GENERATION, NO_MARK, MoveMark
from runner.ledger.postgres.connection import CLAIM_RETRY_SECONDS, RETRY_SECONDS, CommitUncertain, Connection
from runner.ledger.postgres.lease import HEARTBEAT, Lease
from runner.ledger.record import LEDGER_ID, RANK, Header, Record
from runner.shown_command import shown_command

# Claims without an outcome at one time, which is the most that a killed run leaves unknown. If Intercom answers after
# 150 ms, one run with 25 reaches 72 % of 166 a second, and with 50 all of it (tests/benchmarks/postgres.py).
MAX_BATCH = 50
_MAX_STATEMENT_RECORDS = 1000  # records in one statement
_MAX_COPIED = 4 << 30  # bytes of records, which go to a temporary file; ten million have that
# Lines as they are: JSON escapes control characters, so a line never has one of these two and is never quoted.
_COPY_OPTIONS = "TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
# Leaves out what `Facts` would drop while it reads, half of all records: it keeps a claim only beside `unknown`.
_LASTING = (
    "NOT EXISTS (SELECT FROM facts AS later WHERE (later.key, later.attempt) = (facts.key, facts.attempt)"
    " AND later.rank > greatest(facts.rank, 1))"
)
_FORGET: LiteralString = (
    "WITH new AS (SELECT old, line FROM unnest(%s::text[], %s::text[]) AS pair (old, line) WHERE old <> line),"
    " gone AS (DELETE FROM facts USING new WHERE facts.key = ANY (%s) AND facts.line = new.old AND new.line = ''),"
    " changed AS (UPDATE facts SET contact = '', line = new.line FROM new"
    " WHERE facts.key = ANY (%s) AND facts.line = new.old AND new.line <> '') SELECT"
)
_READ_HEADERS: LiteralString = "SELECT workspace, salt_check, ledger, turn, status, address FROM headers"
_ADD_HEADER = _READ_HEADERS.replace("headers", "add_header(%s, %s, %s, %s, %s, %s)")
_HEADER_TYPES = (str, str, str, int, str, str)  # of the columns of _READ_HEADERS
_MAX_HEADER = 8192  # characters of a row; the longest is an address
_LIVE_RUNS = "(SELECT run FROM runs WHERE beat > clock_timestamp() - lease())"


class PostgresLedger:
    """A ledger in a database. One thread at a time may write; other threads may read `facts` meanwhile.

    `owner` is what other runs call this one in messages. `retry_seconds` and `heartbeat` are in seconds.
    `include_live_claims`: the facts have the claims of other runs that are still active.
    Without them, these deliveries seem free until this run tries to claim them.
    """

    max_batch = MAX_BATCH

    def __init__(
        self,
        address: DatabaseAddress,
        salt: str,
        owner: str,
        *,
        include_live_claims: bool = True,
        retry_seconds: float = RETRY_SECONDS,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._salt = salt
        self._include_live_claims = include_live_claims
        self._connection = Connection(address, retry_seconds)
        self._lease = Lease(address, owner, heartbeat)
        self._display_name = address.display_name
        self._snapshot = ""
        self.facts = Facts()

    @property
    def has_valid_claims(self) -> bool:
        """Whether it is certain that no other run may settle what this run has claimed."""
        return self._lease.is_valid

    @property
    def exists(self) -> bool:
        """Whether it was started, as of the last reading."""
        return bool(self.facts.headers)

    def open(self) -> None:
        """Migrates old tables and reads all records, if there are any. Raises GuardRefused, LedgerUnavailable."""
        if self._connection.migrate(create=False):
            self.refresh()

    def create(self, header: Header) -> None:
        """Creates the tables and writes the header, unless another run was faster. Raises LedgerUnavailable."""
        self._connection.migrate(create=True)
        self.refresh()
        if not self.exists:
            self.write_header(header)

    def recover(self) -> int:
        """Returns 0: a database loses nothing that a clone could bring back."""
        return 0

    def close(self) -> None:
        """Ends the lease of the runs, and closes the connections."""
        self._lease.release()
        self._connection.close()

    def refresh(self) -> None:
        """Reads all records again. Raises GuardRefused, LedgerUnavailable."""
        with tempfile.NamedTemporaryFile(prefix="msgrun-") as file:  # so a million lines take no memory
            headers, self._snapshot = self._connection.run(lambda connection, _: self._copy_records(connection, file))
            facts = Facts()
            facts.read_file(Path(file.name), self._display_name)
        self.facts = facts
        self._add_headers(headers)
        facts.headers.require_consistent(self._salt)

    def append(self, *records: Record) -> None:
        """Makes the records durable before it returns, and adds them to the facts. Raises LedgerUnavailable."""
        self._write_records(records)
        for record in records:
            self.facts.add(record)

    def other_runs(self, messages: list[str]) -> Counter[str]:
        """Counts deliveries, by the `owner` of the run, as `SharedLedger.other_runs` says."""
        query = (
            "SELECT left(who, 200), count(*) FROM deliveries JOIN facts USING (key) JOIN runs ON run = run_of(attempt)"
            " WHERE status = 'unknown' AND rank = 0 AND message = ANY (%s) AND run <> ALL (%s)"
            " AND beat > clock_timestamp() - lease() AND NOT EXISTS (SELECT FROM facts AS later"
            " WHERE (later.key, later.attempt) = (facts.key, facts.attempt) AND later.rank > 0)"
            " GROUP BY who ORDER BY who"
        )
        return Counter(dict(self._connection.fetch_rows(query, (messages, self._lease.runs))))

    def commit(
        self, outcomes: Sequence[Record], claims: Sequence[Record], limited: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Makes the outcomes durable, then the claims, except those of deliveries that another run claimed first.

        Returns the attempts of those claims. `limited` are as `Ledger.commit` says. Raises GuardRefused,
        LedgerUnavailable, or ClaimsUncertain if claims may have been committed all the same.
        """
        self._write_records(outcomes)
        if not claims:
            return frozenset()
        try:
            return self._claim(claims, limited)
        except CommitUncertain as error:
            raise ClaimsUncertain(error.message, error.hint) from error

    def write_header(self, header: Header) -> MoveMark:
        """Adds a header, as `Ledger.write_header` says."""
        new = self.facts.headers.new(header, self._salt)
        if new:
            row = new.workspace, new.salt_check, new.ledger, *astuple(new.mark)
            self._add_headers(self._connection.fetch_rows(_ADD_HEADER, row))
            self.facts.headers.new(header, self._salt)  # raises if another run contradicted it first
        return self.facts.mark

    def forget(self, keys: AbstractSet[str]) -> int:
        """Rewrites the rows of these keys, as `Ledger.forget` says."""
        removal = RecipientRemoval(keys)
        rows = self._connection.fetch_rows("SELECT line FROM facts WHERE key = ANY (%s)", (sorted(keys),))
        old_lines: list[str] = [line for (line,) in rows]
        new_lines: list[str] = []
        for old in old_lines:
            line = b"".join(removal.lines([f"{old}\n".encode()], self._display_name)).decode().rstrip("\n")
            # Two records that differed in nothing else become one.
            new_lines.append("" if line != old and line in {*old_lines, *new_lines} else line)
        self._connection.fetch_rows(_FORGET, (old_lines, new_lines, sorted(keys), sorted(keys)))
        self.refresh()
        return removal.count

    def compact(self) -> tuple[int, int]:
        """Deletes records, as `Ledger.compact` says; a line is a record."""
        (before,), *_ = self._connection.fetch_rows("SELECT count(*) FROM facts")
        self._connection.fetch_rows(
            "DELETE FROM facts USING facts AS later WHERE later.key = facts.key AND later.attempt = facts.attempt"
            " AND later.rank > facts.rank RETURNING facts.rank"
        )
        (after,), *_ = self._connection.fetch_rows("SELECT count(*) FROM facts")
        return int(before), int(after)

    def _copy_records(
        self, connection: psycopg.Connection[tuple[Any, ...]], file: "IO[bytes]"
    ) -> tuple[list[tuple[Any, ...]], str]:
        """Writes the records of one snapshot that are not superseded to `file`, a line each.

        Returns the rows of the headers table, and the snapshot.
        """
        file.seek(0)
        file.truncate()
        live_filter = "" if self._include_live_claims else f" AND (rank > 0 OR run_of(attempt) NOT IN {_LIVE_RUNS})"
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Ten million records take minutes.
            cursor.execute("SET LOCAL statement_timeout TO '30min'")
            headers = self._read_headers(cursor)
            snapshot = cursor.execute("SELECT pg_current_snapshot()::text").fetchall()[0][0]
            with cursor.copy(f"COPY (SELECT line FROM facts WHERE {_LASTING}{live_filter}) {_COPY_OPTIONS}") as blocks:  # noqa: S608  # constants only
                for block in blocks:
                    file.write(block)
                    if file.tell() > _MAX_COPIED:
                        connection.close()  # else psycopg reads on up to the end
                        message = f"{self._display_name} has more than {_MAX_COPIED >> 30} GiB of records"
                        raise LedgerUnavailable(message, f"compact it: {shown_command('lock', 'compact')}")
        file.flush()
        return headers, snapshot

    def _read_headers(self, cursor: psycopg.Cursor[Any]) -> list[tuple[Any, ...]]:
        """Returns the rows of all headers. Raises LedgerUnavailable if msgrun cannot have written them."""
        rows = cursor.execute(_READ_HEADERS).fetchmany(MAX_HEADERS + 1)
        if len(rows) > MAX_HEADERS or not all(map(_is_own_header, rows)):
            hint = "look at its table headers: another program has written to it"
            raise LedgerUnavailable(f"{self._display_name} has headers that msgrun did not write", hint)
        return rows

    def _add_headers(self, rows: Iterable[tuple[Any, ...]]) -> None:
        for workspace, check, ledger, *mark in rows:  # `mark` begins with its generation
            self.facts.add(Header(workspace, check, ledger, MoveMark(*mark) if mark[0] else NO_MARK))

    def _write_records(self, records: Sequence[Record]) -> None:
        call = "SELECT record(%s, %s, %s, %s::smallint[], %s, %s::integer[], %s, %s)"
        for offset in range(0, len(records), _MAX_STATEMENT_RECORDS):
            batch = records[offset : offset + _MAX_STATEMENT_RECORDS]
            values = [
                [record.key for record in batch],
                [record.attempt for record in batch],
                [RANK[record.status] for record in batch],
                *_column_values(batch),
            ]
            self._connection.fetch_rows(call, (self._lease.runs, *values))

    def _claim(self, claims: Sequence[Record], limited: AbstractSet[str]) -> frozenset[str]:
        run = claims[0].run
        self._lease.add_run(run, self._connection)
        keys, attempts = [claim.key for claim in claims], [claim.attempt for claim in claims]
        values = (keys, attempts, *_column_values(claims), [attempt in limited for attempt in attempts])
        call = "SELECT claim(%s, %s::pg_snapshot, %s, %s, %s, %s, %s::integer[], %s, %s, %s)"
        rows = self._connection.run(
            lambda connection, is_again: connection.execute(call, (run, self._snapshot, is_again, *values)).fetchall(),
            CLAIM_RETRY_SECONDS,
        )
        if not all(isinstance(row[0], str) for row in rows):
            raise CommitUncertain(f"{self._display_name} answers a claim with something else")
        return frozenset(row[0] for row in rows)


def _column_values(records: Sequence[Record]) -> list[list[Any]]:
    """Returns the values of the columns message, revision, contact and line, a list for each column."""
    return [
        [record.message for record in records],
        [record.revision for record in records],
        [record.recipient_contact for record in records],
        [record.to_line().decode().rstrip("\n") for record in records],
    ]


def _is_own_header(row: tuple[Any, ...]) -> bool:
    """Returns whether msgrun writes such headers. The id becomes part of paths and of names of refs."""
    if tuple(map(type, row)) != _HEADER_TYPES or len(str(row)) > _MAX_HEADER:
        return False
    _, _, ledger, generation, status, _ = row
    is_id = not ledger or LEDGER_ID.fullmatch(ledger) is not None
    return is_id and 0 <= generation < MAX_GENERATION and (not generation or status in MARK_RANK)
