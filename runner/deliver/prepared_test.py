"""A test: what one recipient would get, sent once to a contact of the own team, without a record in the ledger."""

from dataclasses import dataclass
from typing import Any

from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.declare.settings import Settings
from runner.deliver.contact_choice import prefer_role
from runner.errors import GuardRefused
from runner.intercom.contact import Contact
from runner.intercom.contact_search import ContactSearch
from runner.intercom.senders import look_up_senders
from runner.intercom.wire_format import build_body
from runner.intercom.workspace import Workspace

_MARK = "[Test] "  # begins the subject, or the body of an in-app message


@dataclass(frozen=True, slots=True)
class PreparedTest:
    """A test that can be sent: its JSON, the admin who sends it, and the contact that gets it."""

    body: dict[str, Any]
    sender_id: str
    contact: Contact


def prepare_test(
    declaration: Declaration, delivery: Delivery, email: str, workspace: Workspace, settings: Settings
) -> PreparedTest:
    """Looks sender and contact up. Raises GuardRefused if one of them is not exactly one, and RunStopped."""
    senders = look_up_senders(workspace, [declaration.sender])
    if senders.faults:
        raise GuardRefused(senders.faults[0].message, senders.faults[0].hint)
    contact = _find_contact(workspace, email)
    payload = {**delivery.payload, "to": {"type": "user" if contact.role == "user" else "contact", "id": contact.id}}
    marked = "subject" if "subject" in payload else "body"
    payload[marked] = f"{_MARK}{payload[marked]}"
    sender_id = declaration.sender.admin_id(senders.ids)
    return PreparedTest(build_body(payload, settings.api_version, sender_id=sender_id), sender_id, contact)


def _find_contact(workspace: Workspace, email: str) -> Contact:
    """Returns the contact with an email address: the only user, else the only lead."""
    contacts = ContactSearch(workspace).find("email", [email])[email]
    matching = prefer_role(contacts, "user")
    if len(matching) != 1:
        reason = f"{len(matching)} contacts have" if matching else "no contact has"
        hint = "merge them in Intercom" if matching else "create it in Intercom: Contacts, New user or lead"
        raise GuardRefused(f"{reason} the email address {email} in this workspace", hint)
    return matching[0]
