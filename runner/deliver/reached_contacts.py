"""The contacts that a run has reached with its current message, as a set that takes few bytes for each."""

from array import array

_EMPTY = 0  # marks a free slot; add() replaces a hash of 0 by 1
_FIRST_SIZE = 1024  # slots; a power of two


class ReachedContacts:
    """A set of 8-byte hashes in one array, at least half of which is free. It is cleared when another revision begins.

    A run goes through its plan message by message, and a contact may get every message.
    """

    def __init__(self) -> None:
        self._revision: tuple[str, int] | None = None
        self._slots: array[int] = array("Q")
        self._count = 0

    def add(self, message: str, revision: int, contact: str) -> bool:
        """Adds a contact that this revision of a message reached. Returns whether it is new."""
        if (message, revision) != self._revision:
            self._revision = (message, revision)
            self._clear()
        if not self._insert(hash(contact) & 0xFFFF_FFFF_FFFF_FFFF or 1):
            return False
        self._count += 1
        if 2 * self._count > len(self._slots):
            old, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
            for value in old:
                if value != _EMPTY:
                    self._insert(value)
        return True

    def _clear(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SIZE))
        self._count = 0

    def _insert(self, value: int) -> bool:
        """Inserts a hash by linear probing. Returns whether it is new."""
        slots, mask = self._slots, len(self._slots) - 1
        index = value & mask
        while (stored := slots[index]) != _EMPTY:
            if stored == value:
                return False
            index = index + 1 & mask
        slots[index] = value
        return True
