"""The messages that the sandbox made, in memory and, where a file is named, as JSON lines that outlive it.

One line a message, appended in one write before the answer leaves, so that a killed sandbox never
forgets a message that a client was told of. Times are Unix seconds.
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


_CONVERSATION_OFFSET = 500_000  # so that taking one id for the other shows at once


@dataclass(frozen=True, slots=True)
class Message:
    """One message that went out; the payload as received, the conversation only where one was opened."""

    id: str
    at: float
    contact: str
    version: str
    conversation: str | None
    payload: dict[str, object]


class MessageStore:
    """All messages, oldest first, and the ways to find them again."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        self._opened: dict[str, Message] = {}
        self._opened_with: dict[str, list[Message]] = {}
        self._last: dict[str, float] = {}
        self._next = _FIRST_ID
        self._closed = False
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._load(path)
        self._file = None if path is None else _opened(path)

    def _load(self, path: Path) -> None:
        if not path.exists():
            return
        raw = path.read_bytes()
        for line in raw.splitlines():
            message = _read(line)
            if message is not None:
                self._keep(message)
        if raw and not raw.endswith(b"\n"):
            # A torn last line must not swallow the next message that is written.
            with path.open("ab") as file:
                file.write(b"\n")

    def create(
        self, at: float, contact: str, version: str, payload: dict[str, object], *, opens_conversation: bool
    ) -> Message:
        """Make one message: give it the next id and keep it."""
        with self._lock:
            if self._closed:
                # The client sees a lost connection, and rightly: nothing was made.
                raise ConnectionAbortedError("the sandbox is closed")
            number = self._next
            conversation = str(number + _CONVERSATION_OFFSET) if opens_conversation else None
            made = Message(str(number), at, contact, version, conversation, payload)
            if self._file is not None:
                self._file.write(encode_json(asdict(made)) + b"\n")
            self._keep(made)
            return made

    def _keep(self, message: Message) -> None:
        self._messages.append(message)
        self._next = max(self._next, int(message.id) + 1)
        self._last[message.contact] = message.at
        if message.conversation is not None:
            self._opened[message.conversation] = message
            self._opened_with.setdefault(message.contact, []).append(message)

    def messages(self) -> list[Message]:
        """List all messages, those of earlier runs on the same file included."""
        with self._lock:
            return list(self._messages)

    def find_opening_messages(self, contacts: list[str] | None = None) -> list[Message]:
        """List the messages that opened a conversation: all, or those with the contacts named."""
        with self._lock:
            if contacts is None:
                return list(self._opened.values())
            return [message for contact in dict.fromkeys(contacts) for message in self._opened_with.get(contact, ())]

    def find_opening_message(self, conversation: str) -> Message | None:
        """Find the message that opened a conversation."""
        return self._opened.get(conversation)

    def last_contacted(self, contact: str) -> int | None:
        """Tell when a contact was last sent something."""
        at = self._last.get(contact)
        return None if at is None else int(at)

    def close(self) -> None:
        """Close the file; no message can be made after it."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()


def _opened(path: Path) -> FileIO:
    """Open the file to append to; its owner alone may read it, for it holds addresses."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)  # one that was there before, too
    return FileIO(descriptor, "ab")


def _read(line: bytes) -> Message | None:
    try:
        document = json.loads(line)
        message = Message(**document)
        int(message.id)
    except (ValueError, TypeError):
        return None
    return message
