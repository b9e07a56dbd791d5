"""What was sent: a set of facts about attempts, kept where it is hard to lose."""

from typing import Protocol

from runner.ledger.facts import Facts
from runner.ledger.record import Record


class Ledger(Protocol):
    """Where claims and outcomes live. Whoever has one holds it alone."""

    @property
    def facts(self) -> Facts:
        """Everything known when it was opened, and what was appended since."""
        ...

    def append(self, *records: Record) -> None:
        """Makes the records durable before it returns, and adds them to the facts. Raises LedgerUnavailable."""
        ...

    def write(self, *records: Record) -> None:
        """Makes the records durable before it returns; for a run, which keeps in mind itself what it must."""
        ...

    def pin(self, workspace: str) -> None:
        """Ties the ledger to a workspace, durably. Raises GuardRefused if it is tied to another."""
        ...
