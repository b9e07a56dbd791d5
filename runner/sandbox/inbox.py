"""The inbox: all messages as a person looks at them, by page, search and contact, and the replies of contacts.

A command with `--sandbox` runs a sandbox of its own with the same state file; so what another one appended is read
before each answer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from runner.sandbox.answer import ApiError, raise_parameter_invalid
from runner.sandbox.contact import Contact
from runner.sandbox.contacts import Contacts
from runner.sandbox.conversation import get_author_id
from runner.sandbox.conversation_parts import ConversationParts
from runner.sandbox.message_store import Message, MessageStore
from runner.sandbox.state_file import StateFile
from runner.sandbox.workspace import Workspace

_PER_PAGE = 50
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, eq=False)
class Inbox:
    """Lists and shows the messages of a store, and lets their contacts reply."""

    state: StateFile
    store: MessageStore
    parts: ConversationParts
    contacts: Contacts
    workspace: Workspace

    def list_page(self, query: Mapping[str, str], now: float) -> dict[str, object]:
        """Returns one page, the newest first: those to `contact`, and with every word of `search`, if these are given.

        `version` is another one after each change. A query that names the current one as `since` gets nothing else.
        """
        self._read_added()
        messages = self.store.messages()
        version = f"{len(messages)}-{self.parts.count()}"
        if query.get("since") == version:
            return {"version": version}
        total = len(messages)
        if contact := query.get("contact"):
            messages = [message for message in messages if message.contact == contact]
        if words := query.get("search", "").lower().split():
            messages = [message for message in messages if self._contains(message, words, now)]
        pages = max(1, -(-len(messages) // _PER_PAGE))
        page = min(max(int(number), 1), pages) if _NUMBER.fullmatch(number := query.get("page", "")) else 1
        shown = messages[::-1][(page - 1) * _PER_PAGE : page * _PER_PAGE]
        return {
            "version": version,
            "total": total,
            "matched": len(messages),
            "page": page,
            "pages": pages,
            "messages": [self._summarize(message, now) for message in shown],
        }

    def show(self, message_id: str, now: float) -> dict[str, object]:
        """Returns one message with its payload and the parts of its conversation. Raises ApiError 404."""
        self._read_added()
        message = self._require(message_id)
        return {
            **self._summarize(message, now),
            "version": message.version,
            "conversation": message.conversation,
            "payload": message.payload,
            "parts": [
                {"at": part.at, "author_type": part.author_type, "body": part.body, "part_type": part.part_type}
                for part in self.parts.find(message.conversation)
            ],
        }

    def reply(self, message_id: str, payload: dict[str, object], now: float) -> dict[str, object]:
        """Lets the contact reply with `body`, which opens the conversation if nothing did. Raises ApiError."""
        self._read_added()
        body = payload.get("body")
        if not isinstance(body, str) or not body.strip():
            raise_parameter_invalid("Body is required", "body")
        message = self._require(message_id)
        contact = self._find_contact(message, now)
        is_first = message.conversation is None
        conversation = self.store.open_conversation(message, now)
        self.parts.create(
            conversation,
            now,
            part_type="open" if is_first else "comment",
            author_type=contact.role,
            author_id=contact.id,
            body=body,
        )
        return self.show(message_id, now)

    def _require(self, message_id: str) -> Message:
        message = self.store.find(message_id)
        if message is None:
            raise ApiError(404, "not_found", "there is no message with this id")
        return message

    def _read_added(self) -> None:
        for document in self.state.read_added():
            self.store.add_stored(document)
            self.parts.add_stored(document)

    def _find_contact(self, message: Message, now: float) -> Contact:
        """Returns the contact. One that another sandbox invented is known here once it is asked for by its email."""
        if message.email:
            self.contacts.find("email", message.email, now)
        elif message.external_id:
            self.contacts.find("user_id", message.external_id, now)
        return self.contacts.require(message.contact, now)

    def _contains(self, message: Message, words: list[str], now: float) -> bool:
        contact = self._find_contact(message, now)
        values = (contact.email, contact.external_id, contact.id, contact.name, message.payload.get("subject"))
        text = " ".join(str(value) for value in values if value).lower()
        return all(word in text for word in words)

    def _summarize(self, message: Message, now: float) -> dict[str, object]:
        contact, payload = self._find_contact(message, now), message.payload
        return {
            "id": message.id,
            "at": message.at,
            "message_type": payload.get("message_type"),
            "template": payload.get("template"),
            "subject": payload.get("subject"),
            "body": payload.get("body"),
            "from": self.workspace.get_author(get_author_id(message)).name,
            "contact": {
                "id": contact.id,
                "role": contact.role,
                "email": contact.email,
                "external_id": contact.external_id,
                "name": contact.name,
            },
            "replies": len(self.parts.find(message.conversation)),
        }
