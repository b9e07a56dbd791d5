"""The lease of a run in the database: while it is renewed, no other run may settle this run's open claims."""

import contextlib
import threading
import time

from runner.errors import MsgrunError
from runner.ledger.lock_address import DatabaseAddress
from runner.ledger.postgres.connection import Connection

HEARTBEAT = 5.0  # seconds between two renewals of the lease
# Seconds after the last renewal for which a run goes on POSTing. The lease in the database is four times as long.
VALID_SECONDS = 30.0


class Lease:
    """The lease of the runs of this process, renewed by a thread with a connection of its own.

    `owner` is what other runs call these runs in messages. `heartbeat` is the time between two renewals, in seconds.
    """

    def __init__(self, address: DatabaseAddress, owner: str, heartbeat: float = HEARTBEAT) -> None:
        self._connection = Connection(address, retry_seconds=heartbeat)
        self._owner = owner
        self._heartbeat = heartbeat
        self._runs: set[str] = set()
        self._last_beat = 0.0
        self._is_over = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def runs(self) -> list[str]:
        """The ids of the runs of this process, sorted."""
        return sorted(self._runs)

    @property
    def is_valid(self) -> bool:
        """Whether the lease was renewed in the last VALID_SECONDS, so that no other run can have settled the claims."""
        return not self._is_over and (not self._runs or time.monotonic() - self._last_beat < VALID_SECONDS)

    def add_run(self, run: str, connection: Connection) -> None:
        """Adds a run to the lease, and starts the thread that renews it.

        `connection` is the caller's, because the thread uses the lease's own one. Raises LedgerUnavailable.
        """
        if run in self._runs:
            return
        now = time.monotonic()
        insert = "INSERT INTO runs (run, who) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING run"
        connection.fetch_rows(insert, (run, self._owner))
        self._last_beat = self._last_beat if self._runs else now
        self._runs.add(run)
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_heartbeats, name="lease", daemon=True)
            self._thread.start()

    def release(self) -> None:
        """Ends the lease: from now on another run may settle the open claims of these runs.

        The caller must have no request to Intercom under way.
        """
        self._stop.set()
        if self._thread:
            self._thread.join()
            with contextlib.suppress(MsgrunError):  # if this fails, the lease expires after 120 seconds
                self._connection.fetch_rows("DELETE FROM runs WHERE run = ANY (%s) RETURNING run", (self.runs,))
        self._connection.close()

    def _send_heartbeats(self) -> None:
        while not self._stop.wait(self._heartbeat):
            runs, now = self.runs, time.monotonic()  # the time before the query: its answer may take long
            update = (
                "UPDATE runs SET beat = clock_timestamp()"
                " WHERE run = ANY (%s) AND beat > clock_timestamp() - lease() RETURNING run"
            )
            try:
                rows = self._connection.fetch_rows(update, (runs,))
            except MsgrunError:
                continue  # the run checks before each POST how old the last renewal is
            if len(rows) < len(runs):
                self._is_over = True
                return
            self._last_beat = now
