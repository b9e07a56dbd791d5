"""A ledger in a database of an earlier version is brought to this one, with all that it has."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from runner.errors import LedgerUnavailable
from runner.ledger.address import DatabaseAddress, parse_address
from runner.ledger.postgres.ledger import PostgresLedger
from runner.ledger.rate_budget import PermitRequest
from runner.ledger.record import NO_MARK, Header, Mark, Record, salt_check
from tests.support.ledger_contexts import ID_A
from tests.support.ledgers import commit
from tests.support.postgres import Server
from tests.support.project import ROOT

MIGRATIONS = sorted((ROOT / "runner/ledger/postgres/migrations").glob("*.sql"))
CHECK = salt_check("")
CLAIM = Record("1" * 32, "OLD-1", "claimed", "m", 1, contact="c1")
RECORDS = [
    CLAIM,
    replace(CLAIM, status="sent", id="m1"),
    replace(CLAIM, key="2" * 32, attempt="OLD-2", contact="c2"),
    replace(CLAIM, key="3" * 32, attempt="OLD-3", status="refused", code="no", contact="c3"),
]
PERMITS = PermitRequest(
    reset=1_795_341_610,
    budget=80,
    allowed_by_now=30,
    allowed_at_start=0,
    limit=100,
    used=0,
    responses=0,
    returned=0,
    wanted=1000,
)


@pytest.fixture
def link(server: Server) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(server.lock, autocommit=True) as made:
        made.execute("CREATE SCHEMA msgrun")
        made.execute("SET search_path TO msgrun, pg_catalog")
        yield made


def migrate(link: psycopg.Connection[tuple[Any, ...]], version: int) -> None:
    """Makes the tables of an earlier version, and adds the records."""
    link.execute("CREATE TABLE migrations (version integer PRIMARY KEY)")
    for number, path in enumerate(MIGRATIONS[:version], 1):
        link.execute(path.read_bytes())
        link.execute("INSERT INTO migrations VALUES (%s)", (number,))
    columns = zip(*((one.key, one.attempt, one.message, one.revision, one.contact) for one in RECORDS), strict=True)
    keys, attempts, messages, revisions, contacts = map(list, columns)
    ranks = [{"claimed": 0, "refused": 2, "sent": 4}[one.status] for one in RECORDS]
    lines = [one.to_line().decode().strip() for one in RECORDS]
    link.execute(
        "SELECT record(%s, %s, %s, %s::smallint[], %s, %s::integer[], %s, %s)",
        ([], keys, attempts, ranks, messages, revisions, contacts, lines),
    )


def opened(server: Server) -> PostgresLedger:
    address = parse_address(server.lock, "messages")
    assert isinstance(address, DatabaseAddress)
    ledger = PostgresLedger(address, "", "test")
    assert ledger.open()
    return ledger


def check_records(ledger: PostgresLedger) -> None:
    assert {record.to_line() for record in ledger.facts.records()} == {record.to_line() for record in RECORDS[1:]}


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_earlier_version_keeps_its_records_and_learns_marks_and_ids(
    server: Server, link: psycopg.Connection[tuple[Any, ...]], version: int
) -> None:
    migrate(link, version)
    link.execute("SELECT pin('acme', %s)", (CHECK,))
    with opened(server) as ledger:
        assert ledger.facts.merged_header("") == Header("acme", CHECK)
        assert ledger.facts.mark == NO_MARK
        check_records(ledger)
        assert ledger.request_permits(PERMITS) == 30
        assert commit(ledger, replace(CLAIM, key="4" * 32, attempt="NEW-1", contact="c4")) == frozenset()
        moved = Mark(1, "moved", "git+origin")
        assert ledger.write_header(Header(ledger=ID_A, mark=moved)) == moved
        with pytest.raises(LedgerUnavailable, match="moved to git\\+origin"):
            commit(ledger, replace(CLAIM, key="5" * 32, attempt="NEW-2", contact="c5"))
    assert link.execute("SELECT max(version) FROM migrations").fetchone() == (len(MIGRATIONS),)


@pytest.mark.parametrize(
    ("moves", "mark"),
    [
        (["git+origin"], Mark(1, "moved", "git+origin")),
        (["git+origin", ""], Mark(2, "current", "")),
        (["git+origin", "", "other.lock"], Mark(3, "moved", "other.lock")),
    ],
)
def test_a_ledger_of_version_3_that_moved_stays_moved_and_one_that_came_back_is_current(
    server: Server, link: psycopg.Connection[tuple[Any, ...]], moves: list[str], mark: Mark
) -> None:
    migrate(link, 3)
    link.execute("SELECT pin('acme', %s)", (CHECK,))
    for target in moves:
        link.execute("SELECT move('acme', %s, %s)", (CHECK, target))
    with opened(server) as ledger:
        assert ledger.facts.mark == mark
        check_records(ledger)
        claim = replace(CLAIM, key="4" * 32, attempt="NEW-1", contact="c4")
        if mark.status == "current":
            assert commit(ledger, claim) == frozenset()
        else:
            with pytest.raises(LedgerUnavailable, match="moved to"):
                commit(ledger, claim)
            later = Mark(mark.turn + 1, "current", mark.address)
            assert ledger.write_header(Header(mark=later)) == later
            assert commit(ledger, claim) == frozenset()


def test_a_migration_changes_nothing_the_second_time(server: Server, link: psycopg.Connection[tuple[Any, ...]]) -> None:
    migrate(link, 3)
    link.execute("SELECT pin('acme', %s)", (CHECK,))
    opened(server).close()
    before = link.execute("SELECT * FROM headers").fetchall()
    opened(server).close()
    assert link.execute("SELECT * FROM headers").fetchall() == before


def test_the_migrations_are_numbered_without_a_gap() -> None:
    assert [path.name for path in MIGRATIONS] == [f"{number:04}.sql" for number in range(1, len(MIGRATIONS) + 1)]
