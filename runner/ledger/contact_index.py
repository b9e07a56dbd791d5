"""Which deliveries reached which Intercom contact, compact: 28 bytes a contact."""

import hashlib
from array import array

from runner.key_table import KEY_SIZE, KeyTable


class ContactIndex:
    """The rows (see `Facts`) of the deliveries to each contact."""

    def __init__(self) -> None:
        self._names = KeyTable()
        self._rows = array("I")
        self._others: dict[int, list[int]] = {}  # one delivery a contact is the rule

    def add(self, contact: str, row: int) -> None:
        """A delivery to a contact."""
        at = self._names.add(_hashed(contact))
        if at == len(self._rows):
            self._rows.append(row)
        else:
            self._others.setdefault(at, []).append(row)

    def rows_of(self, contact: str) -> list[int]:
        """The deliveries to a contact."""
        at = self._names.row_of(_hashed(contact))
        return [] if at is None else [self._rows[at], *self._others.get(at, ())]


def _hashed(contact: str) -> bytes:
    return hashlib.blake2b(contact.encode("utf-8", "surrogatepass"), digest_size=KEY_SIZE).digest()
