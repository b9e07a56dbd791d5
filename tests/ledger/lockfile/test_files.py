"""How the files of a lockfile are read: the lockfile and its journal together, unless they are two ledgers."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import find_repository
from runner.ledger.lockfile.files import LockfilePaths, lockfile_paths, read_local_lockfile, read_lockfile
from runner.ledger.record import Header
from tests.support.clones import git_output
from tests.support.ledger_contexts import ID_A, ID_B, attempts, make_record


def write(path: Path | None, *ids: str, number: int = 0) -> None:
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    record = make_record(number).to_line() if number else b""
    path.write_bytes(b"".join(Header(ledger=ledger_id).to_line() for ledger_id in ids) + record)


@pytest.mark.parametrize(
    ("lockfile_ids", "journal_ids"),
    [([ID_A], [ID_A]), ([ID_A], [""]), ([""], [ID_A]), (["", ID_A], [ID_A]), ([""], [""])],
)
def test_both_files_are_read_as_one_ledger(
    journaled: LockfilePaths, lockfile_ids: list[str], journal_ids: list[str]
) -> None:
    write(journaled.lockfile, *lockfile_ids, number=1)
    write(journaled.journal, *journal_ids, number=2)
    assert attempts(read_lockfile(journaled)) == {"RUN-1": "sent", "RUN-2": "sent"}


def test_a_lockfile_with_another_id_than_the_journals_is_refused_with_the_way_out(journaled: LockfilePaths) -> None:
    write(journaled.lockfile, ID_B, number=1)
    write(journaled.journal, ID_A, number=2)
    message = f"has the id {ID_B}, but this clone recorded another ledger there, {ID_A}"
    with pytest.raises(GuardRefused, match=message) as caught:
        read_lockfile(journaled)
    assert f"mv {journaled.journal} other.lock" in caught.value.hint


def test_a_file_without_its_header_is_refused(journaled: LockfilePaths) -> None:
    write(journaled.lockfile, number=1)
    with pytest.raises(LedgerUnavailable, match="has lost its header"):
        read_lockfile(journaled)
    write(journaled.lockfile, "", number=1)
    write(journaled.journal, number=1)
    with pytest.raises(LedgerUnavailable, match="the journal in git's folder has lost its header"):
        read_lockfile(journaled)


def test_what_this_clone_has_of_a_former_lockfile_may_be_nothing_or_its_journal_alone(journaled: LockfilePaths) -> None:
    assert attempts(read_local_lockfile(journaled)) == {}
    write(journaled.lockfile, ID_A, number=1)
    write(journaled.journal, ID_A, number=2)
    assert sorted(attempts(read_local_lockfile(journaled))) == ["RUN-1", "RUN-2"]
    assert sorted(attempts(read_local_lockfile(journaled, journal_only=True))) == ["RUN-2"]
    assert attempts(read_local_lockfile(replace(journaled, journal=None), journal_only=True)) == {}


def test_a_link_in_the_place_of_the_lockfile_or_its_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "messages.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GuardRefused):
        lockfile_paths(tmp_path, "messages.lock", None)
    (tmp_path / ".msgrun").symlink_to(tmp_path)
    with pytest.raises(GuardRefused):
        lockfile_paths(tmp_path, "other.lock", None)


def test_inside_git_every_lockfile_has_a_journal_of_its_own(tmp_path: Path) -> None:
    git_output(tmp_path, "init", "--quiet")
    (tmp_path / "ops").mkdir()
    repository = find_repository(tmp_path)
    paths = [lockfile_paths(tmp_path, name, repository) for name in ("a.lock", "b.lock", "ops/a.lock")]
    assert len({one.journal for one in paths}) == 3
    assert paths[2].flock_file == tmp_path / "ops/.msgrun/lock"
    assert lockfile_paths(tmp_path, "a.lock", None).journal is None
