"""Claims of deliveries before it is their turn, for a ledger where a write takes long: so that none waits for it.

While most of a batch is sent, a write brings the outcomes of the rest to the ledger, and claims as many in its place.
A batch is no larger than it has to be, because a vanished runner leaves it unknown: it shrinks as long as claims lie
waiting, and grows when a delivery could have started and none was claimed. Where others were faster, a run looks for
the next that nobody has: it asks about many, and claims no more than its batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.deliver.post import Attempt
from runner.deliver.threads import ThreadPool
from runner.errors import LedgerUnavailable
from runner.ledger.ledger import Ledger
from runner.ledger.record import Record

_PARTS = 10  # of a small send; a vanished runner leaves about one of them unknown


_SHARE = 4  # a write begins when one in so many of a batch is free: it is over before the others are sent


_LEAST = 10  # claims, below which writes would be most of the work


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of a write: the attempts that are not ours to POST, or why it failed.

    `left` was not claimed, because enough was; it is still to be.
    """

    outcomes: list[Record]
    attempts: list[Attempt]
    lost: frozenset[str] = frozenset()
    unclaimed: Sequence[Attempt] = ()
    error: LedgerUnavailable | None = None


class BackgroundClaims:
    """Writes to the ledger in a thread, one write at a time. `planned` is how many deliveries the run will send.

    A claim is open from its write until the write of its outcome; at most a batch of them is.
    """

    def __init__(self, ledger: Ledger, planned: int) -> None:
        self._ledger = ledger
        self._most = min(ledger.max_batch, max(_LEAST, planned // _PARTS))
        self._least = self._batch = min(ledger.min_batch, self._most)
        self._is_behind = False  # others had most of what the last write claimed
        self._is_short = self._has_grown = False
        self._spare: int | None = None  # the fewest claims that lay waiting since the last write
        self._writer: ThreadPool[WriteResult] = ThreadPool(1)
        self._open: set[str] = set()

    @property
    def is_writing(self) -> bool:
        """Whether a write is on its way."""
        return bool(self._writer.busy)

    def observe_round(self, waiting: int, *, is_starved: bool) -> None:
        """Hears of every round: how many claims wait for their turn, and whether more could have started."""
        self._spare = waiting if self._spare is None else min(waiting, self._spare)
        is_helped = self.is_writing and self._has_grown
        self._is_short = self._is_short or (is_starved and not is_helped)

    def resize_batch(self) -> None:
        """Makes the batch as large as the rounds since the last write needed it."""
        self._has_grown = self._is_short and not self._is_behind
        if self._has_grown:
            self._batch = min(self._most, self._batch * 3 // 2)
        elif self._spare:
            self._batch = max(self._least, self._batch - (self._spare + 1) // 2)
        self._is_short, self._spare = False, None

    def capacity(self, outcomes: list[Record]) -> int:
        """How many more deliveries may be claimed by a write of these outcomes."""
        return self._batch - len(self._open) + sum(record.attempt in self._open for record in outcomes)

    def lookahead(self, outcomes: list[Record]) -> int:
        """How many deliveries to look at for that: more where others have most of them."""
        room = self.capacity(outcomes)
        return max(room, self._most) if room and self._is_behind else room

    def should_write(self, outcomes: list[Record]) -> bool:
        """Whether so much of the batch is free that a write should begin; the rest of it is sent meanwhile."""
        return _SHARE * self.capacity(outcomes) >= self._batch

    def start_write(self, outcomes: list[Record], flights: list[Attempt]) -> None:
        """Begins to write outcomes, and the claims of flights."""
        room = self.capacity(outcomes)
        self._open |= {flight.claim.attempt for flight in flights}
        self._writer.start(lambda: self._written(outcomes, flights, room))

    def poll(self, seconds: float = 0.0) -> WriteResult | None:
        """What became of the write, once it has ended; waits for that up to so many seconds."""
        done = next(iter(self._writer.collect(seconds)), None)
        if done:
            gone = done.lost if done.error is None else {flight.claim.attempt for flight in done.attempts}
            self._open -= gone
            self._open -= {flight.claim.attempt for flight in done.unclaimed}
            if done.error is None:
                self._open -= {record.attempt for record in done.outcomes}
                self._is_behind = 2 * len(done.lost) > len(done.attempts)
        return done

    def close(self) -> None:
        """Lets the thread end."""
        self._writer.close()

    def _written(self, outcomes: list[Record], flights: list[Attempt], room: int) -> WriteResult:
        """Writes, in the thread. Of the flights that nobody has, as many are claimed as there is room for."""
        wanted, passed = flights, frozenset[str]()
        tried: list[Attempt] = []
        try:
            if len(flights) > room:
                gone = self._ledger.claimed_by_others([flight.claim.key for flight in flights])
                wanted = [flight for flight in flights if flight.claim.key not in gone]
                passed = frozenset(flight.claim.attempt for flight in flights if flight.claim.key in gone)
            tried = wanted[:room]
            lost = self._ledger.commit(*outcomes, *(flight.claim for flight in tried))
        except LedgerUnavailable as error:
            return WriteResult(
                outcomes, tried, unclaimed=[flight for flight in flights if flight not in tried], error=error
            )
        left = wanted[room:]
        return WriteResult(outcomes, [flight for flight in flights if flight not in left], passed | lost, left)
