"""The database of a query can open its own files and do nothing else, even for what the first wall stops."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from runner.declare.audience import duckdb_database
from runner.declare.audience.duckdb_database import (
    QueryTable,
    load_duckdb,
    open_database,
    sql_path_list,
    start_query,
    translate_errors,
)
from runner.declare.audience.sql_query import read_parquet, read_query
from runner.declare.tree import NotReadable
from runner.errors import Place, Problem
from runner.privacy import reveal_or_mask

HERE = Place("messages/a.yaml")
ATTACKS = [
    "from '/etc/passwd'",
    "from read_csv('/etc/passwd')",
    "from read_text('/etc/passwd')",
    "from read_blob('/proc/self/environ')",
    "from read_text('{root}/secret.csv')",
    "from read_text('{root}/data/../secret.csv')",
    "from read_csv('{root}/data/link.csv')",
    "from read_csv('{root}/data/*.csv')",
    "from glob('/etc/*')",
    "from sniff_csv('/etc/passwd')",
    "from 'https://example.com/a.csv'",
    "from 's3://bucket/a.parquet'",
    "copy (select 1) to '{root}/out.csv'",
    "copy (select 1) to '{root}/data/a.csv'",
    "export database '{root}/out'",
    "attach '{root}/x.db'",
    "attach '/tmp/x.db' as x",
    "install httpfs",
    "load httpfs",
    "load '{root}/secret.csv'",
    "set enable_external_access = true",
    "set allowed_paths = ['/etc/passwd']",
    "set allowed_directories = ['/']",
    "set lock_configuration = false",
    "reset lock_configuration",
    "pragma enable_external_access = 1",
    "set home_directory = '/'",
    "set log_query_path = '{root}/log'",
    "create persistent secret s (type http)",
    "select getenv('HOME')",
    "from SECRET_VARIABLE",
]


@pytest.fixture
def tree(write):
    found = write({"data/a.csv": "id\n0123\n", "secret.csv": "id\nsecret\n"})
    (found.root / "data/link.csv").symlink_to(found.root / "secret.csv")
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_lock_holds_alone(tree, attack):
    before = {path: path.read_bytes() for path in tree.root.rglob("*") if path.is_file()}
    file = QueryTable("a", ("data/a.csv",), f"read_csv({sql_path_list(tree, ['data/a.csv'])}, all_varchar=true)")
    with open_database(tree, [file]) as locked:
        assert locked.execute("from a").fetchall() == [("0123",)]
        with pytest.raises(load_duckdb().Error):
            locked.execute(attack.replace("{root}", str(tree.root))).fetchall()
    assert {path: path.read_bytes() for path in tree.root.rglob("*") if path.is_file()} == before


def test_a_query_that_takes_too_long_is_stopped(tree, monkeypatch):
    monkeypatch.setattr(duckdb_database, "MAX_SECONDS", 0.2)
    with pytest.raises(NotReadable, match="longer than"), translate_errors(), open_database(tree, []) as locked:
        start_query(locked, "select sum(a.range * b.range) from range(1000000) a, range(1000000) b").fetchall()


def test_ctrl_c_stops_a_query_as_it_stops_anything_else(tree):
    pressed = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])  # as a terminal does
    with translate_errors(), open_database(tree, []) as locked:
        pressed.start()
        with pytest.raises(KeyboardInterrupt), translate_errors():
            start_query(locked, "select sum(a.range * b.range) from range(1000000) a, range(1000000) b").fetchall()


def test_what_is_left_of_two_dates_is_no_clock(tree):
    query = read_query(
        tree, "select id, age(date '2026-03-01', date '2026-01-01')::varchar as age from 'data/a.csv'", {}, HERE
    )
    assert [values["age"] for values, _, _ in query.rows()] == ["2 months"]


def test_the_words_of_a_failure_are_masked(tree):
    query = read_query(tree, "select id::int / 1 as n, ('x' || id)::int as m from 'data/a.csv'", {}, HERE)
    (problem,) = query.rows()
    assert isinstance(problem, Problem)
    assert "0123" in reveal_or_mask(problem.message, show_values=True)
    assert str(problem.message) == "the query fails (Conversion): ***"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ({"data/x.csv": 'id,n\n1,2\n"a\nb"\n'}, "Invalid Input, line 3 of its file"),
        ({"data/x.jsonl": '{"id":1}\n{"id":1,"id":2}\n'}, "Invalid Input, line 2 of its file"),
    ],
)
def test_a_failure_tells_its_kind_and_line_and_masks_the_rest(tree, write, file, kind):
    write(file)
    try:
        (*_, problem) = read_query(tree, f"from '{next(iter(file))}'", {}, HERE).rows()
        message, hint = problem.message, problem.hint
    except NotReadable as error:
        message, hint = error.message, error.hint
    assert str(message) == f"the query fails ({kind}): ***"
    assert "strictly" in hint


def test_rows_have_one_order_whatever_the_query_leaves_open(tree, write):
    write({"data/b.csv": "id,n\n2,b\n10,a\n1,c\n"})
    rows = [values["id"] for values, _, _ in read_query(tree, "from 'data/b.csv'", {}, HERE).rows()]
    assert rows == ["1", "10", "2"]
    rows = [values["id"] for values, _, _ in read_query(tree, "from 'data/b.csv' order by n;", {}, HERE).rows()]
    assert rows == ["10", "2", "1"]


def test_values_that_are_no_text_become_one(tree, write):
    write({"data/c.jsonl": '{"d":"2026-01-02","u":"0F8FAD5B-D9CB-469F-A165-70867728950E","n":null,"l":[{"a":1.5}]}\n'})
    sql = (
        "select *, date '2026-01-02' as day, 1.50::decimal(4,2) as price, "
        "time '10:00' as t, timestamptz '2026-01-02 10:00:00+02' as at, 2::hugeint as h from 'data/c.jsonl'"
    )
    query = read_query(tree, sql, {"day": "on_day"}, HERE)
    ((values, blank, number),) = query.rows()
    assert values == {
        "d": "2026-01-02",
        "u": "0F8FAD5B-D9CB-469F-A165-70867728950E",
        "l": [{"a": 1.5}],
        "on_day": "2026-01-02",
        "price": "1.50",
        "t": "10:00:00",
        "at": "2026-01-02T08:00:00+00:00",
        "h": 2,
    }
    assert (blank, number, query.label(1)) == (("n",), 1, "row 1 of the query")
    assert "on_day" in query.columns


def test_parquet_keeps_its_order_and_is_read_in_batches(tree):
    with load_duckdb().connect() as free:
        free.execute(f"copy (select 5000 - range as n from range(5000)) to '{tree.root}/data/n.parquet'")
    query = read_parquet(tree, ["data/n.parquet"], {}, HERE)
    assert [values["n"] for values, _, _ in query.rows()] == list(range(5000, 0, -1))
    assert (query.title, query.label(7), query.place(7)) == ("data/n.parquet", "row 7 of n.parquet", HERE)


def test_without_the_package_the_way_to_it_is_told(tree, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    duckdb_database.load_duckdb.cache_clear()
    try:
        with pytest.raises(NotReadable) as refused:
            read_query(tree, "select 1", {}, HERE)
    finally:
        duckdb_database.load_duckdb.cache_clear()
    assert refused.value.hint == "pip install 'msgrun[sql]'"


SHADOWED = [
    "select v.sql from (with duckdb_views as (select 1 as z) select z from duckdb_views) x, duckdb_views v",
    "with duckdb_views as (select * from duckdb_views) select * from duckdb_views",
    "with a as (select * from duckdb_tables), duckdb_tables as (select 1) select * from a",
    "with a as (with pg_class as (select 1) select * from pg_class) select * from a, pg_class",
    "select (with sqlite_master as (select 1 as z) select z from sqlite_master), name from sqlite_master",
    "from (with pragma_database_list as (select 1 as z) from pragma_database_list), pragma_database_list",
    "select * from DuckDB_Columns",
    'select * from "duckdb_databases"',
    "with x as (select 1) select * from x union all select * from duckdb_schemas",
    "select * from 'data/a.csv' where n in (select table_oid from duckdb_tables)",
    # Names of files, which there are not.
    "select * from (with hidden as (select 1 as z) select z from hidden) x, hidden",
    "with a as (select * from b), b as (select 1) select * from a",
    "with b as (select * from b) select * from b",
    "select * from (with t as (select 1 as z) select z from t) x where exists (select 1 from t)",
]


@pytest.mark.parametrize("sql", SHADOWED)
def test_a_with_clause_elsewhere_makes_no_table_readable(tree, sql):
    with pytest.raises(NotReadable) as refused:
        read_query(tree, sql, {}, HERE)
    assert refused.value.code in {"sql-table", "file-missing"}


@pytest.mark.parametrize(
    "sql",
    [
        "with a as (select 1 as n), b as (select n from a) select n from b",
        "with recursive t as (select 1 as n union all select n + 1 from t where n < 3) select n from t",
        "with a as (select 1 as n) select n from (select n from A) x where exists (select 1 from a)",
        "with a as materialized (select 1 as n) select n from a union all select n from a",
        "select n from (with a as (select 1 as n) select n from a) x",
        "with a as (select 1 as n) select (with b as (select n from a) select n from b) as n",
    ],
)
def test_a_query_sees_the_with_clauses_around_it(tree, sql):
    assert read_query(tree, sql, {}, HERE).columns == ("n",)
