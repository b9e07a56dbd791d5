"""Which contacts a run has reached with the message that it is at: eight bytes each, however many they are."""

from array import array

_EMPTY = 0  # no hash is taken to be it


_FIRST_SIZE = 1024  # slots; a power of two


class ReachedContacts:
    """A set of hashes in one array, half of which is free. It forgets everything when another revision begins.

    A run goes through its plan message by message, and a contact may get every message.
    """

    def __init__(self) -> None:
        self._revision: tuple[str, int] | None = None
        self._slots: array[int] = array("Q")
        self._count = 0

    def add(self, message: str, revision: int, contact: str) -> bool:
        """Whether the contact is new to this revision of a message; from now on it is not."""
        if (message, revision) != self._revision:
            self._revision = (message, revision)
            self._begin()
        if not self._put(hash(contact) & 0xFFFF_FFFF_FFFF_FFFF or 1):
            return False
        self._count += 1
        if 2 * self._count > len(self._slots):
            old, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
            for value in old:
                if value != _EMPTY:
                    self._put(value)
        return True

    def _begin(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SIZE))
        self._count = 0

    def _put(self, value: int) -> bool:
        slots, last = self._slots, len(self._slots) - 1
        at = value & last
        while (found := slots[at]) != _EMPTY:
            if found == value:
                return False
            at = at + 1 & last
        slots[at] = value
        return True
