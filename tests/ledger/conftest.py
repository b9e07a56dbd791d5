"""Ledgers in temporary folders, and records that differ only in what a test is about."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.ledger.lockfile.files import LockfilePaths
from runner.ledger.lockfile.ledger import LockfileLedger, open_lockfile
from runner.ledger.record import Record
from tests.support.ledger_contexts import make_clone, make_origin

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a bare remote that has one commit."""
    make_origin(tmp_path)
    return make_clone(tmp_path, "clone")


@pytest.fixture
def places(tmp_path: Path) -> LockfilePaths:
    return LockfilePaths(tmp_path / "messages.lock", None, "messages.lock")


@pytest.fixture
def journaled(tmp_path: Path) -> LockfilePaths:
    return LockfilePaths(
        tmp_path / "messages.lock",
        tmp_path / "git" / "msgrun" / "messages.lock.journal",
        "messages.lock",
    )


@pytest.fixture
def hold() -> Callable[[LockfilePaths], AbstractContextManager[LockfileLedger]]:
    """Opens the ledger of some places, as apply does."""
    return lambda places: open_lockfile(places, "", "apply", NOW)


@pytest.fixture
def record() -> Callable[..., Record]:
    def make(key: str = "k1", attempt: str = "RUN-1", status: str = "claimed", **fields: object) -> Record:
        return Record(key=key, attempt=attempt, status=status, **{"message": "seed", "revision": 1, **fields})

    return make
