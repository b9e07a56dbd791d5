"""Reads the lines of a ledger into an index: whole lines fast, and from damaged ones whatever can be read."""

from binascii import unhexlify
from typing import Any

from runner.current_work import CURRENT_WORK
from runner.errors import LedgerUnavailable
from runner.key_table import KEY_SIZE
from runner.ledger.fact_index import HASH_MASK, Fact, FactIndex
from runner.ledger.lines import LineSource, parse_objects, parse_whole_lines
from runner.ledger.record import Header, parse_entry

# Bounds of a damaged ledger. Beyond them it is not opened, because leaving a line out could send a message twice.
MAX_LINE = 4 * 1024 * 1024  # bytes; a record has less than a thousand
MAX_HEADERS = 1_000  # that differ; a ledger has one for each workspace, salt and move
MAX_BLANK_LINES = 1 << 20
MAX_TORN_LINES = 10_000
MAX_TORN_SIZE = MAX_LINE  # bytes of all torn lines; to search a megabyte for records takes two seconds
_RESTORE_HINT = "take the file back from git, as it was before it was damaged"


class FactReader:
    """Reads one copy of a ledger into an index.

    Afterwards `headers` are its headers, `torn_lines` the origin and number of each line that is not one object,
    and `has_record` is whether it has a record.
    """

    def __init__(self, index: FactIndex, origin: str, copy_bit: int) -> None:
        self.headers: set[Header] = set()
        self.torn_lines: list[str] = []
        self.has_record = False
        self._index = index
        self._origin = origin
        self._copy_bit = copy_bit
        self._source = 0
        self._offset = 0
        self._line_number = 1
        self._first_odd_line = b""
        self._odd_count = 0
        self._blank_count = self._torn_size = 0

    def read(self, lines: LineSource) -> None:
        """Adds every line of a source. Raises LedgerUnavailable if none is readable, or if one is not an entry."""
        with CURRENT_WORK.on_file(self._origin):
            self._read_blocks(lines)
        if self._odd_count and not (self.headers or self.has_record or self._is_torn_header):
            raise LedgerUnavailable(
                f"{self._origin} is not a lockfile: no line of it can be read",
                "if it should be one, it may be a pointer of Git LFS, or encrypted: get the file itself",
            )

    def _read_blocks(self, lines: LineSource) -> None:
        self._source = self._index.add_source(lines, self._origin)
        # Pieces of a line that continues in the next block: they are joined once, however long the line is.
        pieces: list[bytes] = []
        for block in lines.blocks():
            CURRENT_WORK.step()
            head, end, tail = block.rpartition(b"\n")
            if end:
                self._add_lines(b"".join([*pieces, head]).split(b"\n"))
                pieces = []
            pieces.append(tail)
            if sum(map(len, pieces)) > MAX_LINE:
                raise self._size_error(f"a line of more than {MAX_LINE >> 20} MiB")
        if last := b"".join(pieces):
            self._add_lines([last])

    def _add_lines(self, lines: list[bytes]) -> None:
        """Adds the lines of a block. If all are whole, they are parsed together, which takes half the time."""
        values = parse_whole_lines(lines)
        if values is not None:
            self._add_objects(lines, values)
            return
        for line in lines:
            if whole := parse_whole_lines([line]):
                self._add_objects([line], whole)
            else:
                self._add_odd_line(line)
                self._advance(line)

    def _add_objects(self, lines: list[bytes], values: list[dict[str, Any]]) -> None:
        """Adds the objects on whole lines.

        Most are records with a content, and their group is known from an earlier line: the loop adds these itself,
        because building a Record takes longer.
        """
        index = self._index
        add_key, group_lookup, attempt_hashes, line_hashes, copy_bits = (
            index.keys.add,
            index.group_lookup,
            index.attempt_hashes,
            index.line_hashes,
            index.copy_bits,
        )
        row_count, offsets, sources, group_numbers = len(index), index.offsets, index.sources, index.group_numbers
        offset, first_number, source, copy_bit = self._offset, self._line_number, self._source, self._copy_bit
        for number, (line, value) in enumerate(zip(lines, values, strict=True), first_number):
            try:
                key, attempt = unhexlify(value["key"]), value["attempt"]
                group = group_lookup[value["status"], value["message"], value["revision"], value["content"]]
                group = -1 if "forgotten" in value else group  # it has another rank
            except (KeyError, TypeError, ValueError):
                group = -1
            if group < 0 or len(key) != KEY_SIZE or attempt.__class__ is not str:
                self._offset, self._line_number = offset, number
                self._add_object(line, value)
                row_count = len(self._index.keys)
                offset += len(line) + 1
                continue
            self.has_record = True
            row, attempt_hash, line_hash = add_key(key), hash(attempt), hash(line) & HASH_MASK
            if row == row_count:
                row_count += 1
                if row < len(copy_bits):
                    offsets[row], sources[row], group_numbers[row] = offset, source, group
                    attempt_hashes[row], line_hashes[row], copy_bits[row] = attempt_hash, line_hash, copy_bit
                else:
                    self._index.set_first_fact(row, Fact(offset, source, group, attempt_hash, line_hash, copy_bit))
            elif attempt_hashes[row] == attempt_hash and line_hashes[row] == line_hash and group_numbers[row] == group:
                copy_bits[row] |= copy_bit
            else:
                self._index.merge_fact(row, Fact(offset, source, group, attempt_hash, line_hash, copy_bit))
            offset += len(line) + 1
        self._offset, self._line_number = offset, first_number + len(lines)

    def _add_object(self, line: bytes, value: dict[str, Any]) -> None:
        """Adds the object on a whole line, whatever it is."""
        entry = parse_entry(value, self._origin, self._line_number)
        if isinstance(entry, Header):
            self._add_header(entry)
            return
        self.has_record = True
        group = self._index.intern_group(entry)
        self._index.add(
            entry.key,
            Fact(self._offset, self._source, group, hash(entry.attempt), hash(line) & HASH_MASK, self._copy_bit),
        )

    def _add_odd_line(self, line: bytes) -> None:
        """Adds what can be read of a line that is not exactly one object."""
        CURRENT_WORK.step()
        if not line.strip():
            self._blank_count += 1
            if self._blank_count > MAX_BLANK_LINES:
                raise self._size_error(f"more than {MAX_BLANK_LINES:,} blank lines")
            return
        self._first_odd_line, self._odd_count = self._first_odd_line or line, self._odd_count + 1
        values, is_torn = parse_objects(line)
        if is_torn:
            self.torn_lines.append(f"{self._origin}:{self._line_number}")
            self._torn_size += len(line)
            if len(self.torn_lines) > MAX_TORN_LINES:
                raise self._size_error(f"more than {MAX_TORN_LINES:,} torn lines")
            if self._torn_size > MAX_TORN_SIZE:
                raise self._size_error(f"more than {MAX_TORN_SIZE >> 20} MiB of torn lines")
        for value in values:
            entry = parse_entry(value, self._origin, self._line_number)
            if isinstance(entry, Header):
                self._add_header(entry)
            else:
                self.has_record = True
                self._index.add_record(entry, self._copy_bit)

    def _add_header(self, header: Header) -> None:
        self.headers.add(header)
        if len(self.headers) > MAX_HEADERS:
            raise self._size_error(f"more than {MAX_HEADERS:,} headers")

    def _size_error(self, excess: str) -> LedgerUnavailable:
        return LedgerUnavailable(f"{self._origin}:{self._line_number}: the ledger has {excess}", _RESTORE_HINT)

    def _advance(self, line: bytes) -> None:
        """Moves the position to the start of the next line."""
        self._offset += len(line) + 1
        self._line_number += 1

    @property
    def _is_torn_header(self) -> bool:
        """Whether the only line that is not blank begins like a header: the power failed while it was written."""
        return self._odd_count == 1 and self._first_odd_line.lstrip(b"\xef\xbb\xbf ").startswith(b"{")
