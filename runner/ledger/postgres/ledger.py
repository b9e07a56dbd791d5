"""The ledger in PostgreSQL: any number of runs, on any number of machines, at the same time.

The claim is a transaction: of several runs that want a delivery one gets it, before any of them POSTs.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import psycopg

from runner.errors import GuardRefused
from runner.ledger.address import DatabaseAddress
from runner.ledger.durable_append import ClaimsUncertain, append_lines
from runner.ledger.facts import Facts
from runner.ledger.postgres.connection import CLAIM_RETRY_SECONDS, RETRY_SECONDS, CommitUncertain, Connection
from runner.ledger.postgres.lease import HEARTBEAT, Lease
from runner.ledger.rate_budget import PermitRequest
from runner.ledger.record import RANK, Header, Record
from runner.ledger.rescue_file import import_rescue_file

# Claims that may be open at once, and so what a killed run leaves unknown at most; and how few are worth a write.
MAX_BATCH, MIN_BATCH = 100, 10
_MOST_AT_ONCE = 1000  # records in one statement
# Raw lines: JSON has no control characters of its own, so nothing is ever quoted.
_COPY = "TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
# What `Facts` would drop as it reads: half of all facts, for a claim stays beside `unknown` only.
_LASTING = (
    "NOT EXISTS (SELECT FROM facts AS later WHERE (later.key, later.attempt) = (facts.key, facts.attempt)"
    " AND later.rank > greatest(facts.rank, 1))"
)
_LIVING = "(SELECT run FROM runs WHERE beat > clock_timestamp() - lease())"


class PostgresLedger:
    """A ledger in a database. `write` is for one thread at a time; `facts` may be read meanwhile.

    `rescue` is the file for outcomes that it did not take, `who` tells others who holds a claim. `sees_living`:
    the claims of runs that live are among the facts; else their deliveries seem free, until a claim says otherwise.
    """

    max_batch, min_batch = MAX_BATCH, MIN_BATCH

    def __init__(
        self,
        to: DatabaseAddress,
        rescue: Path,
        salt: str,
        who: str,
        *,
        include_live_claims: bool = True,
        retry_seconds: float = RETRY_SECONDS,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._rescue = rescue
        self._salt = salt
        self._sees_living = include_live_claims
        self._link = Connection(to, retry_seconds)
        self._lease = Lease(to, who, heartbeat)
        self._budget = Connection(to, retry_seconds=0.0)
        self._shown = to.display_name
        self._known = ""
        self.facts = Facts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def has_valid_claims(self) -> bool:
        """Whether what this run has claimed is certain to be nobody else's to settle."""
        return self._lease.is_valid

    @property
    def exists(self) -> bool:
        """Whether there are its tables; without a look into them. Raises LedgerUnavailable."""
        return self._link.migrate(create=False)

    def open(self, *, create: bool = False) -> bool:
        """Reads everything; whether there is such a ledger, which `create` begins. Raises LedgerUnavailable."""
        if not self._link.migrate(create=create):
            return False
        self.refresh()
        if create and not self.facts.headers:
            header = Header("", self.facts.merged_header(self._salt).salt_check)
            self._link.fetch_rows("SELECT pin(%s, %s)", (header.workspace, header.salt_check))
            self.facts.add(header)
        return True

    def close(self) -> None:
        """Ends the runs and the connections."""
        self._lease.release()
        self._budget.close()
        self._link.close()

    def recover(self) -> int:
        """Takes in what an earlier run could not write; returns how many records. Raises LedgerUnavailable."""
        return import_rescue_file(self._rescue, self.facts, self.append)

    def refresh(self) -> None:
        """Reads everything anew. Raises GuardRefused, LedgerUnavailable."""
        with tempfile.NamedTemporaryFile(prefix="msgrun-") as file:  # a million lines are no matter for the memory
            headers, self._known = self._link.run(lambda link, _: self._copied(link, file))
            facts = Facts()
            facts.read_file(Path(file.name), self._shown)
        for header in headers:
            facts.add(Header(*header))
        facts.merged_header(self._salt)
        self.facts = facts

    def append(self, *records: Record) -> None:
        """Makes the records durable before it returns, and adds them to the facts. Raises LedgerUnavailable."""
        for start in range(0, len(records), _MOST_AT_ONCE):
            some = records[start : start + _MOST_AT_ONCE]
            self._record(some)
            for record in some:
                self.facts.add(record)

    def claimed_by_others(self, keys: list[str]) -> frozenset[str]:
        """The keys that something was written about since the facts were read. Raises LedgerUnavailable."""
        query = (
            "SELECT key FROM deliveries"
            " WHERE key = ANY (%s) AND changed IS NOT NULL AND NOT pg_visible_in_snapshot(changed, %s::pg_snapshot)"
        )
        return frozenset(row[0] for row in self._link.fetch_rows(query, (keys, self._known)))

    def other_runs(self, messages: list[str]) -> Counter[str]:
        """How many deliveries of these messages who else is sending. Raises LedgerUnavailable."""
        query = (
            "SELECT who, count(*) FROM deliveries JOIN facts USING (key) JOIN runs ON run = run_of(attempt)"
            " WHERE status = 'unknown' AND rank = 0 AND message = ANY (%s) AND run <> ALL (%s)"
            " AND beat > clock_timestamp() - lease() AND NOT EXISTS (SELECT FROM facts AS later"
            " WHERE (later.key, later.attempt) = (facts.key, facts.attempt) AND later.rank > 0)"
            " GROUP BY who ORDER BY who"
        )
        return Counter(dict(self._link.fetch_rows(query, (messages, self._lease.runs))))

    def commit(self, *records: Record) -> frozenset[str]:
        """Makes outcomes durable, then claims; returns the attempts that somebody else was faster with.

        Raises LedgerUnavailable; ClaimsLeft if claims may have been made all the same.
        """
        claims = [record for record in records if record.status == "claimed"]
        outcomes = [record for record in records if record.status != "claimed"]
        for start in range(0, len(outcomes), _MOST_AT_ONCE):
            self._record(outcomes[start : start + _MOST_AT_ONCE])
        if not claims:
            return frozenset()
        try:
            return self._claimed(claims)
        except CommitUncertain as error:
            raise ClaimsUncertain(error.message, error.hint) from error

    def pin(self, workspace: str) -> None:
        """Ties the ledger to a workspace, durably. Raises GuardRefused if it is tied to another."""
        header = self.facts.merged_header(self._salt)
        found = self._link.fetch_rows("SELECT pin(%s, %s)", (workspace, header.salt_check))
        if found and found[0][0]:
            hint = "the token is of another workspace; each workspace has an environment and a ledger of its own"
            raise GuardRefused(f"the ledger belongs to workspace {found[0][0]}, not {workspace}", hint)
        self.facts.add(Header(workspace, header.salt_check))

    def mark_moved(self, to: str) -> None:
        """Notes where the ledger moved, durably; empty: it came back. No run claims in it any more."""
        header = self.facts.merged_header(self._salt)
        found = self._link.fetch_rows(
            "SELECT turn, moved FROM move(%s, %s, %s)", (header.workspace, header.salt_check, to)
        )
        self.facts.add(Header(header.workspace, header.salt_check, *found[0]))

    def request_permits(self, draw: PermitRequest) -> int:
        """Permits from the budget that all runs share. Never tried again: who asks goes by the headers meanwhile."""
        asked = (
            draw.reset,
            draw.budget,
            draw.allowed_by_now,
            draw.allowed_at_start,
            draw.limit,
            draw.used,
            draw.responses,
            draw.returned,
        )
        call = "SELECT draw(%s, %s::bigint, %s, %s, %s, %s::integer, %s, %s, %s, %s)"
        workspace = self.facts.merged_header(self._salt).workspace
        return int(self._budget.fetch_rows(call, (workspace, *asked, draw.wanted))[0][0])

    def write_rescue_file(self, records: list[Record]) -> Path:
        """Writes outcomes that it did not take to the rescue file, and returns it. Raises LedgerUnavailable."""
        append_lines([self._rescue], b"".join(record.to_line() for record in records))
        return self._rescue

    def compact(self) -> tuple[int, int]:
        """Drops what later facts of the same attempt replace: the number of facts before and after."""
        (before,), *_ = self._link.fetch_rows("SELECT count(*) FROM facts")
        self._link.fetch_rows(
            "DELETE FROM facts USING facts AS later WHERE later.key = facts.key AND later.attempt = facts.attempt"
            " AND later.rank > facts.rank RETURNING facts.rank"
        )
        (after,), *_ = self._link.fetch_rows("SELECT count(*) FROM facts")
        return int(before), int(after)

    def read_history(self, start: str) -> list[Record]:
        """Every fact that is kept about the keys that begin with `start`, by time."""
        facts = [record for key in self.facts if key.startswith(start) for record in self.facts.records_of(key)]
        return sorted(facts, key=lambda record: (record.at, record.attempt, record.to_line()))

    def _copied(
        self, link: psycopg.Connection[tuple[Any, ...]], file: "IO[bytes]"
    ) -> tuple[list[tuple[Any, ...]], str]:
        """Writes every fact that none replaces to a file, from one snapshot; the headers, and that snapshot."""
        file.seek(0)
        file.truncate()
        living = "" if self._sees_living else f" AND (rank > 0 OR run_of(attempt) NOT IN {_LIVING})"
        with link.transaction(), link.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL statement_timeout TO 0")
            headers = cursor.execute("SELECT workspace, salt_check, turn, moved FROM headers").fetchall()
            known = cursor.execute("SELECT pg_current_snapshot()::text").fetchall()[0][0]
            with cursor.copy(f"COPY (SELECT line FROM facts WHERE {_LASTING}{living}) {_COPY}") as copied:  # noqa: S608  # constants only
                for block in copied:
                    file.write(block)
        file.flush()
        return headers, known

    def _record(self, records: Sequence[Record]) -> None:
        if not records:
            return
        values = [
            [record.key for record in records],
            [record.attempt for record in records],
            [RANK[record.status] for record in records],
            *_described(records),
        ]
        call = "SELECT record(%s, %s, %s, %s::smallint[], %s, %s::integer[], %s, %s)"
        self._link.fetch_rows(call, (self._lease.runs, *values))

    def _claimed(self, claims: list[Record]) -> frozenset[str]:
        run = claims[0].attempt.rpartition("-")[0]
        self._lease.add_run(run, self._link)
        keys, attempts = [claim.key for claim in claims], [claim.attempt for claim in claims]
        values = (keys, attempts, *_described(claims))
        call = "SELECT claim(%s, %s::pg_snapshot, %s, %s, %s, %s, %s::integer[], %s, %s)"
        found = self._link.run(
            lambda link, is_again: link.execute(call, (run, self._known, is_again, *values)).fetchall(),
            CLAIM_RETRY_SECONDS,
        )
        return frozenset(row[0] for row in found)


def _described(records: Sequence[Record]) -> list[list[Any]]:
    """The columns that facts are found by, and their lines."""
    return [
        [record.message for record in records],
        [record.revision for record in records],
        [record.contact for record in records],
        [record.to_line().decode().rstrip("\n") for record in records],
    ]
