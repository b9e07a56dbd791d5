"""Claims of deliveries before it is their turn, for a ledger where a write takes long: so that none waits for it.

While most of a batch is sent, a write brings the outcomes of the rest to the ledger, and claims as many in its place.
"""

from dataclasses import dataclass

from runner.deliver.lanes import Lanes
from runner.deliver.sending import Flight
from runner.errors import LedgerUnavailable
from runner.ledger import Ledger
from runner.ledger.record import Record

_PARTS = 10  # of a small send; a vanished runner leaves about one of them unknown
_SHARE = 4  # a write begins when one in so many of a batch is free: it is over before the others are sent
_LEAST = 10  # claims, below which writes would be most of the work


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write: the attempts that are not ours to POST, or why it failed."""

    outcomes: list[Record]
    flights: list[Flight]
    lost: frozenset[str] = frozenset()
    error: LedgerUnavailable | None = None


class Ahead:
    """Writes to the ledger in a thread, one write at a time. `planned` is how many deliveries the run will send.

    A claim is open from its write until the write of its outcome; at most a batch of them is.
    """

    def __init__(self, ledger: Ledger, planned: int) -> None:
        self._ledger = ledger
        self._batch = min(ledger.batch, max(_LEAST, planned // _PARTS))
        self._writer: Lanes[Written] = Lanes(1)
        self._open: set[str] = set()

    @property
    def is_writing(self) -> bool:
        """Whether a write is on its way."""
        return bool(self._writer.busy)

    def room(self, outcomes: list[Record]) -> int:
        """How many more deliveries may be claimed by a write of these outcomes."""
        return self._batch - len(self._open) + sum(record.attempt in self._open for record in outcomes)

    def is_worth_it(self, outcomes: list[Record]) -> bool:
        """Whether so much of the batch is free that a write should begin; the rest of it is sent meanwhile."""
        return _SHARE * self.room(outcomes) >= self._batch

    def write(self, outcomes: list[Record], flights: list[Flight]) -> None:
        """Begins to write outcomes, and the claims of flights."""
        self._open |= {flight.claim.attempt for flight in flights}
        self._writer.start(lambda: self._written(outcomes, flights))

    def written(self, seconds: float = 0.0) -> Written | None:
        """What became of the write, once it has ended; waits for that up to so many seconds."""
        done = next(iter(self._writer.results(seconds)), None)
        if done:
            gone = done.lost if done.error is None else {flight.claim.attempt for flight in done.flights}
            self._open -= gone
            if done.error is None:
                self._open -= {record.attempt for record in done.outcomes}
        return done

    def close(self) -> None:
        """Lets the thread end."""
        self._writer.close()

    def _written(self, outcomes: list[Record], flights: list[Flight]) -> Written:
        try:
            lost = self._ledger.write(*outcomes, *(flight.claim for flight in flights))
        except LedgerUnavailable as error:
            return Written(outcomes, flights, error=error)
        return Written(outcomes, flights, frozenset(lost))
