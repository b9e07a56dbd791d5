"""What planning collects about a message, or about a block of its audience that another process plans."""

from collections import Counter
from dataclasses import dataclass, field

from runner.declare.declaration import Declaration
from runner.declare.keys_and_digests import MessageDigest
from runner.errors import Problem
from runner.plan.deliveries import Action, PlannedDeliveries
from runner.plan.text_variants import TextVariants
from runner.privacy import AnyText

SAMPLE_SIZE = 4  # recipients that are kept to be named: three of many, or all four


@dataclass(slots=True)
class PartialPlan:
    """What planning collects about a message, or about one block of its audience.

    `first_by_reason` are the first refused and excluded recipients by action and reason, as in PlannedMessage.
    """

    deliveries: PlannedDeliveries
    digest: MessageDigest = field(default_factory=MessageDigest)
    first_recipients: list[AnyText] = field(default_factory=list)
    first_by_reason: dict[tuple[Action, str], list[AnyText]] = field(default_factory=dict)
    repeats: Counter[str] = field(default_factory=Counter)
    resends: Counter[int] = field(default_factory=Counter)
    variants: TextVariants = field(default_factory=TextVariants)

    def message_digest(self, declaration: Declaration) -> str:
        """Returns the digest of the message; empty if its audience was not read."""
        is_unread = declaration.audience.is_unread
        return "" if is_unread else self.digest.value(declaration.name, declaration.revision)

    def join(self, other: "PartialPlan") -> None:
        """Appends the plan of the next block."""
        self.digest.merge(other.digest)
        self.first_recipients = [*self.first_recipients, *other.first_recipients][:SAMPLE_SIZE]
        for reason, names in other.first_by_reason.items():
            self.first_by_reason[reason] = [*self.first_by_reason.get(reason, ()), *names][:SAMPLE_SIZE]
        self.repeats.update(other.repeats)
        self.resends.update(other.resends)
        self.variants.merge(other.variants)
        self.deliveries.extend(other.deliveries)


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a worker process returns for one block of an audience.

    `notices` are warnings. `left_out` is the number of rows that a filter left out, by reason.
    """

    partial_plan: PartialPlan
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
