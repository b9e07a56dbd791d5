"""SQL and Parquet as a source, on DuckDB: one SELECT over files of the project, and nothing else.

What a pull request declares must not read secrets or run code, so there are two walls. The query is parsed and only
let through if it reads files by their names and computes nothing that chance, clock or machine decide; and the
database that runs it can open those files alone, no others, no network, no extension, with its settings locked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from runner.declare.audience.csv_dialect import CsvFormat
from runner.declare.audience.csv_files import read_csv
from runner.declare.audience.duckdb_database import (
    Database,
    QueryTable,
    load_duckdb,
    sql_literal,
    sql_path_list,
    start_query,
    translate_errors,
)
from runner.declare.audience.files import files_title, plain_suffix
from runner.declare.audience.json_lines import row_of
from runner.declare.audience.recipient import Row
from runner.declare.audience.sql_statement import ZONED_TIME_HINT, Statement, parse_statement
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place, Problem

_BATCH = 1000


_ALL = Statement(("rows",), 'select * from "rows"', is_ordered=True)


_KEPT_AS_TEXT = ("DATE", "TIME", "TIMESTAMP", "UUID")  # what DuckDB would make of a text in JSON that looks like one


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """The rows of a query, numbered from 1 in their order. `origin` is where it is declared, `title` what it is."""

    tree: Tree
    sql: str
    tables: tuple[QueryTable, ...]
    columns: tuple[str, ...]
    rename: Mapping[str, str]
    declared_at: Place
    title: str
    is_text: ClassVar[bool] = False
    has_fixed_columns: ClassVar[bool] = True
    estimated_count: ClassVar[int] = 0  # nobody knows before it has run

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, from the project's root."""
        return tuple(path for file in self.tables for path in file.paths)

    def label(self, number: int) -> str:
        """How problems call a row."""
        return f"row {number} of {self.title.rpartition('/')[2]}"

    def place(self, number: int) -> Place:
        """Where a row stands: a row of a result has no place of its own."""
        del number
        return self.declared_at

    def rows(self) -> Iterator[Row | Problem]:
        """The rows in order; what fails ends them."""
        number = 0
        try:
            for number, values in enumerate(self._values(), 1):
                yield row_of(values, number, self.rename)
        except NotReadable as error:
            yield Problem(error.code, self.declared_at, error.message, error.hint, recipient=self.label(number + 1))

    def _values(self) -> Iterator[dict[str, Any]]:
        with Database(self.tree, self.tables) as database, translate_errors():
            names, is_plain = _shape(start_query(database, self.sql))
            while batch := database.fetchmany(_BATCH):
                for row in batch:
                    yield dict(zip(names, row if is_plain else map(_plain, row), strict=True))


def read_query(tree: Tree, sql: str, rename: Mapping[str, str], origin: Place) -> Query:
    """The query, if it may run, with its columns. Raises NotReadable. Its files are relative to the project's root."""
    statement = parse_statement(load_duckdb(), sql)
    files = tuple(_file(tree, name) for name in statement.table_names)
    return _described(tree, statement, files, rename, origin, "the query")


def read_parquet(tree: Tree, paths: Sequence[str], rename: Mapping[str, str], origin: Place) -> Query:
    """The rows of Parquet files, in their order. Raises NotReadable."""
    file = QueryTable("rows", tuple(paths), f"read_parquet({sql_path_list(tree, paths)}, union_by_name=true)")
    _same_columns(tree, paths)
    return _described(tree, _ALL, (file,), rename, origin, files_title(paths))


def _described(
    tree: Tree,
    statement: Statement,
    files: tuple[QueryTable, ...],
    rename: Mapping[str, str],
    origin: Place,
    title: str,
) -> Query:
    with Database(tree, files) as database, translate_errors():
        if statement.converts_zones:
            _refuse_zoned_times(database, files)
        names = [column[0] for column in start_query(database, f"describe {statement.sql}").fetchall()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NotReadable("sql-columns", f"two columns are named {twice[0]}", "name one of them: … as other_name")
    return Query(
        tree, statement.ordered_sql, files, tuple(rename.get(name, name) for name in names), rename, origin, title
    )


def _refuse_zoned_times(database: Any, files: Sequence[QueryTable]) -> None:
    """Raises NotReadable if a file has a time of day with a zone, as Parquet can."""
    for file in files:
        name = file.name.replace('"', '""')
        for column, kind, *_ in database.execute(f'describe select * from "{name}"').fetchall():  # noqa: S608  # quoted
            if "TIME WITH TIME ZONE" in kind.upper():
                message = f"the column {column} has the type TIME WITH TIME ZONE, and this query converts time zones"
                raise NotReadable("sql-function", message, ZONED_TIME_HINT)


def _file(tree: Tree, name: str) -> QueryTable:
    paths = tree.glob(name, "_")
    match plain_suffix(paths[0]):
        case ".parquet":
            return QueryTable(name, tuple(paths), f"read_parquet({sql_path_list(tree, paths)})")
        case ".csv" | ".tsv":
            return QueryTable(name, tuple(paths), _csv(tree, paths))
        case ".jsonl" | ".ndjson":
            return QueryTable(name, tuple(paths), _json(tree, paths))
    raise NotReadable("sql-file", f"{paths[0]} is no .parquet, .csv, .tsv or .jsonl", "these can be read in a query")


def _csv(tree: Tree, paths: Sequence[str]) -> str:
    """Every column as text: DuckDB would guess, and make 123 of the id 0123."""
    source, problems = read_csv(tree, paths, CsvFormat(), {})
    if source is None or len({file.format for file in source.files}) > 1 or source.files[0].format.encoding != "utf-8":
        faulty = next((problem for problem in problems), None)
        message = f"{faulty.place.path}: {faulty.message}" if faulty else f"{paths[0]}: the files differ in form"
        raise NotReadable("sql-file", message, "a query reads CSV files in UTF-8, with one header and delimiter")
    columns = ", ".join(f"{sql_literal(name)}: 'VARCHAR'" for name in source.files[0].header)
    delimiter = source.files[0].format.delimiter or ","
    return (
        f"read_csv({sql_path_list(tree, paths)}, auto_detect=false, header=true, delim={sql_literal(delimiter)}, "
        f"quote='\"', escape='\"', columns={{{columns}}}, nullstr='', strict_mode=true)"
    )


def _json(tree: Tree, paths: Sequence[str]) -> str:
    reading = f"read_json({sql_path_list(tree, paths)}, format='newline_delimited', sample_size=-1"
    with Database(tree, (QueryTable("", tuple(paths), ""),)) as database, translate_errors():
        found = start_query(database, f"describe select * from {reading})").fetchall()  # noqa: S608  # quoted
    columns = ", ".join(
        f"{sql_literal(name)}: {sql_literal('VARCHAR' if kind.startswith(_KEPT_AS_TEXT) else kind)}"
        for name, kind, *_ in found
    )
    return f"{reading}, columns={{{columns}}})"


def _same_columns(tree: Tree, paths: Sequence[str]) -> None:
    found: dict[frozenset[str], str] = {}
    for path in paths:
        with Database(tree, (QueryTable("", (path,), ""),)) as database, translate_errors():
            query = f"select * from read_parquet({sql_path_list(tree, [path])}) limit 0"  # noqa: S608  # quoted
            names, _ = _shape(start_query(database, query))
        found.setdefault(frozenset(names), path)
    if len(found) > 1:
        (first, one), (second, other), *_ = found.items()
        message = f"the columns of {other} are not those of {one}: {', '.join(sorted(first ^ second))}"
        raise NotReadable("parquet-columns", message, "files that are read as one have the same columns")


def _shape(cursor: Any) -> tuple[list[str], bool]:
    """The names of the columns, and whether all hold texts, numbers and booleans."""
    plain = ("VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE")
    names = [column[0] for column in cursor.description]
    return names, all(str(column[1]).removeprefix("U") in plain for column in cursor.description)


def _plain(value: Any) -> Any:
    match value:
        case str() | int() | float() | None:
            return value
        case date() | datetime() | time():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
    raise NotReadable("sql-type", f"a value of type {type(value).__name__} is no text", "cast it: ….::varchar")
