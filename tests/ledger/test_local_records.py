"""What this clone has of a ledger elsewhere comes to it: nothing of another one, and nothing that a commit brought."""

from pathlib import Path

import pytest

from runner.errors import GuardRefused
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.local_records import (
    add_local_records,
    read_local_lockfiles,
    read_local_records,
    rescue_path,
    write_rescue_file,
)
from runner.ledger.mark import NO_MARK, MoveMark
from runner.ledger.opening import open_existing
from runner.ledger.record import Header
from tests.support.clones import git_output
from tests.support.ledger_contexts import (
    ID_A,
    ID_B,
    attempts,
    fill_ledger,
    ledger_context,
    make_record,
    read_facts,
)


def add(context: LedgerContext) -> dict[str, str]:
    """Opens the ledger, adds what this clone has. Returns the attempts that the ledger has then."""
    with open_existing(context, "test") as ledger:
        add_local_records(context, ledger)
    return attempts(read_facts(context))


@pytest.mark.parametrize("local_id", [ID_A, ""])
def test_the_default_lockfile_of_the_same_ledger_or_without_an_id_is_added_once(clone: Path, local_id: str) -> None:
    reports: list[str] = []
    context = ledger_context(clone, "git+origin", ledger_id=ID_A, reports=reports)
    fill_ledger(context, make_record(1))
    fill_ledger(ledger_context(clone), make_record(1), make_record(2, "claimed"), ledger_id=local_id)
    assert add(context) == {"RUN-1": "sent", "RUN-2": "claimed"}
    assert reports == ["origin#msgrun-ledger:messages.lock lacked 1 records that this clone has"]
    assert add(context) == {"RUN-1": "sent", "RUN-2": "claimed"}
    assert len(reports) == 1


def test_its_journal_counts_too_when_git_has_put_the_lockfile_back(clone: Path) -> None:
    context = ledger_context(clone, "git+origin", ledger_id=ID_A)
    fill_ledger(context)
    fill_ledger(ledger_context(clone), make_record(1))
    (clone / "messages.lock").unlink()
    assert add(context) == {"RUN-1": "sent"}


def test_records_of_another_ledger_do_not_count_and_this_is_said(clone: Path) -> None:
    reports: list[str] = []
    context = ledger_context(clone, "git+origin", ledger_id=ID_A, reports=reports)
    fill_ledger(context)
    fill_ledger(ledger_context(clone), make_record(1), ledger_id=ID_B)
    assert add(context) == {}
    assert reports == [f"messages.lock belongs to another ledger ({ID_B}), so its records do not count"]


def test_a_lockfile_of_another_salt_is_refused_rather_than_added(clone: Path) -> None:
    context = ledger_context(clone, "git+origin", ledger_id=ID_A)
    fill_ledger(context)
    fill_ledger(ledger_context(clone, salt="other"), make_record(1))
    with pytest.raises(GuardRefused, match="salt"):
        add(context)


def test_of_the_lockfile_that_it_came_from_only_the_journal_counts_inside_git(clone: Path) -> None:
    context = ledger_context(clone, "git+origin", ledger_id=ID_A)
    fill_ledger(context, Header(mark=MoveMark(1, "current", "sent.lock")))
    previous = ledger_context(clone, "sent.lock")
    fill_ledger(previous, make_record(1))
    with (clone / "sent.lock").open("ab") as handle:
        handle.write(make_record(2).to_line())  # a commit could bring it
    assert add(context) == {"RUN-1": "sent"}


def test_outside_of_git_that_lockfile_itself_counts(tmp_path: Path) -> None:
    fill_ledger(ledger_context(tmp_path, "sent.lock"), make_record(1))
    found = dict(read_local_lockfiles(ledger_context(tmp_path), MoveMark(1, "current", "sent.lock")))
    assert {path: attempts(facts) for path, facts in found.items()} == {
        "messages.lock": {}, "sent.lock": {"RUN-1": "sent"},
    }  # fmt: skip


@pytest.mark.parametrize("address", ["../other.lock", "/etc/hostname", "git+origin#x", "git+", "postgresql://db/m", ""])
def test_an_address_in_a_mark_leads_to_no_file_outside_of_the_project(clone: Path, address: str) -> None:
    fill_ledger(ledger_context(clone, str(clone.parent / "other.lock")), make_record(1))
    found = read_local_lockfiles(ledger_context(clone, "git+origin"), MoveMark(1, "current", address))
    assert [path for path, _ in found] == ["messages.lock"]


def test_of_every_environment_the_own_default_lockfile_counts(clone: Path) -> None:
    fill_ledger(ledger_context(clone), make_record(1))
    fill_ledger(ledger_context(clone, "messages.eu.lock", stem="messages.eu"), make_record(2))
    context = ledger_context(clone, "git+origin", stem="messages.eu", environment="eu")
    fill_ledger(context)
    assert add(context) == {"RUN-2": "sent"}


def test_a_lockfile_is_not_added_to_a_lockfile(clone: Path) -> None:
    fill_ledger(ledger_context(clone), make_record(1))
    context = ledger_context(clone, "sent.lock")
    fill_ledger(context)
    assert add(context) == {}


@pytest.mark.parametrize("lock", ["messages.lock", "git+origin"])
def test_the_rescue_file_is_added_and_removed(clone: Path, lock: str) -> None:
    context = ledger_context(clone, lock, ledger_id=ID_A)
    fill_ledger(context, make_record(1, "claimed"))
    path = write_rescue_file(context, ID_A, [make_record(1)])
    write_rescue_file(context, ID_B, [make_record(2)])
    assert add(context) == {"RUN-1": "sent"}
    assert not path.exists()
    assert rescue_path(context, ID_B).exists()


def test_reading_knows_all_of_it_and_writes_nothing(clone: Path) -> None:
    context = ledger_context(clone, "git+origin", ledger_id=ID_A)
    fill_ledger(context)
    fill_ledger(ledger_context(clone), make_record(1))
    path = write_rescue_file(context, ID_A, [make_record(2)])
    facts = read_facts(context)
    read_local_records(context, facts)
    assert attempts(facts) == {"RUN-1": "sent", "RUN-2": "sent"}
    assert path.exists()
    assert attempts(read_facts(context)) == {}


def test_without_a_git_that_can_be_read_the_rest_is_read_all_the_same(clone: Path) -> None:
    reports: list[str] = []
    (clone / "messages.lock").write_bytes(Header(ledger=ID_A).to_line() + make_record(1).to_line())
    (clone / ".git" / "HEAD").unlink()
    facts = Facts()
    read_local_records(ledger_context(clone, "postgresql://db/m", ledger_id=ID_A, reports=reports), facts)
    assert attempts(facts) == {"RUN-1": "sent"}
    assert reports[0].startswith("without git's journal: git cannot read")


def test_nothing_is_created_where_there_is_nothing(clone: Path) -> None:
    before = git_output(clone, "status", "--porcelain", "--ignored")
    assert [len(facts) for _, facts in read_local_lockfiles(ledger_context(clone, "git+origin"), NO_MARK)] == [0]
    assert git_output(clone, "status", "--porcelain", "--ignored") == before
