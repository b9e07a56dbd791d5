"""The tables of a ledger in a database, made by the numbered files of msgrun."""

import contextlib

from runner.ledger.lock_address import DatabaseAddress, parse_address
from runner.ledger.postgres.ledger import PostgresLedger
from runner.ledger.record import Header, salt_check
from tests.support.postgres import Server
from tests.support.project import ROOT

MIGRATIONS = sorted((ROOT / "runner/ledger/postgres/migrations").glob("*.sql"))


def opened(server: Server) -> PostgresLedger:
    address = parse_address(server.lock, "messages")
    assert isinstance(address, DatabaseAddress)
    return PostgresLedger(address, "", "test")


def test_a_migration_changes_nothing_the_second_time(server: Server) -> None:
    with contextlib.closing(opened(server)) as ledger:
        ledger.create(Header("acme", salt_check("")))
    before = server.rows("SELECT * FROM msgrun.headers")
    with contextlib.closing(opened(server)) as ledger:
        ledger.open()
        assert ledger.exists
    assert server.rows("SELECT * FROM msgrun.headers") == before
    assert server.rows("SELECT version FROM msgrun.migrations ORDER BY version") == [
        (number,) for number in range(1, len(MIGRATIONS) + 1)
    ]


def test_the_migrations_are_numbered_without_a_gap() -> None:
    assert [path.name for path in MIGRATIONS] == [f"{number:04}.sql" for number in range(1, len(MIGRATIONS) + 1)]
