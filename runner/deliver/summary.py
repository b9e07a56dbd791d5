"""The result of a run, updated while it runs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from runner.ledger.record import Record
from runner.privacy import AnyText

# `expired` and `quiet` end one message only; all others end the run.
StopKind = Literal["signal", "ledger", "guard", "error", "later", "expired", "quiet"]
STOP_KINDS: tuple[StopKind, ...] = get_args(StopKind)  # in the order of the table of exit codes, from the top


_MAX_FIRST_SENT = 20  # deliveries, of which a person looks at some after a canary


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why a run ended early. The kind decides the exit code. `signal` is the number of a signal, or 0."""

    kind: StopKind
    message: AnyText
    hint: str = ""
    signal: int = 0


@dataclass(frozen=True, slots=True)
class ReportedDelivery:
    """A delivery that is reported to the user: its record and a detail from Intercom (may hold private values)."""

    record: Record
    detail: AnyText


@dataclass(slots=True)
class Summary:
    """Counts and details of a run.

    `first_sent` are the first deliveries that were sent. `unwritten` are outcomes that the ledger did not store.
    `released` deliveries were claimed, and Intercom provably made no message. They count as remaining, or as expired if
    the message expired. `still_not_found` are deliveries whose contact was missing in an earlier run and in this one.
    `claimed_by_others` is the number of deliveries that other runs claimed meanwhile; they count as remaining too.
    `unrecorded_refusals` is the number of those that the check of the recipients refused and that have no record yet.

    While the run goes on, `in_flight` is the number of requests without an answer. `seconds` is how long the run took.
    """

    planned: int = 0
    sent: int = 0
    released: int = 0
    expired: int = 0
    first_sent: list[Record] = field(default_factory=list)
    refused: list[ReportedDelivery] = field(default_factory=list)
    unknown: list[ReportedDelivery] = field(default_factory=list)
    still_not_found: list[ReportedDelivery] = field(default_factory=list)
    warnings: list[AnyText] = field(default_factory=list)
    unwritten: list[Record] = field(default_factory=list)
    claimed_by_others: int = 0
    unrecorded_refusals: int = 0
    in_flight: int = 0
    seconds: float = 0.0
    stop: StopReason | None = None

    def count(self, delivery: ReportedDelivery) -> None:
        """Counts an outcome, and keeps what is reported to the user."""
        match delivery.record.status:
            case "sent":
                self.sent += 1
                if self.sent <= _MAX_FIRST_SENT:
                    self.first_sent.append(delivery.record)
                if delivery.detail:
                    self.warnings.append(f"{delivery.record.message} {delivery.record.to}: " + delivery.detail)
            case "refused":
                self.refused.append(delivery)
            case "released":
                self.released += 1
            case _:
                self.unknown.append(delivery)

    @property
    def tried(self) -> int:
        """The number of deliveries that were sent, refused or are unknown."""
        return self.sent + len(self.refused) + len(self.unknown)

    @property
    def remaining(self) -> int:
        """The number of planned deliveries that were not tried, and could have been sent."""
        done = self.tried + self.expired + len(self.still_not_found)
        return self.planned - done - self.unrecorded_refusals

    def reported(self) -> Iterator[tuple[str, ReportedDelivery]]:
        """Yields the deliveries that a person has to look at, each with a word for its outcome."""
        for word, deliveries in (
            ("unknown", self.unknown), ("refused", self.refused), ("still not found", self.still_not_found),
        ):  # fmt: skip
            yield from ((word, delivery) for delivery in deliveries)

    def counts(self) -> dict[str, int]:
        """Returns the number of deliveries by what became of them; what did not happen is left out, but for `sent`."""
        counts = {
            "sent": self.sent,
            **Counter(word for word, _ in self.reported()),
            "expired": self.expired,
            "refused by the check and not recorded yet": self.unrecorded_refusals,
            "not written to the ledger": len(self.unwritten),
            "claimed by other runs": self.claimed_by_others,
            "left": self.remaining - self.claimed_by_others,
        }
        return {word: number for word, number in counts.items() if number or word == "sent"}
