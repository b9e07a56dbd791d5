"""Sources of lines: read once in blocks, and later line by line, each by the offset at which it begins."""

import os
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

_BLOCK_SIZE = 1 << 18  # bytes; larger blocks do not fit into the processor's cache
_PIECE_SIZE, _PIECE_COUNT = 8192, 8  # bytes of a piece of a sample; a sample has this many, or one more
_USUAL_LINE_SIZE = 1024  # bytes; most lines are shorter


class LineSource:
    """A source of a ledger's lines. `size` is in bytes.

    `read` returns bytes of the source, by the offset of the first and their number.
    """

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        self.size = size
        self._read = read

    def blocks(self) -> Iterator[bytes]:
        """Yields all bytes in blocks, which may end in the middle of a line."""
        offset = 0
        while offset < self.size and (block := self._read(offset, min(_BLOCK_SIZE, self.size - offset))):
            yield block
            offset += len(block)

    def line_at(self, offset: int) -> bytes:
        """Returns the line that begins at `offset`, in bytes, without its line end."""
        size = _USUAL_LINE_SIZE
        while True:
            data = self._read(offset, min(size, self.size - offset))
            end = data.find(b"\n")
            if end >= 0 or len(data) < size:
                return data[: end if end >= 0 else None]
            size *= 4

    def sample(self) -> bytes:
        """Returns some pieces from all over the source, from which the rest is estimated."""
        offsets = range(0, self.size, max(_PIECE_SIZE, self.size // _PIECE_COUNT))
        return b"".join(self._read(offset, _PIECE_SIZE) for offset in offsets)


def lines_in_memory(data: bytes) -> LineSource:
    """Returns the source of lines in memory."""
    return LineSource(len(data), lambda offset, size: data[offset : offset + size])


def open_lines(path: Path) -> LineSource:
    """Returns the source of the lines of a file, up to the size that it has now. Raises OSError if it cannot be opened.

    The file stays open: where git or a compaction puts another file in its place, the old one is still read. But what
    an editor writes into the same file is read.
    """
    file = path.open("rb", buffering=0)
    descriptor = file.fileno()
    # pread moves no position, which threads and forked processes would share.
    source = LineSource(os.fstat(descriptor).st_size, lambda offset, size: os.pread(descriptor, size, offset))
    weakref.finalize(source, file.close)
    return source
