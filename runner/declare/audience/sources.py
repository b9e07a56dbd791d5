"""Opens the source that a declaration names. Only this module knows every kind of source."""

from collections.abc import Mapping
from typing import Any

from runner.declare.audience.audience import RowSource
from runner.declare.audience.files import plain_suffix
from runner.declare.audience.suppression import SuppressionList, read_suppression_list
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place, Problem

SOURCE_KEYS = ("csv", "jsonl", "parquet", "yaml", "sql")
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".yaml": "yaml",
    ".yml": "yaml",
}


def read_source(
    tree: Tree, to: Mapping[str, Any], beside: str, origin: Place
) -> "tuple[RowSource | None, list[Problem]]":
    """The source that `to` names with one of SOURCE_KEYS, and its problems. None if no row can be read.

    Files are relative to the file `beside`. `origin` is where the source is named. Raises NotReadable.
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
                    tree, paths, CsvFormat(delimiter, to.get("quote"), to.get("encoding")), rename
                )
            case "jsonl":
                from runner.declare.audience.json_lines import read_json_lines  # noqa: PLC0415  # saves 1 ms

                source, problems = read_json_lines(tree, paths, rename)
            case "yaml":
                from runner.declare.audience.yaml_files import read_yaml  # noqa: PLC0415  # saves 2 ms

                source, problems = read_yaml(tree, paths, rename)
            case _:
                from runner.declare.audience.sql_query import read_parquet  # noqa: PLC0415  # saves 21 ms

                source = read_parquet(tree, paths, rename, origin)
    if source:
        _check_columns(source, rename)
    return source, problems


def read_suppression_files(
    tree: Tree, name: str, paths: list[str], beside: str, origin: Place
) -> tuple[SuppressionList | None, list[Problem]]:
    """The contacts of some files, and the problems. None if one of the problems is an error.

    The suffix of a file says which format it has. Raises NotReadable.
    """
    problems: list[Problem] = []
    sources: list[RowSource] = []
    for pattern in paths:
        for path in tree.glob(pattern, beside):
            key = _SUFFIXES.get(plain_suffix(path))
            if key is None:
                hint = f"it ends in one of {', '.join(_SUFFIXES)}"
                raise NotReadable("suppression-file", f"{path} does not say how it is written", hint)
            source, new_problems = read_source(tree, {key: path}, "_", origin)
            problems.extend(new_problems)
            if source:
                sources.append(source)
    suppression, new_problems = read_suppression_list(name, sources)
    problems.extend(new_problems)
    return (None if any(problem.is_error for problem in problems) else suppression), problems


def _check_columns(source: RowSource, rename: Mapping[str, str]) -> None:
    """Raises NotReadable if a column that is to be renamed does not exist, or two columns get one name."""
    for old, new in rename.items():
        if new not in source.columns and source.has_fixed_columns:
            names = ", ".join(source.columns)
            raise NotReadable("columns-unknown", f"no column is named {old}", f"the columns are {names}")
    repeated = [name for number, name in enumerate(source.columns) if name in source.columns[:number]]
    if repeated:
        raise NotReadable("columns-twice", f"two columns would be named {repeated[0]}")
