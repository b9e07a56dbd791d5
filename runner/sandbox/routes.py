"""The routes of the API: which resource answers which method and path."""

from runner.sandbox.answer import ApiError, RouteResult
from runner.sandbox.api_call import Call
from runner.sandbox.api_version import Version
from runner.sandbox.contact import ContactDocuments
from runner.sandbox.contact_groups import ContactGroups
from runner.sandbox.contact_search import ContactSearch
from runner.sandbox.contacts import Contacts
from runner.sandbox.conversation_parts import ConversationParts
from runner.sandbox.conversations import Conversations
from runner.sandbox.groups import Groups
from runner.sandbox.message_store import MessageStore
from runner.sandbox.messages import Messages
from runner.sandbox.subscriptions import Subscriptions
from runner.sandbox.workspace import Workspace

_MERGES_SHOWN_SINCE = (2, 16)


class Routes:
    """Carries calls out. `search_lag` is in seconds."""

    def __init__(
        self,
        store: MessageStore,
        parts: ConversationParts,
        contacts: Contacts,
        workspace: Workspace,
        all_groups: Groups,
        subscriptions: Subscriptions,
        search_lag: float,
    ) -> None:
        documents = ContactDocuments(workspace.id_code, store.last_contacted, parts.last_replied)
        self._contacts = contacts
        self._documents = documents
        self._contact_search = ContactSearch(contacts, documents)
        self._subscriptions = subscriptions
        self._groups = groups = ContactGroups(workspace.id_code, contacts, documents, all_groups)
        self._conversations = Conversations(store, parts, contacts, workspace, search_lag)
        self._messages = Messages(store, parts, contacts, workspace)
        self._lists = {
            "me": workspace.show_me,
            "admins": workspace.list_admins,
            "segments": groups.list_segments,
            "tags": groups.list_tags,
            "subscription_types": subscriptions.list_types,
        }
        self._show_admin = workspace.show_admin

    def carry_out(self, call: Call, version: Version) -> RouteResult:
        """Returns the result of a call. Raises ApiError for a refusal, and 404 for a route that the sandbox lacks."""
        if call.segments == ("messages",) and call.method == "POST":
            return self._messages.send(call.json_object, version, call.now)
        collection, *rest = call.segments
        match collection:
            case "contacts":
                document = self._answer_contacts(call, rest, version)
            case "conversations":
                document = self._answer_conversations(call, rest, version)
            case "companies":
                document = self._answer_companies(call, rest)
            case "admins" if call.method == "GET" and len(rest) == 1:
                document = self._show_admin(rest[0])
            case _ if call.method == "GET" and not rest and collection in self._lists:
                document = self._lists[collection]()
            case _:
                document = None
        if document is None:
            raise ApiError(404, "not_found", "The requested resource was not found")
        return RouteResult(200, document)

    def _answer_contacts(self, call: Call, rest: list[str], version: Version) -> dict[str, object] | None:
        match call.method, *rest:
            case "POST", "search":
                return self._contact_search.search(call.json_object, call.now)
            case ["GET"]:
                return self._contact_search.list_all(call.query)
            case "GET", "find_by_external_id", external_id:
                return self._documents.build(self._contacts.require_user(external_id, call.now))
            case "GET", contact_id, *attached:
                shows_merges = version.is_at_least(*_MERGES_SHOWN_SINCE)
                contact = self._contacts.require(contact_id, call.now, shows_merges=shows_merges)
                match attached:
                    case []:
                        return self._documents.build(contact)
                    case ["subscriptions"]:
                        return self._subscriptions.list_chosen(contact)
        return None

    def _answer_conversations(self, call: Call, rest: list[str], version: Version) -> dict[str, object] | None:
        match call.method, *rest:
            case "POST", "search":
                return self._conversations.search(call.json_object, call.now, version)
            case ["GET"]:
                return self._conversations.list_all(call.query, call.now, version)
            case "GET", conversation:
                return self._conversations.show(conversation, call.now, version)
        return None

    def _answer_companies(self, call: Call, rest: list[str]) -> dict[str, object] | None:
        match call.method, *rest:
            case ["GET"]:
                return self._groups.list_companies(call.query)
            case "GET", company, "contacts":
                return self._groups.list_company_contacts(company, call.query)
        return None
