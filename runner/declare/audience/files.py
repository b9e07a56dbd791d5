"""The files of an audience: plain or compressed, several as one, and the problem if one cannot be read."""

import io
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO, ClassVar

from runner.declare.audience.recipient import Row
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place, Problem

BLOCK_ROWS = 500  # rows: few enough to need little memory, many enough to be passed between processes rarely
MAX_ROW = 4 * 1024 * 1024  # characters or bytes of one row: four times what one rendered text may have
MAX_COLUMNS = 2_000  # ten times what a large export has
MAX_ROWS = 10_000_000  # lines of one file; at Intercom's usual limit, to send to as many takes 17 hours
MAX_BLANK_LINES = 1 << 18  # that follow each other; a spreadsheet leaves some thousand below its table
# How large a file may become that is unpacked. Lists of people pack 4 to 30 fold; a file of blank lines 1,000 fold.
MAX_UNPACKED_RATIO = 200
MIN_MAX_UNPACKED = 256 * 1024 * 1024  # bytes that any packed file may become, however small it is
_SAMPLE_BYTES = 16 * 1024  # bytes of a file by which its number of lines is estimated
_MAX_ESTIMATE = 1 << 21  # lines: memory for more is reserved when they come
_UNPACKED_BUFFER = 64 * 1024  # bytes
_FILE_BITS = 32  # a row number has the line in its lower 32 bits, and the index of the file above them
_LINE_MASK = (1 << _FILE_BITS) - 1
_WEB_PAGE = ("a page or document of HTML or XML", "export the data itself; a login page is often saved in its place")
# The first bytes of other kinds of file. Source: the formats' own specifications.
_FIRST_BYTES = {
    b"PK\x03\x04": ("a zip file, as .xlsx and .ods are", "save the sheet as CSV (UTF-8)"),
    b"\xd0\xcf\x11\xe0": ("a document of an older Office, as .xls is", "save the sheet as CSV (UTF-8)"),
    b"\x1f\x8b": ("packed with gzip", "let its name end in .gz"),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "unpack it, or pack it with gzip"),
    b"\xfd7zXZ": ("packed with xz", "unpack it, or pack it with gzip"),
    b"BZh": ("packed with bzip2", "unpack it, or pack it with gzip"),
    b"PAR1": ("a Parquet file", "name it with parquet: instead"),
    b"<!doctype": _WEB_PAGE,
    b"<html": _WEB_PAGE,
    b"<table": _WEB_PAGE,
    b"<?xml": _WEB_PAGE,
}
READ_ERRORS = (OSError, EOFError, zlib.error)  # what reading or decompressing a file may raise


def open_decompressed(tree: Tree, path: str) -> BinaryIO:
    """Returns the bytes of a file, decompressed if its name ends in .gz.

    Raises OSError, and NotReadable, also while it is read if it becomes much larger than honest data does.
    """
    if path.endswith(".gz"):
        import gzip  # noqa: PLC0415  # keeps the start of other commands fast

        handle = tree.open(path)
        return io.BufferedReader(_BoundedReader(gzip.GzipFile(fileobj=handle), handle, path), _UNPACKED_BUFFER)
    return tree.open(path)


def plain_suffix(path: str) -> str:
    """Returns how a file's name ends, in lower case and without .gz: `.csv` of `a.csv.gz`."""
    return PurePosixPath(path.removesuffix(".gz")).suffix.lower()


def file_kind_problem(tree: Tree, path: str) -> Problem | None:
    """Returns the problem that a file is something other than text, by its first bytes.

    None if it may be text, and also if it cannot be read.
    """
    try:
        with closing(open_decompressed(tree, path)) as handle:
            start = handle.read(64).lstrip()
    except (*READ_ERRORS, NotReadable):
        return None  # reading its rows reports that, at the right place
    for mark, (kind, hint) in _FIRST_BYTES.items():
        if start[: len(mark)].lower() == mark.lower():
            return Problem("file-kind", Place(path), f"{path} is not a text: it is {kind}", hint)
    return None


def unreadable_problem(path: str, error: Exception) -> Problem:
    """Returns the problem that a file, or the compressed data in it, cannot be read."""
    if isinstance(error, NotReadable):
        return Problem(error.code, Place(path), error.message, error.hint)
    if isinstance(error, EOFError):
        return Problem("file-unreadable", Place(path), f"{path} ends in the middle", "it was not written completely")
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return Problem("file-unreadable", Place(path), f"{path} cannot be read: {reason}")


def row_number(file: int, line: int) -> int:
    """Returns the number of a row: its line, and the index of its file. In the first file it equals the line."""
    return file << _FILE_BITS | line


def files_title(paths: Sequence[str]) -> str:
    """Returns the files that are read as one, in few words."""
    return paths[0] + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


@dataclass(frozen=True, slots=True, eq=False)
class SourceFiles:
    """The files of a source, in their order. The number of a row is made of its file and its line."""

    tree: Tree
    paths: tuple[str, ...]
    is_unread: ClassVar[bool] = False

    def read(self, index: int) -> Iterator[Any]:
        """Yields the entries of one file, as `parse` takes them."""
        raise NotImplementedError

    def parse(self, index: int, entries: Iterable[Any]) -> Iterator[Row | Problem]:
        """Yields the rows that some entries of one file hold, and a Problem for each entry that has one."""
        raise NotImplementedError

    def rows(self) -> Iterator[Row | Problem]:
        """Yields the rows in order, and a Problem for each row that has one. What cannot be read ends its file."""
        return chain.from_iterable(self.parse(index, self.read(index)) for index in range(len(self.paths)))

    def blocks(self, worker_index: int, worker_count: int) -> Iterator[list[Row | Problem]]:
        """Yields the rows in blocks, for one of several workers, which are numbered from 0.

        Each worker reads everything, and gets every `worker_count`-th block, from block `worker_index` on.
        """
        number = 0
        for index in range(len(self.paths)):
            entries = self.read(index)
            while block := list(islice(entries, BLOCK_ROWS)):
                if number % worker_count == worker_index:
                    yield list(self.parse(index, block))
                number += 1

    @property
    def size(self) -> int:
        """The size of the files in bytes. A file that no longer exists counts as 0."""
        size = 0
        for path in self.paths:
            with suppress(OSError, NotReadable):
                size += self.tree.real_path(path).stat().st_size
        return size

    @property
    def estimated_count(self) -> int:
        """About how many lines the files have, so that tables can reserve memory; at most 2 million.

        The estimate is based on the number of lines in the first 16 KiB of each file.
        """
        count = 0
        for path in self.paths:
            with suppress(OSError, NotReadable), self.tree.open(path) as handle:
                start = handle.read(_SAMPLE_BYTES)
                count += os.fstat(handle.fileno()).st_size * start.count(b"\n") // max(1, len(start))
        return min(count, _MAX_ESTIMATE)

    @property
    def title(self) -> str:
        """The files, in few words."""
        return files_title(self.paths)

    def label(self, number: int) -> str:
        """Returns how problems name a row."""
        return f"row {number & _LINE_MASK} of {PurePosixPath(self.paths[number >> _FILE_BITS]).name}"

    def place(self, number: int) -> Place:
        """Returns the file and the line of a row."""
        return Place(self.paths[number >> _FILE_BITS], number & _LINE_MASK)


class _BoundedReader(io.RawIOBase):
    """What a packed file unpacks to, up to a bound. `packed` is the file itself, at `path`."""

    def __init__(self, unpacked: Any, packed: BinaryIO, path: str) -> None:
        self._unpacked = unpacked
        self._packed = packed
        self._path = path
        self._max_size = max(MIN_MAX_UNPACKED, MAX_UNPACKED_RATIO * os.fstat(packed.fileno()).st_size)
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size: int = self._unpacked.readinto(buffer)
        self._size += size
        if self._size > self._max_size:
            message = (
                f"{self._path} unpacks to more than {self._max_size >> 20:,} MiB, much more than lists of people do"
            )
            raise NotReadable("file-unpacked", message, "split it, or leave it unpacked")
        return size

    def close(self) -> None:
        self._unpacked.close()
        self._packed.close()
        super().close()
