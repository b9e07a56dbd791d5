"""What the ledger knows of one recipient, whom the user names by an address."""

from runner.declare.address_search import Address
from runner.declare.keys_and_digests import delivery_key
from runner.ledger.facts import Facts
from runner.ledger.history import states_of_contacts
from runner.ledger.key_state import State


def find_states(facts: Facts, salt: str, address: Address) -> list[State]:
    """Returns the states of all deliveries to a recipient, the latest first.

    Deliveries under another address of the same person are included, if a record has Intercom's id of the contact. No
    declaration is needed, so a recipient that is no longer declared is found too.
    """
    states = _find_by_address(facts, salt, address)
    contacts = {record.recipient_contact for state in states for record in state.attempts} - {""}
    if address.kind == "id":
        contacts.add(address.value)
    for contact in contacts:
        states += _find_by_address(facts, salt, Address("id", contact))
    states += states_of_contacts(facts, contacts)
    by_key = {state.record.key: state for state in states}
    return sorted(by_key.values(), key=lambda state: (state.record.at, state.record.key), reverse=True)


def _find_by_address(facts: Facts, salt: str, address: Address) -> list[State]:
    """Returns the states of the deliveries whose key was made from this address, in any message and revision."""
    revisions = {(group.message, group.revision) for group in facts.index.groups}
    keys = (delivery_key(salt, name, revision, address.kind, address.value) for name, revision in revisions)
    return [state for key in keys if (state := facts.state(key))]
