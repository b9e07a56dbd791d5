"""Leaves out the contacts that have not the subscription which a message requires."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from runner.deliver.contact_cache import ContactCache
from runner.deliver.contact_choice import ContactChoice
from runner.deliver.threads import ThreadPool
from runner.intercom.subscriptions import SubscriptionType, read_choices
from runner.intercom.workspace import Workspace

NOT_SUBSCRIBED = "contact_not_subscribed"
_MAX_REQUESTS = 32  # at once: enough for a limit of 10,000 requests a minute at 150 ms each
Row = TypeVar("Row")


@dataclass(slots=True, eq=False)
class _Answer:
    """The types that a contact chose or left; None if there is no such contact, or until it `is_done`."""

    contact_id: str
    choices: frozenset[str] | None
    is_done: bool


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
        self._open: dict[str, _Answer] = {}  # by the contact's id: requests without an answer
        self._threads: ThreadPool[_Answer] = ThreadPool(_MAX_REQUESTS)

    def filter(
        self, rows: Iterator[tuple[Row, ContactChoice | None]], name: str, wanted: int
    ) -> Iterator[tuple[Row, ContactChoice | None]]:
        """Yields the recipients in order, and excludes those whose contact is not subscribed to the type `name`.

        `wanted` is how many recipients the caller needs: rows are read ahead of those that were yielded. An empty name
        excludes none. Raises RunStopped.
        """
        if not name:
            yield from rows
            return
        required = self._types[name]
        window: deque[tuple[Row, ContactChoice | None, _Answer | None]] = deque()
        while True:
            while len(window) < min(_MAX_REQUESTS, wanted) and (item := next(rows, None)):
                window.append((*item, self._ask(item[1])))
            if not window:
                return
            row, choice, answer = window.popleft()
            while answer and not answer.is_done:
                self._poll()
                for done in self._threads.collect():
                    self._keep(done)
            yield row, _decide(choice, required, answer.choices) if choice and answer else choice

    def close(self) -> None:
        """Lets the threads end."""
        self._threads.close()

    def _ask(self, choice: ContactChoice | None) -> _Answer | None:
        """Returns the answer for the contact of a recipient, which may come later; None if there is no contact."""
        if choice is None or choice.contact is None:
            return None
        contact_id = choice.contact.id
        if contact_id in self._open:  # several recipients may be one contact
            return self._open[contact_id]
        choices = self._cache.get_choices(contact_id)
        answer = _Answer(contact_id, choices, is_done=choices is not None)
        if not answer.is_done:
            self._open[contact_id] = answer
            self._threads.start(partial(self._look_up, answer))
        return answer

    def _look_up(self, answer: _Answer) -> _Answer:
        """Runs in a thread."""
        answer.choices = read_choices(self._workspace, answer.contact_id)
        return answer

    def _keep(self, answer: _Answer) -> None:
        answer.is_done = True
        del self._open[answer.contact_id]
        if answer.choices is not None:
            self._cache.add_choices(answer.contact_id, answer.choices)


def _decide(choice: ContactChoice, required: SubscriptionType, choices: frozenset[str] | None) -> ContactChoice:
    if choices is not None and required.allows(choices):
        return choice
    if choices is None:
        reason = "without subscriptions that can be read: it was removed or merged a moment ago"
    else:
        reason = f"{'not opted in to' if required.needs_opt_in else 'opted out of'} {required.name}"
    return ContactChoice("excluded", None, NOT_SUBSCRIBED, reason)
