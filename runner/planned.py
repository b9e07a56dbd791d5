"""The deliveries of a planned message, compact: a million of them fit beside their ledger."""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from runner.declare.audience import Kind
from runner.declare.delivery import DIGEST_VERSION, Delivery, shown
from runner.keys import SIZE, Keys

Action = Literal["send", "sent", "edited", "unknown", "refused", "excluded"]
ACTIONS: tuple[Action, ...] = ("send", "sent", "edited", "unknown", "refused", "excluded")


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """One delivery and its action. `shown` is the recipient as the lockfile shows it; `reason` what is unusual."""

    key: str
    shown: str
    action: Action
    digest: str
    reason: str = ""


class Deliveries:
    """Deliveries in their order, to be counted and gone through; `keys` are theirs, in the same order."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._digests = bytearray()
        self._marks = array("H")  # which action, reason and kind of address
        self._numbers: dict[tuple[Action, str, Kind], int] = {}
        self._ids = bytearray()
        self._ends = array("Q")  # of the ids, which alone are shown in clear

    def __len__(self) -> int:
        return len(self._marks)

    def __iter__(self) -> Iterator[PlannedDelivery]:
        marks = list(self._numbers)
        start = ids = 0
        for row, (key, mark) in enumerate(zip(self.keys, self._marks, strict=False)):
            action, reason, kind = marks[mark]
            value = ""
            if kind == "id":
                end = self._ends[ids]
                value, start, ids = self._ids[start:end].decode(), end, ids + 1
            digest = self._digests[row * SIZE : row * SIZE + SIZE].hex()
            name = key.hex()
            yield PlannedDelivery(name, shown(kind, value, name), action, DIGEST_VERSION + digest, reason)

    def add(self, delivery: Delivery, action: Action, reason: str) -> None:
        """Adds the delivery whose key was added to `keys` last."""
        mark = self._numbers.setdefault((action, reason, delivery.kind), len(self._numbers))
        self._marks.append(mark)
        self._digests += bytes.fromhex(delivery.digest[len(DIGEST_VERSION) :])
        if delivery.kind == "id":
            self._ids += delivery.value.encode()
            self._ends.append(len(self._ids))

    def counts(self) -> Counter[Action]:
        """How many there are of each action."""
        found: Counter[Action] = Counter()
        for (action, _, _), count in self._counted():
            found[action] += count
        return found

    def reasons(self) -> Counter[tuple[Action, str]]:
        """How many there are of each action and reason, of those that have one."""
        found: Counter[tuple[Action, str]] = Counter()
        for (action, reason, _), count in self._counted():
            if reason:
                found[action, reason] += count
        return found

    def kinds(self, action: Action) -> set[Kind]:
        """The kinds of address of those with an action."""
        return {kind for found, _, kind in self._numbers if found == action}

    def _counted(self) -> list[tuple[tuple[Action, str, Kind], int]]:
        counts = Counter(self._marks)
        return [(mark, counts[number]) for mark, number in self._numbers.items()]
