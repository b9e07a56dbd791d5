"""The messages that the sandbox created: in memory and, if there is a file, as JSON lines that a later run reads.

Each message is one line. It is appended in one write before the answer is sent, so that a killed sandbox never forgets
a message that a client knows of. Times are Unix seconds.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from io import FileIO
from typing import TYPE_CHECKING

from runner.sandbox.answer import encode_json

if TYPE_CHECKING:
    from pathlib import Path


_FIRST_ID = 2001
_CONVERSATION_OFFSET = 500_000  # so that taking a message's id for a conversation's shows at once


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was sent, to the contact with the id `contact`.

    `payload` is as received. `conversation` is None if the message opened none.
    """

    id: str
    at: float
    contact: str
    version: str
    conversation: str | None
    payload: dict[str, object]


class MessageStore:
    """Stores all messages, oldest first, and finds them by conversation and by contact."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        self._by_conversation: dict[str, Message] = {}
        self._opening_by_contact: dict[str, list[Message]] = {}
        self._last_contacted_at: dict[str, float] = {}
        self._next_id = _FIRST_ID
        self._is_closed = False
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._load(path)
        self._file = None if path is None else _open_private(path)

    def _load(self, path: Path) -> None:
        if not path.exists():
            return
        content = path.read_bytes()
        for line in content.splitlines():
            message = _parse_message(line)
            if message is not None:
                self._add(message)
        if content and not content.endswith(b"\n"):
            # Otherwise the next message would be appended to the torn last line, and lost with it.
            with path.open("ab") as file:
                file.write(b"\n")

    def create(
        self, at: float, contact: str, version: str, payload: dict[str, object], *, opens_conversation: bool
    ) -> Message:
        """Creates a message with the next id, stores it and returns it.

        Raises ConnectionAbortedError if the store is closed.
        """
        with self._lock:
            if self._is_closed:
                # The client sees a lost connection, which is true: no message was created.
                raise ConnectionAbortedError("the sandbox is closed")
            number = self._next_id
            conversation = str(number + _CONVERSATION_OFFSET) if opens_conversation else None
            message = Message(str(number), at, contact, version, conversation, payload)
            if self._file is not None:
                self._file.write(encode_json(asdict(message)) + b"\n")
            self._add(message)
            return message

    def _add(self, message: Message) -> None:
        self._messages.append(message)
        self._next_id = max(self._next_id, int(message.id) + 1)
        self._last_contacted_at[message.contact] = message.at
        if message.conversation is not None:
            self._by_conversation[message.conversation] = message
            self._opening_by_contact.setdefault(message.contact, []).append(message)

    def messages(self) -> list[Message]:
        """Returns all messages, including those of earlier runs with the same file."""
        with self._lock:
            return list(self._messages)

    def find_opening_messages(self, contacts: list[str] | None = None) -> list[Message]:
        """Returns the messages that opened a conversation: all, or those to the given contacts."""
        with self._lock:
            if contacts is None:
                return list(self._by_conversation.values())
            return [
                message for contact in dict.fromkeys(contacts) for message in self._opening_by_contact.get(contact, ())
            ]

    def find_opening_message(self, conversation: str) -> Message | None:
        """Returns the message that opened a conversation; None if the conversation is unknown."""
        return self._by_conversation.get(conversation)

    def last_contacted(self, contact: str) -> int | None:
        """Returns when the last message to a contact was sent; None if there is none."""
        contacted_at = self._last_contacted_at.get(contact)
        return None if contacted_at is None else int(contacted_at)

    def close(self) -> None:
        """Closes the file. No message can be created after that."""
        with self._lock:
            self._is_closed = True
            if self._file is not None:
                self._file.close()


def _open_private(path: Path) -> FileIO:
    """Opens the file for appending. Only its owner may read it, because it contains addresses."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)  # os.open sets the mode of a new file only
    return FileIO(descriptor, "ab")


def _parse_message(line: bytes) -> Message | None:
    try:
        document = json.loads(line)
        message = Message(**document)
        int(message.id)
    except (ValueError, TypeError):
        return None
    return message
