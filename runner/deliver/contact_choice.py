"""Chooses the contact in Intercom that a declared recipient stands for: exactly one, or a refusal with its reason."""

from dataclasses import dataclass

from runner.declare.delivery import Delivery
from runner.intercom.contact import Contact
from runner.ledger.record import CONTACT_NOT_FOUND

_MAX_LISTED = 10  # contacts that a refusal lists


@dataclass(frozen=True, slots=True)
class ChosenContact:
    """The contact to send to, and warnings about it."""

    contact: Contact
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoContact:
    """A refusal without a claim, because no contact fits or several do."""

    code: str
    message: str


def choose_contact(delivery: Delivery, contacts: list[Contact]) -> ChosenContact | NoContact:
    """Returns the contact to send to: of those with the declared role, the only one.

    If no contact has the role, all contacts are considered. Returns NoContact if there is none, or more than one.
    """
    role = "user" if delivery.payload["to"]["type"] == "user" else "lead"
    matching = [contact for contact in contacts if contact.role == role] or contacts
    kind, name = delivery.address[0], delivery.display_name
    if delivery.address != (delivery.kind, delivery.value):
        kind, name = f"{kind} of redirect", "the contact of redirect"
    if not matching:
        return NoContact(CONTACT_NOT_FOUND, f"no contact has this {kind}")
    if len(matching) > 1:
        ids = ", ".join(sorted(contact.id for contact in matching)[:_MAX_LISTED])
        ids += f" and {len(matching) - _MAX_LISTED} more" if len(matching) > _MAX_LISTED else ""
        return NoContact("contact_ambiguous", f"{len(matching)} contacts have this {kind}: {ids}")
    contact = matching[0]
    if contact.role == role:
        return ChosenContact(contact)
    return ChosenContact(contact, (f"{name} is declared as {role} and is a {contact.role}: sent as that",))
