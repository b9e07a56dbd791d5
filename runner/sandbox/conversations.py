"""Conversations: searches, lists and single ones (reference, "Search conversations", 2.14).

A message opens one if it has `create_conversation_without_contact_reply`; else the contact's reply opens it. A search
finds a conversation `search_lag` seconds after it was opened; lists and single conversations show it at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.sandbox.answer import ApiError
from runner.sandbox.api_version import DEFAULT_VERSION, Version
from runner.sandbox.contacts import Contacts
from runner.sandbox.conversation import (
    build_author,
    build_conversation,
    build_part,
    get_author_id,
    shape_conversation,
)
from runner.sandbox.conversation_parts import ConversationParts, Part
from runner.sandbox.message_store import Message, MessageStore
from runner.sandbox.pagination import CONVERSATIONS_PER_PAGE, PageRequest, read_list_page, read_search_page
from runner.sandbox.search_fields import CHOICE_OPERATORS, TEXT_OPERATORS, FieldType, SearchFields
from runner.sandbox.search_query import Query, find_possible_values, matches, parse_query
from runner.sandbox.workspace import Workspace

# Those that msgrun asks for. No document says that dates are compared by day, as those of contacts are; `>` is "greater
# (or equal) than".
_FIELDS = SearchFields(
    types=dict.fromkeys(("id", "contact_ids", "source.id", "source.author.id"), FieldType.STRING)
    | {"created_at": FieldType.DATE},
    operators={FieldType.STRING: TEXT_OPERATORS, FieldType.DATE: CHOICE_OPERATORS | {">", "<"}},
    is_inclusive=True,
)


@dataclass(frozen=True, slots=True, eq=False)
class Conversations:
    """Searches, lists and shows the conversations of a store. `search_lag` is in seconds."""

    store: MessageStore
    parts: ConversationParts
    contacts: Contacts
    workspace: Workspace
    search_lag: float

    def search(self, body: dict[str, object], now: float, version: Version = DEFAULT_VERSION) -> dict[str, object]:
        """Returns one page of the conversations that match the query in `body`, newest first."""
        query = parse_query(body.get("query"), _FIELDS)
        page = read_search_page(body.get("pagination"), CONVERSATIONS_PER_PAGE)
        found = [
            message
            for message in self._list_candidates(query)
            if message.conversation_at is not None
            and message.conversation_at <= now - self.search_lag
            and matches(query, lambda field, message=message: _read_field(message, field))  # type: ignore[misc]
        ]
        return self._build_page(found, page, now, version)

    def list_all(
        self, parameters: Mapping[str, str], now: float, version: Version = DEFAULT_VERSION
    ) -> dict[str, object]:
        """Returns one page of all conversations, newest first: of one contact, with the parameter intercom_user_id."""
        contact = parameters.get("intercom_user_id")
        messages = self.store.find_opening_messages(None if contact is None else [contact])
        return self._build_page(messages, read_list_page(parameters, CONVERSATIONS_PER_PAGE), now, version)

    def show(self, conversation: str, now: float, version: Version = DEFAULT_VERSION) -> dict[str, object]:
        """Returns the document of GET /conversations/{id}, with its parts. Raises ApiError 404 for an unknown id."""
        message = self.store.find_opening_message(conversation)
        if message is None:
            raise ApiError(404, "not_found", "Resource Not Found")
        parts = self.parts.find(conversation)
        part_list = {
            "type": "conversation_part.list",
            "conversation_parts": [build_part(part, self._build_author(part, now)) for part in parts],
            "total_count": len(parts),
        }
        return {**self._build(message, parts, now, version), "conversation_parts": part_list}

    def _list_candidates(self, query: Query) -> Iterable[Message]:
        # A query that names its conversations must not go through those of all contacts.
        for field, find in (
            ("source.id", self.store.find),
            ("id", self.store.find_opening_message),
        ):
            values = find_possible_values(query, field)
            if values is not None:
                return [message for value in dict.fromkeys(values) if (message := find(value)) is not None]
        return self.store.find_opening_messages(find_possible_values(query, "contact_ids"))

    def _build_page(
        self, messages: Sequence[Message], page: PageRequest, now: float, version: Version
    ) -> dict[str, object]:
        return page.build_list(
            messages[::-1],
            lambda message: self._build(message, self.parts.find(message.conversation), now, version),
            "conversation.list",
            "conversations",
        )

    def _build(
        self, message: Message, parts: Sequence[Part], now: float, version: Version = DEFAULT_VERSION
    ) -> dict[str, object]:
        contact = self.contacts.require(message.contact, now)
        document = build_conversation(message, contact, self.workspace.get_author(get_author_id(message)), parts)
        return shape_conversation(document, message, contact, version)

    def _build_author(self, part: Part, now: float) -> dict[str, object]:
        contact = self.contacts.require(part.author_id, now)
        return build_author(part.author_type, contact.id, contact.name, contact.email)


def _read_field(message: Message, field: str) -> object:
    """Returns the value of a message that a search compares."""
    match field:
        case "contact_ids":
            return message.contact
        case "source.id":
            return message.id
        case "source.author.id":
            return get_author_id(message)
        case "created_at":
            return int(message.at)
        case _:
            return message.conversation
