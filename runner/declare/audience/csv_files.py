"""CSV files as a source: the header names the variables, and each row is a recipient. Rows are streamed."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import ClassVar

from runner.declare.audience.csv_dialect import (
    CSV_READ_ERRORS,
    CsvFormat,
    LineReader,
    csv_error_problem,
    detect_format,
    open_text,
    reader,
)
from runner.declare.audience.files import (
    MAX_COLUMNS,
    SourceFiles,
    file_kind_problem,
    row_number,
    worker_blocks,
)
from runner.declare.audience.recipient import Row
from runner.declare.not_text import CONFLICT_HINT, CONFLICT_MESSAGE, continues_conflict
from runner.declare.tree import Tree
from runner.errors import Edit, Place, Problem, Severity
from runner.privacy import mark_private

NumberedRow = tuple[int, list[str]] | Problem  # the line on which a row begins, and its cells


_FIRST_ROW = 2  # its line, below a header of one line


@dataclass(frozen=True, slots=True, eq=False)
class CsvFile:
    """One file: its path, its format with every field filled in, and its header.

    `header` has the names of the variables, `raw_header` the names as they are written in the file.
    """

    path: str
    format: CsvFormat
    header: tuple[str, ...]
    raw_header: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CsvFiles(SourceFiles):
    """The rows of one file, or of several with the same columns, in the order of the files.

    The number of a row is made of its file and its line. The header is line 1.
    """

    files: tuple[CsvFile, ...]
    is_text: ClassVar[bool] = True
    has_fixed_columns: ClassVar[bool] = True  # no row has a column that is not in `columns`

    @property
    def columns(self) -> tuple[str, ...]:
        """The variables that the header names."""
        return self.files[0].header

    def rows(self) -> Iterator[Row | Problem]:
        """The rows in order, and a Problem for each row that has one. What cannot be read ends its file."""
        return chain.from_iterable(
            _number_rows(index, _parse_rows(file, _read_rows(self.tree, file))) for index, file in enumerate(self.files)
        )

    def blocks(self, worker_index: int, worker_count: int) -> Iterator[list[Row | Problem]]:
        """The rows in blocks, for one of several workers, which are numbered from 0.

        Each worker reads everything, and gets every `worker_count`-th block, from block `worker_index` on.
        """
        numbers = count()
        for index, file in enumerate(self.files):
            for block in worker_blocks(_read_rows(self.tree, file), numbers, worker_index, worker_count):
                yield list(_number_rows(index, _parse_rows(file, block)))


def _number_rows(index: int, rows: Iterator[Row | Problem]) -> Iterator[Row | Problem]:
    """The rows of one of several files, with numbers that say which file they are in."""
    if not index:
        return rows
    return (row if isinstance(row, Problem) else (row[0], row[1], row_number(index, row[2])) for row in rows)


def read_csv(
    tree: Tree,
    paths: Sequence[str],
    declared: CsvFormat,
    rename: Mapping[str, str],
    *,
    used: Collection[str] | None = None,
) -> tuple[CsvFiles | None, list[Problem]]:
    """The files as one source, and the problems of their headers.

    The source is None if one of the problems is an error. A warning does not keep the files from being read. `used` are
    the only columns whose names must be unique; None means all.
    """
    files: list[CsvFile] = []
    problems: list[Problem] = []
    for path in paths:
        file, header_problems = _read_header(tree, path, declared, rename, used)
        problems.extend(header_problems)
        if file and files and sorted(file.header) != sorted(files[0].header):
            differing = sorted(set(file.header) ^ set(files[0].header))
            message = f"the columns are not those of {files[0].path}: {', '.join(differing)}"
            problems.append(Problem("csv-header", Place(path), message, "files that are read as one have one header"))
        elif file:
            files.append(file)
    is_sound = len(files) == len(paths) and not any(problem.is_error for problem in problems)
    return (CsvFiles(tree, tuple(paths), tuple(files)) if is_sound else None), problems


def _read_rows(tree: Tree, file: CsvFile) -> Iterator[NumberedRow]:
    """The rows, each with the line on which it begins. A Problem is the last where the file cannot be read on."""
    number = 1
    try:
        with open_text(tree, file.path, file.format) as handle:
            lines = LineReader(handle)
            records = reader(lines, file.format)
            next(records, None)
            number = records.line_num + 1
            for row in records:
                lines.row_size = 0
                yield number, row
                number = records.line_num + 1
    except CSV_READ_ERRORS as error:
        yield csv_error_problem(tree, file.path, file.format, number, error)


def _parse_rows(file: CsvFile, numbered_rows: Iterable[NumberedRow]) -> Iterator[Row | Problem]:
    """The rows as variables. Spaces around a cell are no part of its value: exports pad their columns with them."""
    header, width, raw_header, strip = file.header, len(file.header), list(file.raw_header), str.strip
    quote = _quote_sign(file.format)
    for entry in numbered_rows:
        if isinstance(entry, Problem):
            yield entry
            continue
        number, row = entry
        if len(row) != width:
            if row:
                yield _width_problem(file, number, row)
            continue
        cells = list(map(strip, row))
        if cells != row and quote and (fault := _remove_quotes(cells, row, quote)) is not None:
            yield _quote_problem(file, number, fault)
        elif row == raw_header:
            message, hint = "this row is the header again", "remove it: files were put together, each with its header"
            yield Problem("csv-row", Place(file.path, number), message, hint)
        elif all(cells):
            yield dict(zip(header, cells)), (), number  # noqa: B905  # the lengths are equal; another check would take time
        else:
            blank = tuple(name for name, cell in zip(header, cells, strict=True) if not cell)
            values = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
            yield values, blank, number


def _quote_sign(csv_format: CsvFormat) -> str:
    return "" if csv_format.quote == "none" else csv_format.quote or '"'


def _remove_quotes(cells: list[str], row: list[str], quote: str) -> int | None:
    """Removes the quotes of stripped cells that stand in the row after a space, where CSV takes them for text.

    Returns the index of the first cell that is quoted, but not from its beginning to its end; None if there is none.
    """
    for index, (cell, raw) in enumerate(zip(cells, row, strict=True)):
        if cell.startswith(quote) and raw[0].isspace():
            inner = cell[1:-1]
            if len(cell) == 1 or not cell.endswith(quote) or quote in inner:
                return index
            cells[index] = inner.strip()
    return None


def _quote_problem(file: CsvFile, number: int, index: int) -> Problem:
    message = (
        f"field {index + 1} ({file.header[index]}) begins with a space and a quote, so the quote is part of its text"
    )
    return Problem("csv-row", Place(file.path, number), message, "remove the space before the quote")


def _read_header(
    tree: Tree, path: str, declared: CsvFormat, rename: Mapping[str, str], used: Collection[str] | None
) -> tuple[CsvFile | None, list[Problem]]:
    csv_format = declared
    if kind_problem := file_kind_problem(tree, path):
        return None, [kind_problem]
    try:
        csv_format, problems = detect_format(tree, path, declared)
        if any(problem.is_error for problem in problems):
            return None, problems
        with open_text(tree, path, csv_format) as handle:
            row: list[str] = next(reader(LineReader(handle), csv_format), [])
    except CSV_READ_ERRORS as error:
        return None, [csv_error_problem(tree, path, csv_format, 1, error)]
    place = Place(path)
    if reason := _explain_missing_header(row):
        return None, [Problem("csv-header", place, *reason)]
    names = [cell.strip() for cell in row]
    if names != row:
        if quote := _quote_sign(csv_format):
            _remove_quotes(names, row, quote)
        changed = ", ".join(f'"{cell}"' for cell, name in zip(row, names, strict=True) if cell != name)
        message, hint = f"spaces around columns' names are left out: {changed}", "remove them in the file"
        edits = _header_edits(csv_format, row, names) if path.endswith((".csv", ".tsv")) else ()
        problems.append(Problem("csv-header-spaces", place, message, hint, Severity.WARNING, edits=edits))
    header = tuple(rename.get(name, name) for name in names)
    problems.extend(_check_header(place, header, used))
    return CsvFile(path, csv_format, header, tuple(row)), problems


def _header_edits(csv_format: CsvFormat, row: list[str], names: list[str]) -> tuple[Edit, ...]:
    """Returns the edit that removes the spaces around the names, where no name of the header is quoted."""
    delimiter = csv_format.delimiter or ","
    old = delimiter.join(row)
    is_plain = csv_format.encoding in {None, "", "utf-8"} and not {'"', "'", "\n", "\r"} & set(old)
    return (Edit(1, 1, old, delimiter.join(names)),) if is_plain else ()


def _explain_missing_header(row: list[str]) -> tuple[str, str] | None:
    """Why a first row names no variables, and what to do. None if it may be a header."""
    if not any(cell.strip() for cell in row):
        return "the file has no header", "its first row names the variables"
    if len(row) > MAX_COLUMNS:
        return f"the file has {len(row):,} columns, and at most {MAX_COLUMNS:,} are read", "leave out what no text uses"
    if len(row) == 2 and row[0].strip().casefold() == "sep=":  # noqa: PLR2004  # `sep=;` split at the semicolon
        return "the first line tells a spreadsheet the delimiter", "remove it"
    if row[0].lstrip().startswith(("{", "[")):
        return "the first line is JSON", "if each line is an object, name the file with jsonl: instead"
    return None


def _check_header(place: Place, header: tuple[str, ...], used: Collection[str] | None) -> Iterator[Problem]:
    known: set[str] = set()
    for number, name in enumerate(header, 1):
        if used is not None and name not in used:
            continue
        if not name:
            message = f"column {number} has no name"
            yield Problem("csv-header", place, message, "name it, or remove the column")
        elif name in known:
            message = f"two columns are named {name}"
            yield Problem("csv-header", place, message, "rename one of them")
        known.add(name)


def _width_problem(file: CsvFile, number: int, row: list[str]) -> Problem:
    if continues_conflict(row[0]):
        return Problem("merge-conflict", Place(file.path, number), CONFLICT_MESSAGE, CONFLICT_HINT)
    width = len(file.header)
    if width == 1 < len(row) and number == _FIRST_ROW and not any("@" in cell for cell in row):
        message = f"line 1 looks like a title, not like a header: it has one field, and line 2 has {len(row)}"
        return Problem("csv-header", Place(file.path, 1), message, "remove it: the first line names the columns")
    message = f"this row has {len(row)} {'field' if len(row) == 1 else 'fields'}, the header {width}"
    hint = "quote a field that holds the delimiter" if len(row) > width else "an empty field still needs its delimiter"
    if any(cell[:1].isspace() and cell.lstrip().startswith(_quote_sign(file.format) or "\n") for cell in row):
        hint = "remove the space before the quote: only a quote at the very beginning of a field quotes it"
    excerpt = mark_private((file.format.delimiter or ",").join(row)[:200])
    return Problem("csv-row", Place(file.path, number), message, hint, excerpt=excerpt)
