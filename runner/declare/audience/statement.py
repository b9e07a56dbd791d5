"""The first wall before a query runs: what it is made of, as DuckDB's own parser sees it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runner.declare.tree import NotReadable

_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
_CLOCK = frozenset(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
    | {"current_localtime", "current_localtimestamp"}  # which DuckDB's own catalog calls consistent
)
_MACROS = ("pg_", "has_", "inet_", "current_", "session_", "user", "ago", "obj_", "col_", "shobj_", "format_", "get_")
_ONE = "write one SELECT over the project's files"


@dataclass(frozen=True, slots=True)
class Statement:
    """A query that may run, the names of the files that it reads, and whether it says the order of its rows."""

    tables: tuple[str, ...]
    sql: str
    is_ordered: bool

    @property
    def ordered(self) -> str:
        """The query with an order, by all columns where it says none: --limit takes the first rows."""
        if self.is_ordered:
            return self.sql
        return f"select * from (\n{self.sql}\n) order by all"  # noqa: S608  # parsed


def parsed(duckdb: Any, sql: str) -> Statement:
    """What the query is made of. Raises NotReadable unless it is one SELECT that files alone decide."""
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        (answer,) = connection.execute("select json_serialize_sql($sql)", {"sql": sql}).fetchone()
        found = json.loads(answer)
        if found["error"]:
            message = found["error_message"].split("\n")[0]
            code = "sql-syntax" if found.get("error_type") == "parser" else "sql-not-select"
            raise NotReadable(code, f"the query cannot be used: {message}", _ONE)
        if len(found["statements"]) != 1:
            raise NotReadable("sql-not-select", "the query is more than one statement", _ONE)
        node = found["statements"][0]["node"]
        parts = list(_parts(node))
        _refuse_chance(connection, parts)
    tables = _tables(parts)
    is_ordered = any(modifier["type"] == "ORDER_MODIFIER" for modifier in node["modifiers"])
    return Statement(tables, sql.strip().rstrip(";"), is_ordered)


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of the parsed query."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _tables(parts: list[dict[str, Any]]) -> tuple[str, ...]:
    """The files by their names in the query; every other kind of table is refused."""
    named = {entry["key"].casefold() for part in parts for entry in (part.get("cte_map") or {}).get("map", ())}
    tables: dict[str, None] = {}
    for part in parts:
        match part.get("type"):
            case "BASE_TABLE":
                if part["schema_name"] or part["catalog_name"]:
                    hint = "quote the file's name: from 'audiences/users.parquet'"
                    raise NotReadable("sql-table", "only files are tables here", hint)
                if part["table_name"].casefold() not in named:
                    tables[part["table_name"]] = None
            case "TABLE_FUNCTION":
                name = part["function"].get("function_name", "")
                if name not in _TABLE_FUNCTIONS:
                    hint = "name the file itself: from 'audiences/users.parquet'"
                    raise NotReadable("sql-function", f"the function {name} is not available as a table", hint)
            case "SHOW_REF":
                raise NotReadable("sql-not-select", "the query describes instead of selecting", _ONE)
    return tuple(tables)


def _refuse_chance(connection: Any, parts: list[dict[str, Any]]) -> None:
    """Refuses what would not give the same rows from the same files: clock, chance, samples, a limit without order."""
    hint = "the same files must give the same recipients"
    names = {
        part["function_name"]
        for part in parts
        if part.get("class") in {"FUNCTION", "WINDOW"} and part.get("function_name")
    }
    names |= {
        part["column_names"][0].casefold()
        for part in parts
        if part.get("class") == "COLUMN_REF" and len(part["column_names"]) == 1
    } & _CLOCK
    known = connection.execute(
        "select function_name, function_type, stability from duckdb_functions() "
        "where function_type not in ('table', 'table_macro', 'pragma') and list_contains($names, function_name)",
        {"names": sorted(names)},
    ).fetchall()
    for name, kind, stability in known:
        if stability not in {None, "CONSISTENT"} or name == "version" or (kind == "macro" and name.startswith(_MACROS)):
            raise NotReadable("sql-function", f"the function {name} is not available", hint)
    if names & _CLOCK:
        raise NotReadable("sql-function", f"{min(names & _CLOCK)} is not available", hint)
    if any(part.get("function_name") == "age" and len(_arguments(part)) == 1 for part in parts):
        raise NotReadable("sql-function", "age of one date counts until today", f"{hint}: age(date '2026-12-01', born)")
    for part in parts:
        if part.get("sample"):
            raise NotReadable("sql-chance", "a sample is drawn by chance", f"{hint}; split: chooses a stable part")
        kinds = {modifier.get("type") for modifier in part.get("modifiers") or () if isinstance(modifier, dict)}
        if kinds & {"LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER"} and "ORDER_MODIFIER" not in kinds:
            raise NotReadable("sql-chance", "a limit without order by leaves to chance which rows it keeps", hint)


def _arguments(function: dict[str, Any]) -> list[Any]:
    """The arguments of a function, which DuckDB 1 calls its children."""
    found: list[Any] = function.get("arguments") or function.get("children") or []
    return found
