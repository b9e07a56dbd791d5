"""What a query may read and call: checks on its parts, as DuckDB's own parser returns them, before it runs."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runner.declare.audience.duckdb_database import connect
from runner.declare.audience.sql_functions import ALLOWED_FUNCTIONS, CLOCK_WORDS, REFUSED_TYPES
from runner.declare.similar_names import did_you_mean
from runner.declare.tree import NotReadable

MAX_QUERY = 64 * 1024  # characters; a long query of people has some thousand
MAX_OPEN_PARENTHESES = 200  # DuckDB's parser takes half a second for a thousand that nothing closes, and quadratic time
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
_REPEATABLE_HINT = "the same files must give the same recipients"
ZONED_TIME_HINT = "convert a timestamp to the other zone before you take its time"
# Tables of DuckDB and of the databases that it stands in for. A file's name has a dot.
_CATALOG = re.compile(r"(?:duckdb|sqlite|pragma|pg)_[^.]*$", re.IGNORECASE)
_AGE_ARGUMENTS = 2  # with one argument, or as a method of a column, age() counts until today
_ONE_SELECT_HINT = "write one SELECT over the project's files"


@dataclass(frozen=True, slots=True)
class Statement:
    """A query that may run.

    `table_names` are the names of the files that it reads. `is_ordered` says whether it orders its rows.
    `converts_zones` says whether it calls `timezone`, which is also written as `AT TIME ZONE`.
    """

    table_names: tuple[str, ...]
    sql: str
    is_ordered: bool
    converts_zones: bool = False

    @property
    def ordered_sql(self) -> str:
        """The query with an order, because --limit takes the first rows.

        If the query has no order of its own, it is ordered by all columns.
        """
        if self.is_ordered:
            return self.sql
        return f"select * from (\n{self.sql}\n) order by all"  # noqa: S608  # parsed


def parse_statement(sql: str) -> Statement:
    """Parses and checks a query.

    Raises NotReadable unless it is one SELECT whose result is decided by its files alone.
    """
    _check_size(sql)
    with connect(enable_external_access="false") as connection:
        (answer,) = connection.execute("select json_serialize_sql($sql)", {"sql": sql}).fetchone()
        try:
            parsed = json.loads(answer)
        except RecursionError as error:
            raise NotReadable("sql-syntax", "the query is nested too deeply", _ONE_SELECT_HINT) from error
        if parsed["error"]:
            message = parsed["error_message"].split("\n")[0]
            code = "sql-syntax" if parsed.get("error_type") == "parser" else "sql-not-select"
            raise NotReadable(code, f"the query cannot be used: {message}", _ONE_SELECT_HINT)
        if len(parsed["statements"]) != 1:
            raise NotReadable("sql-not-select", "the query is more than one statement", _ONE_SELECT_HINT)
        node = parsed["statements"][0]["node"]
    parts = list(_walk(node))
    tables = _list_tables(node)
    _check_functions(parts)
    _refuse_randomness(parts)
    is_ordered = any(modifier["type"] == "ORDER_MODIFIER" for modifier in node["modifiers"])
    converts_zones = any(str(part.get("function_name")).casefold() == "timezone" for part in parts)
    return Statement(tables, sql.strip().rstrip(";"), is_ordered, converts_zones)


def _check_size(sql: str) -> None:
    """Raises NotReadable if the query is too long, or nested so deep that parsing it would not end."""
    if len(sql) > MAX_QUERY:
        hint = "a long list of values belongs into a file, which the query joins"
        raise NotReadable("sql-syntax", f"the query is longer than {MAX_QUERY:,} characters", hint)
    depth = 0
    for sign in sql:
        depth += (sign == "(") - (sign == ")")
        if depth > MAX_OPEN_PARENTHESES:
            raise NotReadable("sql-syntax", f"more than {MAX_OPEN_PARENTHESES} parentheses are open", _ONE_SELECT_HINT)


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            yield part
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)


def _walk_scopes(node: Any) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Yields every mapping in the parsed query, with the names of the `with` clauses that it sees, case-folded.

    A query sees those of the queries around it. One of a `with` clause sees the ones before it, and if it is recursive,
    itself.
    """
    pending: list[tuple[Any, frozenset[str]]] = [(node, frozenset())]
    while pending:
        part, names = pending.pop()
        if isinstance(part, list):
            pending.extend((item, names) for item in part)
        elif isinstance(part, dict):
            if part.get("type") in ("RECURSIVE_CTE_NODE", "CTE_NODE"):  # of a sample the type is an object
                names |= {str(part.get("cte_name")).casefold()}
            for entry in (part.get("cte_map") or {}).get("map", ()):
                pending.append((entry, names))
                names |= {entry["key"].casefold()}
            yield part, names
            pending.extend((value, names) for key, value in part.items() if key != "cte_map")


def _list_tables(node: Any) -> tuple[str, ...]:
    """Returns the files, by their names in the query.

    The names of the query's own `with` clauses and the functions in _TABLE_FUNCTIONS are allowed too, and are left out.
    Raises NotReadable for every other kind of table.
    """
    tables: dict[str, None] = {}
    for part, cte_names in _walk_scopes(node):
        match part.get("type"):
            case "BASE_TABLE":
                if part["schema_name"] or part["catalog_name"]:
                    hint = "quote the file's name: from 'audiences/users.parquet'"
                    raise NotReadable("sql-table", "only files are tables here", hint)
                if _CATALOG.match(part["table_name"]):
                    message = f"{part['table_name']} is a table of the database itself, and only files are tables here"
                    raise NotReadable("sql-table", message, "give a part of the query another name")
                if part["table_name"].casefold() not in cte_names:
                    tables[part["table_name"]] = None
            case "TABLE_FUNCTION":
                name = part["function"].get("function_name", "")
                if name not in _TABLE_FUNCTIONS:
                    hint = "name the file itself: from 'audiences/users.parquet'"
                    raise NotReadable("sql-function", f"the function {name} is not available as a table", hint)
            case "SHOW_REF":
                raise NotReadable("sql-not-select", "the query describes instead of selecting", _ONE_SELECT_HINT)
    return tuple(tables)


def _check_functions(parts: list[dict[str, Any]]) -> None:
    """Raises NotReadable for the first function or type whose result the files alone do not decide."""
    for part in parts:
        name = (part.get("function_name") or "").casefold()
        columns: list[str] = part.get("column_names") or []
        if part.get("class") == "COLUMN_REF" and len(columns) == 1 and columns[0].casefold() in CLOCK_WORDS:
            raise NotReadable("sql-function", f"{columns[0]} is not available", _REPEATABLE_HINT)
        if name and name not in ALLOWED_FUNCTIONS:
            hint = did_you_mean(name, sorted(ALLOWED_FUNCTIONS), cutoff=0.85)
            hint = hint or f"{_REPEATABLE_HINT}; docs/declarations.md has the list"
            raise NotReadable("sql-function", f"the function {name} is not available", hint)
        if name == "age" and len(_get_arguments(part)) != _AGE_ARGUMENTS:
            hint = f"{_REPEATABLE_HINT}: age(date '2026-12-01', born)"
            raise NotReadable("sql-function", "age of one date counts until today", hint)
        types = {str(part.get(key)).casefold() for key in ("id", "type_name", "user_type_name")}
        if types & REFUSED_TYPES:
            raise NotReadable("sql-function", "the type TIME WITH TIME ZONE is not available", ZONED_TIME_HINT)


def _refuse_randomness(parts: list[dict[str, Any]]) -> None:
    """Raises NotReadable for a sample, or for a limit without an order.

    They may choose different rows from the same files.
    """
    for part in parts:
        if part.get("sample"):
            hint = f"{_REPEATABLE_HINT}; split: chooses a stable part"
            raise NotReadable("sql-chance", "a sample is drawn by chance", hint)
        kinds = {modifier.get("type") for modifier in part.get("modifiers") or () if isinstance(modifier, dict)}
        if kinds & {"LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER"} and "ORDER_MODIFIER" not in kinds:
            message = "a limit without order by leaves to chance which rows it keeps"
            raise NotReadable("sql-chance", message, _REPEATABLE_HINT)


def _get_arguments(function: dict[str, Any]) -> list[Any]:
    """Returns the arguments of a function. DuckDB 1 calls them children."""
    arguments: list[Any] = function.get("arguments") or function.get("children") or []
    return arguments
