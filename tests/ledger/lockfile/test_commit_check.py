"""No commit of a pull request changes what a ledger's file remembers, or what it says of itself, without being told."""

from pathlib import Path

import pytest

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.ledger.facts import Facts
from runner.ledger.ledger import count_missing_records
from runner.ledger.lockfile.commit_check import ByteBudget, LockfileChange, find_lockfile_change
from runner.ledger.mark import MoveMark
from runner.ledger.record import Header
from tests.support.clones import git_output
from tests.support.ledger_contexts import ID_A, ID_B, make_record

HEADER = Header("acme", ledger=ID_A).to_line()
SENT = [make_record(number).to_line() for number in range(4)]
CLAIMED = [make_record(number, "claimed").to_line() for number in range(4)]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    git_output(tmp_path, "init", "--quiet")
    found = find_repository(tmp_path)
    assert found is not None
    return found


def commit(repository: Repository, data: bytes | None) -> str:
    """Commits the lockfile with this content; None removes it. Returns the commit."""
    file = repository.toplevel / "messages.lock"
    file.unlink(missing_ok=True)
    if data is not None:
        file.write_bytes(data)
    git_output(repository.toplevel, "add", "--all")
    git_output(repository.toplevel, "commit", "--quiet", "--allow-empty", "--message", "change")
    return git_output(repository.toplevel, "rev-parse", "HEAD")


def change(
    repository: Repository, before: bytes | None, after: bytes | None, ledger_id: str = ""
) -> LockfileChange | None:
    base = commit(repository, before)
    commit(repository, after)
    return find_lockfile_change(repository, base, "messages.lock", ledger_id)


@pytest.mark.parametrize("data", [None, b"", HEADER, HEADER + SENT[0]])
def test_the_same_file_is_no_change(repository: Repository, data: bytes | None) -> None:
    assert change(repository, data, data) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEADER + SENT[0] + SENT[1], HEADER + SENT[1] + SENT[0]),
        (HEADER + CLAIMED[0] + SENT[0], HEADER + SENT[0]),
        (HEADER + SENT[0], HEADER + CLAIMED[0] + SENT[0] + SENT[0]),
        (HEADER + HEADER + SENT[0], SENT[0] + HEADER),
    ],
)
def test_another_order_and_compaction_are_no_change(repository: Repository, before: bytes, after: bytes) -> None:
    assert change(repository, before, after) is None


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (HEADER, HEADER + SENT[0], (1, 0)),
        (HEADER + SENT[0], HEADER, (0, 1)),
        (HEADER + SENT[0] + SENT[1], HEADER + SENT[1] + SENT[2] + SENT[3], (2, 1)),
        (HEADER + CLAIMED[0], HEADER + SENT[0], (1, 0)),
        (HEADER + SENT[0], HEADER + CLAIMED[0], (0, 1)),
        (HEADER + SENT[0], HEADER + SENT[0].replace(b"RUN-0", b"RUN-9"), (1, 1)),
    ],
)
def test_every_record_that_is_added_or_removed_counts(
    repository: Repository, before: bytes, after: bytes, expected: tuple[int, int]
) -> None:
    found = change(repository, before, after)
    assert found is not None
    assert (found.added, found.removed, found.has_other_headers, found.is_removed) == (*expected, False, False)
    assert str(found) == f"change messages.lock: {expected[0]} records added, {expected[1]} removed"


@pytest.mark.parametrize(
    "header",
    [
        Header("acme", ledger=ID_B),
        Header("zz", ledger=ID_A),
        Header("acme", ledger=ID_A, mark=MoveMark(9, "moved", "git+evil")),
        Header("acme", ledger=ID_A, mark=MoveMark(9, "current", "")),
        Header("acme"),
    ],
)
def test_a_header_that_is_changed_or_added_is_a_change(repository: Repository, header: Header) -> None:
    found = change(repository, HEADER + SENT[0], header.to_line() + SENT[0])
    assert found is not None
    assert str(found) == "change messages.lock: 0 records added, 0 removed, and what it says of itself changed"
    more = change(repository, HEADER + SENT[0], HEADER + header.to_line() + SENT[0])
    assert more is not None
    assert more.has_other_headers


def test_a_new_file_may_come_without_records_marks_and_the_id_of_the_ledger(repository: Repository) -> None:
    assert change(repository, None, HEADER, ID_B) is None
    assert change(repository, None, HEADER, "") is None
    forged = change(repository, None, HEADER, ID_A)
    marked = change(repository, None, Header(mark=MoveMark(1, "current", "x")).to_line())
    filled = change(repository, None, HEADER + SENT[0])
    assert forged is not None
    assert marked is not None
    assert filled is not None
    assert (forged.has_other_headers, marked.has_other_headers, filled.added) == (True, True, 1)


def test_a_file_that_becomes_the_ledger_counts_as_new(repository: Repository) -> None:
    base = commit(repository, HEADER + SENT[0])
    commit(repository, HEADER + SENT[0])
    assert find_lockfile_change(repository, base, "messages.lock") is None
    found = find_lockfile_change(repository, base, "messages.lock", becomes_ledger=True)
    assert found is not None
    assert found.added == 1


def test_of_a_file_that_is_removed_it_is_told_what_another_ledger_lacks(repository: Repository) -> None:
    found = change(repository, HEADER + SENT[0] + CLAIMED[1], None)
    assert found is not None
    assert found.is_removed
    assert str(found) == "remove messages.lock: 0 records added, 2 removed"
    other = Facts()
    other.read(HEADER + SENT[0], "other")
    assert count_missing_records(found.before, other) == 1
    other.read(SENT[1], "other")
    assert count_missing_records(found.before, other) == 0


def test_a_link_or_what_is_no_lockfile_is_refused(repository: Repository) -> None:
    base = commit(repository, HEADER)
    (repository.toplevel / "messages.lock").unlink()
    (repository.toplevel / "messages.lock").symlink_to("elsewhere")
    git_output(repository.toplevel, "add", "--all")
    git_output(repository.toplevel, "commit", "--quiet", "--message", "link")
    with pytest.raises(GuardRefused, match="is a link"):
        find_lockfile_change(repository, base, "messages.lock")
    with pytest.raises(LedgerUnavailable, match=r"HEAD:messages\.lock"):
        change(repository, HEADER, b"no lockfile at all\n" * 20)


@pytest.mark.parametrize("before", [None, b"", HEADER, HEADER + SENT[0], HEADER + b"".join(SENT)])
@pytest.mark.parametrize("after", [HEADER + SENT[1] + SENT[2], HEADER + SENT[1] * 100])
def test_a_changed_file_that_is_too_large_is_a_change_and_not_read(
    repository: Repository, before: bytes | None, after: bytes
) -> None:
    base = commit(repository, before)
    commit(repository, after)
    found = find_lockfile_change(repository, base, "messages.lock", budget=ByteBudget(len(after) - 1))
    assert str(found) == "change messages.lock, which is too large for its records to be compared"
    assert found is not None
    assert found.may_remove
    counted = find_lockfile_change(repository, base, "messages.lock", budget=ByteBudget(len(after)))
    assert counted is not None
    assert not counted.is_uncounted


def test_a_large_file_that_is_the_same_or_removed_is_no_such_change(repository: Repository) -> None:
    base = commit(repository, HEADER + SENT[0])
    assert find_lockfile_change(repository, base, "messages.lock", budget=ByteBudget(1)) is None
    commit(repository, None)
    removed = find_lockfile_change(repository, base, "messages.lock", budget=ByteBudget(1))
    assert removed is not None
    assert removed.is_removed
    assert removed.removed == 1


def test_the_room_is_that_of_all_files(repository: Repository) -> None:
    base = commit(repository, HEADER)
    commit(repository, HEADER + SENT[0])
    budget = ByteBudget(len(HEADER + SENT[0]) * 2)
    found = [find_lockfile_change(repository, base, "messages.lock", budget=budget) for _ in range(4)]
    assert [change.is_uncounted for change in found if change] == [False, False, True, True]


def test_a_file_that_is_read_and_has_not_changed_takes_room_too(repository: Repository) -> None:
    base = commit(repository, HEADER + SENT[0])
    commit(repository, HEADER + SENT[0] + b"\n")
    budget = ByteBudget(1000)
    assert find_lockfile_change(repository, base, "messages.lock", budget=budget) is None
    assert budget.size == 1000 - len(HEADER + SENT[0]) - 1
