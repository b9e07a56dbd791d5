"""The Protocol of every kind of ledger."""

from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Protocol

from runner.ledger.facts import Facts
from runner.ledger.rate_budget import PermitRequest
from runner.ledger.record import Record


class Ledger(Protocol):
    """Where claims and outcomes live. Others may have the same one at the same time, unless its kind forbids it."""

    @property
    def max_batch(self) -> int:
        """How many claims may be open at once; 1 where a claim costs little, and is made as its delivery starts."""
        ...

    @property
    def min_batch(self) -> int:
        """How few claims are worth a write of their own: a batch may shrink to it. `batch` where a write is dear."""
        ...

    @property
    def request_permits(self) -> Callable[[PermitRequest], int] | None:
        """Grants permits of the rate limit that all runs on it share; None where they only have Intercom's headers.

        Raises LedgerUnavailable. May be called from another thread than everything else.
        """
        ...

    @property
    def has_valid_claims(self) -> bool:
        """Whether what it let this run claim is still the run's alone; asked immediately before every POST."""
        ...

    @property
    def facts(self) -> Facts:
        """Everything known when it was opened, and what was appended since."""
        ...

    def append(self, *records: Record) -> None:
        """Makes the records durable before it returns, and adds them to the facts. Raises LedgerUnavailable."""
        ...

    def claimed_by_others(self, keys: list[str]) -> AbstractSet[str]:
        """Of these keys, those that others claimed or settled since it was read. A hint: only a claim is certain.

        Raises LedgerUnavailable.
        """
        ...

    def other_runs(self, messages: list[str]) -> Counter[str]:
        """How many deliveries of these messages other runs that live are sending, by what they are called.

        Empty where nobody can tell whether another run lives. Raises LedgerUnavailable.
        """
        ...

    def commit(self, *records: Record) -> AbstractSet[str]:
        """Makes the records durable before it returns; for a run, which keeps in mind itself what it must.

        Returns the attempts whose claims were left out, because somebody else was faster: they must not be POSTed.
        Raises LedgerUnavailable if nothing is certain to be durable; ClaimsLeft if claims may be.
        """
        ...

    def pin(self, workspace: str) -> None:
        """Ties the ledger to a workspace, durably. Raises GuardRefused if it is tied to another."""
        ...

    def mark_moved(self, to: str) -> None:
        """Notes where the ledger moved, durably; empty: it came back. Raises LedgerUnavailable."""
        ...

    def refresh(self) -> None:
        """Reads into the facts what was written since."""
        ...

    def write_rescue_file(self, records: list[Record]) -> Path:
        """Keeps outcomes that it did not take in a file, which the next run picks up. Raises LedgerUnavailable."""
        ...

    def compact(self) -> tuple[int, int]:
        """Drops what later facts of the same attempt replace; the number of lines before and after."""
        ...
