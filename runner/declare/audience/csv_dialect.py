"""How a CSV file is written, and its lines in blocks.

Delimiter, encoding and quote are declared, or detected where that is safe.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any

from runner.declare.audience.files import (
    MAX_BLANK_LINES,
    MAX_ROW,
    MAX_ROWS,
    READ_ERRORS,
    open_decompressed,
    plain_suffix,
    unreadable_problem,
)
from runner.declare.pointers_and_conflicts import CONFLICT_HINT, CONFLICT_MESSAGE, begins_conflict
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place, Problem, Severity

MAX_CELL = 1024 * 1024  # characters; a rendered text has no more either
_BLOCK = 64 * 1024  # characters
_DELIMITER_NAMES = {";": "semicolons", "\t": "tabs", "|": "bars"}
_RULE_SIGNS = frozenset("-=+|: \t\r─━═┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬")
_UTF_16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


csv.field_size_limit(MAX_CELL)


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How a CSV file is written. What is None was not declared, and is detected where that is safe."""

    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None


def detect_format(tree: Tree, path: str, declared: CsvFormat) -> tuple[CsvFormat, list[Problem]]:
    """Returns the format with every field filled in, and a warning for each field that was detected.

    UTF-16 is detected by its byte order mark. A delimiter other than the comma is detected only if the header has no
    comma and exactly one of `;`, tab and `|`. If it has several of them, the format is returned as declared, with an
    error. Raises what CSV_READ_ERRORS lists.
    """
    warnings: list[Problem] = []
    with closing(open_decompressed(tree, path)) as raw:
        start = raw.read(_BLOCK)
    encoding = declared.encoding
    if encoding is None:
        encoding = "utf-8"
        if (variant := _UTF_16_MARKS.get(start[:2])) and start[2:4] != b"\0\0":
            encoding = "utf-16"
            warnings.append(
                _make_warning(path, f"the file is read as UTF-16, for it begins so ({variant})", "encoding: utf-16")
            )
    text = start.decode(encoding, errors="replace")
    if _is_printed_table(text):
        message = "this is a table as a program prints it for people, not CSV"
        hint = "export it as CSV, as psql --csv does; or write the names and cells with commas between them"
        return declared, [Problem("csv-header", Place(path), message, hint)]
    quote = declared.quote or '"'
    delimiter = declared.delimiter
    if delimiter is None:
        header = re.split(r"[\r\n]", text, maxsplit=1)[0]
        unquoted = re.sub(f"{re.escape(quote)}[^{re.escape(quote)}]*{re.escape(quote)}", "", header)
        delimiters = [sign for sign in _DELIMITER_NAMES if sign in unquoted] if "," not in unquoted else []
        delimiter = delimiters[0] if delimiters else ","
        if len(delimiters) > 1:
            names = " or ".join(_DELIMITER_NAMES[sign] for sign in delimiters)
            hint = 'say which beside the path: {csv: …, delimiter: ";"}'
            return declared, [Problem("csv-delimiter", Place(path), f"the columns may be separated by {names}", hint)]
        if delimiters and not (delimiter == "\t" and plain_suffix(path) == ".tsv"):
            written = "tab" if delimiter == "\t" else f'"{delimiter}"'
            message = f"the columns are separated by {_DELIMITER_NAMES[delimiter]}, and read so"
            warnings.append(_make_warning(path, message, f"delimiter: {written}", "csv-delimiter"))
    return CsvFormat(delimiter, quote, encoding), warnings


def _is_printed_table(text: str) -> bool:
    """Returns whether a text begins as psql, mysql, sqlite3 and Markdown print a table: a rule is below its names."""
    rules = [line.strip() for line in text.removeprefix("\ufeff").split("\n", 4)[:4] if _RULE_SIGNS.issuperset(line)]
    return any(("--" in rule and re.search(r"[+| ]-|-[+|]", rule)) or re.search("[─━═]", rule) for rule in rules)


def _make_warning(path: str, message: str, declared: str, code: str = "csv-encoding") -> Problem:
    hint = f"say so beside the path, and this goes away: {{csv: …, {declared}}}"
    return Problem(code, Place(path), message, hint, Severity.WARNING)


def open_text(tree: Tree, path: str, csv_format: CsvFormat) -> io.TextIOWrapper:
    """Returns the file as text. Raises what CSV_READ_ERRORS lists, also while it is read."""
    encoding = "utf-8-sig" if csv_format.encoding == "utf-8" else csv_format.encoding
    return io.TextIOWrapper(open_decompressed(tree, path), encoding=encoding, newline="")


def make_reader(lines: "LineReader", csv_format: CsvFormat) -> Any:
    """Returns a csv.reader of the lines. It raises what CSV_READ_ERRORS lists while it is read."""
    is_quoted = csv_format.quote != "none"
    return csv.reader(
        chain.from_iterable(lines.blocks()),
        delimiter=csv_format.delimiter or ",",
        quotechar=csv_format.quote if is_quoted else None,
        quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE,
        skipinitialspace=True,  # a quote after a space quotes its field too
        strict=True,
    )


def csv_error_problem(tree: Tree, path: str, csv_format: CsvFormat, number: int, error: Exception) -> Problem:
    """Returns where and why the file cannot be read on. `number` is the line on which the record begins."""
    match error:
        case UnicodeDecodeError():
            return _encoding_problem(tree, path, csv_format)
        case _ConflictError():
            return Problem("merge-conflict", Place(path, number), CONFLICT_MESSAGE, CONFLICT_HINT)
        case csv.Error() | _FaultyLineError():
            return _record_problem(path, number, error)
    return unreadable_problem(path, error)


class _FaultyLineError(Exception):
    pass


class _ConflictError(Exception):
    pass


CSV_READ_ERRORS = (UnicodeDecodeError, csv.Error, _FaultyLineError, _ConflictError, NotReadable, *READ_ERRORS)


class LineReader:
    """The lines of a file, in blocks of whole lines.

    Whoever reads rows from them sets `row_size` to 0 after each: what is read until then belongs to one row. A row, a
    run of blank lines and the whole are bounded block by block, because a check of each line would take time.
    """

    __slots__ = ("_handle", "row_size")

    def __init__(self, handle: io.TextIOWrapper) -> None:
        self._handle = handle
        self.row_size = 0

    def blocks(self) -> Iterator[Iterable[str]]:
        """Yields the blocks.

        A NUL and the marks of a merge are searched for in a whole block. Only if it has one, its lines are checked.
        """
        rest = ""
        blank_size = line_count = 0
        while block := self._handle.read(_BLOCK):
            self.row_size += len(block)
            blank_size = blank_size + len(block) if block.isspace() else 0
            line_count += block.count("\n")
            if self.row_size > MAX_ROW:
                raise _FaultyLineError(f"a row is longer than {MAX_ROW:,} characters")
            if blank_size > MAX_BLANK_LINES:
                raise _FaultyLineError(f"more than {MAX_BLANK_LINES:,} blank lines follow each other")
            if line_count > MAX_ROWS:
                raise _FaultyLineError(f"the file has more than {MAX_ROWS:,} lines")
            text = rest + block
            # A carriage return at the very end may be the first half of \r\n.
            end = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
            rest = text[end:]
            if end:
                yield _split_lines(text[:end])
        yield _split_lines(rest)


def _split_lines(text: str) -> Iterable[str]:
    lines = io.StringIO(text, newline="")
    return map(_check_line, lines) if "\0" in text or "<<<<<<<" in text else lines


def _check_line(line: str) -> str:
    if "\0" in line:
        raise _FaultyLineError("this row holds a NUL character")
    if begins_conflict(line):  # also in a cell of several lines, where it would be text
        raise _ConflictError
    return line


def _record_problem(path: str, number: int, error: Exception) -> Problem:
    hint = ""
    message = str(error)
    if "unexpected end of data" in message:
        message, hint = "a quote opens here that nothing closes", 'a quote inside a quoted field is written twice: ""'
    elif "expected after" in message:
        message = "a quoted field goes on after its closing quote"
        hint = 'a quote inside a field is written twice: "", and nothing follows the closing one, not even a space'
    elif "field larger" in message:
        message, hint = f"a field is longer than {MAX_CELL:,} characters", "a quote may open that nothing closes"
    elif "row is longer" in message:
        hint = "a quote may open that nothing closes"
    elif "blank lines" in message:
        hint = "remove them"
    elif "more than" in message:
        hint = "split it into several files: csv: people-*.csv"
    elif "NUL" in message:
        hint = "a file in UTF-16 without its mark looks like this: {csv: …, encoding: utf-16-le}"
    return Problem("csv-row", Place(path, number), message, hint)


def _encoding_problem(tree: Tree, path: str, csv_format: CsvFormat) -> Problem:
    """Returns the problem of a byte that is not in the encoding, with its line and column.

    It reads the file again, because the decoder reads ahead in blocks and does not know the line.
    """
    encoding = csv_format.encoding or "utf-8"
    name = encoding.upper()
    hint = "save the file as UTF-8" + (
        ", or say what it is: {csv: …, encoding: windows-1252}" if encoding == "utf-8" else ""
    )
    line, last_text = 1, ""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with closing(open_decompressed(tree, path)) as raw:
            while block := raw.read(_BLOCK):
                last_text = decoder.decode(block)
                line += last_text.count("\n")
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding, errors="replace")
        column = len((last_text + before).rpartition("\n")[2]) + 1
        message = f"byte 0x{error.object[error.start]:02X} is not {name}"
        return Problem("not-utf-8", Place(path, line + before.count("\n"), column), message, hint)
    except (*READ_ERRORS, NotReadable) as error:
        return unreadable_problem(path, error)
    return Problem("not-utf-8", Place(path), f"the file is not {name}", hint)
