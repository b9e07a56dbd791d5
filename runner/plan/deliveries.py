"""What is planned: a message and its deliveries, compact, so that a million of them fit beside their ledger."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from runner.declare.audience import IdentifierKind
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, format_recipient
from runner.declare.identity import DIGEST_VERSION
from runner.key_table import KEY_SIZE, KeyList, KeyTable
from runner.plan.plan_file import PlanEntry

Action = Literal["send", "sent", "edited", "unknown", "refused", "excluded"]


ACTIONS: tuple[Action, ...] = ("send", "sent", "edited", "unknown", "refused", "excluded")


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """One delivery and its action. `shown` is the recipient as the lockfile shows it; `reason` what is unusual."""

    key: str
    display_name: str
    action: Action
    digest: str
    reason: str = ""


class PlannedDeliveries:
    """Deliveries in their order, to be counted and gone through; `keys` are theirs, in the same order."""

    def __init__(self, keys: KeyTable | KeyList) -> None:
        self.keys = keys
        self.digests = bytearray()
        self.categories = array("H")  # which action, reason and kind of address
        self.category_numbers: dict[tuple[Action, str, IdentifierKind], int] = {}
        self.id_bytes = bytearray()
        self.id_ends = array("Q")  # of the ids, which alone are shown in clear

    def __len__(self) -> int:
        return len(self.categories)

    def __iter__(self) -> Iterator[PlannedDelivery]:
        marks = list(self.category_numbers)
        start = ids = 0
        for row, (key, mark) in enumerate(zip(self.keys, self.categories, strict=False)):
            action, reason, kind = marks[mark]
            value = ""
            if kind == "id":
                end = self.id_ends[ids]
                value, start, ids = self.id_bytes[start:end].decode(), end, ids + 1
            digest = self.digests[row * KEY_SIZE : row * KEY_SIZE + KEY_SIZE].hex()
            name = key.hex()
            yield PlannedDelivery(name, format_recipient(kind, value, name), action, DIGEST_VERSION + digest, reason)

    def add(self, delivery: Delivery, action: Action, reason: str) -> None:
        """Adds the delivery whose key was added to `keys` last."""
        mark = self.category_numbers.setdefault((action, reason, delivery.kind), len(self.category_numbers))
        self.categories.append(mark)
        self.digests += delivery.raw_digest
        if delivery.kind == "id":
            self.id_bytes += delivery.value.encode()
            self.id_ends.append(len(self.id_bytes))

    def extend(self, others: "PlannedDeliveries") -> None:
        """Adds others behind, whose keys were added to `keys`."""
        numbers = [
            self.category_numbers.setdefault(mark, len(self.category_numbers)) for mark in others.category_numbers
        ]
        self.categories.extend(map(numbers.__getitem__, others.categories))
        self.digests += others.digests
        start = len(self.id_bytes)
        self.id_bytes += others.id_bytes
        self.id_ends.extend(start + end for end in others.id_ends)

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

    def kinds(self, action: Action) -> set[IdentifierKind]:
        """The kinds of address of those with an action."""
        return {kind for found, _, kind in self.category_numbers if found == action}

    def _counted(self) -> list[tuple[tuple[Action, str, IdentifierKind], int]]:
        counts = Counter(self.categories)
        return [(mark, counts[number]) for mark, number in self.category_numbers.items()]


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message and its deliveries, in their order. `sample` are the first recipients to send to (private).

    `gone` counts what a saved plan would still send of it and is no longer declared.
    `left_out` counts, by reason, the rows that the audience's filters did not make recipients.
    """

    declaration: Declaration
    digest: str
    deliveries: PlannedDeliveries
    counts: Counter[Action]
    sample: tuple[str, ...]
    is_expired: bool
    undeclared_count: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The message's name."""
        return self.declaration.name

    @property
    def plan_entry(self) -> PlanEntry:
        """What a plan file has to say of it."""
        found = self.declaration
        return PlanEntry(
            found.name, found.revision, found.message_type, found.sender, len(self.deliveries), self.digest
        )
