"""Which deliveries reached which Intercom contact, compact: 28 bytes a contact."""

import hashlib
from array import array

from runner.key_table import SIZE, Keys


class Contacts:
    """The rows (see `Facts`) of the deliveries to each contact."""

    def __init__(self) -> None:
        self._names = Keys()
        self._rows = array("I")
        self._others: dict[int, list[int]] = {}  # one delivery a contact is the rule

    def add(self, contact: str, row: int) -> None:
        """A delivery to a contact."""
        at = self._names.add(_hashed(contact))
        if at == len(self._rows):
            self._rows.append(row)
        else:
            self._others.setdefault(at, []).append(row)

    def rows(self, contact: str) -> list[int]:
        """The deliveries to a contact."""
        at = self._names.row(_hashed(contact))
        return [] if at is None else [self._rows[at], *self._others.get(at, ())]


def _hashed(contact: str) -> bytes:
    return hashlib.blake2b(contact.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()
