"""A message and its planned deliveries, stored compactly: a million of them fit in memory beside their ledger."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Literal, NamedTuple, get_args

from runner.declare.audience.recipient import IdentifierKind
from runner.declare.audience.workspace_contacts import WorkspaceContacts, find_workspace_contacts
from runner.declare.authorship import Authorship
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.declare.keys_and_digests import DIGEST_VERSION, format_recipient
from runner.key_table import KEY_SIZE, KeyList, KeyTable, TextList
from runner.plan.plan_file import PlanEntry
from runner.plan.text_variants import TextVariants
from runner.privacy import AnyText

Action = Literal["send", "sent", "edited", "unknown", "refused", "excluded"]
BEING_SENT = "being sent by another run"  # the reason of an unknown delivery that needs no decision of a person
ACTIONS: tuple[Action, ...] = get_args(Action)


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """One delivery and its action.

    `display_name` is the recipient as the lockfile shows it. `reason` says why the action is not the usual one; else it
    is empty. The check of the recipients sets `code` where it decided, and the `contact` to send to, as ROLE:ID.
    """

    key: str
    display_name: str
    action: Action
    digest: str
    reason: str = ""
    code: str = ""
    contact: str = ""


class Category(NamedTuple):
    """What many deliveries have in common. See `PlannedDelivery`."""

    action: Action
    reason: str
    kind: IdentifierKind
    code: str = ""


class PlannedDeliveries:
    """The deliveries of one message, in order. They can be counted by action and iterated over.

    `keys` holds their keys, in the same order. The caller adds a key to `keys` before it adds the delivery.
    """

    def __init__(self, keys: KeyTable | KeyList) -> None:
        self.keys = keys
        self.digests = bytearray()
        self.categories = array("H")  # of each delivery: the number of its category
        self.category_numbers: dict[Category, int] = {}
        self.ids = TextList()  # other addresses are private and not stored
        self.details = TextList()  # of each delivery: its contact or what the reason ends with; empty before the check

    def __len__(self) -> int:
        return len(self.categories)

    def __iter__(self) -> Iterator[PlannedDelivery]:
        categories = list(self.category_numbers)
        ids, details = iter(self.ids), iter(self.details)
        for index, (key, number) in enumerate(zip(self.keys, self.categories, strict=False)):
            action, reason, kind, code = categories[number]
            value = next(ids) if kind == "id" else ""
            detail = next(details, "")
            digest = self.digests[index * KEY_SIZE : index * KEY_SIZE + KEY_SIZE].hex()
            name = key.hex()
            yield PlannedDelivery(
                key=name,
                display_name=format_recipient(kind, value, name),
                action=action,
                digest=DIGEST_VERSION + digest,
                reason=f"{reason}: {detail}" if detail and action != "send" else reason,
                code=code,
                contact=detail if action == "send" else "",
            )

    def find_action(self, key: bytes) -> tuple[Action, str] | None:
        """Returns the action of the delivery with a key, and its reason; None if it is not planned."""
        row = self.keys.row_of(key) if isinstance(self.keys, KeyTable) else None
        if row is None:
            return None
        category = list(self.category_numbers)[self.categories[row]]
        return category.action, category.reason

    def add(self, delivery: Delivery, action: Action, reason: str) -> None:
        """Adds the delivery whose key was added to `keys` last."""
        # A plain tuple is equal to a Category, and a million of them are made in half the time.
        number = self.category_numbers.get((action, reason, delivery.kind, ""))  # type: ignore[call-overload]
        if number is None:
            number = self.category_numbers.setdefault(
                Category(action, reason, delivery.kind), len(self.category_numbers)
            )
        self.categories.append(number)
        self.digests += delivery.raw_digest
        if delivery.kind == "id":
            self.ids.add(delivery.value)

    def add_checked(self, category: Category, planned: PlannedDelivery, value: str, detail: str) -> None:
        """Adds a delivery of another instance with the same keys, with the category that the check found.

        `value` is the declared address. `detail` is the contact of one to send, as ROLE:ID; of another one it ends the
        reason.
        """
        self.categories.append(self.category_numbers.setdefault(category, len(self.category_numbers)))
        self.digests += bytes.fromhex(planned.digest.removeprefix(DIGEST_VERSION))
        if category.kind == "id":
            self.ids.add(value)
        self.details.add(detail)

    def extend(self, other: "PlannedDeliveries") -> None:
        """Appends the deliveries of another instance. The caller has added their keys to `keys` already."""
        numbers = [
            self.category_numbers.setdefault(category, len(self.category_numbers))
            for category in other.category_numbers
        ]
        self.categories.extend(map(numbers.__getitem__, other.categories))
        self.digests += other.digests
        self.ids.extend(other.ids)

    def fingerprint(self) -> bytes:
        """Returns a hash of all payloads and actions in their order."""
        parts = (self.digests, self.categories.tobytes(), repr([*self.category_numbers]).encode())
        return blake2b(b"".join(blake2b(part).digest() for part in parts)).digest()

    def counts(self) -> Counter[Action]:
        """Returns the number of deliveries of each action."""
        counts: Counter[Action] = Counter()
        for category, count in self._category_counts():
            counts[category.action] += count
        return counts

    def reasons(self) -> Counter[tuple[Action, str]]:
        """Returns the number of deliveries of each action and reason. Deliveries without a reason are not counted."""
        counts: Counter[tuple[Action, str]] = Counter()
        for category, count in self._category_counts():
            if category.reason:
                counts[category.action, category.reason] += count
        return counts

    def checked_counts(self, action: Action | None = None) -> Counter[tuple[Action, str]]:
        """Counts as `reasons` the deliveries that the check of the recipients decided, of one action or of all."""
        counts: Counter[tuple[Action, str]] = Counter()
        for category, count in self._category_counts():
            if category.code and action in {None, category.action}:
                counts[category.action, category.reason] += count
        return counts

    def count_code(self, code: str) -> int:
        """Returns the number of deliveries that the check of the recipients gave a code."""
        return sum(count for category, count in self._category_counts() if category.code == code)

    def first_key(self, action: Action) -> str:
        """Returns the key of the first delivery that has this action. Raises ValueError if there is none."""
        numbers = [number for category, number in self.category_numbers.items() if category.action == action]
        row = min(self.categories.index(number) for number in numbers)
        return next(islice(self.keys, row, None)).hex()

    def kinds(self, action: Action) -> set[IdentifierKind]:
        """Returns the kinds of address of the deliveries that have this action."""
        return {category.kind for category in self.category_numbers if category.action == action}

    def _category_counts(self) -> list[tuple[Category, int]]:
        counts = Counter(self.categories)
        return [(category, counts[number]) for category, number in self.category_numbers.items()]


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message and its deliveries, in order.

    `first_recipients` are the first recipients to send to (private); `first_recipients_by_reason` those with
    another action, by action and reason, and those that the check of the recipients found.
    `variants` are the texts of all deliveries that were not sent.
    `undeclared_count` is the number of deliveries that a saved plan would still send and that are no longer declared.
    `resends` is the number of recipients to send to who got another revision, by that revision.
    `left_out` is the number of rows that a filter of the audience left out, by reason. `warnings` are sentences about
    the effects of sending it, for the person who confirms; they stop no run. `digest` is empty, and there are no
    deliveries, if the audience is in the workspace and was not read. `authorship` is that of the declaration.
    """

    declaration: Declaration
    authorship: Authorship
    digest: str
    deliveries: PlannedDeliveries
    counts: Counter[Action]
    first_recipients: tuple[AnyText, ...]
    is_expired: bool
    variants: TextVariants
    undeclared_count: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    resends: Mapping[int, int] = field(default_factory=dict)
    first_recipients_by_reason: Mapping[tuple[Action, str], Sequence[AnyText]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The message's name."""
        return self.declaration.name

    @property
    def being_sent(self) -> int:
        """The number of unknown deliveries that another run is sending now."""
        return self.deliveries.reasons()["unknown", BEING_SENT]

    @property
    def is_unread(self) -> bool:
        """Whether it is not known who gets it: the audience is in the workspace, and was not read."""
        return self.declaration.audience.is_unread and not self.is_expired

    @property
    def workspace_contacts(self) -> WorkspaceContacts | None:
        """The source of its audience, if that is in the workspace: then only a saved plan can be applied."""
        return find_workspace_contacts(self.declaration.audience)

    @property
    def plan_entry(self) -> PlanEntry:
        """The message's line in a plan file."""
        declaration = self.declaration
        return PlanEntry(
            declaration.name,
            declaration.revision,
            declaration.message_type,
            str(declaration.sender),
            len(self.deliveries),
            self.digest,
        )
