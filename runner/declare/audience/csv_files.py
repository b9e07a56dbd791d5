"""CSV files as a source: the header names the variables, and each row is a recipient. Rows are streamed."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from runner.declare.audience.csv_dialect import (
    CSV_READ_ERRORS,
    CsvFormat,
    LineReader,
    csv_error_problem,
    make_reader,
    open_text,
)
from runner.declare.audience.csv_header import CsvFile, read_header
from runner.declare.audience.files import SourceFiles, row_number
from runner.declare.audience.recipient import Row
from runner.declare.pointers_and_conflicts import CONFLICT_HINT, CONFLICT_MESSAGE, continues_conflict
from runner.declare.tree import Tree
from runner.errors import Place, Problem
from runner.privacy import mark_private

NumberedRow = tuple[int, list[str]] | Problem  # the line on which a row begins, and its cells


_FIRST_ROW = 2  # its line, below a header of one line


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

    def read(self, index: int) -> Iterator[NumberedRow]:
        """Yields the rows of a file, each with its first line. If it cannot be read on, a Problem is the last."""
        file, number = self.files[index], 1
        try:
            with open_text(self.tree, file.path, file.format) as handle:
                lines = LineReader(handle)
                records = make_reader(lines, file.format)
                next(records, None)  # the header
                lines.row_size = 0
                number = records.line_num + 1
                for row in records:
                    lines.row_size = 0
                    yield number, row
                    number = records.line_num + 1
        except CSV_READ_ERRORS as error:
            yield csv_error_problem(self.tree, file.path, file.format, number, error)

    def parse(self, index: int, entries: Iterable[NumberedRow]) -> Iterator[Row | Problem]:
        """Yields the rows as variables.

        Spaces around a cell are no part of its value: exports pad their columns with them.
        """
        file, first = self.files[index], row_number(index, 0)
        header, width, raw_header, strip = file.header, len(file.header), list(file.raw_header), str.strip
        for entry in entries:
            if isinstance(entry, Problem):
                yield entry
                continue
            number, row = entry
            if len(row) != width:
                if row:
                    yield _width_problem(file, number, row)
                continue
            cells = list(map(strip, row))
            if row == raw_header:
                hint = "remove it: files were put together, each with its header"
                yield Problem("csv-row", Place(file.path, number), "this row is the header again", hint)
            elif all(cells):
                yield dict(zip(header, cells)), (), first + number  # noqa: B905  # the lengths are equal; another check would take time
            else:
                blank = tuple(name for name, cell in zip(header, cells, strict=True) if not cell)
                values = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
                yield values, blank, first + number


def read_csv(
    tree: Tree,
    paths: Sequence[str],
    declared: CsvFormat,
    rename: Mapping[str, str],
    *,
    used: Collection[str] | None = None,
) -> tuple[CsvFiles | None, list[Problem]]:
    """Returns the files as one source, and the problems of their headers.

    The source is None if one of the problems is an error. A warning does not keep the files from being read. `used` are
    the only columns whose names must be unique; None means all.
    """
    files: list[CsvFile] = []
    problems: list[Problem] = []
    for path in paths:
        file, header_problems = read_header(tree, path, declared, rename, used)
        problems.extend(header_problems)
        if file and files and sorted(file.header) != sorted(files[0].header):
            differing = sorted(set(file.header) ^ set(files[0].header))
            message = f"the columns are not those of {files[0].path}: {', '.join(differing)}"
            problems.append(Problem("csv-header", Place(path), message, "files that are read as one have one header"))
        elif file:
            files.append(file)
    is_sound = len(files) == len(paths) and not any(problem.is_error for problem in problems)
    return (CsvFiles(tree, tuple(paths), tuple(files)) if is_sound else None), problems


def _width_problem(file: CsvFile, number: int, row: list[str]) -> Problem:
    if continues_conflict(row[0]):
        return Problem("merge-conflict", Place(file.path, number), CONFLICT_MESSAGE, CONFLICT_HINT)
    width = len(file.header)
    if width == 1 < len(row) and number == _FIRST_ROW and not any("@" in cell for cell in row):
        message = f"line 1 looks like a title, not like a header: it has one field, and line 2 has {len(row)}"
        return Problem("csv-header", Place(file.path, 1), message, "remove it: the first line names the columns")
    message = f"this row has {len(row)} {'field' if len(row) == 1 else 'fields'}, the header {width}"
    hint = "quote a field that holds the delimiter" if len(row) > width else "an empty field still needs its delimiter"
    excerpt = mark_private((file.format.delimiter or ",").join(row)[:200])
    return Problem("csv-row", Place(file.path, number), message, hint, excerpt=excerpt)
