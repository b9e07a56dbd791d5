"""The ledger that the last run in a folder used: kept, unless a variable put another one in its place."""

import pytest

from tests.support.project import Folder

KEPT = ".msgrun/messages.ledger"


@pytest.fixture
def begun(folder: Folder) -> Folder:
    assert folder.run("apply", "--yes", "--new-lock").code == 0
    return folder


def test_a_run_keeps_the_name_of_its_ledger_and_a_plan_keeps_none(folder: Folder) -> None:
    folder.run("plan")
    assert not (folder.path / KEPT).exists()
    assert folder.run("apply", "--yes", "--new-lock").code == 0
    assert (folder.path / KEPT).read_text() == "messages.lock\n"
    names = {path.name for path in (folder.path / ".msgrun").iterdir() if "ledger" in path.name}
    assert names == {"messages.ledger", "messages.ledgers"}


def test_a_run_on_the_sandbox_keeps_none(folder: Folder) -> None:
    assert folder.run("apply", "--sandbox", "--yes").code == 0
    assert not (folder.path / KEPT).exists()


def test_every_environment_has_a_name_of_its_own(folder: Folder) -> None:
    folder.write("msgrun.yaml", "environments: {staging: {lock: tried.lock}}\n")
    assert folder.run("-e", "staging", "apply", "--yes", "--new-lock").code == 0
    kept = [path for path in (folder.path / ".msgrun").iterdir() if path.suffix == ".ledger"]
    assert [path.read_text() for path in kept] == ["tried.lock\n"]
    assert not (folder.path / KEPT).exists()


def test_a_ledger_that_a_variable_put_in_its_place_is_not_kept_and_the_same_one_is(
    begun: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = begun.path / KEPT
    monkeypatch.setenv("MSGRUN_LOCK", "other.lock")
    assert begun.run("lock", "begin").code == 0
    assert kept.read_text() == "messages.lock\n"
    kept.write_text("postgresql://nowhere.invalid/one\n")
    monkeypatch.setenv("MSGRUN_LOCK", "messages.lock")
    assert begun.run("apply", "--yes").code == 0
    assert kept.read_text() == "messages.lock\n"


def test_a_former_ledger_that_cannot_be_asked_stops_the_run_and_says_the_way_out(begun: Folder) -> None:
    (begun.path / KEPT).write_text("postgresql://nowhere.invalid/one\n")
    stopped = begun.run("apply", "--yes")
    assert stopped.code == 6
    assert "lock: named another ledger before (in the last run here)" in stopped.err
    assert "MSGRUN_LOCK=messages.lock" in stopped.err


def test_a_name_that_cannot_be_read_or_kept_is_told(begun: Folder) -> None:
    (begun.path / KEPT).unlink()
    (begun.path / KEPT).mkdir()
    assert f"{KEPT} cannot be read: Is a directory" in begun.run("apply", "--yes").err
