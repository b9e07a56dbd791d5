"""The attempts of a run, each in one of four states, and the only ways from one to another.

    unclaimed --> claimed --> posting --> (outcome)
                     |         |   ^
                     |         v   |
                     |       waiting          for another try: Intercom provably made no message
                     |          |
                     +----------+--> (outcome: released)

`AttemptSource` has the unclaimed ones, a `ClaimWriter` claims them, and `ActiveAttempts` has the others.
"""

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from runner.clock import FIRST_RETRY_DELAY
from runner.declare.declaration import Declaration
from runner.deliver.summary import StopReason
from runner.ledger.record import Record


@dataclass(slots=True, eq=False)
class Attempt:
    """One try at one delivery.

    `claim` is the record that is durable before the POST. `body` is what is POSTed. `values` are the recipient's
    private values. They are never masked in `body`, only in texts that the user reads. `retry_deadlines` holds for each
    kind of failure the monotonic time, in seconds, until which the attempt is tried again. `retry_delay` is the pause
    before the next try, in seconds. `is_limited`: `frequency` holds for it, so a message of another run to the contact
    may leave no room for it.
    """

    claim: Record
    body: dict[str, Any]
    declaration: Declaration
    values: tuple[Any, ...]
    retry_deadlines: dict[str, float] = field(default_factory=dict)
    retry_delay: float = FIRST_RETRY_DELAY
    is_limited: bool = False

    @property
    def id(self) -> str:
        """Names the attempt in the ledger."""
        return self.claim.attempt


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an attempt.

    `id` and `conversation` are of the message. `detail` is what Intercom or the network reported. `stop` ends the run.
    """

    status: Literal["sent", "refused", "unknown", "released"]
    id: str = ""
    code: str = ""
    request_id: str = ""
    detail: str = ""
    stop: StopReason | None = None
    conversation: str = ""


class ActiveAttempts:
    """The attempts of a run that are claimed and have no outcome. Times are of the monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._claimed: deque[Attempt] = deque()
        self._posting: dict[str, Attempt] = {}
        self._waiting: list[tuple[float, int, Attempt]] = []  # a heap: when to try again, a number for the order
        self._retries = 0
        self._revoked: set[str] = set()  # of those that are posting

    def __len__(self) -> int:
        """Returns how many there are, in any state."""
        return len(self._claimed) + len(self._posting) + len(self._waiting)

    def __iter__(self) -> Iterator[Attempt]:
        """Yields all of them."""
        yield from self._posting.values()
        yield from (attempt for _, _, attempt in self._waiting)
        yield from self._claimed

    @property
    def posting(self) -> int:
        """How many are being POSTed."""
        return len(self._posting)

    def startable(self, now: float) -> int:
        """Returns how many may be POSTed now: the claimed ones, and the waiting ones whose time has come."""
        return len(self._claimed) + sum(time <= now for time, _, _ in self._waiting)

    def add_claimed(self, attempts: Iterable[Attempt]) -> None:
        """Adds attempts whose claims are durable."""
        self._claimed.extend(attempts)

    def start(self, limit: int, now: float) -> list[Attempt]:
        """Moves up to `limit` attempts to posting, and returns them: those that waited first, then the claimed ones."""
        attempts: list[Attempt] = []
        while len(attempts) < limit and self._waiting and self._waiting[0][0] <= now:
            attempts.append(heapq.heappop(self._waiting)[2])
        while len(attempts) < limit and self._claimed:
            attempts.append(self._claimed.popleft())
        self._posting.update((attempt.id, attempt) for attempt in attempts)
        return attempts

    def may_retry(self, attempt: Attempt) -> bool:
        """Returns whether an attempt that is posting still has its claim, so that it may be POSTed again."""
        return attempt.id not in self._revoked

    def wait(self, attempt: Attempt, until: float) -> None:
        """Moves an attempt from posting to waiting."""
        del self._posting[attempt.id]
        self._retries += 1
        heapq.heappush(self._waiting, (until, self._retries, attempt))

    def end(self, attempt: Attempt) -> None:
        """Removes an attempt that was posting: it has an outcome."""
        del self._posting[attempt.id]

    def remove_unstarted(self) -> list[Attempt]:
        """Removes and returns those that are not posting. Intercom provably made no message of them."""
        attempts = [*(attempt for _, _, attempt in self._waiting), *self._claimed]
        self._waiting.clear()
        self._claimed.clear()
        return attempts

    def remove_revoked(self, ids: Collection[str]) -> list[Attempt]:
        """Removes and returns those that others settled meanwhile and that are not posting.

        Those that are posting are not POSTed again: see `may_retry`.
        """
        revoked = [attempt for attempt in self if attempt.id in ids and attempt.id not in self._posting]
        if revoked:
            self._claimed = deque(attempt for attempt in self._claimed if attempt.id not in ids)
            self._waiting = [entry for entry in self._waiting if entry[2].id not in ids]
            heapq.heapify(self._waiting)
        self._revoked.update(self._posting.keys() & set(ids))
        return revoked
