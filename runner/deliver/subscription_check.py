"""Leaves out the contacts that have not the subscription which a message requires."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from runner.deliver.contact_cache import ContactCache
from runner.deliver.contact_choice import ContactChoice
from runner.deliver.threads import ThreadPool
from runner.intercom.lookups import Workspace
from runner.intercom.subscriptions import SubscriptionType, read_choices

NOT_SUBSCRIBED = "contact_not_subscribed"
_MAX_REQUESTS = 32  # at once: enough for a limit of 10,000 requests a minute at 150 ms each
_POLL_INTERVAL = 0.2  # seconds
Row = TypeVar("Row")


@dataclass(slots=True, eq=False)
class _Pending(Generic[Row]):
    """A recipient whose contact's subscriptions may still be looked up. `choices` is None if the contact is gone."""

    row: Row
    choice: ContactChoice | None
    choices: frozenset[str] | None = None
    is_done: bool = True


class SubscriptionCheck:
    """The subscriptions of contacts, from the cache or from Intercom: one request a contact.

    `types` are those that messages require, by name. `poll` is called while it waits, and raises what ends the check.
    """

    def __init__(
        self,
        workspace: Workspace,
        cache: ContactCache,
        types: Mapping[str, SubscriptionType],
        poll: Callable[[], None] = lambda: None,
    ) -> None:
        self._workspace = workspace
        self._cache = cache
        self._types = types
        self._poll = poll
        self._threads: ThreadPool[_Pending[Any]] = ThreadPool(_MAX_REQUESTS)

    def filter(
        self, rows: Iterator[tuple[Row, ContactChoice | None]], name: str, most: int
    ) -> Iterator[tuple[Row, ContactChoice | None]]:
        """Yields the recipients in order, and excludes those whose contact is not subscribed to the type `name`.

        `most` is how many recipients are wanted: rows are read ahead of those that were yielded. A name that is empty,
        or none of `types`, excludes none. Raises RunStopped.
        """
        required = self._types.get(name)
        if required is None:
            yield from rows
            return
        window: deque[_Pending[Row]] = deque()
        while True:
            while len(window) < min(_MAX_REQUESTS, most) and (item := next(rows, None)):
                window.append(self._begin(*item))
            if not window:
                return
            while not window[0].is_done:
                self._poll()
                for done in self._threads.collect(_POLL_INTERVAL):
                    self._keep(done)
            pending = window.popleft()
            choice = pending.choice
            if choice and choice.contact:
                choice = _decide(choice, required, pending.choices)
            yield pending.row, choice

    def close(self) -> None:
        """Lets the threads end."""
        self._threads.close()

    def _begin(self, row: Row, choice: ContactChoice | None) -> _Pending[Row]:
        pending = _Pending(row, choice)
        if choice and choice.contact:
            pending.choices = self._cache.get_choices(choice.contact.id)
            if pending.choices is None:
                pending.is_done = False
                self._threads.start(partial(self._look_up, pending, choice.contact.id))
        return pending

    def _look_up(self, pending: _Pending[Any], contact_id: str) -> _Pending[Any]:
        """Runs in a thread."""
        pending.choices = read_choices(self._workspace, contact_id)
        return pending

    def _keep(self, pending: _Pending[Any]) -> None:
        pending.is_done = True
        if pending.choices is not None and pending.choice and pending.choice.contact:
            self._cache.add_choices(pending.choice.contact.id, pending.choices)


def _decide(choice: ContactChoice, required: SubscriptionType, choices: frozenset[str] | None) -> ContactChoice:
    if choices is not None and required.allows(choices):
        return choice
    if choices is None:
        reason = "without subscriptions that can be read: it was removed or merged a moment ago"
    else:
        reason = f"{'not opted in to' if required.needs_opt_in else 'opted out of'} {required.name}"
    return ContactChoice("excluded", None, NOT_SUBSCRIBED, reason)
