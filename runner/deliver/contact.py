"""Who a declared recipient is in Intercom: exactly one contact, or a refusal that says why not."""

from dataclasses import dataclass

from runner.declare.delivery import Delivery
from runner.intercom.wire_format import Contact
from runner.ledger.record import CONTACT_NOT_FOUND


@dataclass(frozen=True, slots=True)
class ChosenContact:
    """The one contact, and what is odd about it."""

    contact: Contact
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoContact:
    """None, or several: a refusal without a claim."""

    code: str
    message: str


def choose_contact(delivery: Delivery, found: list[Contact]) -> ChosenContact | NoContact:
    """The contact to send to: of those found, the ones with the declared role if there are any, else all; then one."""
    role = "user" if delivery.payload["to"]["type"] == "user" else "lead"
    matching = [contact for contact in found if contact.role == role] or found
    if not matching:
        return NoContact(CONTACT_NOT_FOUND, f"no contact has this {delivery.kind}")
    if len(matching) > 1:
        ids = ", ".join(sorted(contact.id for contact in matching))
        return NoContact("contact_ambiguous", f"{len(matching)} contacts have this {delivery.kind}: {ids}")
    contact = matching[0]
    if contact.role == role:
        return ChosenContact(contact)
    return ChosenContact(
        contact, (f"{delivery.display_name} is declared as {role} and is a {contact.role}: sent as that",)
    )
