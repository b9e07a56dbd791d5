"""Claims deliveries in the background, before they can start, for a ledger whose writes are slow.

So no delivery waits for a write. While most of a batch is sent, one write stores the outcomes of the rest and claims
as many new deliveries. The batch is kept small, because all of it is left unknown if the runner vanishes. It shrinks
while claims wait unused, and grows when a delivery could have started but none was claimed.

If other runs claim most deliveries first, this run asks the ledger about many deliveries at once, and claims those
that no other run has, up to its batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.deliver.post import Attempt
from runner.deliver.threads import ThreadPool
from runner.errors import LedgerUnavailable
from runner.ledger.ledger import Ledger
from runner.ledger.record import Record

_BATCHES_PER_RUN = 10  # of a small run: if the runner vanishes, about a tenth of the deliveries is left unknown
_WRITES_PER_BATCH = 4  # a write begins when a quarter of the batch is free; it ends before the rest is sent
_MIN_USEFUL_BATCH = 10  # claims; with fewer in a batch, most of the time would go to writes


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of a write of `outcomes` and of the claims of `attempts`. `error` says why it failed.

    `lost` names attempts that must not be POSTed: those that other runs claimed first, and those of earlier writes
    whose claims another run or a user settled since. `unclaimed` are attempts that the write did not try to claim,
    because the batch was full or the ledger did not answer. A later write has to claim them.
    """

    outcomes: list[Record]
    attempts: list[Attempt]
    lost: frozenset[str] = frozenset()
    unclaimed: Sequence[Attempt] = ()
    error: LedgerUnavailable | None = None


class BackgroundClaims:
    """Writes to the ledger in a thread, one write at a time.

    `planned` is the number of deliveries that the run will send. A claim is open from the start of its write to the
    end of the write of its outcome. At most one batch of claims is open.
    """

    def __init__(self, ledger: Ledger, planned: int) -> None:
        self._ledger = ledger
        self._max_batch = min(ledger.max_batch, max(_MIN_USEFUL_BATCH, planned // _BATCHES_PER_RUN))
        self._min_batch = self._batch_size = min(ledger.min_batch, self._max_batch)
        self._has_lost_most = False  # other runs had most of what the last write tried to claim
        self._was_starved = self._has_grown = False
        self._min_waiting: int | None = None  # the fewest claims that waited in any round since the last write
        self._writer: ThreadPool[WriteResult] = ThreadPool(1)
        self._open_claims: set[str] = set()

    @property
    def is_writing(self) -> bool:
        """Whether a write has started and its result was not polled yet."""
        return bool(self._writer.busy)

    def observe_round(self, waiting: int, *, is_starved: bool) -> None:
        """Records a round of the run: how many claims wait to start, and whether more deliveries could have started."""
        self._min_waiting = waiting if self._min_waiting is None else min(waiting, self._min_waiting)
        is_helped = self.is_writing and self._has_grown
        self._was_starved = self._was_starved or (is_starved and not is_helped)

    def resize_batch(self) -> None:
        """Adapts the size of the batch to the rounds since the last write."""
        self._has_grown = self._was_starved and not self._has_lost_most
        if self._has_grown:
            self._batch_size = min(self._max_batch, self._batch_size * 3 // 2)
        elif self._min_waiting:
            self._batch_size = max(self._min_batch, self._batch_size - (self._min_waiting + 1) // 2)
        self._was_starved, self._min_waiting = False, None

    def capacity(self, outcomes: list[Record]) -> int:
        """Returns how many more deliveries a write may claim that stores these outcomes."""
        return (
            self._batch_size - len(self._open_claims) + sum(record.attempt in self._open_claims for record in outcomes)
        )

    def lookahead(self, outcomes: list[Record]) -> int:
        """Returns how many deliveries to pass to a write that stores these outcomes.

        More than it may claim if other runs have most of the deliveries.
        """
        capacity = self.capacity(outcomes)
        return max(capacity, self._max_batch) if capacity and self._has_lost_most else capacity

    def should_write(self, outcomes: list[Record]) -> bool:
        """Whether enough of the batch is free to begin a write. The rest of the batch is sent meanwhile."""
        return _WRITES_PER_BATCH * self.capacity(outcomes) >= self._batch_size

    def start_write(self, outcomes: list[Record], attempts: list[Attempt]) -> None:
        """Begins to write outcomes, and the claims of attempts."""
        capacity = self.capacity(outcomes)
        self._open_claims |= {attempt.claim.attempt for attempt in attempts}
        self._writer.start(lambda: self._write(outcomes, attempts, capacity))

    def poll(self, seconds: float = 0.0) -> WriteResult | None:
        """Returns the result of the write once it has ended, else None. Waits up to `seconds` for it."""
        result = next(iter(self._writer.collect(seconds)), None)
        if result:
            closed = result.lost if result.error is None else {attempt.claim.attempt for attempt in result.attempts}
            self._open_claims -= closed
            self._open_claims -= {attempt.claim.attempt for attempt in result.unclaimed}
            if result.error is None:
                self._open_claims -= {record.attempt for record in result.outcomes}
                self._has_lost_most = 2 * len(result.lost) > len(result.attempts)
        return result

    def close(self) -> None:
        """Lets the thread end."""
        self._writer.close()

    def _write(self, outcomes: list[Record], attempts: list[Attempt], capacity: int) -> WriteResult:
        """Writes outcomes and claims; runs in the thread.

        Of the attempts that no other run has claimed, it claims up to `capacity`.
        """
        claimable, skipped = attempts, frozenset[str]()
        tried: list[Attempt] = []
        try:
            if len(attempts) > capacity:
                claimed_keys = self._ledger.claimed_by_others([attempt.claim.key for attempt in attempts])
                claimable = [attempt for attempt in attempts if attempt.claim.key not in claimed_keys]
                skipped = frozenset(attempt.claim.attempt for attempt in attempts if attempt.claim.key in claimed_keys)
            tried = claimable[:capacity]
            lost = self._ledger.commit(*outcomes, *(attempt.claim for attempt in tried))
        except LedgerUnavailable as error:
            return WriteResult(
                outcomes, tried, unclaimed=[attempt for attempt in attempts if attempt not in tried], error=error
            )
        unclaimed = claimable[capacity:]
        return WriteResult(
            outcomes, [attempt for attempt in attempts if attempt not in unclaimed], skipped | lost, unclaimed
        )
