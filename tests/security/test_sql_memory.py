"""No query and no Parquet file fills the memory: it ends with an error, within the limit of the process."""

import subprocess
import sys

import pytest

from runner.declare.audience import sql_query
from runner.declare.audience.duckdb_database import load_duckdb
from tests.security.test_budget import declared, queried
from tests.support import supervised
from tests.support.project import ROOT, Folder
from tests.support.proof import proofs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a child is watched on Linux alone")

ROWS = "range(3000) a, range(3000) b, range(3000) c"
QUERIES = {
    "a long text": "select len(repeat('x', 4000000000)) as id",
    "long texts of many rows": "select len(repeat(range::text || 'ab', 1000000)) as id from range(100000)",
    "a text of texts": f"select string_agg(repeat('x', 100000), ',') as id from {ROWS}",
    "padding": "select len(lpad('x', 2000000000, 'abc')) as id",
    "a list": "select len(range(1000000000)) as id",
    "a list of all rows": f"select len(list(a.range + b.range)) as id from {ROWS}",
    "a list of lists": "select len(list_transform(range(100000), lambda x: range(100000))) as id",
    "the order of many rows": f"select a.range as id from {ROWS} order by c.range, b.range, 1",
    "an order of long texts": "select repeat('x', 100000) || range as id from range(1000000) order by 1",
    "groups": f"select count(*) as id from {ROWS} group by a.range * 9000000 + b.range * 3000 + c.range",
    "distinct rows": f"select distinct a.range * 9000000 + b.range * 3000 + c.range as id from {ROWS}",
    "a window": f"select row_number() over (partition by a.range order by b.range) as id from {ROWS}",
    "a join": "select a.range as id from range(50000000) a join range(50000000) b on a.range = b.range",
    "a recursive query": "with recursive t(n) as (select 1 union all select n + 1 from t) select n as id from t",
    "a text that doubles": "with recursive t(n) as (select 'x' union all select n || n from t) select n as id from t",
    "JSON": "select len(to_json(range(200000000))::text) as id",
    "a pattern": "select len(regexp_replace(repeat('x', 100000000), 'x', repeat('y', 1000), 'g')) as id",
    "a histogram": f"select cardinality(histogram(a.range * 9000000 + b.range * 3000 + c.range)) as id from {ROWS}",
}
ENDS = ("[too-much-memory]", "[sql-too-slow]", "[too-slow]", "[sql-function]")
EVERY_RUN = ("a long text", "long texts of many rows", "a list of all rows")


@pytest.mark.parametrize("name", [*EVERY_RUN, *proofs(name for name in QUERIES if name not in EVERY_RUN)])
def test_a_query_ends_within_the_memory_of_the_process(folder: Folder, name: str) -> None:
    folder.message(queried(QUERIES[name]), "a")
    ran = supervised.run(folder.path, "validate", seconds=10, query_seconds=5)
    assert ran.code == 1, ran
    assert ran.out.startswith("messages/a.yaml:"), ran
    assert any(end in ran.out for end in ENDS), ran
    assert "bug" not in ran.err, ran


@pytest.mark.proof
def test_with_the_limits_of_a_user_it_ends_within_4_gib(folder: Folder) -> None:
    folder.message(queried(QUERIES["long texts of many rows"]), "a")
    ran = supervised.run(folder.path, "validate", seconds=10, memory=4 << 30, query_seconds=60)
    assert (ran.code, "[too-much-memory]" in ran.out) == (1, True), ran


def test_a_database_begins_no_thread_and_reserves_little() -> None:
    script = """
import os, resource
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, resource.RLIM_INFINITY))
from runner.declare.audience.duckdb_database import connect
print(connect().execute("select 1").fetchall(), len(os.listdir("/proc/self/task")))
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("[(1,)] 1\n", "")


def parquet(folder: Folder, sql: str, options: str = "") -> None:
    with load_duckdb().connect() as free:
        free.execute(f"copy ({sql}) to '{folder.path}/a.parquet' (format parquet{options})")
    folder.message(declared("Hi", to='{parquet: ../a.parquet, type: user, id: "{{ id }}"}'), "a")


PARQUET = {
    "a text of 500 MB": ("select repeat('x', 500000000) as id", ", compression zstd", "[too-"),
    "300 texts of 10 MB": ("select repeat('x', 10000000) as id from range(300)", ", compression zstd", "[too-"),
    "a list of 10 million": ("select 'a' as id, range(10000000) as l", ", compression zstd", "[too-much-memory]"),
    "2,001 columns": (f"select 'a' as id, {', '.join(f'{n} as c{n}' for n in range(2000))}", "", "has 2,001 columns"),
    "a column of bytes": ("select 'a'::blob as id", "", "a value of type bytes is not a text"),
}


@pytest.mark.parametrize("name", [*list(PARQUET)[-2:], *proofs(list(PARQUET)[:-2])])
def test_a_parquet_file_that_unpacks_to_much_is_refused(folder: Folder, name: str) -> None:
    sql, options, message = PARQUET[name]
    parquet(folder, sql, options)
    ran = supervised.run(folder.path, "validate", seconds=10, query_seconds=5)
    assert (ran.code, message in ran.out) == (1, True), ran


@pytest.mark.parametrize("name", ["a list in a list", "a map", "names that are commands"])
def test_nested_columns_and_odd_names_do_no_harm(folder: Folder, name: str) -> None:
    columns = {"a list in a list": "[" * 60 + "1" + "]" * 60, "a map": "map(['a'], [{'b': [1]}])"}
    column = f"{columns.get(name, '1')} as " + ('"\x1b[2J\n::error::x\n\'); drop"' if name not in columns else "l")
    parquet(folder, f"select 'a' as id, {column}")
    ran = supervised.run(folder.path, "validate", seconds=10, query_seconds=5)
    assert (ran.code, ran.out) == (0, "1 message to 1 recipient: no problems\n"), ran


def footers(folder: Folder) -> dict[str, bytes]:
    """Files with wrong ends, made from a good one: a footer, its length in 4 bytes, and the magic word."""
    parquet(folder, "select 'a' || range as id from range(1000)")
    good = (folder.path / "a.parquet").read_bytes()
    length = int.from_bytes(good[-8:-4], "little")
    body, footer = good[: -8 - length], good[-8 - length : -8]

    def closed(footer: bytes, size: int | None = None) -> bytes:
        return body + footer + (len(footer) if size is None else size).to_bytes(4, "little") + b"PAR1"

    return {
        "nothing": b"",
        "the magic word": b"PAR1PAR1",
        "a footer of 4 GiB": closed(footer, 0xFFFFFFF0),
        "a footer of no bytes": closed(b"", 0),
        "a footer before the file": closed(footer, len(good) + 1),
        "the mark of encryption": good[:-4] + b"PARE",
        "half of the file": good[: len(good) // 2],
        "no rows": b"PAR1" + good[-8 - length :],
        "changed bytes": closed(bytes(byte ^ 0xFF if index % 7 == 0 else byte for index, byte in enumerate(footer))),
        "changed rows": good[:4] + bytes(byte ^ 0x55 for byte in good[4:200]) + good[200:],
        "zeros": closed(bytes(100_000)),
        "ones": closed(b"\xff" * 100_000),
        "lists without an end": closed(b"\x29\xfc" * 50_000),
        "structures in structures": closed(b"\x1c" * 1_000_000),
    }


def test_a_wrong_footer_is_an_error_of_the_file(folder: Folder) -> None:
    for name, content in footers(folder).items():
        (folder.path / "a.parquet").write_bytes(content)
        ran = folder.run("validate")
        assert (ran.code, "[sql-failed]" in ran.out, "bug" in ran.err) == (1, True, False), (name, ran)


def test_rows_without_an_end_have_an_end(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_query, "MAX_ROWS", 100)
    folder.message(queried("select 'a' || range as id from range(1000)"), "a")
    ran = folder.run("validate")
    assert (ran.code, "there are more than 100 rows" in ran.out) == (1, True), ran
