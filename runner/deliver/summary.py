"""What a run did, while it runs and at its end."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from runner.ledger.record import Record

# `expired` ends one message only; all others end the run.
StopKind = Literal["signal", "ledger", "guard", "error", "later", "expired"]
STOP_KINDS: tuple[StopKind, ...] = get_args(StopKind)  # as their exit codes stand in the table, from the top


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why a run ended before its plan: the kind decides the exit code. `signal` is its number."""

    kind: StopKind
    message: str
    hint: str = ""
    signal: int = 0


@dataclass(frozen=True, slots=True)
class ReportedDelivery:
    """One delivery that people must hear about: its record and what Intercom said (may hold private values)."""

    record: Record
    detail: str


@dataclass(slots=True)
class Summary:
    """Counts and details of a run. `unwritten` are outcomes that the ledger did not take.

    The `released` were claimed, and provably nothing was made; they count as left (or, if they expired, as skipped).
    The `missing` have no contact, as an earlier run found. So many as `taken` says were claimed by other runs
    meanwhile, and count as left too.
    """

    planned: int = 0
    sent: int = 0
    released: int = 0
    skipped: int = 0
    refused: list[ReportedDelivery] = field(default_factory=list)
    unknown: list[ReportedDelivery] = field(default_factory=list)
    still_not_found: list[ReportedDelivery] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unwritten: list[Record] = field(default_factory=list)
    claimed_by_others: int = 0
    stop: StopReason | None = None

    def count(self, told: ReportedDelivery) -> None:
        """Counts an outcome, and keeps what people must hear about."""
        match told.record.status:
            case "sent":
                self.sent += 1
                if told.detail:
                    self.warnings.append(f"{told.record.message} {told.record.to}: {told.detail}")
            case "refused":
                self.refused.append(told)
            case "released":
                self.released += 1
            case _:
                self.unknown.append(told)

    @property
    def tried(self) -> int:
        """How many deliveries have an outcome that is about them."""
        return self.sent + len(self.refused) + len(self.unknown)

    @property
    def remaining(self) -> int:
        """How many of the planned deliveries were not tried."""
        return self.planned - self.tried - self.skipped - len(self.still_not_found)
