"""A locked DuckDB: a database that can open some files of the project and do nothing else.

It is the second of two barriers, after the check of the query, and it suffices alone. A query gets no other file, no
network, no extension and no setting, and it writes nothing.
"""

import importlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from runner.current_work import CURRENT_WORK
from runner.declare.tree import NotReadable, Tree
from runner.privacy import mark_private, mark_private_values

MAX_SECONDS = 60.0  # until the first row
_MAX_WAITS = 60
# Of what DuckDB counts. The texts and lists of the rows that it works on just then come on top, and are limited by the
# address space of the process alone.
MAX_MEMORY = "1GB"
_INTERRUPT_EVERY = 0.1  # seconds: repeated, because DuckDB ignores an interrupt that comes before the query begins
_QUERY_HINT = "the tables are the files that the query names, with the columns of their first line"
_MEMORY_HINT = "order, group and join fewer rows, and build no long texts or lists"
_FAILURE_HINT = (
    "a file is read strictly here: one kind of line end, every row as wide as the header, each key of an object once"
)
_SETTINGS = {
    "memory_limit": f"'{MAX_MEMORY}'",
    "temp_directory": "''",
    "TimeZone": "'UTC'",
    "enable_progress_bar": "false",  # DuckDB prints one on stdout if it takes the process for interactive
    "python_enable_replacements": "false",  # otherwise a table could be a variable of this program
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
}


@dataclass(frozen=True, slots=True)
class QueryTable:
    """A table of the query: its name there, the files that it stands for, and the SQL that reads them."""

    name: str
    paths: tuple[str, ...]
    source_sql: str


@contextmanager
def open_database(tree: Tree, tables: Sequence[QueryTable]) -> Iterator[Any]:
    """Yields a locked DuckDB connection, which can read the files of its tables and do nothing else.

    Each table with `source_sql` is a view on it. Raises NotReadable.
    """
    with closing(connect()) as connection:
        for name, value in _SETTINGS.items():
            connection.execute(f"set {name}={value}")
        paths = [path for table in tables for path in table.paths]
        connection.execute(f"set allowed_paths={sql_path_list(tree, paths)}")
        connection.execute("set enable_external_access=false")
        connection.execute("set lock_configuration=true")
        with translate_errors():
            for table in tables:
                if table.source_sql:
                    name = table.name.replace('"', '""')
                    connection.execute(f'create view "{name}" as select * from {table.source_sql}')  # noqa: S608  # quoted
        yield connection


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns DuckDB's errors into NotReadable, and an interrupt by Ctrl-C into KeyboardInterrupt.

    DuckDB's text may quote a recipient's value, so it is marked as private.
    """
    duckdb = load_duckdb()
    try:
        yield
    except duckdb.InterruptException as error:
        raise NotReadable("sql-too-slow", f"the query takes longer than {MAX_SECONDS:g} seconds") from error
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise NotReadable("too-much-memory", "the query needs too much memory", _MEMORY_HINT) from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # DuckDB raises this after Ctrl-C
            raise KeyboardInterrupt from error
        raise
    except duckdb.Error as error:
        words = " ".join(re.split(r"\n\n|Possible fixes:|Try setting", str(error))[0].split())
        line = re.search(r"(?i)\b[io]n line:? (\d+)", words)
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).removesuffix("Exception").strip()
        place = f", line {line[1]} of its file" if line else ""
        # Before it reads a row, DuckDB quotes only the query and the names of columns. Later it quotes values too.
        is_about_query = isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException)
        detail, hint = (
            (mark_private_values(words[:300], ()), _QUERY_HINT)
            if is_about_query
            else (mark_private(words[:300]), _FAILURE_HINT)
        )
        raise NotReadable("sql-failed", f"the query fails ({kind}{place}): " + detail, hint) from error


def connect(**settings: str) -> Any:
    """Returns a new database in memory, with the settings that have to be set before it begins.

    One thread: the same file gives the same order. DuckDB 2 also begins eight threads for input, and each reserves 64
    MiB of addresses; with none, files are read by the thread that asks for them.
    """
    duckdb = load_duckdb()
    settings = {"threads": "1", **settings}
    try:
        return duckdb.connect(":memory:", config={**settings, "async_threads": "0"})
    except duckdb.InvalidInputException:  # DuckDB 1 has no such threads, and no such setting
        return duckdb.connect(":memory:", config=settings)


def start_query(database: Any, sql: str) -> Any:
    """Runs the query until it has its first rows, and interrupts it after MAX_SECONDS.

    It runs in a thread of its own, because DuckDB forgets a Ctrl-C that comes at the wrong moment. Until the interrupt
    the query counts as work that goes on: the limit on it is this one. Raises DuckDB's errors and KeyboardInterrupt.
    """
    with ThreadPoolExecutor(1) as executor:
        query = executor.submit(database.execute, sql)
        try:
            for _ in range(_MAX_WAITS):
                if wait([query], MAX_SECONDS / _MAX_WAITS).done:
                    break
                CURRENT_WORK.step()
        finally:
            while not query.done():
                database.interrupt()
                wait([query], _INTERRUPT_EVERY)
        return query.result()


def sql_path_list(tree: Tree, paths: Sequence[str]) -> str:
    """Returns the real paths of the files as an SQL list. Raises NotReadable."""
    return "[" + ", ".join(sql_literal(str(tree.real_path(path))) for path in paths) + "]"


def sql_literal(value: str) -> str:
    """Returns the value as an SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


@cache
def load_duckdb() -> Any:
    """Returns the package duckdb. Raises NotReadable if it is not installed."""
    try:
        return importlib.import_module("duckdb")
    except ImportError as error:
        message = "sql and parquet need the package duckdb"
        raise NotReadable("needs-extra", message, "pip install 'msgrun[sql]'") from error
