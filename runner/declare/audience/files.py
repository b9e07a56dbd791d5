"""The files of an audience: plain or compressed, several as one, and what it says when one cannot be read."""

import io
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO, TypeVar

from runner.declare.audience.optional_package import import_extra
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place, Problem

T = TypeVar("T")
BLOCK_ROWS = 500  # rows: few enough to be small in memory, many enough to be handed over rarely
_FIRST = 16 * 1024  # bytes of a file that are looked at for a guess
_MOST = 1 << 21  # lines: room for more is made when they come
_INPUT = 512  # bytes: few enough that no input can unpack to more than some megabytes at once
_FILE_BITS = 32
_LINE = (1 << _FILE_BITS) - 1
_PAGE = ("a page or document of HTML or XML", "export the data itself; a login page is often saved in its place")
# What other kinds of file begin with. Source: the formats' own specifications.
_MARKS = {
    b"PK\x03\x04": ("a zip file, as .xlsx and .ods are", "save the sheet as CSV (UTF-8)"),
    b"\xd0\xcf\x11\xe0": ("a document of an older Office, as .xls is", "save the sheet as CSV (UTF-8)"),
    b"\x1f\x8b": ("packed with gzip", "let its name end in .gz"),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "let its name end in .zst"),
    b"PAR1": ("a Parquet file", "name it with parquet: instead"),
    b"<!doctype": _PAGE,
    b"<html": _PAGE,
    b"<table": _PAGE,
    b"<?xml": _PAGE,
}
READ_ERRORS = (OSError, EOFError, zlib.error)  # what reading a file, or unpacking it, may raise


def open_decompressed(tree: Tree, path: str) -> BinaryIO:
    """The bytes of a file, unpacked as its name ends in .gz or .zst. Raises OSError, NotReadable."""
    if path.endswith(".gz"):
        import gzip  # noqa: PLC0415  # imported where used

        return gzip.GzipFile(tree.real_path(path))  # type: ignore[return-value]  # it reads as one
    if path.endswith(".zst"):
        package = import_extra("zstandard", "zstd", "a .zst file needs")
        return io.BufferedReader(_Unpacked(tree.open(path), package))
    return tree.open(path)


def plain_suffix(path: str) -> str:
    """How a file's name ends, without what says that it is packed: `.csv` of `a.csv.gz`."""
    return PurePosixPath(path.removesuffix(".gz").removesuffix(".zst")).suffix.lower()


def file_kind_problem(tree: Tree, path: str) -> Problem | None:
    """That a file is something else than text, by its first bytes; None also if it cannot be read."""
    try:
        with closing(open_decompressed(tree, path)) as handle:
            first = handle.read(16).lstrip()
    except (*READ_ERRORS, NotReadable):
        return None  # its reader says so, at its place
    for mark, (what, hint) in _MARKS.items():
        if first[: len(mark)].lower() == mark.lower():
            return Problem("file-kind", Place(path), f"{path} is no text: it is {what}", hint)
    return None


def unreadable_problem(path: str, error: Exception) -> Problem:
    """That a file, or what is packed in it, cannot be read."""
    if isinstance(error, NotReadable):
        return Problem(error.code, Place(path), error.message, error.hint)
    if isinstance(error, EOFError):
        return Problem("file-unreadable", Place(path), f"{path} ends in the middle", "it was not written completely")
    words = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return Problem("file-unreadable", Place(path), f"{path} cannot be read: {words}")


def row_number(file: int, line: int) -> int:
    """The number of a row: its line, and which of the files it is in. In the first file it is the line."""
    return file << _FILE_BITS | line


def files_title(paths: Sequence[str]) -> str:
    """Files that are read as one, in few words."""
    return paths[0] + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def row_label(paths: Sequence[str], number: int) -> str:
    """How problems call a row."""
    return f"row {number & _LINE} of {PurePosixPath(paths[number >> _FILE_BITS]).name}"


def row_place(paths: Sequence[str], number: int) -> Place:
    """Where a row stands."""
    return Place(paths[number >> _FILE_BITS], number & _LINE)


class _Unpacked(io.RawIOBase):
    """A .zst file, unpacked while it is read; frames may follow each other. `zstandard` is the package."""

    def __init__(self, handle: BinaryIO, zstandard: Any) -> None:
        self._handle = handle
        self._fault = zstandard.ZstdError
        self._frames = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        self._frame: Any = None
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            is_between = self._frame is None or self._frame.eof
            data = (self._frame.unused_data if self._frame and is_between else b"") or self._handle.read(_INPUT)
            if not data:
                if is_between:
                    return 0
                raise EOFError
            if is_between:
                self._frame = self._frames.decompressobj()
            try:
                self._left = memoryview(self._frame.decompress(data))
            except self._fault as error:
                raise OSError(str(error)) from error
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        self._handle.close()
        super().close()


def size_of(tree: Tree, paths: Sequence[str]) -> int:
    """How many bytes files have; what is not there any more has none."""
    size = 0
    for path in paths:
        with suppress(OSError, NotReadable):
            size += tree.real_path(path).stat().st_size
    return size


def estimate_lines(tree: Tree, paths: Sequence[str]) -> int:
    """About how many lines files have, by the length of their first: a guess, for room to be made."""
    found = 0
    for path in paths:
        with suppress(OSError, NotReadable), tree.open(path) as handle:
            first = handle.read(_FIRST)
            found += os.fstat(handle.fileno()).st_size * first.count(b"\n") // max(1, len(first))
    return min(found, _MOST)


def worker_blocks(rows: Iterator[T], numbers: Iterator[int], turn: int, turns: int) -> Iterator[list[T]]:
    """Rows in blocks, numbered by `numbers`: of every `turns` blocks the one whose `turn` it is."""
    size = BLOCK_ROWS
    while size == BLOCK_ROWS:
        rest = islice(rows, BLOCK_ROWS)
        if next(numbers) % turns == turn:
            block = list(rest)
            size = len(block)
            yield block
        else:
            size = len(list(rest))
