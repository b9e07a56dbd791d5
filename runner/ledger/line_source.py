"""Lines that can be read in blocks, and one by one again by where they begin."""

import errno
import os
import stat
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

_BLOCK = 1 << 18  # bytes; larger ones leave the processor's cache


_PIECE, _PIECES = 8192, 8  # bytes of a piece of a sample, and how many there are at most, or one more


_USUAL = 1024  # bytes that most lines are shorter than


class LineSource(Protocol):
    """Where a ledger's lines stand. `size` in bytes."""

    size: int

    def blocks(self) -> Iterator[bytes]:
        """Everything, in pieces that know nothing of lines."""
        ...

    def line_at(self, offset: int) -> bytes:
        """The line that begins at `offset`, without its end."""
        ...

    def sample(self) -> bytes:
        """Some pieces from all over it, to judge the rest by."""
        ...


class BytesSource:
    """Lines in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def blocks(self) -> Iterator[bytes]:
        """Everything."""
        yield self._data

    def line_at(self, offset: int) -> bytes:
        """The line that begins at `offset`."""
        end = self._data.find(b"\n", offset)
        return self._data[offset : end if end >= 0 else None]

    def sample(self) -> bytes:
        """Some pieces."""
        return b"".join(self._data[at : at + _PIECE] for at in _places(self.size))


class FileSource:
    """The lines of a file as it is now. It stays open: what git or a compaction puts in its place is another file."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)
        about = os.fstat(self._descriptor)
        if stat.S_ISDIR(about.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        self.size = about.st_size

    def blocks(self) -> Iterator[bytes]:
        """Everything up to where the file ended when it was opened."""
        offset = 0
        while offset < self.size and (block := os.pread(self._descriptor, min(_BLOCK, self.size - offset), offset)):
            yield block
            offset += len(block)

    def line_at(self, offset: int) -> bytes:
        """The line that begins at `offset`."""
        size = _USUAL
        while True:
            data = os.pread(self._descriptor, min(size, self.size - offset), offset)
            end = data.find(b"\n")
            if end >= 0 or len(data) < size:
                return data[: end if end >= 0 else None]
            size *= 4

    def sample(self) -> bytes:
        """Some pieces."""
        return b"".join(os.pread(self._descriptor, _PIECE, at) for at in _places(self.size))


def _places(size: int) -> range:
    return range(0, size, max(_PIECE, size // _PIECES))
