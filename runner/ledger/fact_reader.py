"""Reads the lines of a ledger into rows: the usual ones fast, and of the odd ones whatever can be saved."""

from binascii import unhexlify
from typing import Any, cast

import orjson

from runner.errors import LedgerUnavailable
from runner.key_table import KEY_SIZE
from runner.ledger.fact_index import HASH_MASK, Fact, FactIndex
from runner.ledger.line_source import LineSource
from runner.ledger.record import Header, parse_entry
from runner.ledger.torn_lines import parse_objects


class FactReader:
    """Reading one place: its `headers`, and the lines that were `torn`. `odd` lines are not exactly one object."""

    def __init__(self, rows: FactIndex, origin: str, place: int) -> None:
        self.headers: set[Header] = set()
        self.torn_lines: list[str] = []
        self.has_record = False
        self._rows = rows
        self._origin = origin
        self._place = place
        self._source = 0
        self._offset = 0
        self._number = 1
        self._first = b""
        self._odd = 0

    def read(self, lines: LineSource) -> None:
        """Adds every line. Raises LedgerUnavailable if none can be read."""
        self._source = self._rows.add_source(lines, self._origin)
        rest: list[bytes] = []  # pieces of a line that goes on, joined once however long it is
        for block in lines.blocks():
            head, end, tail = block.rpartition(b"\n")
            if end:
                self._take(b"".join([*rest, head]).split(b"\n"))
                rest = []
            rest.append(tail)
        if last := b"".join(rest):
            self._take([last])
        if self._odd and not (self.headers or self.has_record or self._is_torn_header):
            raise LedgerUnavailable(
                f"{self._origin} is no lockfile: no line of it can be read",
                "a pointer of Git LFS, or encrypted? Get the file itself; without it everything would be sent again",
            )

    def _take(self, lines: list[bytes]) -> None:
        """Adds a block's lines; the usual ones are read together, which halves the time."""
        values = _values(lines)
        if values is not None:
            self._take_usual(lines, values)
            return
        for line in lines:
            value = _single(line)
            if value is None:
                self._take_odd(line)
                self._pass_by(line)
            else:
                self._take_usual([line], [value])

    def _take_usual(self, lines: list[bytes], values: list[dict[str, Any]]) -> None:
        """Adds what whole lines say. Most are facts with a content, of a group that was seen before: those at once."""
        table = self._rows
        add, known, attempts, hashes, places = (
            table.keys.add,
            table.group_lookup,
            table.attempt_hashes,
            table.line_hashes,
            table.copy_bits,
        )
        rows, offsets, sources, groups = len(table), table.offsets, table.sources, table.group_numbers
        offset, first, source, place = self._offset, self._number, self._source, self._place
        for number, (line, value) in enumerate(zip(lines, values, strict=True), first):
            try:
                key, attempt = unhexlify(value["key"]), value["attempt"]
                group = known[value["status"], value["message"], value["revision"], value["content"]]
            except (KeyError, TypeError, ValueError):
                group = -1
            if group < 0 or len(key) != KEY_SIZE or attempt.__class__ is not str:
                self._offset, self._number = offset, number
                self._take_value(line, value)
                rows = len(self._rows.keys)
                offset += len(line) + 1
                continue
            self.has_record = True
            row, name, text = add(key), hash(attempt), hash(line) & HASH_MASK
            if row == rows:
                rows += 1
                if row < len(places):
                    offsets[row], sources[row], groups[row] = offset, source, group
                    attempts[row], hashes[row], places[row] = name, text, place
                else:
                    self._rows.set_first_fact(row, Fact(offset, source, group, name, text, place))
            elif attempts[row] == name and hashes[row] == text and groups[row] == group:
                places[row] |= place
            else:
                self._rows.merge_fact(row, Fact(offset, source, group, name, text, place))
            offset += len(line) + 1
        self._offset, self._number = offset, first + len(lines)

    def _take_value(self, line: bytes, value: dict[str, Any]) -> None:
        """Adds what a whole line says, whatever it is."""
        fact = parse_entry(value, self._origin, self._number)
        if isinstance(fact, Header):
            self.headers.add(fact)
            return
        self.has_record = True
        group = self._rows.intern_group(fact)
        self._rows.add(
            fact.key, Fact(self._offset, self._source, group, hash(fact.attempt), hash(line) & HASH_MASK, self._place)
        )

    def _take_odd(self, line: bytes) -> None:
        """Adds what a line says that is not exactly one object."""
        if not line.strip():
            return
        self._first, self._odd = self._first or line, self._odd + 1
        values, is_torn = parse_objects(line)
        if is_torn:
            self.torn_lines.append(f"{self._origin}:{self._number}")
        for value in values:
            fact = parse_entry(value, self._origin, self._number)
            if isinstance(fact, Header):
                self.headers.add(fact)
            else:
                self.has_record = True
                self._rows.add_record(fact, self._place)

    def _pass_by(self, line: bytes) -> None:
        """Goes on behind a line."""
        self._offset += len(line) + 1
        self._number += 1

    @property
    def _is_torn_header(self) -> bool:
        """Whether there is nothing but a line that begins as a header does: a power cut while it was written."""
        return self._odd == 1 and self._first.lstrip(b"\xef\xbb\xbf ").startswith(b"{")


def _values(lines: list[bytes]) -> list[Any] | None:
    """The objects on lines that are whole, or nothing if some line is not.

    A number between two lines tells an object that goes on over both from two objects that stand on one.
    """
    try:
        values = orjson.loads(b"[" + b",0,".join(lines) + b"]")
    except orjson.JSONDecodeError:
        return None
    found, between = values[::2], values[1::2]
    is_whole = len(found) == len(lines) and not any(between) and all(value.__class__ is dict for value in found)
    return cast("list[Any]", found) if is_whole else None


def _single(line: bytes) -> dict[str, Any] | None:
    """The object that a line is, if it is one and whole."""
    values, is_torn = parse_objects(line) if line.strip() else ([], True)
    return None if is_torn else values[0]
