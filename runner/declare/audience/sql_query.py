"""SQL and Parquet as a source, on DuckDB: one SELECT over files of the project, and nothing else.

A query in a pull request must not read secrets or run code, so there are two barriers. The query is parsed, and refused
unless it reads files by their names and computes nothing that randomness, a clock or the machine decides. The database
that runs it can open those files and no others. It has no network and no extension, and its settings are locked.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from runner.declare.audience.csv_dialect import CsvFormat
from runner.declare.audience.csv_files import read_csv
from runner.declare.audience.duckdb_database import (
    QueryTable,
    open_database,
    sql_literal,
    sql_path_list,
    start_query,
    translate_errors,
)
from runner.declare.audience.files import MAX_COLUMNS, MAX_ROWS, files_title, plain_suffix
from runner.declare.audience.json_lines import row_of
from runner.declare.audience.recipient import Row
from runner.declare.audience.sql_checks import ZONED_TIME_HINT, Statement, parse_statement
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place, Problem

_NO_FOLDERS = "hive_partitioning=false"  # else a folder named key=value replaces the column of that name
_ROWS_HINT = "let several messages have a part of them each"
_BATCH_ROWS = 1000  # rows
_ALL_ROWS = Statement(("rows",), 'select * from "rows"', is_ordered=True)
_KEPT_AS_TEXT = ("DATE", "TIME", "TIMESTAMP", "UUID")  # types that DuckDB gives to a text in JSON that looks like one


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """The rows of a query, numbered from 1 in their order.

    `declared_at` is where the query is declared. `title` is how problems name it.
    """

    tree: Tree
    sql: str
    tables: tuple[QueryTable, ...]
    columns: tuple[str, ...]
    rename: Mapping[str, str]
    declared_at: Place
    title: str
    is_text: ClassVar[bool] = False
    has_fixed_columns: ClassVar[bool] = True
    is_unread: ClassVar[bool] = False
    estimated_count: ClassVar[int] = 0  # not known until the query has run

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, relative to the project's root."""
        return tuple(path for file in self.tables for path in file.paths)

    def label(self, number: int) -> str:
        """Returns how problems name a row."""
        return f"row {number} of {self.title.rpartition('/')[2]}"

    def place(self, number: int) -> Place:
        """Returns where the query is declared: a row of a result has no place of its own."""
        del number
        return self.declared_at

    def rows(self) -> Iterator[Row | Problem]:
        """Yields the rows in order. If the query fails, the last item is a Problem."""
        number = 0
        try:
            for number, values in enumerate(self._fetch_rows(), 1):
                if number > MAX_ROWS:
                    message = f"there are more than {MAX_ROWS:,} rows"
                    yield Problem("sql-failed", self.declared_at, message, _ROWS_HINT, recipient=self.label(number))
                    return
                yield row_of(values, number, self.rename)
        except NotReadable as error:
            yield Problem(error.code, self.declared_at, error.message, error.hint, recipient=self.label(number + 1))

    def _fetch_rows(self) -> Iterator[dict[str, Any]]:
        with open_database(self.tree, self.tables) as database, translate_errors():
            names, is_plain = _describe_cursor(start_query(database, self.sql))
            while batch := database.fetchmany(_BATCH_ROWS):
                for row in batch:
                    yield dict(zip(names, row if is_plain else map(_convert_value, row), strict=True))


def read_query(tree: Tree, sql: str, rename: Mapping[str, str], origin: Place) -> Query:
    """Returns the query with its columns. Its files are relative to the project's root.

    Raises NotReadable if the query may not run, or fails.
    """
    with translate_errors():  # a long query may take all the memory to parse
        statement = parse_statement(sql)
    files = tuple(_build_table(tree, name) for name in statement.table_names)
    return _build_query(tree, statement, files, rename, origin, "the query")


def read_parquet(tree: Tree, paths: Sequence[str], rename: Mapping[str, str], origin: Place) -> Query:
    """Returns the rows of Parquet files, in the order of the files. Raises NotReadable."""
    _check_files(tree, paths)
    table = QueryTable(
        "rows", tuple(paths), f"read_parquet({sql_path_list(tree, paths)}, {_NO_FOLDERS}, union_by_name=true)"
    )
    _check_same_columns(tree, paths)
    return _build_query(tree, _ALL_ROWS, (table,), rename, origin, files_title(paths))


def _build_query(
    tree: Tree,
    statement: Statement,
    tables: tuple[QueryTable, ...],
    rename: Mapping[str, str],
    origin: Place,
    title: str,
) -> Query:
    with open_database(tree, tables) as database, translate_errors():
        if statement.converts_zones:
            _refuse_zoned_times(database, tables)
        names = [column[0] for column in start_query(database, f"describe {statement.sql}").fetchall()]
    if len(names) > MAX_COLUMNS:
        hint = "select the columns that the message uses"
        message = f"{title} has {len(names):,} columns, and at most {MAX_COLUMNS:,} are read"
        raise NotReadable("sql-columns", message, hint)
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise NotReadable("sql-columns", f"two columns are named {repeated[0]}", "name one of them: … as other_name")
    return Query(
        tree, statement.ordered_sql, tables, tuple(rename.get(name, name) for name in names), rename, origin, title
    )


def _refuse_zoned_times(database: Any, tables: Sequence[QueryTable]) -> None:
    """Raises NotReadable if a file has a time of day with a zone, which Parquet allows."""
    for table in tables:
        name = table.name.replace('"', '""')
        for column, kind, *_ in database.execute(f'describe select * from "{name}"').fetchall():  # noqa: S608  # quoted
            if "TIME WITH TIME ZONE" in kind.upper():
                message = f"the column {column} has the type TIME WITH TIME ZONE, and this query converts time zones"
                raise NotReadable("sql-function", message, ZONED_TIME_HINT)


def _build_table(tree: Tree, name: str) -> QueryTable:
    paths = tree.glob(name, "_")
    _check_files(tree, paths)
    match plain_suffix(paths[0]):
        case ".parquet":
            return QueryTable(name, tuple(paths), f"read_parquet({sql_path_list(tree, paths)}, {_NO_FOLDERS})")
        case ".csv" | ".tsv":
            return QueryTable(name, tuple(paths), _write_csv_sql(tree, paths))
        case ".jsonl" | ".ndjson":
            return QueryTable(name, tuple(paths), _write_json_sql(tree, paths))
    raise NotReadable("sql-file", f"{paths[0]} is no .parquet, .csv, .tsv or .jsonl", "these can be read in a query")


def _check_files(tree: Tree, paths: Sequence[str]) -> None:
    """Raises NotReadable if a file cannot be read as the file that is meant: DuckDB would not say why."""
    for path in paths:
        tree.open(path).close()


def _write_csv_sql(tree: Tree, paths: Sequence[str]) -> str:
    """Returns the SQL that reads CSV files with every column as text.

    DuckDB would guess the types, and turn the id 0123 into 123.
    """
    source, problems = read_csv(tree, paths, CsvFormat(), {})
    if source is None or len({file.format for file in source.files}) > 1 or source.files[0].format.encoding != "utf-8":
        problem = next(iter(problems), None)
        if problem and problem.code == "merge-conflict":
            raise NotReadable(problem.code, f"{problem.place.path}: {problem.message}", problem.hint)
        message = f"{problem.place.path}: {problem.message}" if problem else f"{paths[0]}: the files differ in form"
        raise NotReadable("sql-file", message, "a query reads CSV files in UTF-8, with one header and delimiter")
    columns = ", ".join(f"{sql_literal(name)}: 'VARCHAR'" for name in source.files[0].header)
    delimiter = source.files[0].format.delimiter or ","
    return (
        f"read_csv({sql_path_list(tree, paths)}, auto_detect=false, header=true, delim={sql_literal(delimiter)}, "
        f"quote='\"', escape='\"', columns={{{columns}}}, nullstr='', strict_mode=true, {_NO_FOLDERS})"
    )


def _write_json_sql(tree: Tree, paths: Sequence[str]) -> str:
    read_call = f"read_json({sql_path_list(tree, paths)}, format='newline_delimited', sample_size=-1, {_NO_FOLDERS}"
    with open_database(tree, (QueryTable("", tuple(paths), ""),)) as database, translate_errors():
        described = start_query(database, f"describe select * from {read_call})").fetchall()  # noqa: S608  # quoted
    columns = ", ".join(
        f"{sql_literal(name)}: {sql_literal('VARCHAR' if kind.startswith(_KEPT_AS_TEXT) else kind)}"
        for name, kind, *_ in described
    )
    return f"{read_call}, columns={{{columns}}})"


def _check_same_columns(tree: Tree, paths: Sequence[str]) -> None:
    first_paths: dict[frozenset[str], str] = {}
    for path in paths:
        with open_database(tree, (QueryTable("", (path,), ""),)) as database, translate_errors():
            read_call = f"read_parquet({sql_path_list(tree, [path])}, {_NO_FOLDERS})"
            query = f"select * from {read_call} limit 0"  # noqa: S608  # quoted
            names, _ = _describe_cursor(start_query(database, query))
        first_paths.setdefault(frozenset(names), path)
    if len(first_paths) > 1:
        (first, first_path), (second, second_path), *_ = first_paths.items()
        message = f"the columns of {second_path} are not those of {first_path}: {', '.join(sorted(first ^ second))}"
        raise NotReadable("parquet-columns", message, "files that are read as one have the same columns")


def _describe_cursor(cursor: Any) -> tuple[list[str], bool]:
    """Returns the names of the columns, and whether all of them contain only texts, numbers and booleans."""
    plain_types = ("VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE")
    names = [column[0] for column in cursor.description]
    return names, all(str(column[1]).removeprefix("U") in plain_types for column in cursor.description)


def _convert_value(value: Any) -> Any:
    match value:
        case str() | int() | float() | None:
            return value
        case date() | datetime() | time():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case list() | tuple():
            return [_convert_value(item) for item in value]
        case dict():
            return {str(key): _convert_value(item) for key, item in value.items()}
    raise NotReadable("sql-type", f"a value of type {type(value).__name__} is not a text", "cast it: ….::varchar")
