"""The contacts that a run has reached with its current message."""

from runner.key_table import KeyTable
from runner.ledger.contact_index import hash_contact


class ReachedContacts:
    """A set of contacts in 40 bytes each. It is cleared when another revision begins.

    A run goes through its plan message by message, and a contact may get every message.
    """

    def __init__(self) -> None:
        self._revision: tuple[str, int] | None = None
        self._contacts = KeyTable()

    def add(self, message: str, revision: int, contact: str) -> bool:
        """Adds a contact that this revision of a message reached. Returns whether it is new."""
        if (message, revision) != self._revision:
            self._revision, self._contacts = (message, revision), KeyTable()
        return self._contacts.add_if_new(hash_contact(contact))
