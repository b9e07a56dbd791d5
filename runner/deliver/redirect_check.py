"""Checks the contact of `redirect`, which gets every message of an environment."""

from runner.declare.address_search import Address
from runner.declare.audience.recipient import contact_role
from runner.declare.recipient_rules import RecipientPolicy, Redirect
from runner.deliver.contact_choice import choose_contact
from runner.deliver.contact_lookup import ContactLookup
from runner.errors import Place
from runner.plan.guards import Guard, unknown_redirect_guard


def find_redirect_guard(lookup: ContactLookup, redirect: Redirect, place: Place) -> Guard | None:
    """Returns a guard if the contact of `redirect` is not exactly one; None if it is. Raises RunStopped.

    `place` is that of `redirect` in msgrun.yaml.
    """
    address = Address(redirect.kind, redirect.value)
    (_, contacts), *_ = lookup.find(iter([address]), lambda item: item, 1)
    choice = choose_contact(contact_role(redirect.role), redirect.kind, contacts, RecipientPolicy(), is_email=False)
    match choice.code:
        case "contact_not_found":
            message = choice.reason
            hint = "correct it, or create the contact in Intercom, whose search may lack a new one for minutes"
        case "contact_ambiguous":
            message = f"{choice.reason}: {choice.detail}"
            hint = f"name one by its id, as redirect: {{type: {redirect.role}, id: {contacts[0].id}}}"
        case _:
            return None
    return unknown_redirect_guard(str(place), message, hint)
