"""Outcomes that a ledger did not take wait where no commit can bring one, and come to it once."""

from pathlib import Path

import pytest

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.local_records import import_rescue_file, rescue_path, write_rescue_file
from runner.ledger.opening import open_existing
from tests.support.clones import git_output
from tests.support.ledger_contexts import ID_A, attempts, fill_ledger, ledger_context, make_record, read_facts


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git_output(tmp_path, "init", "--quiet")
    return tmp_path


@pytest.mark.parametrize("lock", ["messages.lock", "git+origin", "postgresql://db/m"])
@pytest.mark.parametrize(("ledger_id", "name"), [(ID_A, f"{ID_A}.rescue"), ("", "messages.lock.rescue")])
def test_it_is_named_after_the_ledger_wherever_that_is(tmp_path: Path, lock: str, ledger_id: str, name: str) -> None:
    context = ledger_context(tmp_path, lock)
    assert rescue_path(context, ledger_id) == tmp_path / ".msgrun" / name
    git_output(tmp_path, "init", "--quiet")
    assert rescue_path(context, ledger_id) == tmp_path / ".git" / "msgrun" / name


def test_every_environment_without_an_id_has_one_of_its_own(tmp_path: Path) -> None:
    context = ledger_context(tmp_path, "git+origin", stem="messages.eu", environment="eu")
    assert rescue_path(context, "").name == "messages.eu.lock.rescue"


def test_all_work_trees_of_a_clone_share_it(repository: Path, tmp_path: Path) -> None:
    git_output(repository, "commit", "--quiet", "--allow-empty", "--message", "first")
    git_output(repository, "worktree", "add", "--quiet", str(tmp_path / "side"))
    side = ledger_context(tmp_path / "side")
    assert rescue_path(side, ID_A) == rescue_path(ledger_context(repository), ID_A)


def test_the_sandbox_has_one_of_its_own(repository: Path) -> None:
    context = ledger_context(repository, ".msgrun/sandbox/messages.lock", is_sandbox=True)
    assert rescue_path(context, ID_A) == repository / ".msgrun/sandbox" / f"{ID_A}.rescue"


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".msgrun").mkdir()
    (tmp_path / ".msgrun" / f"{ID_A}.rescue").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GuardRefused):
        write_rescue_file(ledger_context(tmp_path), ID_A, [make_record(1)])
    assert not (tmp_path / "elsewhere").exists()


def test_it_is_not_written_if_git_cannot_be_read(repository: Path) -> None:
    (repository / ".git" / "HEAD").unlink()
    with pytest.raises(LedgerUnavailable, match="git cannot read"):
        write_rescue_file(ledger_context(repository), ID_A, [make_record(1)])


def test_what_it_has_comes_to_the_ledger_and_it_is_gone(tmp_path: Path) -> None:
    context = ledger_context(tmp_path)
    fill_ledger(context, make_record(1, "claimed"), make_record(2))
    path = write_rescue_file(context, ID_A, [make_record(1), make_record(2)])
    write_rescue_file(context, ID_A, [make_record(3, "released")])
    with open_existing(context, "test") as ledger:
        assert import_rescue_file(path, ledger) == 2  # one was there already
        assert not path.exists()
        assert import_rescue_file(path, ledger) == 0
    assert attempts(read_facts(context)) == {"RUN-1": "sent", "RUN-2": "sent", "RUN-3": "released"}


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    context = ledger_context(tmp_path)
    fill_ledger(context)
    path = write_rescue_file(context, ID_A, [make_record(1)])
    path.write_bytes(path.read_bytes() + make_record(2).to_line()[:20])
    write_rescue_file(context, ID_A, [make_record(3)])
    with open_existing(context, "test") as ledger:
        assert import_rescue_file(path, ledger) == 2


def test_it_stays_if_the_ledger_does_not_take_it_or_another_process_adds_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ledger_context(tmp_path)
    fill_ledger(context)
    path = write_rescue_file(context, ID_A, [make_record(1)])
    with open_existing(context, "test") as ledger:
        append = ledger.append

        def fail(*_: object) -> None:
            raise LedgerUnavailable("full")

        monkeypatch.setattr(ledger, "append", fail)
        with pytest.raises(LedgerUnavailable, match="full"):
            import_rescue_file(path, ledger)
        assert path.exists()

        def append_meanwhile(*records: object) -> None:
            append(*records)
            write_rescue_file(context, ID_A, [make_record(2)])

        monkeypatch.setattr(ledger, "append", append_meanwhile)
        assert import_rescue_file(path, ledger) == 1
        assert path.exists()
        monkeypatch.setattr(ledger, "append", append)
        assert import_rescue_file(path, ledger) == 1
    assert not path.exists()
