"""The parts of conversations: what contacts replied to the message that opened one."""

import threading
from dataclasses import dataclass

from runner.sandbox.state_file import StateFile

_FIRST_ID = 7001


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `at` is in Unix seconds. `author_type` is the role of the contact: `user` or `lead`."""

    id: str
    conversation: str
    at: float
    part_type: str
    author_type: str
    author_id: str
    body: str


class ConversationParts:
    """Stores parts, and finds them by conversation."""

    def __init__(self, state: StateFile) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._by_conversation: dict[str, list[Part]] = {}
        self._last_replied_at: dict[str, int] = {}
        self._next_id = _FIRST_ID
        for document in state.read():
            part = _parse_part(document.get("part"))
            if part is not None:
                self._add(part)

    def create(
        self, conversation: str, at: float, *, part_type: str, author_type: str, author_id: str, body: str
    ) -> Part:
        """Creates a part with the next id, stores it and returns it.

        Raises ConnectionAbortedError if the sandbox is closed.
        """
        with self._lock:
            part = Part(str(self._next_id), conversation, at, part_type, author_type, author_id, body)
            self._state.append(part, "part")
            self._add(part)
            return part

    def add_stored(self, document: dict[str, object]) -> None:
        """Adds what the state file has, if it is a part that is new here."""
        part = _parse_part(document.get("part"))
        if part is None:
            return
        with self._lock:
            if all(part.id != known.id for known in self._by_conversation.get(part.conversation, ())):
                self._add(part)

    def count(self) -> int:
        """Returns the number of all parts."""
        with self._lock:
            return sum(map(len, self._by_conversation.values()))

    def _add(self, part: Part) -> None:
        self._next_id = max(self._next_id, int(part.id) + 1)
        self._by_conversation.setdefault(part.conversation, []).append(part)
        self._last_replied_at[part.author_id] = int(part.at)

    def find(self, conversation: str | None) -> list[Part]:
        """Returns the parts of a conversation, oldest first; none if there is no conversation."""
        return list(self._by_conversation.get(conversation or "", ()))

    def last_replied(self, contact: str) -> int | None:
        """Returns when a contact last replied; None if it never did."""
        return self._last_replied_at.get(contact)


def _parse_part(document: object) -> Part | None:
    if not isinstance(document, dict):
        return None
    try:
        part = Part(**document)
        int(part.id)
    except (ValueError, TypeError):
        return None
    return part
