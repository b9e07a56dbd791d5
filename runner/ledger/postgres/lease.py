"""That a run lives, told to the database again and again: its claims are its own as long as it is heard of."""

import contextlib
import threading
import time

from runner.errors import MsgrunError
from runner.ledger.address import DatabaseAddress
from runner.ledger.postgres.connection import Connection

HEARTBEAT = 5.0  # seconds between two
VALID_SECONDS = (
    30.0  # seconds after the last beat for which a run goes on POSTing; the database's lease is four times as long
)


class Lease:
    """The lease of this process's runs, kept by a thread with a connection of its own."""

    def __init__(self, to: DatabaseAddress, who: str, heartbeat: float = HEARTBEAT) -> None:
        self._link = Connection(to, retry_seconds=heartbeat)
        self._who = who
        self._beat = heartbeat
        self._runs: set[str] = set()
        self._last = 0.0
        self._is_over = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def runs(self) -> list[str]:
        """The runs of this process."""
        return sorted(self._runs)

    @property
    def is_valid(self) -> bool:
        """Whether the database heard of the runs lately, so that nobody takes their claims for a dead one's."""
        return not self._is_over and (not self._runs or time.monotonic() - self._last < VALID_SECONDS)

    def add_run(self, run: str, link: Connection) -> None:
        """Enters a run, over the connection of who writes. Raises LedgerUnavailable."""
        if run in self._runs:
            return
        now = time.monotonic()
        insert = "INSERT INTO runs (run, who) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING run"
        link.fetch_rows(insert, (run, self._who))
        self._last = self._last if self._runs else now
        self._runs.add(run)
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
            self._thread.start()

    def release(self) -> None:
        """Lets the runs' open claims be anybody's to settle: nothing of them is on its way any more."""
        self._ended.set()
        if self._thread:
            self._thread.join()
            with contextlib.suppress(MsgrunError):  # then the lease ends by itself
                self._link.fetch_rows("DELETE FROM runs WHERE run = ANY (%s) RETURNING run", (self.runs,))
        self._link.close()

    def _keep(self) -> None:
        while not self._ended.wait(self._beat):
            runs, now = self.runs, time.monotonic()  # counted from before the question: its answer may take long
            beat = (
                "UPDATE runs SET beat = clock_timestamp()"
                " WHERE run = ANY (%s) AND beat > clock_timestamp() - lease() RETURNING run"
            )
            try:
                found = self._link.fetch_rows(beat, (runs,))
            except MsgrunError:
                continue  # whoever POSTs sees how old the last beat is
            if len(found) < len(runs):
                self._is_over = True
                return
            self._last = now
