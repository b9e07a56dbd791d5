"""CSV files as a source: a header that names the variables, and a recipient a row, streamed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

from runner.declare.audience.csv_dialect import (
    CSV_READ_ERRORS,
    CsvFormat,
    csv_error_problem,
    detect_format,
    open_text,
    reader,
)
from runner.declare.audience.files import (
    estimate_lines,
    file_kind_problem,
    files_title,
    row_label,
    row_number,
    row_place,
    size_of,
    worker_blocks,
)
from runner.declare.audience.recipient import Row
from runner.declare.tree import Tree
from runner.errors import Place, Problem, Severity
from runner.privacy import mark_private

NumberedRow = tuple[int, list[str]] | Problem  # a row with the line on which it begins


@dataclass(frozen=True, slots=True, eq=False)
class CsvFile:
    """One file: its path, its form with nothing left open, its header as variables, and as it is written."""

    path: str
    format: CsvFormat
    header: tuple[str, ...]
    raw_header: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CsvFiles:
    """The rows of one file, or of several with the same columns, in their order. Rows are lines; the header is 1."""

    tree: Tree
    files: tuple[CsvFile, ...]
    is_text: ClassVar[bool] = True
    has_fixed_columns: ClassVar[bool] = True  # `columns` are all that a row can have

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the header."""
        return self.files[0].header

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, from the project's root."""
        return tuple(file.path for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of the files, which several processes may read at once."""
        return size_of(self.tree, self.paths)

    @property
    def estimated_count(self) -> int:
        """About how many rows there are."""
        return estimate_lines(self.tree, self.paths)

    @property
    def title(self) -> str:
        """What is read, in few words."""
        return files_title(self.paths)

    def label(self, number: int) -> str:
        """How problems call a row."""
        return row_label(self.paths, number)

    def place(self, number: int) -> Place:
        """Where a row stands."""
        return row_place(self.paths, number)

    def rows(self) -> Iterator[Row | Problem]:
        """The rows in order, and what is wrong with one; what cannot be read ends its file."""
        for index, file in enumerate(self.files):
            yield from _in_file(index, _values(file, _raw(self.tree, file)))

    def blocks(self, turn: int, turns: int) -> Iterator[list[Row | Problem]]:
        """The rows in blocks, of which every `turns`-th is given, from block `turn` on."""
        numbers = count()
        for index, file in enumerate(self.files):
            for block in worker_blocks(_raw(self.tree, file), numbers, turn, turns):
                yield list(_in_file(index, _values(file, block)))


def _in_file(index: int, rows: Iterator[Row | Problem]) -> Iterator[Row | Problem]:
    """Rows of one of several files, numbered so that it is known of which."""
    if not index:
        return rows
    return (row if isinstance(row, Problem) else (row[0], row[1], row_number(index, row[2])) for row in rows)


def read_csv(
    tree: Tree, paths: Sequence[str], form: CsvFormat, rename: Mapping[str, str]
) -> tuple[CsvFiles | None, list[Problem]]:
    """The files as one source, and what is wrong with their headers; warnings among them do no harm."""
    files: list[CsvFile] = []
    problems: list[Problem] = []
    for path in paths:
        file, found = _read_header(tree, path, form, rename)
        problems.extend(found)
        if file and files and sorted(file.header) != sorted(files[0].header):
            differing = sorted(set(file.header) ^ set(files[0].header))
            message = f"the columns are not those of {files[0].path}: {', '.join(differing)}"
            problems.append(Problem("csv-header", Place(path), message, "files that are read as one have one header"))
        elif file:
            files.append(file)
    is_sound = len(files) == len(paths) and not any(problem.is_error for problem in problems)
    return (CsvFiles(tree, tuple(files)) if is_sound else None), problems


def _raw(tree: Tree, file: CsvFile) -> Iterator[NumberedRow]:
    """The rows with the lines on which they begin; a Problem where the file cannot be read on."""
    number = 1
    try:
        with open_text(tree, file.path, file.format) as handle:
            records = reader(handle, file.format)
            next(records, None)
            number = records.line_num + 1
            for row in records:
                yield number, row
                number = records.line_num + 1
    except CSV_READ_ERRORS as error:
        yield csv_error_problem(tree, file.path, file.format, number, error)


def _values(file: CsvFile, raw: Iterable[NumberedRow]) -> Iterator[Row | Problem]:
    header, width, written = file.header, len(file.header), list(file.raw_header)
    for each in raw:
        if isinstance(each, Problem):
            yield each
            continue
        number, row = each
        if len(row) != width:
            if row:
                yield _width_problem(file, number, row)
        elif row == written:
            message, hint = "this row is the header again", "remove it: files were put together, each with its header"
            yield Problem("csv-row", Place(file.path, number), message, hint)
        elif all(map(str.strip, row)):
            yield dict(zip(header, row)), (), number  # noqa: B905  # of one length; a check would cost
        else:
            blank = tuple(name for name, cell in zip(header, row, strict=True) if not cell.strip())
            values = {name: cell for name, cell in zip(header, row, strict=True) if cell.strip()}
            yield values, blank, number


def _read_header(
    tree: Tree, path: str, declared: CsvFormat, rename: Mapping[str, str]
) -> tuple[CsvFile | None, list[Problem]]:
    form = declared
    if mistaken := file_kind_problem(tree, path):
        return None, [mistaken]
    try:
        form, problems = detect_format(tree, path, declared)
        if any(problem.is_error for problem in problems):
            return None, problems
        with open_text(tree, path, form) as handle:
            row: list[str] = next(reader(handle, form), [])
    except CSV_READ_ERRORS as error:
        return None, [csv_error_problem(tree, path, form, 1, error)]
    place = Place(path)
    if found := _no_header(row):
        return None, [Problem("csv-header", place, *found)]
    names = [cell.strip() for cell in row]
    if names != row:
        shown = ", ".join(f'"{cell}"' for cell, name in zip(row, names, strict=True) if cell != name)
        message, hint = f"spaces around columns' names are left out: {shown}", "remove them in the file"
        problems.append(Problem("csv-header-spaces", place, message, hint, Severity.WARNING))
    header = tuple(rename.get(name, name) for name in names)
    problems.extend(_header_problems(place, header))
    return CsvFile(path, form, header, tuple(row)), problems


def _no_header(row: list[str]) -> tuple[str, str] | None:
    """Why a first row names no variables, and what to do."""
    if not any(cell.strip() for cell in row):
        return "the file has no header", "its first row names the variables"
    if len(row) == 2 and row[0].strip().casefold() == "sep=":  # noqa: PLR2004  # `sep=;` split at the semicolon
        return "the first line tells a spreadsheet the delimiter", "remove it"
    if row[0].lstrip().startswith(("{", "[")):
        return "the first line is JSON", "if each line is an object, name the file with jsonl: instead"
    return None


def _header_problems(place: Place, header: tuple[str, ...]) -> Iterator[Problem]:
    for number, name in enumerate(header, 1):
        if not name:
            message = f"column {number} has no name"
            yield Problem("csv-header", place, message, "name it, or remove the column")
        elif name in header[: number - 1]:
            message = f"two columns are named {name}"
            yield Problem("csv-header", place, message, "rename one of them")


def _width_problem(file: CsvFile, number: int, row: list[str]) -> Problem:
    width = len(file.header)
    message = f"this row has {len(row)} {'field' if len(row) == 1 else 'fields'}, the header {width}"
    hint = "quote a field that holds the delimiter" if len(row) > width else "an empty field still needs its delimiter"
    shown = mark_private((file.format.delimiter or ",").join(row)[:200])
    return Problem("csv-row", Place(file.path, number), message, hint, excerpt=shown)
