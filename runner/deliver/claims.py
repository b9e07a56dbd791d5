"""Writes claims and outcomes to the ledger: at once, or in the background where a write is slow."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from runner.clock import Clock
from runner.deliver.attempt import Attempt
from runner.deliver.attempt_source import AttemptSource
from runner.deliver.threads import POLL_INTERVAL, ThreadPool
from runner.errors import LedgerUnavailable, MsgrunError
from runner.ledger.durable_append import ClaimsUncertain
from runner.ledger.ledger import Ledger, SharedLedger
from runner.ledger.record import Record

_FINAL_WRITE_TRIES = 4  # tries to write the last outcomes, a second apart
_BATCHES_PER_RUN = 10  # of a small run: if the runner vanishes, about a tenth of the deliveries is left unknown
_MIN_USEFUL_BATCH = 10  # claims; with fewer in a batch, most of the time would go to writes
_WRITES_PER_BATCH = 4  # a write begins when a quarter of the batch is free, so it ends before the rest is sent


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write did. `error` says why it failed: then it claimed nothing, and its outcomes are written again.

    `records` are durable now. `claimed` may be POSTed. `lost` is how many deliveries other runs claimed first.
    `revoked` names attempts of earlier writes whose claims another run or a person settled since. `uncertain` are
    attempts whose claims may be durable although the write failed.
    """

    records: Sequence[Record] = ()
    claimed: Sequence[Attempt] = ()
    lost: int = 0
    revoked: frozenset[str] = frozenset()
    uncertain: Sequence[Attempt] = ()
    error: LedgerUnavailable | None = None


class ClaimWriter(Protocol):
    """Makes claims durable before their attempts may be POSTed, and outcomes after it."""

    outcomes: list[Record]  # that are neither durable yet nor part of the write under way
    tick: float  # seconds that a run waits between two rounds

    @property
    def is_writing(self) -> bool:
        """Whether a write is under way."""
        ...

    @property
    def is_failing(self) -> bool:
        """Whether the last write failed."""
        ...

    @property
    def has_valid_claims(self) -> bool:
        """Whether no other run may settle the claims of this run. Called by any thread."""
        ...

    def write(self, wanted: int, *, is_urgent: bool) -> WriteResult:
        """Writes outcomes, and claims of the next attempts. Returns what is durable since the last call.

        `wanted` is how many attempts could be POSTed at once. `is_urgent`: no attempt is open or the run stops, so even
        a small write begins at once.
        """
        ...

    def wait(self) -> WriteResult:
        """Waits for the write that is under way, and returns its result."""
        ...

    def write_last(self) -> WriteResult:
        """Writes the outcomes that are left, at the end of a run."""
        ...

    def close(self) -> None:
        """Lets its thread end."""
        ...


def make_claim_writer(ledger: Ledger, source: AttemptSource, planned: int, clock: Clock) -> ClaimWriter:
    """Returns the writer for a kind of ledger. `planned` is the number of deliveries that the run will send."""
    if isinstance(ledger, SharedLedger):
        return BackgroundClaims(ledger, source, planned)
    return InlineClaims(ledger, source, clock)


class InlineClaims:
    """Writes at once, for a ledger in a file.

    One append has the outcomes that came back and the claims of what starts next, so it costs one fsync, however many
    requests are open.
    """

    is_writing = False
    has_valid_claims = True  # the lock lasts as long as the process
    tick = 0.05

    def __init__(self, ledger: Ledger, source: AttemptSource, clock: Clock) -> None:
        self._ledger = ledger
        self._source = source
        self._clock = clock
        self.outcomes: list[Record] = []
        self.is_failing = False

    def write(self, wanted: int, *, is_urgent: bool) -> WriteResult:
        """Writes all outcomes, and up to `wanted` claims."""
        del is_urgent
        attempts, refused = self._source.take(wanted)
        self.outcomes += refused
        return self._write(attempts)

    def wait(self) -> WriteResult:
        """Returns an empty result."""
        return WriteResult()

    def write_last(self) -> WriteResult:
        """Writes the outcomes that are left. Tries for some seconds."""
        for _ in range(_FINAL_WRITE_TRIES - 1):
            if (result := self._write([])).error is None:
                return result
            self._clock.sleep(1.0)
        return self._write([])

    def close(self) -> None:
        """Does nothing."""

    def _write(self, attempts: list[Attempt]) -> WriteResult:
        if not attempts and not self.outcomes:
            return WriteResult()
        claims = [attempt.claim for attempt in attempts]
        try:
            self._ledger.commit(self.outcomes, claims)  # it loses no claim: the file is locked for this process
        except LedgerUnavailable as error:
            self.is_failing = True
            return WriteResult(uncertain=attempts if isinstance(error, ClaimsUncertain) else (), error=error)
        records, self.outcomes, self.is_failing = [*self.outcomes, *claims], [], False
        return WriteResult(records, attempts)


@dataclass(frozen=True, slots=True)
class _EndedWrite:
    """A write that ended.

    `tried` are the attempts that it tried to claim. `lost` names those of them that another run claimed first, and
    attempts of earlier writes that were settled since.
    """

    outcomes: list[Record]
    tried: list[Attempt]
    lost: AbstractSet[str] = frozenset()
    error: LedgerUnavailable | None = None


class BackgroundClaims:
    """Writes in a thread, one write at a time, for a ledger whose writes are slow.

    A write begins when a quarter of the batch has outcomes: it stores them and claims as many new deliveries, while the
    rest is sent. A claim is open from the start of its write to the end of the write of its outcome. At most one batch
    is open, because all of it is left unknown if the runner vanishes. `planned` is the number of deliveries that the
    run will send.
    """

    tick = 0.01  # seconds between two rounds; short, because at most one batch of claims is open

    def __init__(self, ledger: SharedLedger, source: AttemptSource, planned: int) -> None:
        self._ledger = ledger
        self._source = source
        self._batch = min(ledger.max_batch, max(_MIN_USEFUL_BATCH, planned // _BATCHES_PER_RUN))
        self._writer: ThreadPool[_EndedWrite] = ThreadPool(1)
        self._open_claims: set[str] = set()
        self.outcomes: list[Record] = []
        self.is_failing = False

    @property
    def is_writing(self) -> bool:
        """Whether a write has started and its result was not collected yet."""
        return bool(self._writer.busy)

    @property
    def has_valid_claims(self) -> bool:
        """Whether no other run may settle the claims of this run."""
        return self._ledger.has_valid_claims

    def write(self, wanted: int, *, is_urgent: bool) -> WriteResult:
        """Returns the result of the last write, and begins the next one if enough of the batch is free for it."""
        del wanted
        result = self._collect(0.0)
        closing = sum(record.attempt in self._open_claims for record in self.outcomes)
        room = self._batch - len(self._open_claims) + closing
        if not self.is_writing and not self.is_failing and (is_urgent or _WRITES_PER_BATCH * room >= self._batch):
            attempts, refused = self._source.take(room)
            self.outcomes += refused
            if self.outcomes or attempts:
                self._open_claims |= {attempt.id for attempt in attempts}
                outcomes, self.outcomes = self.outcomes, []
                self._writer.start(lambda: self._write(outcomes, attempts))
        return result

    def wait(self) -> WriteResult:
        """Waits for the write that is under way. It does end, because git and the database have time limits."""
        result = WriteResult()
        while self.is_writing:
            result = self._collect(POLL_INTERVAL)
        return result

    def write_last(self) -> WriteResult:
        """Writes the outcomes that are left. Tries once, because the ledger itself repeats what may succeed later."""
        if not self.outcomes:
            return WriteResult()
        outcomes, self.outcomes = self.outcomes, []
        return self._finish_write(self._write(outcomes, []))

    def close(self) -> None:
        """Lets the thread end."""
        self._writer.close()

    def _collect(self, seconds: float) -> WriteResult:
        """Returns the result of the write that ended; an empty one if none did within `seconds`."""
        ended = self._writer.collect(seconds)
        return self._finish_write(ended[0]) if ended else WriteResult()

    def _finish_write(self, write: _EndedWrite) -> WriteResult:
        tried = {attempt.id for attempt in write.tried}
        if write.error:
            self.is_failing = True
            self._open_claims -= tried
            self.outcomes = [*write.outcomes, *self.outcomes]
            uncertain = write.tried if isinstance(write.error, ClaimsUncertain) else ()
            return WriteResult(uncertain=uncertain, error=write.error)
        self.is_failing = False
        lost = tried & write.lost
        self._open_claims -= write.lost | {record.attempt for record in write.outcomes}
        claimed = [attempt for attempt in write.tried if attempt.id not in lost]
        records = [*write.outcomes, *(attempt.claim for attempt in claimed)]
        return WriteResult(records, claimed, len(lost), frozenset(write.lost - lost))

    def _write(self, outcomes: list[Record], attempts: list[Attempt]) -> _EndedWrite:
        """Writes outcomes, and claims of the attempts. Runs in the thread."""
        limited = {attempt.id for attempt in attempts if attempt.is_limited}
        try:
            lost = self._ledger.commit(outcomes, [attempt.claim for attempt in attempts], limited)
        except (MsgrunError, OSError) as error:
            return _EndedWrite(outcomes, attempts, error=_ledger_error(error))
        return _EndedWrite(outcomes, attempts, lost)


def _ledger_error(error: MsgrunError | OSError) -> LedgerUnavailable:
    """Returns the error of a write. Unless it is a LedgerUnavailable already, the claims may be durable."""
    if isinstance(error, LedgerUnavailable):
        return error
    if isinstance(error, OSError):  # no process can be started, or the disk of the clone is full
        return ClaimsUncertain(f"the ledger cannot be written: {error.strerror or error}")
    return ClaimsUncertain(error.message, error.hint)
