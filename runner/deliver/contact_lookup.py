"""Looks up the contacts of many recipients, several batches at once, and yields them in order."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from runner.declare.address_search import Address
from runner.declare.audience.recipient import IdentifierKind
from runner.deliver.contact_cache import ContactCache
from runner.deliver.threads import ThreadPool
from runner.intercom.contact import Contact
from runner.intercom.contact_search import ContactSearch
from runner.intercom.workspace import Workspace

_MAX_BATCHES = 8  # that are looked up at once: enough for a limit of 10,000 requests a minute at 50 ms each
_MAX_ROWS = 1000  # recipients of a batch, most of which need no request


Row = TypeVar("Row")


@dataclass(slots=True, eq=False)
class _Batch(Generic[Row]):
    """Some rows with their addresses, those that are `missing` in the cache, and their `contacts` in Intercom."""

    rows: list[tuple[Row, Address | None]] = field(default_factory=list)
    missing: dict[IdentifierKind, list[str]] = field(default_factory=dict)
    contacts: dict[Address, Sequence[Contact]] = field(default_factory=dict)
    is_done: bool = False


class ContactLookup:
    """The contacts of recipients, from the cache or from Intercom: one search for each `batch_size` addresses.

    `poll` is called for each batch and while it waits, and raises what ends the check.
    """

    def __init__(self, workspace: Workspace, cache: ContactCache, poll: Callable[[], None] = lambda: None) -> None:
        self.cache = cache
        self._poll = poll
        self._workspace = workspace
        self._search = ContactSearch(workspace)
        self._threads: ThreadPool[_Batch[Any]] = ThreadPool(_MAX_BATCHES)

    def find(
        self, rows: Iterator[Row], address_of: Callable[[Row], Address | None], wanted: int
    ) -> Iterator[tuple[Row, Sequence[Contact]]]:
        """Yields each row with the contacts of its address, in order; with none if it has no address.

        `wanted` is how many contacts the caller needs at least: rows are read ahead of those that were yielded. Raises
        RunStopped.
        """
        window: deque[_Batch[Row]] = deque()
        batches = self._make_batches(rows, address_of)
        while True:
            ahead = min(_MAX_BATCHES, math.ceil(wanted / self._search.batch_size))
            while len(window) < max(1, ahead) and (batch := next(batches, None)):
                window.append(batch)
                if batch.missing:
                    self._threads.start(partial(self._look_up, batch))
                batch.is_done = not batch.missing
            if not window:
                return
            self._poll()
            while not window[0].is_done:
                self._poll()
                for done in self._threads.collect():
                    self._keep(done)
            batch = window.popleft()
            for row, address in batch.rows:
                if address is None:
                    yield row, ()
                elif address in batch.contacts:
                    yield row, batch.contacts[address]
                else:
                    yield row, self.cache.get(address.kind, address.value)

    def close(self) -> None:
        """Writes the cache, and lets the threads end."""
        self._threads.close()
        self.cache.save()

    def _make_batches(self, rows: Iterator[Row], address_of: Callable[[Row], Address | None]) -> Iterator[_Batch[Row]]:
        batch: _Batch[Row] = _Batch()
        for row in rows:
            address, missing = address_of(row), []
            batch.rows.append((row, address))
            if address and not self.cache.get(address.kind, address.value):
                missing = batch.missing.setdefault(address.kind, [])
                if address.value not in missing:
                    missing.append(address.value)
            if len(missing) >= self._search.batch_size or len(batch.rows) >= _MAX_ROWS:
                yield batch
                batch = _Batch()
        if batch.rows:
            yield batch

    def _look_up(self, batch: _Batch[Any]) -> _Batch[Any]:
        """Looks up what is missing; runs in a thread. A contact that no search finds may still be found by its id."""
        for kind, values in batch.missing.items():
            for value, contacts in self._search.find(kind, values).items():
                if kind == "id" and not contacts:
                    contact = self._workspace.find_contact(value)
                    contacts = [contact] if contact else []  # noqa: PLW2901
                batch.contacts[Address(kind, value)] = contacts
        return batch

    def _keep(self, batch: _Batch[Any]) -> None:
        batch.is_done = True
        for address, contacts in batch.contacts.items():
            self.cache.add(address.kind, address.value, contacts)
