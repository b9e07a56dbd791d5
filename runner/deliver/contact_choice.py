"""Chooses the contact in Intercom that a declared recipient stands for, and what becomes of the recipient."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runner.declare.recipient_rules import CONTACT_FAULTS, EMAIL_FAULTS, RecipientPolicy, Rule
from runner.intercom.contact import Contact
from runner.plan.deliveries import Action

SAME_CONTACT = "same_contact"  # the code of a recipient whose contact gets, or got, this revision anyway
ALREADY_REACHED = "this contact was sent this revision already, under another address"

_MAX_LISTED = 10  # contacts that a reason lists
_ACTIONS: dict[Rule, Action] = {"refuse": "refused", "exclude": "excluded", "warn": "send"}  # the strictest first
_REASONS = {
    "merged": "merged into another contact",
    "archived": "archived or blocked in Intercom",
    "no_email": "without an email address",
    "unsubscribed": "unsubscribed from emails",
    "bounced": "with an address that bounced",
    "spam": "marked an email as spam",
}


@dataclass(frozen=True, slots=True)
class ContactChoice:
    """What becomes of a recipient: the action, and why, if its contact has a fault.

    `code` is `contact_` and the fault, `contact_not_subscribed`, SAME_CONTACT or `frequency`. `detail` is about this
    recipient alone. `contact` is the one to send to; None if the action is not `send`.
    """

    action: Action
    contact: Contact | None = None
    code: str = ""
    reason: str = ""
    detail: str = ""


def choose_contact(
    role: str, kind: str, contacts: Sequence[Contact], policy: RecipientPolicy, *, is_email: bool
) -> ContactChoice:
    """Returns what becomes of a recipient with the declared role (user or lead), whose address `contacts` have.

    The contact is the only one with the role or, if none has it, the only one of all. Of several faults, the one with
    the strictest rule decides.
    """
    matching = prefer_role(contacts, role)
    if not matching:
        return _refuse(policy, "not_found", f"no contact has this {kind}")
    if len(matching) > 1:
        ids = ", ".join(sorted(contact.id for contact in matching)[:_MAX_LISTED])
        ids += f" and {len(matching) - _MAX_LISTED} more" if len(matching) > _MAX_LISTED else ""
        return _refuse(policy, "ambiguous", f"several contacts have this {kind}", ids)
    contact = matching[0]
    faults = dict(_find_faults(contact, role, is_email=is_email))
    for rule, action in _ACTIONS.items():
        decisive = [fault for fault in faults if policy.rule(fault) == rule]
        if decisive:
            reason = "; ".join(faults[fault] for fault in decisive)
            return ContactChoice(action, contact if action == "send" else None, f"contact_{decisive[0]}", reason)
    return ContactChoice("send", contact)


def prefer_role(contacts: Sequence[Contact], role: str) -> list[Contact]:
    """Returns the contacts with a role or, if none has it, all of them."""
    return [contact for contact in contacts if contact.role == role] or list(contacts)


def _refuse(policy: RecipientPolicy, fault: str, reason: str, detail: str = "") -> ContactChoice:
    return ContactChoice(_ACTIONS[policy.rule(fault)], None, f"contact_{fault}", reason, detail)


def _find_faults(contact: Contact, role: str, *, is_email: bool) -> Iterator[tuple[str, str]]:
    """Yields the faults of a contact for a message, each with the reason that a person reads."""
    if contact.role != role:
        yield "other_role", f"declared as {role}, but a {contact.role} in Intercom"
    for fault in CONTACT_FAULTS:
        if fault in contact.faults and (is_email or fault not in EMAIL_FAULTS):
            yield fault, _REASONS[fault]
