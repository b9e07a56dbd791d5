"""The header of a CSV file: its names, without what is not part of them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from runner.declare.audience.csv_dialect import (
    CSV_READ_ERRORS,
    CsvFormat,
    LineReader,
    csv_error_problem,
    detect_format,
    make_reader,
    open_text,
)
from runner.declare.audience.files import MAX_COLUMNS, file_kind_problem
from runner.declare.audience.odd_cells import find_other_quotes, quote_hint
from runner.declare.tree import Tree
from runner.errors import Place, Problem

# Around a name: byte order marks, and other characters that no one sees or types.
_INVISIBLE = frozenset("\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad")


@dataclass(frozen=True, slots=True, eq=False)
class CsvFile:
    """One file: its path, its format with every field filled in, and its header.

    `header` has the names of the variables, `raw_header` the names as they are written in the file.
    """

    path: str
    format: CsvFormat
    header: tuple[str, ...]
    raw_header: tuple[str, ...]


def read_header(
    tree: Tree, path: str, declared: CsvFormat, rename: Mapping[str, str], used: Collection[str] | None
) -> tuple[CsvFile | None, list[Problem]]:
    """Reads the header of a file. Returns the file, or None if one of its problems is an error, and the problems.

    `used` are the only columns whose names must be unique; None means all.
    """
    csv_format = declared
    if kind_problem := file_kind_problem(tree, path):
        return None, [kind_problem]
    try:
        csv_format, problems = detect_format(tree, path, declared)
        if any(problem.is_error for problem in problems):
            return None, problems
        with open_text(tree, path, csv_format) as handle:
            row: list[str] = next(make_reader(LineReader(handle), csv_format), [])
    except CSV_READ_ERRORS as error:
        return None, [csv_error_problem(tree, path, csv_format, 1, error)]
    place = Place(path)
    if reason := _explain_missing_header(row):
        return None, [Problem("csv-header", place, *reason)]
    names = [cell.strip() for cell in row]
    if any(name[:1] in _INVISIBLE or name[-1:] in _INVISIBLE for name in names if name):
        # A second byte order mark, and the like. No one can type it, so it is not part of the name.
        quote = "" if csv_format.quote == "none" else csv_format.quote or '"'
        names = [name.strip("".join(_INVISIBLE)).removeprefix(quote).removesuffix(quote) for name in names]
    if pair := next(filter(None, map(find_other_quotes, names)), ""):
        message = f"columns' names stand in {pair[0]} and {pair[1]}, which are no quotes of CSV"
        return None, [Problem("csv-header", place, message, quote_hint(pair))]
    header = tuple(rename.get(name, name) for name in names)
    problems.extend(_check_header(place, header, used))
    return CsvFile(path, csv_format, header, tuple(row)), problems


def _explain_missing_header(row: list[str]) -> tuple[str, str] | None:
    """Returns why a first row names no variables, and what to do. None if it may be a header."""
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
