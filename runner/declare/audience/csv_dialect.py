"""How a CSV file is written and read: delimiter, encoding and quote declared or safely detected; lines in blocks."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any

from runner.declare.audience.files import READ_ERRORS, open_decompressed, unreadable_problem
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place, Problem, Severity

MAX_CELL = 4 * 1024 * 1024  # characters


_BLOCK = 64 * 1024  # characters


_SIGNS = {";": "semicolons", "\t": "tabs", "|": "bars"}


_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


csv.field_size_limit(MAX_CELL)


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How a file is written. What is None was not declared, and is detected where that is safe."""

    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None


def detect_format(tree: Tree, path: str, form: CsvFormat) -> tuple[CsvFormat, list[Problem]]:
    """The form with nothing left open, and what was detected.

    UTF-16 by its byte order mark; another delimiter only if the header holds one of `;`, tab and `|`, and no comma.
    """
    told: list[Problem] = []
    with closing(open_decompressed(tree, path)) as raw:
        first = raw.read(_BLOCK)
    encoding = form.encoding
    if encoding is None:
        encoding = "utf-8"
        if (found := _UTF_16.get(first[:2])) and first[2:4] != b"\0\0":
            encoding = "utf-16"
            told.append(_detection(path, f"the file is read as UTF-16, for it begins so ({found})", "encoding: utf-16"))
    quote = form.quote or '"'
    delimiter = form.delimiter
    if delimiter is None:
        line = re.split(r"[\r\n]", first.decode(encoding, errors="replace"), maxsplit=1)[0]
        bare = re.sub(f"{re.escape(quote)}[^{re.escape(quote)}]*{re.escape(quote)}", "", line)
        signs = [sign for sign in _SIGNS if sign in bare] if "," not in bare else []
        delimiter = signs[0] if signs else ","
        if len(signs) > 1:
            named = " or ".join(_SIGNS[sign] for sign in signs)
            hint = 'declare it beside csv: delimiter: ";"'
            return form, [Problem("csv-delimiter", Place(path), f"the columns may be separated by {named}", hint)]
        if signs:
            written = "tab" if delimiter == "\t" else f'"{delimiter}"'
            message = f"the columns are separated by {_SIGNS[delimiter]}, and read so"
            told.append(_detection(path, message, f"delimiter: {written}", "csv-delimiter"))
    return CsvFormat(delimiter, quote, encoding), told


def _detection(path: str, message: str, declared: str, code: str = "csv-encoding") -> Problem:
    return Problem(code, Place(path), message, f"say so beside csv, and this goes away: {declared}", Severity.WARNING)


def open_text(tree: Tree, path: str, form: CsvFormat) -> io.TextIOWrapper:
    """The file as text. Raises what FAULTS lists."""
    encoding = "utf-8-sig" if form.encoding == "utf-8" else form.encoding
    return io.TextIOWrapper(open_decompressed(tree, path), encoding=encoding, newline="")


def reader(handle: io.TextIOWrapper, form: CsvFormat) -> Any:
    """A csv.reader of the text. Raises what FAULTS lists."""
    is_quoted = form.quote != "none"
    return csv.reader(
        chain.from_iterable(_lines(handle)),
        delimiter=form.delimiter or ",",
        quotechar=form.quote if is_quoted else None,
        quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE,
        strict=True,
    )


def csv_error_problem(tree: Tree, path: str, form: CsvFormat, number: int, error: Exception) -> Problem:
    """Where and why the file cannot be read on; `number` is the line on which the record begins."""
    match error:
        case UnicodeDecodeError():
            return _encoding_problem(tree, path, form)
        case csv.Error() | _FaultyLineError():
            return _record_problem(path, number, error)
    return unreadable_problem(path, error)


class _FaultyLineError(Exception):
    pass


CSV_READ_ERRORS = (UnicodeDecodeError, csv.Error, _FaultyLineError, NotReadable, *READ_ERRORS)


def _lines(handle: io.TextIOWrapper) -> Iterator[Iterable[str]]:
    """The lines in blocks of whole ones: what all lines of a block lack is then looked for only once."""
    rest = ""
    while block := handle.read(_BLOCK):
        text = rest + block
        # A carriage return at the very end may be the first half of a line's end.
        end = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
        if not end and len(text) > MAX_CELL:
            message = f"a line is longer than {MAX_CELL} characters"
            raise _FaultyLineError(message)
        rest = text[end:]
        if end:
            yield _split(text[:end])
    yield _split(rest)


def _split(text: str) -> Iterable[str]:
    lines = io.StringIO(text, newline="")
    return lines if "\0" not in text else map(_without_nul, lines)


def _without_nul(line: str) -> str:
    if "\0" in line:
        raise _FaultyLineError("this row holds a NUL character")
    return line


def _record_problem(path: str, number: int, error: Exception) -> Problem:
    hint = ""
    message = str(error)
    if "unexpected end of data" in message:
        message, hint = "a quote opens here that nothing closes", 'a quote inside a quoted field is written twice: ""'
    elif "expected after" in message:
        message, hint = "a quoted field goes on after its closing quote", 'a quote inside a field is written twice: ""'
    elif "field larger" in message:
        message, hint = f"a field is longer than {MAX_CELL} characters", "a quote may open that nothing closes"
    elif "NUL" in message:
        hint = "a file in UTF-16 without its mark looks like this: encoding: utf-16-le"
    return Problem("csv-row", Place(path, number), message, hint)


def _encoding_problem(tree: Tree, path: str, form: CsvFormat) -> Problem:
    """Finds the line: the decoder reads ahead in blocks, so it does not know it."""
    encoding = form.encoding or "utf-8"
    name = encoding.upper()
    hint = "save the file as UTF-8" + (", or say what it is: encoding: windows-1252" if encoding == "utf-8" else "")
    line, last = 1, ""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with closing(open_decompressed(tree, path)) as raw:
            while block := raw.read(_BLOCK):
                last = decoder.decode(block)
                line += last.count("\n")
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding, errors="replace")
        column = len((last + before).rpartition("\n")[2]) + 1
        message = f"byte 0x{error.object[error.start]:02X} is not {name}"
        return Problem("not-utf-8", Place(path, line + before.count("\n"), column), message, hint)
    except (*READ_ERRORS, NotReadable) as error:
        return unreadable_problem(path, error)
    return Problem("not-utf-8", Place(path), f"the file is not {name}", hint)
