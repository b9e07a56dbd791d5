"""An index from each Intercom contact to the deliveries that reached it, in 28 bytes a contact."""

import hashlib
from array import array

from runner.key_table import KEY_SIZE, KeyTable


class ContactIndex:
    """The deliveries to each contact. A delivery is given by its row in the `FactIndex`."""

    def __init__(self) -> None:
        self._hashes = KeyTable()
        self._rows = array("I")
        self._more_rows: dict[int, list[int]] = {}  # most contacts have one delivery only

    def add(self, contact: str, row: int) -> None:
        """Adds a delivery, given by its row, to a contact."""
        number = self._hashes.add(hash_contact(contact))
        if number == len(self._rows):
            self._rows.append(row)
        else:
            self._more_rows.setdefault(number, []).append(row)

    def rows_of(self, contact: str) -> list[int]:
        """Returns the rows of the deliveries to a contact; empty if there are none."""
        number = self._hashes.row_of(hash_contact(contact))
        return [] if number is None else [self._rows[number], *self._more_rows.get(number, ())]


def hash_contact(contact: str) -> bytes:
    """Returns a key for a contact, as tables of keys have them."""
    return hashlib.blake2b(contact.encode("utf-8", "surrogatepass"), digest_size=KEY_SIZE).digest()
