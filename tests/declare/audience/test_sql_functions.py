"""What a query may call depends on our list, not on what a version of DuckDB says of its functions."""

import pytest

from runner.declare.audience.duckdb_database import load_duckdb
from runner.declare.audience.sql_checks import parse_statement
from runner.declare.audience.sql_functions import ALLOWED_FUNCTIONS
from runner.declare.audience.sql_query import read_query
from runner.declare.tree import NotReadable
from runner.errors import Place
from tests.support.proof import proofs

CLOCK = (
    "now today current_date current_time current_timestamp get_current_time get_current_timestamp localtime ago "
    "localtimestamp current_localtime current_localtimestamp transaction_timestamp pg_postmaster_start_time "
    "pg_conf_load_time"
)
CHANCE = "random setseed uuid uuidv4 uuidv7 gen_random_uuid reservoir_quantile"
FILES = "read_text read_blob read_csv read_json read_parquet glob parquet_metadata write_log getenv"
SETTINGS = (
    "current_setting getvariable current_schema current_schemas current_database current_catalog current_user user "
    "session_user current_role in_search_path set_config"
)
MACHINE = (
    "version pg_typeof stats vector_type current_query current_query_id current_connection_id get_block_size "
    "current_transaction_id txid_current nextval currval setval inet_client_addr inet_server_addr sleep_ms pg_sleep"
)
BY_NAME = "query query_table json_execute_serialized_sql list_aggregate array_aggr list_aggr aggregate from_json invoke"
VERSION = "hash approx_count_distinct approx_quantile approx_top_k list_approx_count_distinct json_serialize_plan"
# What the parser writes for syntax, and what older versions have only there.
SYNTAX = {"->", "coalesce", "if", "ifnull", "unnest", "overlay", "!__postfix", "fill"}
WINDOWS = {"cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value", "ntile", "percent_rank"}
WINDOWS |= {"rank", "rank_dense", "row_number"}


def _refusal(sql):
    with pytest.raises(NotReadable) as refused:
        parse_statement(sql)
    return refused.value


FORMS = ["{}(1)", "main.{}(1)", "system.main.{}()", "upper(x.{}())", '"{}"(1, 2) over ()', "[{}(y) for y in z]"]


NAMES = f"{CLOCK} {CHANCE} {FILES} {SETTINGS} {MACHINE} {BY_NAME} {VERSION}".split()
IN_EVERY_RUN = ["today", "uuid", "read_text", "nextval"]


def test_no_function_that_the_files_do_not_decide_is_allowed():
    assert not ALLOWED_FUNCTIONS & set(NAMES)


@pytest.mark.parametrize("name", [*IN_EVERY_RUN, *proofs(name for name in NAMES if name not in IN_EVERY_RUN)])
def test_a_function_that_the_files_do_not_decide_is_refused(name):
    assert _refusal(f"select upper({name}(1)) as id").code == "sql-function"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["NOW", "random", "current_setting"])
def test_it_is_refused_however_it_is_called(name, form):
    assert _refusal(f"select {form.format(name)} as id").code == "sql-function"


@pytest.mark.parametrize("word", ["current_date", "CURRENT_TIME", "current_timestamp", "localtime", "LocalTimestamp"])
@pytest.mark.parametrize("form", ["select {}", "from 'a.csv' where born < {}", "select x from (select {} as x)"])
def test_a_clock_without_brackets_is_refused(word, form):
    assert _refusal(form.format(word)).code == "sql-function"


@pytest.mark.parametrize("call", ["age(born)", "born.age()", "main.age(born)", "born.age(other)", "AGE(born)"])
def test_an_age_until_today_is_refused(call):
    assert _refusal(f"select {call} from 'a.csv'").message == "age of one date counts until today"


@pytest.mark.parametrize(
    "value",
    [
        "'10:00:00+00'::timetz",
        "cast(t as TIME WITH TIME ZONE)",
        "try_cast(t as timetz[])",
        "t::struct(x TimeTZ)",
        "t::TIME_TZ",
        "t::map(varchar, timetz)",
    ],
)
def test_a_time_of_day_with_a_zone_is_refused_because_its_conversion_asks_the_clock(value):
    assert "TIME WITH TIME ZONE" in _refusal(f"select ({value}) at time zone 'Australia/Sydney'").message


def test_its_long_name_is_refused_too():
    refusal = _refusal("select t::system.main.timetz")
    assert refusal.code in {"sql-function", "sql-syntax"}  # DuckDB 1 cannot read it


def test_a_file_with_such_a_time_is_read_but_not_converted(write):
    tree = write({"a.csv": "id\n1\n"})
    with load_duckdb().connect() as free:
        free.execute(f"copy (select '1' as id, '10:00:00+00'::timetz as t) to '{tree.root}/t.parquet'")
    query = read_query(tree, "select id, t::varchar as t from 't.parquet'", {}, Place("a.yaml"))
    ((values, _, _),) = query.rows()
    assert values["t"].startswith("10:00:00")
    with pytest.raises(NotReadable, match="column t has the type TIME WITH TIME ZONE"):
        read_query(tree, "select t at time zone 'Australia/Sydney' as t from 't.parquet'", {}, Place("a.yaml"))


def test_every_function_that_the_installed_version_calls_volatile_is_refused():
    """Rows of the catalog, so a newer DuckDB brings its own new functions to this test."""
    with load_duckdb().connect() as free:
        rows = free.execute("select function_name from duckdb_functions() where stability = 'VOLATILE'").fetchall()
    names = {name.casefold() for (name,) in rows}
    assert names
    assert not names & ALLOWED_FUNCTIONS


def test_every_allowed_function_exists():
    with load_duckdb().connect() as free:
        rows = free.execute("select function_name from duckdb_functions()").fetchall()
    assert ALLOWED_FUNCTIONS - {name.casefold() for (name,) in rows} <= SYNTAX | WINDOWS


@pytest.mark.parametrize(
    "expression",
    [
        "1 + 1",
        "a || '!'",
        "age(date '2026-03-01', date '2026-01-01')",
        "extract(year from date '2026-03-01')",
        "timestamp '2026-03-01 10:00' at time zone 'Europe/Berlin'",
        "strftime(date '2026-03-01', '%d.%m.%Y')",
        "date '2026-03-01' + interval 1 day",
        "list_transform([1, 2], lambda x: x + 1)",
        "[x for x in [1, 2] if x > 1]",
        "{'a': 1}.a",
        "map {'a': 1}['a']",
        "case when a = 'x' then 1 else 2 end",
        "coalesce(a, 'b'), nullif(a, ''), ifnull(a, ''), if(a = '', 1, 2)",
        "a like 'x%' or a not ilike 'y%' or a similar to 'z.*' or a ~ 'q'",
        "trim(a), position('x' in a), substring(a from 1 for 2), overlay(a placing 'b' from 1)",
        "row_number() over (order by a), lag(a) over (order by a)",
        "count(*), count(distinct a), string_agg(a, ',' order by a), first(a order by a)",
        "a::int, try_cast(a as double), cast(a as date)",
        "json_extract_string('{\"a\":1}', '$.a'), '{\"a\":1}'::json ->> 'a'",
        "a.upper().trim()",
        "list_sum(list_value(1, 2)), list_sort([2, 1])[1:1]",
        "generate_series(1, 3), 5 // 2, 5 % 2, -a::int, 3!",
        "md5(a), sha256(a), regexp_replace(a, 'x', 'y')",
        "array(select 1), (select max(a) from 'a.csv'), a in (select b from 'b.csv')",
    ],
)
def test_what_people_write_is_allowed(expression):
    assert parse_statement(f"select {expression} from 'a.csv'").table_names


def test_a_slip_has_a_hint():
    assert _refusal("select uper(a) from 'a.csv'").hint == "did you mean upper?"
