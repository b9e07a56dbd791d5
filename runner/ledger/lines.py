"""The lines of a ledger: read in blocks and by their offsets, and parsed to JSON objects, torn ones too."""

import contextlib
import hashlib
import os
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import orjson

_BLOCK_SIZE = 1 << 18  # bytes; larger blocks do not fit into the processor's cache
_PIECE_SIZE, _PIECE_COUNT = 8192, 8  # bytes of a piece of a sample; a sample has this many, or one more
_USUAL_LINE_SIZE = 1024  # bytes; most lines are shorter
_OBJECT_START = re.compile(r'(?=\{\s*")')
_KEY = re.compile(r'"key"\s*:\s*"([0-9a-f]{32})"')
# Possessive quantifiers (`*+`) and atomic groups give nothing back, so that no text takes quadratic time.
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_FIELD = re.compile(rf'"(\w+)"\s*+:\s*+({_STRING}|\d++)(?=\s*+[,}}])')


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
            data = self._read(offset, size)
            end = data.find(b"\n")
            if end >= 0 or len(data) < size:
                return data[: end if end >= 0 else None]
            size *= 4

    def sample(self) -> bytes:
        """Returns some pieces from all over the source, from which the rest is estimated."""
        offsets = range(0, self.size, max(_PIECE_SIZE, self.size // _PIECE_COUNT))
        return b"".join(self._read(offset, _PIECE_SIZE) for offset in offsets)


def lines_in_memory(data: bytes | bytearray) -> LineSource:
    """Returns the source of lines in memory. Lines that are added to `data` later can be read, but are in no block."""
    return LineSource(len(data), lambda offset, size: bytes(data[offset : offset + size]))


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


def parse_whole_lines(lines: list[bytes]) -> list[Any] | None:
    """Returns the objects on lines, or None if any line is not exactly one object.

    The lines are parsed as one array, with a number between two lines. It tells an object that spans two lines from two
    objects on one line.
    """
    try:
        values = orjson.loads(b"[" + b",0,".join(lines) + b"]")
    except orjson.JSONDecodeError:
        return None
    objects, separators = values[::2], values[1::2]
    is_whole = len(values) == 2 * len(lines) - 1 and not any(separators)
    is_whole = is_whole and all(value.__class__ is dict for value in objects)
    return cast("list[Any]", objects) if is_whole else None


def parse_objects(line: bytes) -> tuple[list[dict[str, Any]], bool]:
    """Returns the objects on a line, and whether the line is torn: anything but exactly one object."""
    value = parse_object(line)
    return ([value], False) if value is not None else (list(_salvage_objects(line)), True)


def _salvage_objects(line: bytes) -> Iterator[dict[str, Any]]:
    """Yields the records and headers on a line that is not exactly one object; torn records as open claims.

    Several are on one line if a writer did not start on a fresh line, or a line end was lost. Leaving out a record
    could make a delivery look unsent. One with a brace in a text, which no writer needs, counts as torn.
    """
    for piece in _OBJECT_START.split(line.decode(errors="replace")):
        text, end, rest = piece.partition("}")
        value = parse_object(f"{text}{end}".encode())
        if value is None:
            rest = piece
        elif "msgrun_lock" in value or {"key", "attempt", "status"} <= value.keys():
            yield value
        if record := _parse_torn_record(rest):
            yield record


def _parse_torn_record(text: str) -> dict[str, Any] | None:
    """Returns a torn record as an open claim, since its delivery may have been sent; None if it has no readable key.

    A compacted ledger has one line for each delivery: leaving out a damaged one would send the message again. A
    formatter that spreads a record over several lines also tears it.
    """
    key_match = _KEY.search(text)
    if not key_match:
        return None
    fields: dict[str, Any] = dict(_parse_fields(text))
    attempt = fields.get("attempt") or f"torn-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    kept_fields: dict[str, Any] = {
        name: fields[name] for name in ("message", "revision", "to", "contact", "text", "at") if name in fields
    }
    return {"key": key_match[1], "attempt": attempt, "status": "claimed", **kept_fields}


def _parse_fields(text: str) -> Iterator[tuple[str, Any]]:
    """Yields the names and values of a torn record's fields whose values can be read."""
    for name, value in _FIELD.findall(text):
        with contextlib.suppress(orjson.JSONDecodeError):
            yield name, orjson.loads(value)


def parse_object(text: bytes) -> dict[str, Any] | None:
    """Returns the JSON object of a line; None if it is not one."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
