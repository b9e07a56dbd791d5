"""DuckDB, locked: a database that can open some files of the project and do nothing else.

This is the second wall, and it holds alone: no other file, no network, no extension, no setting, nothing written.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from runner.declare.audience.optional_package import import_extra
from runner.declare.tree import NotReadable, Tree
from runner.privacy import mark_private

MAX_SECONDS = 60.0  # until the first row


MAX_MEMORY = "1GB"


_INTERRUPT_EVERY = 0.1  # seconds: an interrupt that comes before the query begins is lost


_FAILING = (
    "a file is read strictly here: one kind of line end, every row as wide as the header, each key of an object once"
)


_SETTINGS = {
    "threads": "1",  # the same file gives the same order
    "memory_limit": f"'{MAX_MEMORY}'",
    "temp_directory": "''",
    "TimeZone": "'UTC'",
    "enable_progress_bar": "false",  # one on stdout, where DuckDB takes the process for interactive
    "python_enable_replacements": "false",  # a table is never a variable of this program
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


class Database:
    """A locked database that can read these files and do nothing else."""

    def __init__(self, tree: Tree, files: Sequence[QueryTable]) -> None:
        self._files = files
        self._paths = [path for file in files for path in file.paths]
        self._tree = tree
        self._connection = load_duckdb().connect(":memory:")

    def __enter__(self) -> Any:
        connection = self._connection
        try:
            for name, value in _SETTINGS.items():
                connection.execute(f"set {name}={value}")
            connection.execute(f"set allowed_paths={sql_path_list(self._tree, self._paths)}")
            connection.execute("set enable_external_access=false")
            connection.execute("set lock_configuration=true")
            with translate_errors():
                for file in self._files:
                    if file.source_sql:
                        name = file.name.replace('"', '""')
                        connection.execute(f'create view "{name}" as select * from {file.source_sql}')  # noqa: S608  # quoted
        except BaseException:
            connection.close()
            raise
        return connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns what DuckDB raises into NotReadable; its words may quote values. Raises KeyboardInterrupt."""
    known = load_duckdb()
    try:
        yield
    except known.InterruptException as error:
        raise NotReadable("sql-too-slow", f"the query takes longer than {MAX_SECONDS:g} seconds") from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # what DuckDB makes of Ctrl-C
            raise KeyboardInterrupt from error
        raise
    except known.Error as error:
        words = " ".join(re.split(r"\n\n|Possible fixes:|Try setting", str(error))[0].split())
        line = re.search(r"(?i)\b[io]n line:? (\d+)", words)
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).removesuffix("Exception").strip()
        place = f", line {line[1]} of its file" if line else ""
        raise NotReadable(
            "sql-failed", f"the query fails ({kind}{place}): {mark_private(words[:300])}", _FAILING
        ) from error


def start_query(database: Any, sql: str) -> Any:
    """The query, run as far as its first rows. Raises KeyboardInterrupt.

    It runs in a thread of its own: a Ctrl-C that reaches DuckDB in the wrong moment is forgotten there.
    """
    with ThreadPoolExecutor(1) as pool:
        query = pool.submit(database.execute, sql)
        try:
            wait([query], MAX_SECONDS)
        finally:
            while not query.done():
                database.interrupt()
                wait([query], _INTERRUPT_EVERY)
        return query.result()


def sql_path_list(tree: Tree, paths: Sequence[str]) -> str:
    """The files as a list of SQL."""
    return "[" + ", ".join(sql_literal(str(tree.real_path(path))) for path in paths) + "]"


def sql_literal(value: str) -> str:
    """A text of SQL."""
    return "'" + value.replace("'", "''") + "'"


@cache
def load_duckdb() -> Any:
    """The package. Raises NotReadable where it is not installed."""
    return import_extra("duckdb", "sql", "sql and parquet need")
