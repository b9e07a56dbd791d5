"""Tables of keys of 16 bytes, and lists of texts, for plans of a million deliveries: no Python object for each.

A key takes 24 bytes, and a text 8 more than it has. The table uses open addressing with linear probing. Keys are
hashes, so their bytes are evenly distributed already.
"""

from array import array
from collections.abc import Iterable, Iterator
from struct import iter_unpack
from typing import Self

KEY_SIZE = 16  # bytes of a key, which the ledger writes as 32 hex digits
_KEY_FORMAT = f"{KEY_SIZE}s"
_MAX_LOAD = 2 / 3  # part of the slots; with more, the probe sequences get long
_MIN_SIZE = 1 << 10  # slots, or keys
_GROWTH_SHIFT = 2  # the list of keys grows by a quarter: its size shifted by 2


class TextList:
    """Texts in the order in which they were added."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")  # where each text ends

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, row: int) -> str:
        """Returns the text of a row, counted from 0."""
        return self._bytes[self._ends[row - 1] if row else 0 : self._ends[row]].decode()

    def __iter__(self) -> Iterator[str]:
        return map(self.__getitem__, range(len(self._ends)))

    def add(self, text: str) -> None:
        """Adds a text at the end."""
        self._bytes += text.encode()
        self._ends.append(len(self._bytes))

    def extend(self, other: "TextList") -> None:
        """Adds the texts of another list at the end."""
        start = len(self._bytes)
        self._bytes += other._bytes  # noqa: SLF001  # of its own class
        self._ends.extend(start + end for end in other._ends)  # noqa: SLF001


class KeyList:
    """Keys in the order in which they were added. A key may be in it twice: adding does not check that."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __iter__(self) -> Iterator[bytes]:
        return (key for (key,) in iter_unpack(_KEY_FORMAT, bytes(self._bytes)))

    def add(self, key: bytes) -> None:
        """Adds a key at the end."""
        self._bytes += key


class KeyTable:
    """Keys in the order in which they were added, each once. `slots` is a power of 2."""

    def __init__(self, slots: int = _MIN_SIZE, room: int = _MIN_SIZE) -> None:
        self._bytes = bytearray(room * KEY_SIZE)
        self._count = 0
        self._slots = array("I", bytes(4 * slots))  # each slot is the row + 1, or 0 if it is free
        self._mask, self._max_count = slots - 1, int(slots * _MAX_LOAD)

    @classmethod
    def with_room_for(cls, expected: int) -> Self:
        """Returns a table that need not grow for the expected number of keys.

        Growing in small steps would leave unused memory, in the end as large as the table.
        """
        return cls(1 << (max(_MIN_SIZE, int(expected / _MAX_LOAD)) - 1).bit_length(), max(_MIN_SIZE, expected))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> bytes:
        """Returns the key of a row, counted from 0."""
        return bytes(self._bytes[row * KEY_SIZE : row * KEY_SIZE + KEY_SIZE])

    def __iter__(self) -> Iterator[bytes]:
        return map(self.__getitem__, range(self._count))

    def __contains__(self, key: bytes) -> bool:
        return self.row_of(key) is not None

    def add(self, key: bytes) -> int:
        """Returns the row of a key, which is added if it is new. The row of a new key is the number of keys before."""
        slots, key_bytes, mask = self._slots, self._bytes, self._mask
        slot = hash(key) & mask
        while entry := slots[slot]:
            if key_bytes[entry * KEY_SIZE - KEY_SIZE : entry * KEY_SIZE] == key:
                return entry - 1
            slot = (slot + 1) & mask
        row = self._count
        if row == self._max_count:
            self._double_slots()
            slot = self._find_free_slot(key)
        self._slots[slot] = self._count = row + 1
        if len(key_bytes) == row * KEY_SIZE:
            key_bytes += bytes(len(key_bytes) >> _GROWTH_SHIFT)
        key_bytes[row * KEY_SIZE : row * KEY_SIZE + KEY_SIZE] = key
        return row

    def extend_if_new(self, keys: Iterable[bytes]) -> bool:
        """Adds keys that are new. Stops at the first one that is not, and returns False."""
        add = self.add
        return all(add(key) == row for row, key in enumerate(keys, self._count))

    def add_if_new(self, key: bytes) -> bool:
        """Adds a key if it is new. Returns whether it was."""
        before = self._count
        return self.add(key) == before

    def row_of(self, key: bytes) -> int | None:
        """Returns the row of a key; None if it is not in the table."""
        slots, key_bytes, mask = self._slots, self._bytes, self._mask
        slot = hash(key) & mask
        while entry := slots[slot]:
            if key_bytes[entry * KEY_SIZE - KEY_SIZE : entry * KEY_SIZE] == key:
                return entry - 1
            slot = (slot + 1) & mask
        return None

    def _double_slots(self) -> None:
        size = 2 * len(self._slots)
        slots, mask = array("I", bytes(4 * size)), size - 1
        with memoryview(self._bytes) as key_bytes:
            for entry, (key,) in enumerate(iter_unpack(_KEY_FORMAT, key_bytes[: self._count * KEY_SIZE]), 1):
                slot = hash(key) & mask
                while slots[slot]:
                    slot = (slot + 1) & mask
                slots[slot] = entry
        self._slots, self._mask, self._max_count = slots, mask, int(size * _MAX_LOAD)

    def _find_free_slot(self, key: bytes) -> int:
        slot = hash(key) & self._mask
        while self._slots[slot]:
            slot = (slot + 1) & self._mask
        return slot
