"""The interface of every kind of ledger."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from itertools import groupby, islice
from operator import attrgetter
from typing import Protocol, runtime_checkable

from runner.ledger.facts import Facts
from runner.ledger.mark import MoveMark
from runner.ledger.record import Header, Record

_MAX_NAMED, _MAX_NAME = 3, 200  # runs in a message, and characters of each


class Ledger(Protocol):
    """Stores claims and outcomes."""

    @property
    def facts(self) -> Facts:
        """The records that the ledger had when it was opened or refreshed, and those that `append` added.

        If the ledger does not exist, they are the records that this clone has of it.
        """
        ...

    @property
    def exists(self) -> bool:
        """Whether it was started."""
        ...

    def create(self, header: Header) -> None:
        """Starts the ledger with this header, unless another run was faster. Durable once `recover` returns.

        Raises GuardRefused, LedgerUnavailable.
        """
        ...

    def recover(self) -> int:
        """Writes the records and headers that the ledger lost and this clone or a git remote still has.

        Returns how many records it lacked. Raises GuardRefused, LedgerUnavailable.
        """
        ...

    def append(self, *records: Record) -> None:
        """Makes the records durable before it returns, and adds them to the facts. Raises LedgerUnavailable."""
        ...

    def commit(
        self, outcomes: Sequence[Record], claims: Sequence[Record], limited: AbstractSet[str] = frozenset()
    ) -> AbstractSet[str]:
        """Makes the records durable before it returns, but does not add them to the facts: a run keeps what it needs.

        Returns the attempts that must not be POSTed: those of claims that another run made first, and of earlier claims
        of this run that others settled since. `limited` are attempts of claims for which `frequency` holds. One is not
        claimed if another run has sent to its contact since the ledger was read, or is about to: what the plan counted
        is out of date. Raises LedgerUnavailable if no claim is durable, ClaimsUncertain if some may be.
        """
        ...

    def write_header(self, header: Header) -> MoveMark:
        """Adds a header durably, unless the ledger says the same already or a higher mark than the header's holds.

        Returns the mark that holds. A ledger whose mark is not `current` takes no claim: this is checked in the same
        step as each claim. Raises GuardRefused if the header contradicts the ledger's workspace, id or salt, and
        LedgerUnavailable.
        """
        ...

    def refresh(self) -> None:
        """Reads all records again. `facts` is a new object afterwards; the former one does not change."""
        ...

    def forget(self, keys: AbstractSet[str]) -> int:
        """Removes what the records of these keys say of their recipients (`Record.without_recipient`), and reads again.

        Returns the number of records that changed. Raises GuardRefused, LedgerUnavailable.
        """
        ...

    def compact(self) -> tuple[int, int]:
        """Removes the records that a later one of their attempt replaces.

        Returns the number of lines before and after. Raises GuardRefused, LedgerUnavailable.
        """
        ...


@runtime_checkable
class SharedLedger(Ledger, Protocol):
    """A ledger that several runs may write to at the same time."""

    @property
    def max_batch(self) -> int:
        """Upper bound of claims without an outcome: a runner that vanishes leaves so many deliveries unknown."""
        ...

    @property
    def has_valid_claims(self) -> bool:
        """Whether no other run may settle the claims of this run. Asked immediately before every POST."""
        ...

    def other_runs(self, messages: list[str]) -> Counter[str]:
        """Counts the deliveries of these messages that other live runs are sending, by the name of the run.

        A branch takes a run for alive for two minutes after its claim. Raises LedgerUnavailable.
        """
        ...


class LedgerLocation(Protocol):
    """Where a ledger is: reads it without a lock, and opens it to write."""

    def read(self) -> Facts | None:
        """Returns its records, read without a lock; None if no ledger was started there.

        Raises GuardRefused, LedgerUnavailable.
        """
        ...

    def open(self, command: str, commits: Sequence[tuple[str, str]] = ()) -> AbstractContextManager[Ledger]:
        """Opens the ledger to write, whether it exists or not; closed when the context ends. Nothing is written yet.

        `command` names who writes. `commits` are of the remotes' branches, each with a name for messages: a lockfile
        gets the records that it has there. Raises GuardRefused, LedgerUnavailable.
        """
        ...


_BATCH_SIZE = 20_000  # records that are appended at once


def name_runs(names: Collection[str]) -> str:
    """Returns the names of the first runs, and how many more there are. Who writes to the ledger may make them long."""
    more = [f"{len(names) - _MAX_NAMED:,} more"] if len(names) > _MAX_NAMED else []
    return "; ".join([*(name[:_MAX_NAME] for name in islice(names, _MAX_NAMED)), *more])


def find_missing_records(known: Facts, current: Facts) -> Iterator[Record]:
    """Yields the known records that the current facts lack, sorted by key and attempt.

    A record is not missing if the current facts have one of the same attempt with a higher rank.
    """
    for key, records in groupby(known.sorted_records(), attrgetter("key")):
        own_records = defaultdict[str, list[Record]](list)
        for record in current.records_of(key):
            own_records[record.attempt].append(record)
        for record in records:
            if not any(own == record or own.rank > record.rank for own in own_records[record.attempt]):
                yield record


def count_missing_records(known: Facts, current: Facts) -> int:
    """Returns how many of the known records the current facts lack."""
    return sum(1 for _ in find_missing_records(known, current))


def append_missing(ledger: Ledger, known: Facts) -> int:
    """Appends the known records that the ledger lacks. Returns their number. Raises LedgerUnavailable."""
    missing, count = find_missing_records(known, ledger.facts), 0
    while batch := list(islice(missing, _BATCH_SIZE)):
        ledger.append(*batch)
        count += len(batch)
    return count


def pin_workspace(ledger: Ledger, workspace: str) -> None:
    """Records durably that the ledger belongs to a workspace. Raises GuardRefused if it belongs to another."""
    ledger.write_header(Header(workspace))
