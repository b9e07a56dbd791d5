"""A table of keys, 16 bytes each, that costs 24 bytes a key: what a million deliveries need, and no object for any.

Open addressing with linear probing; keys are hashes, so their bytes are spread already.
"""

from array import array
from collections.abc import Iterable, Iterator
from struct import iter_unpack

KEY_SIZE = 16  # bytes of a key: the 32 hex digits of section "Identity" of the contract


_KEY = f"{KEY_SIZE}s"


_FULL = 2 / 3  # of the slots; beyond it the probes get long


_SMALLEST = 1 << 10  # slots, or keys


_GROWTH = 2  # by a quarter


class KeyList:
    """Keys one after the other, which may come twice: for somebody else to look into."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __iter__(self) -> Iterator[bytes]:
        return (key for (key,) in iter_unpack(_KEY, bytes(self._bytes)))

    def add(self, key: bytes) -> None:
        """Adds a key behind the others."""
        self._bytes += key


class KeyTable:
    """Keys in the order in which they came, each once. `expected` keys fit without growing."""

    def __init__(self, expected: int = 0) -> None:
        # Whole from the start: what grows bit by bit leaves holes behind, in the end as large as itself.
        self._bytes = bytearray(max(_SMALLEST, expected) * KEY_SIZE)
        self._count = 0
        self._room(max(_SMALLEST, int(expected / _FULL)))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> bytes:
        """The key of a row, counted from 0."""
        return bytes(self._bytes[row * KEY_SIZE : row * KEY_SIZE + KEY_SIZE])

    def __iter__(self) -> Iterator[bytes]:
        return map(self.__getitem__, range(self._count))

    def __contains__(self, key: bytes) -> bool:
        return self.row_of(key) is not None

    def add(self, key: bytes) -> int:
        """The row of a key; it is a new one if that is how many there were."""
        slots, known, mask = self._slots, self._bytes, self._mask
        slot = hash(key) & mask
        while after := slots[slot]:
            if known[after * KEY_SIZE - KEY_SIZE : after * KEY_SIZE] == key:
                return after - 1
            slot = (slot + 1) & mask
        row = self._count
        if row == self._most:
            self._room(2 * len(slots))
            slot = self._free(key)
        self._slots[slot] = self._count = row + 1
        if len(known) == row * KEY_SIZE:
            known += bytes(len(known) >> _GROWTH)
        known[row * KEY_SIZE : row * KEY_SIZE + KEY_SIZE] = key
        return row

    def extend_if_new(self, keys: Iterable[bytes]) -> bool:
        """Adds keys that are new; stops and returns False at one that is not."""
        add = self.add
        return all(add(key) == row for row, key in enumerate(keys, self._count))

    def add_if_new(self, key: bytes) -> bool:
        """Adds a key; whether it was not there yet."""
        before = self._count
        return self.add(key) == before

    def row_of(self, key: bytes) -> int | None:
        """The row of a key, if it is there."""
        slots, known, mask = self._slots, self._bytes, self._mask
        slot = hash(key) & mask
        while after := slots[slot]:
            if known[after * KEY_SIZE - KEY_SIZE : after * KEY_SIZE] == key:
                return after - 1
            slot = (slot + 1) & mask
        return None

    def _room(self, slots: int) -> None:
        size = 1 << (slots - 1).bit_length()
        table = array("I", bytes(4 * size))  # the row + 1; 0 is a free slot
        mask = size - 1
        with memoryview(self._bytes) as known:
            for after, (key,) in enumerate(iter_unpack(_KEY, known[: self._count * KEY_SIZE]), 1):
                slot = hash(key) & mask
                while table[slot]:
                    slot = (slot + 1) & mask
                table[slot] = after
        self._slots, self._mask, self._most = table, mask, int(size * _FULL)

    def _free(self, key: bytes) -> int:
        slot = hash(key) & self._mask
        while self._slots[slot]:
            slot = (slot + 1) & self._mask
        return slot
