"""The messages that the sandbox created. Times are Unix seconds."""

import threading
from dataclasses import dataclass, replace

from runner.sandbox.contact import Contact
from runner.sandbox.state_file import StateFile

FIRST_ID = 2001
_CONVERSATION_OFFSET = 500_000  # so that taking a message's id for a conversation's shows at once


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was sent, to the contact with the id `contact`.

    `payload` is as received. `conversation` is the id of the conversation that the message or the reply to it opens,
    at the time `conversation_at`; both are None if there is none. `email` and `external_id` are those of the contact.
    """

    id: str
    at: float
    contact: str
    version: str
    conversation: str | None
    payload: dict[str, object]
    conversation_at: float | None = None
    email: str | None = None
    external_id: str | None = None


class MessageStore:
    """Stores all messages, oldest first, and finds them by id, by conversation and by contact.

    `first_id` is the id of the first message.
    """

    def __init__(self, state: StateFile, first_id: int = FIRST_ID) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._messages: dict[str, Message] = {}
        self._by_conversation: dict[str, Message] = {}
        self._opening_by_contact: dict[str, list[Message]] = {}
        self._last_contacted_at: dict[str, float] = {}
        self._next_id = first_id
        for document in state.read():
            message = _parse_message(document)
            if message is not None:
                self._add(message)

    def create(
        self, at: float, contact: Contact, version: str, payload: dict[str, object], *, conversation_at: float | None
    ) -> Message:
        """Creates a message with the next id, stores it and returns it.

        Its conversation opens at `conversation_at`; never, if that is None. Raises ConnectionAbortedError if the
        sandbox is closed.
        """
        with self._lock:
            number = self._next_id
            conversation = None if conversation_at is None else str(number + _CONVERSATION_OFFSET)
            message = Message(
                id=str(number),
                at=at,
                contact=contact.id,
                version=version,
                conversation=conversation,
                payload=payload,
                conversation_at=conversation_at,
                email=contact.email,
                external_id=contact.external_id,
            )
            self._state.append(message)
            self._add(message)
            return message

    def open_conversation(self, message: Message, at: float) -> str:
        """Returns the id of the message's conversation. If it has none, it opens at `at`, and is stored with it."""
        with self._lock:
            message = self._messages[message.id]
            if message.conversation is not None:
                return message.conversation
            conversation = str(int(message.id) + _CONVERSATION_OFFSET)
            message = replace(message, conversation=conversation, conversation_at=at)
            self._state.append(message)
            self._add(message)
            return conversation

    def add_stored(self, document: dict[str, object]) -> None:
        """Adds what the state file has, if it is a message that is new here, or has a conversation only there."""
        message = _parse_message(document)
        if message is None:
            return
        with self._lock:
            known = self._messages.get(message.id)
            if known is None or (known.conversation is None and message.conversation is not None):
                self._add(message)

    def _add(self, message: Message) -> None:
        self._messages[message.id] = message
        self._next_id = max(self._next_id, int(message.id) + 1)
        self._last_contacted_at[message.contact] = message.at
        if message.conversation is not None:
            self._by_conversation[message.conversation] = message
            self._opening_by_contact.setdefault(message.contact, []).append(message)

    def messages(self) -> list[Message]:
        """Returns all messages, including those of earlier runs with the same file."""
        with self._lock:
            return list(self._messages.values())

    def find(self, message_id: str) -> Message | None:
        """Returns the message with an id, if there is one."""
        return self._messages.get(message_id)

    def find_opening_messages(self, contacts: list[str] | None = None) -> list[Message]:
        """Returns the messages that open a conversation: all, or those to the given contacts."""
        with self._lock:
            if contacts is None:
                return list(self._by_conversation.values())
            return [
                message for contact in dict.fromkeys(contacts) for message in self._opening_by_contact.get(contact, ())
            ]

    def find_opening_message(self, conversation: str) -> Message | None:
        """Returns the message that opens a conversation; None if the conversation is unknown."""
        return self._by_conversation.get(conversation)

    def last_contacted(self, contact: str) -> int | None:
        """Returns when the last message to a contact was sent; None if there is none."""
        contacted_at = self._last_contacted_at.get(contact)
        return None if contacted_at is None else int(contacted_at)


def _parse_message(document: dict[str, object]) -> Message | None:
    try:
        message = Message(**document)  # type: ignore[arg-type]
        int(message.id)
    except (ValueError, TypeError):
        return None
    return message
