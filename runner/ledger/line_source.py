"""Sources of lines: read once in blocks, and later line by line, each by the offset at which it begins."""

import errno
import os
import stat
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

_BLOCK_SIZE = 1 << 18  # bytes; larger blocks do not fit into the processor's cache
_PIECE_SIZE, _PIECE_COUNT = 8192, 8  # bytes of a piece of a sample; a sample has this many, or one more
_USUAL_LINE_SIZE = 1024  # bytes; most lines are shorter


class LineSource(Protocol):
    """A source of a ledger's lines. `size` is in bytes."""

    size: int

    def blocks(self) -> Iterator[bytes]:
        """Yields all bytes in blocks, which may end in the middle of a line."""
        ...

    def line_at(self, offset: int) -> bytes:
        """Returns the line that begins at `offset`, in bytes, without its line end."""
        ...

    def sample(self) -> bytes:
        """Returns some pieces from all over the source, from which the rest is estimated."""
        ...


class BytesSource:
    """Lines in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def blocks(self) -> Iterator[bytes]:
        """Yields all bytes as one block."""
        yield self._data

    def line_at(self, offset: int) -> bytes:
        """Returns the line that begins at `offset`, without its line end."""
        end = self._data.find(b"\n", offset)
        return self._data[offset : end if end >= 0 else None]

    def sample(self) -> bytes:
        """Returns some pieces from all over the source."""
        return b"".join(self._data[offset : offset + _PIECE_SIZE] for offset in _piece_offsets(self.size))


class FileSource:
    """The lines of a file, up to the size that it had when it was opened. Raises OSError if it cannot be opened.

    The file stays open: where git or a compaction puts another file in its place, this still reads the old one. But
    what an editor writes into the same file is read.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)
        status = os.fstat(self._descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        self.size = status.st_size

    def blocks(self) -> Iterator[bytes]:
        """Yields all bytes up to the end that the file had when it was opened."""
        offset = 0
        while offset < self.size and (
            block := os.pread(self._descriptor, min(_BLOCK_SIZE, self.size - offset), offset)
        ):
            yield block
            offset += len(block)

    def line_at(self, offset: int) -> bytes:
        """Returns the line that begins at `offset`, without its line end."""
        size = _USUAL_LINE_SIZE
        while True:
            data = os.pread(self._descriptor, min(size, self.size - offset), offset)
            end = data.find(b"\n")
            if end >= 0 or len(data) < size:
                return data[: end if end >= 0 else None]
            size *= 4

    def sample(self) -> bytes:
        """Returns some pieces from all over the file."""
        return b"".join(os.pread(self._descriptor, _PIECE_SIZE, offset) for offset in _piece_offsets(self.size))


def _piece_offsets(size: int) -> range:
    return range(0, size, max(_PIECE_SIZE, size // _PIECE_COUNT))
