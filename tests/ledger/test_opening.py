"""The one door: a ledger is read with all that this clone knows, and opened to write only if it is the current one."""

from pathlib import Path

import pytest

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.context import LedgerContext
from runner.ledger.local_records import write_rescue_file
from runner.ledger.mark import NO_MARK, MoveMark
from runner.ledger.opening import (
    open_existing,
    open_ledger,
    read_ledger,
    start_ledger,
)
from runner.ledger.record import Header
from runner.ledger.remote_marks import push_mark
from tests.support.clones import git_output
from tests.support.ledger_contexts import (
    ID_A,
    ID_B,
    attempts,
    fill_ledger,
    ledger_context,
    make_clone,
    make_record,
    push_all,
    read_facts,
    trusted_context,
)
from tests.support.postgres import Server
from tests.support.proof import one_of

KINDS = ("lockfile", "branch", "database")


@pytest.fixture
def locks(server: Server) -> dict[str, str]:
    """An address of each kind."""
    return {"lockfile": "messages.lock", "branch": "git+origin", "database": server.lock}


def opened(own: LedgerContext, **more: bool) -> dict[str, str]:
    """Opens the ledger as apply does. Returns its attempts."""
    with open_ledger(own, "apply", **more) as ledger:
        return attempts(ledger.facts)


def every_place(clone: Path) -> str:
    """What is in the clone, in its git folder for msgrun, and on its remote."""
    files = sorted(path for path in [*clone.glob("*"), *clone.glob(".git/msgrun/*")] if path.suffix != ".hold")
    contents = [f"{path} {path.read_bytes()!r}" for path in files if path.is_file() and path.suffix != ".asked"]
    return "\n".join([*contents, git_output(clone, "ls-remote", "origin")])


# Reading


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_without_a_ledger_is_read_as_empty_and_nothing_is_made(
    clone: Path, locks: dict[str, str], kind: str
) -> None:
    before = every_place(clone)
    reading = read_ledger(trusted_context(clone, locks[kind], ""))
    assert (len(reading.facts), reading.exists, reading.refusal) == (0, False, None)
    refusal = read_ledger(trusted_context(clone, locks[kind])).refusal
    assert refusal is not None
    assert refusal.message.startswith("there is no ledger")
    assert every_place(clone) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mark", one_of(MoveMark(1, "moved", "y.lock"), MoveMark(1, "pending", "x.lock"), NO_MARK))
def test_a_ledger_is_read_whatever_its_mark_and_the_reading_tells_what_apply_would_say(
    clone: Path, locks: dict[str, str], kind: str, mark: MoveMark
) -> None:
    own = trusted_context(clone, locks[kind])
    fill_ledger(own, make_record(1), Header(mark=mark))
    reading = read_ledger(own)
    assert attempts(reading.facts) == {"RUN-1": "sent"}
    assert reading.exists
    assert (reading.refusal is None) == (mark == NO_MARK)
    other = read_ledger(trusted_context(clone, locks[kind], ID_B))
    assert other.refusal is not None
    assert f"msgrun.yaml names {ID_B}" in other.refusal.message


@pytest.mark.parametrize("kind", KINDS)
def test_a_reading_has_the_lockfile_the_journal_and_the_rescue_file_of_this_clone(
    clone: Path, locks: dict[str, str], kind: str
) -> None:
    own = trusted_context(clone, locks[kind])
    fill_ledger(own, make_record(1))
    fill_ledger(trusted_context(clone, "messages.lock"), make_record(2))
    write_rescue_file(own, ID_A, [make_record(3)])
    assert sorted(attempts(read_ledger(own).facts)) == ["RUN-1", "RUN-2", "RUN-3"]


# Opening


@pytest.mark.parametrize("kind", KINDS)
def test_opening_adds_what_this_clone_has_and_the_second_time_nothing(
    clone: Path, locks: dict[str, str], kind: str
) -> None:
    reports: list[str] = []
    own = trusted_context(clone, locks[kind], reports=reports)
    fill_ledger(own, make_record(1, "claimed"))
    fill_ledger(trusted_context(clone, "messages.lock"), make_record(2))
    path = write_rescue_file(own, ID_A, [make_record(1)])
    expected = {"RUN-1": "sent", "RUN-2": "sent"}
    assert opened(own) == expected
    assert attempts(read_facts(own)) == expected
    assert not path.exists()
    said = len(reports)
    assert opened(own) == expected
    assert len(reports) == said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("mark", "ledger_id", "message"),
    [
        (MoveMark(1, "pending", "x.lock"), ID_A, "lacks records: its move from x.lock did not end"),
        (MoveMark(1, "moved", "y.lock"), ID_A, "moved to y.lock"),
        (NO_MARK, ID_B, f"msgrun.yaml names {ID_B}"),
    ],
)
def test_a_ledger_that_is_not_current_is_not_opened_and_nothing_is_written(
    clone: Path, locks: dict[str, str], kind: str, mark: MoveMark, ledger_id: str, message: str
) -> None:
    own = trusted_context(clone, locks[kind], ledger_id)
    fill_ledger(trusted_context(clone, locks[kind]), make_record(1), Header(mark=mark))
    path = write_rescue_file(own, ID_A, [make_record(2)])
    before = every_place(clone)
    with pytest.raises(GuardRefused, match=message):
        opened(own)
    with pytest.raises(GuardRefused, match=message):
        opened(own, new_lock=True, no_fetch=True)
    assert every_place(clone) == before
    assert path.exists()
    assert attempts(read_facts(trusted_context(clone, locks[kind]))) == {"RUN-1": "sent"}


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_no_ledger_only_new_lock_starts_one_and_never_beside_another(
    clone: Path, locks: dict[str, str], kind: str
) -> None:
    before = every_place(clone)
    with pytest.raises(GuardRefused, match="there is no ledger"):
        opened(trusted_context(clone, locks[kind], ""))
    with pytest.raises(GuardRefused, match=f"msgrun.yaml names one, {ID_A}"):
        opened(trusted_context(clone, locks[kind]), new_lock=True)
    assert every_place(clone) == before
    assert opened(trusted_context(clone, locks[kind], ""), new_lock=True) == {}
    assert len(read_facts(trusted_context(clone, locks[kind], "")).headers.merged("").ledger) == 26


@pytest.mark.parametrize("no_fetch", [False, True])
def test_a_mark_on_the_remote_stops_every_clone_also_without_a_fetch(
    clone: Path,
    tmp_path: Path,
    no_fetch: bool,  # noqa: FBT001
) -> None:
    own = trusted_context(clone, "messages.lock")
    fill_ledger(own, make_record(1))
    push_all(clone)
    other = trusted_context(make_clone(tmp_path, "other"), "messages.lock")
    assert opened(other, no_fetch=no_fetch) == {"RUN-1": "sent"}
    push_mark(own, ID_A, MoveMark(1, "moved", "git+origin"))
    with pytest.raises(GuardRefused, match="moved to git\\+origin, says origin"):
        opened(other, no_fetch=no_fetch)


@pytest.mark.parametrize("no_fetch", [False, True])
def test_a_remote_that_does_not_answer_stops_writing_and_not_reading(
    clone: Path,
    tmp_path: Path,
    no_fetch: bool,  # noqa: FBT001
) -> None:
    own = trusted_context(clone, "messages.lock")
    fill_ledger(own, make_record(1))
    (tmp_path / "origin.git").rename(tmp_path / "away")
    with pytest.raises(LedgerUnavailable, match="cannot be asked whether the ledger moved"):
        opened(own, no_fetch=no_fetch)
    assert attempts(read_ledger(own).facts) == {"RUN-1": "sent"}


def test_the_sandbox_starts_its_own_ledger_and_asks_nobody(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "origin.git").rename(tmp_path / "away")
    own = ledger_context(clone, ".msgrun/sandbox/messages.lock", is_sandbox=True)
    assert opened(own) == {}
    assert (clone / ".msgrun/sandbox/messages.lock").exists()


@pytest.mark.parametrize("mark", one_of(MoveMark(1, "pending", "x.lock"), MoveMark(1, "moved", "y.lock")))
@pytest.mark.parametrize("kind", KINDS)
def test_a_ledger_that_is_not_current_opens_for_a_move_and_keeps_its_mark_compacted(
    clone: Path, locks: dict[str, str], kind: str, mark: MoveMark
) -> None:
    own = trusted_context(clone, locks[kind])
    fill_ledger(own, make_record(1, "claimed"), make_record(1), Header(mark=mark))
    with open_existing(own, "lock compact") as ledger:
        ledger.compact()
    assert (read_facts(own).mark, attempts(read_facts(own))) == (mark, {"RUN-1": "sent"})
    with (
        pytest.raises(GuardRefused, match="there is no ledger"),
        open_existing(trusted_context(clone, "nowhere.lock"), "lock compact"),
    ):
        pass


# Starting


@pytest.mark.parametrize("kind", KINDS)
def test_a_ledger_is_started_once_and_keeps_its_id(clone: Path, locks: dict[str, str], kind: str) -> None:
    own = trusted_context(clone, locks[kind], "")
    ledger_id, was_started = start_ledger(own, abandon_previous=False)
    assert (len(ledger_id), was_started) == (26, True)
    assert start_ledger(own, abandon_previous=False) == (ledger_id, False)
    assert start_ledger(trusted_context(clone, locks[kind], ledger_id), abandon_previous=False) == (
        ledger_id,
        False,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_ledger_of_before_gets_an_id(clone: Path, locks: dict[str, str], kind: str) -> None:
    own = trusted_context(clone, locks[kind], "")
    fill_ledger(own, make_record(1), ledger_id="")
    ledger_id, was_started = start_ledger(own, abandon_previous=False)
    assert (len(ledger_id), was_started) == (26, False)
    assert read_facts(own).headers.merged("").ledger == ledger_id
    assert opened(trusted_context(clone, locks[kind], ledger_id)) == {"RUN-1": "sent"}


def test_no_ledger_is_started_for_a_project_that_has_one(clone: Path, tmp_path: Path) -> None:
    fill_ledger(trusted_context(clone, "messages.lock"), make_record(1))
    with pytest.raises(GuardRefused, match=r"messages\.lock has records of 1 deliveries"):
        start_ledger(trusted_context(clone, "git+origin", ""), abandon_previous=False)
    with pytest.raises(GuardRefused, match=f"msgrun.yaml names one, {ID_A}"):
        start_ledger(trusted_context(clone, "git+origin"), abandon_previous=False)
    push_mark(trusted_context(clone, "messages.lock"), ID_A, MoveMark(1, "moved", "git+origin"))
    other = make_clone(tmp_path, "other")
    with pytest.raises(GuardRefused, match="ledger moved to git\\+origin"):
        start_ledger(trusted_context(other, "sent.lock", ""), abandon_previous=False)
    assert not (other / "sent.lock").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_previous_ledger_may_be_given_up_for_a_new_one(clone: Path, locks: dict[str, str], kind: str) -> None:
    push_mark(trusted_context(clone, "gone.lock"), ID_B, MoveMark(1, "moved", "git+gone"))
    own = trusted_context(clone, locks[kind], ID_B)
    ledger_id, was_started = start_ledger(own, abandon_previous=True)
    assert was_started
    assert ledger_id != ID_B
    assert opened(trusted_context(clone, locks[kind], ledger_id)) == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mark", one_of(MoveMark(3, "pending", "x.lock"), MoveMark(3, "moved", "y.lock"), NO_MARK))
def test_what_is_at_the_address_becomes_current_with_its_records_whatever_its_marks_say(
    clone: Path, locks: dict[str, str], kind: str, mark: MoveMark
) -> None:
    own = trusted_context(clone, locks[kind], ID_B)
    fill_ledger(own, make_record(1), Header(mark=mark))
    push_mark(own, ID_A, MoveMark(5, "moved", "git+gone"))
    assert start_ledger(own, abandon_previous=True) == (ID_A, False)
    assert opened(trusted_context(clone, locks[kind])) == {"RUN-1": "sent"}
    assert read_facts(own).mark.generation == 6
