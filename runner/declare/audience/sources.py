"""Opens the source that a declaration names. Only this module knows every kind of source."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from runner.declare.audience.audience import RowSource
from runner.declare.audience.files import plain_suffix
from runner.declare.audience.recipient import IDENTIFIER_KINDS
from runner.declare.audience.suppression import ContactFiles, SuppressionList, read_suppression_list
from runner.declare.similar_names import list_first
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place, Problem

SOURCE_KEYS = ("csv", "jsonl", "parquet", "sql")
_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


def read_source(
    tree: Tree, to: Mapping[str, Any], beside: str, origin: Place, *, used: Collection[str] | None = None
) -> "tuple[RowSource | None, list[Problem]]":
    """Returns the source that `to` names with one of SOURCE_KEYS, and its problems. None if no row can be read.

    Files are relative to the file `beside`. `origin` is where the source is named. `used` are the only columns that
    matter; None means all. Raises NotReadable.
    """
    key = next(key for key in SOURCE_KEYS if key in to)
    rename = to.get("columns", {})
    source: RowSource | None
    problems: list[Problem] = []
    if key == "sql":
        from runner.declare.audience.sql_query import read_query  # noqa: PLC0415  # saves 21 ms where no audience is a query

        source = read_query(tree, to[key], rename, origin)
    else:
        paths = tree.glob(to[key], beside)
        match key:
            case "csv":
                from runner.declare.audience.csv_dialect import CsvFormat  # noqa: PLC0415  # with the next one, saves 5 ms where none is a CSV file
                from runner.declare.audience.csv_files import read_csv  # noqa: PLC0415  # likewise

                delimiter = {"tab": "\t"}.get(to.get("delimiter", ""), to.get("delimiter"))
                source, problems = read_csv(
                    tree, paths, CsvFormat(delimiter, to.get("quote"), to.get("encoding")), rename, used=used
                )
            case "jsonl":
                from runner.declare.audience.json_lines import read_json_lines  # noqa: PLC0415  # saves 1 ms

                source, problems = read_json_lines(tree, paths, rename)
            case _:
                from runner.declare.audience.sql_query import read_parquet  # noqa: PLC0415  # saves 21 ms

                source = read_parquet(tree, paths, rename, origin)
    if source:
        _check_columns(source, rename, used)
    return source, problems


def read_suppression_files(
    tree: Tree, name: str, declared: Iterable[ContactFiles], beside: str, origin: Place
) -> tuple[SuppressionList | None, list[Problem]]:
    """Returns the contacts of some files, and the problems. None if one of the problems is an error.

    Where no format is declared, the suffix of a file says it. Raises NotReadable.
    """
    problems: list[Problem] = []
    sources: list[RowSource] = []
    for files in declared:
        for path in tree.glob(files.pattern, beside):
            key = files.format or _SUFFIXES.get(plain_suffix(path))
            if key is None:
                hint = f"let its name end in one of {', '.join(_SUFFIXES)}, or say what it is: {{csv: {files.pattern}}}"
                raise NotReadable("suppression-file", f"{path} does not say how it is written", hint)
            # The files are named from the root here, so they are relative to a file that stands there.
            source, new_problems = read_source(tree, {key: path, **files.options}, "_", origin, used=IDENTIFIER_KINDS)
            problems.extend(new_problems)
            if source and not set(IDENTIFIER_KINDS) & set(source.columns):
                problems.append(_no_identifier_problem(source))
            elif source:
                sources.append(source)
    suppression, new_problems = read_suppression_list(name, sources)
    problems.extend(new_problems)
    return (None if any(problem.is_error for problem in problems) else suppression), problems


def _no_identifier_problem(source: RowSource) -> Problem:
    """Returns the problem that no column of a list says who is meant."""
    message = f"no column is named id, user_id or email; there is {list_first(source.columns)}"
    column = next((name for name in source.columns if "mail" in name.lower()), "…")
    key = _SUFFIXES.get(plain_suffix(source.title), "csv")
    columns = f"{{{json.dumps(column, ensure_ascii=False)}: email}}"
    hint = f"where the list is named, say which column it is: {{{key}: PATH, columns: {columns}}}"
    if any("@" in column for column in source.columns):
        message = "the first line holds an address instead of the columns' names"
        hint = "write a first line that says: email"
    return Problem("suppression-columns", source.place(1), message, hint)


def _check_columns(source: RowSource, rename: Mapping[str, str], used: Collection[str] | None) -> None:
    """Raises NotReadable if a column that is to be renamed does not exist, or two of the used columns get one name."""
    for old, new in rename.items():
        if new not in source.columns and source.has_fixed_columns:
            hint = f"the columns are {list_first(source.columns)}"
            raise NotReadable("columns-unknown", f"no column is named {old}", hint)
    columns = [name for name in source.columns if used is None or name in used]
    repeated = [name for number, name in enumerate(columns) if name in columns[:number]]
    if repeated:
        raise NotReadable("columns-twice", f"two columns would be named {repeated[0]}")
