"""An index from each Intercom contact to the deliveries that reached it: 28 bytes a contact, and 8 a delivery."""

import hashlib
from array import array

from runner.key_table import KEY_SIZE, KeyTable
from runner.ledger.fact_index import FactIndex


class ContactIndex:
    """The deliveries to each contact. A delivery is given by its row in the `FactIndex`."""

    def __init__(self) -> None:
        self._hashes = KeyTable()
        self._last = array("I")  # of each contact: the number of its last delivery, counted from 1
        self._rows = array("I")
        self._previous = array("I")  # of each delivery: the number of the one before it to the same contact, or 0

    def add(self, contact: str, row: int) -> None:
        """Adds a delivery, given by its row, to a contact."""
        number = self._hashes.add(hash_contact(contact))
        if number == len(self._last):
            self._last.append(0)
        self._rows.append(row)
        self._previous.append(self._last[number])
        self._last[number] = len(self._rows)

    def rows_of(self, contact: str) -> list[int]:
        """Returns the rows of the deliveries to a contact, the last one first; empty if there are none."""
        number, rows = self._hashes.row_of(hash_contact(contact)), list[int]()
        delivery = 0 if number is None else self._last[number]
        while delivery:
            rows.append(self._rows[delivery - 1])
            delivery = self._previous[delivery - 1]
        return rows


def index_contacts(index: FactIndex, message: str, revision: int) -> ContactIndex:
    """Returns the deliveries of one revision of a message that reached, or may have reached, each contact."""
    contacts = ContactIndex()
    for row in index.rows_of(message, revision):
        if index.status(row) in {"sent", "unknown"}:
            facts = (fact for fact in index.facts(row) if index.groups[fact.group_number][1:3] == (message, revision))
            for contact in {index.read_contact(fact) for fact in facts} - {""}:
                contacts.add(contact, row)
    return contacts


def hash_contact(contact: str) -> bytes:
    """Returns a key for a contact, as tables of keys have them."""
    return hashlib.blake2b(contact.encode("utf-8", "surrogatepass"), digest_size=KEY_SIZE).digest()
