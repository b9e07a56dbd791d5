"""The lockfile is held by one process, takes records durably, and is hard to lose."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.facts import Facts
from runner.ledger.ledger import pin_workspace
from runner.ledger.lockfile.files import LockfilePaths, read_lockfile
from runner.ledger.lockfile.ledger import LockfileLedger, open_lockfile
from runner.ledger.mark import NO_MARK, MoveMark
from runner.ledger.record import RANK, Header, Record, salt_check
from tests.support.disk import read_only
from tests.support.ledger_contexts import ID_A
from tests.support.ledgers import commit

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HOLDER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from runner.ledger.lockfile.files import LockfilePaths
from runner.ledger.lockfile.ledger import open_lockfile
journal = Path(sys.argv[2]) if len(sys.argv) > 2 else None
with open_lockfile(LockfilePaths(Path(sys.argv[1]), journal, "messages.lock"), "", "apply", datetime.now(UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


def enter(ledger: contextlib.AbstractContextManager[LockfileLedger]) -> None:
    """Opens a ledger, and closes it."""
    with ledger:
        pass


@contextlib.contextmanager
def held_elsewhere(places: LockfilePaths) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the ledger."""
    paths = [str(path) for path in (places.lockfile, places.journal) if path]
    process = subprocess.Popen([sys.executable, "-c", HOLDER, *paths], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def states(facts: Facts) -> dict[str, object]:
    return {key: facts.state(key) for key in sorted(facts)}


def test_a_second_holder_fails_at_once_and_names_the_first(places, hold):
    with held_elsewhere(places) as other, pytest.raises(LedgerUnavailable) as caught:
        enter(hold(places))
    assert f"msgrun apply, process {other.pid} on" in caught.value.message


def test_work_trees_that_share_a_journal_cannot_be_held_together(journaled, hold):
    another_tree = replace(journaled, lockfile=journaled.lockfile.parent / "tree" / "messages.lock")
    with held_elsewhere(journaled), pytest.raises(LedgerUnavailable, match="held by msgrun apply"):
        enter(hold(another_tree))


def test_a_hold_dies_with_its_process(places, hold):
    with held_elsewhere(places) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        enter(hold(places))


def test_a_holder_that_fails_to_open_holds_nothing(places, hold):
    places.lockfile.write_bytes(b'{"msgrun_lock":2}\n')
    with pytest.raises(LedgerUnavailable, match="version 2"):
        enter(hold(places))
    places.lockfile.unlink()
    enter(hold(places))


def test_a_place_where_no_lock_can_be_is_said(places, hold):
    (places.lockfile.parent / ".msgrun").touch()
    with pytest.raises(LedgerUnavailable, match="cannot be written"):
        enter(hold(places))


def test_what_is_appended_is_known_at_once_and_read_again(places, hold, record):
    with hold(places) as ledger:
        ledger.recover()
        ledger.append(record(), record("k2"))
        ledger.append(record(status="sent", id="2001"))
        assert ledger.facts.state("k1").status == "sent"
    assert states(read_lockfile(places)) == states(ledger.facts)
    assert places.lockfile.read_bytes().count(b"\n") == 4


def test_an_append_after_a_torn_line_starts_on_a_fresh_one(places, hold, record):
    places.lockfile.write_bytes(Header().to_line() + record("torn").to_line()[:20])
    with hold(places) as ledger:
        ledger.append(record(status="sent", id="2001"))
    facts = read_lockfile(places)
    assert facts.torn_lines == ["messages.lock:2"]
    assert facts.state("k1").status == "sent"


def test_nothing_to_append_writes_nothing(places, hold):
    with hold(places) as ledger:
        ledger.append()
    assert not places.lockfile.exists()


def test_every_append_is_on_disk_before_it_returns(places, hold, record, monkeypatch):
    synced = []
    sync = os.fsync

    def watch(descriptor: int) -> None:
        if places.lockfile.exists() and os.fstat(descriptor).st_ino == places.lockfile.stat().st_ino:
            synced.append(places.lockfile.read_bytes())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    with hold(places) as ledger:
        ledger.append(record())
        assert synced[-1].endswith(record().to_line())


def test_a_folder_in_the_lockfiles_place_is_no_ledger(places, hold):
    places.lockfile.mkdir()
    with pytest.raises(LedgerUnavailable, match="cannot be read"):
        enter(hold(places))


def test_a_file_that_cannot_be_written_is_said_and_loses_nothing(journaled, hold, record, monkeypatch):
    with hold(journaled) as ledger:
        ledger.recover()
        opened = os.open

        def refuse(path: object, *args: object) -> int:
            if path == journaled.lockfile:
                raise PermissionError(13, "Permission denied")
            return opened(path, *args)  # type: ignore[arg-type]

        with monkeypatch.context() as patched:
            patched.setattr(os, "open", refuse)
            with pytest.raises(LedgerUnavailable, match=r"messages\.lock cannot be written: Permission denied"):
                ledger.append(record(status="sent", id="2001"))
    assert read_lockfile(journaled).state("k1").status == "sent"


@contextlib.contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file grows beyond `room` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_said_and_costs_only_the_claim_that_did_not_fit(places, hold, record):
    with hold(places) as ledger:
        ledger.recover()
        ledger.append(record(status="sent", id="2001"))
        size = places.lockfile.stat().st_size
        with full_disk(size + 30), pytest.raises(LedgerUnavailable, match="cannot be written"):
            ledger.append(record("k2"))
        assert ledger.facts.state("k2") is None
        ledger.append(record("k3"))
    facts = read_lockfile(places)
    assert facts.torn_lines == []
    assert [facts.state(key) and facts.state(key).status for key in ("k1", "k2", "k3")] == ["sent", None, "unknown"]


def test_a_disk_too_full_to_say_who_holds_the_ledger_is_no_bug(places, hold):
    with full_disk(0), pytest.raises(LedgerUnavailable, match="cannot be written"):
        enter(hold(places))
    enter(hold(places))


def test_a_compaction_that_does_not_fit_changes_nothing(places, hold, record):
    with hold(places) as ledger:
        ledger.recover()
        ledger.append(*(record(f"k{number}", status="sent") for number in range(50)))
        before = places.lockfile.read_bytes()
        with full_disk(1000), pytest.raises(LedgerUnavailable, match="cannot be written"):
            ledger.compact()
    assert places.lockfile.read_bytes() == before
    assert sorted(path.name for path in places.lockfile.parent.iterdir()) == [".msgrun", "messages.lock"]


def test_a_read_only_folder_is_said(places, hold):
    with read_only(places.lockfile.parent), pytest.raises(LedgerUnavailable, match="cannot be written"):
        enter(hold(places))


def test_records_outlive_a_lockfile_that_is_replaced_during_a_run(journaled, hold, record):
    with hold(journaled) as ledger:
        ledger.recover()
        old = journaled.lockfile.read_bytes()
        ledger.append(record(status="sent", id="2001"))
        other = journaled.lockfile.with_suffix(".git")
        other.write_bytes(old)
        other.replace(journaled.lockfile)  # as git checkout does
        ledger.append(record("k2"), record("k2", status="sent", id="2002"))
    with hold(journaled) as ledger:
        assert ledger.recover() == 1
        assert [ledger.facts.state(key).status for key in ("k1", "k2")] == ["sent", "sent"]
    without_journal = read_lockfile(replace(journaled, journal=None))
    assert [without_journal.state(key).status for key in ("k1", "k2")] == ["sent", "sent"]


def test_a_lockfile_that_is_deleted_comes_back_from_the_journal(journaled, hold, record):
    with hold(journaled) as ledger:
        pin_workspace(ledger, "acme")
        ledger.append(record(status="sent", id="2001"))
    journaled.lockfile.unlink()
    with hold(journaled) as ledger:
        assert ledger.recover() == 1
        assert ledger.facts.headers.merged("").workspace == "acme"
    assert read_lockfile(replace(journaled, journal=None)).headers.merged("").workspace == "acme"


def test_what_the_remote_knows_goes_to_the_lockfile_and_the_journal(journaled, hold, record):
    theirs = Header("acme").to_line() + record(status="sent", id="2001").to_line()
    with hold(journaled) as ledger:
        ledger.facts.read(theirs, "origin/main:messages.lock")
        assert ledger.recover() == 1
    assert b'"2001"' in journaled.lockfile.read_bytes()
    assert b'"2001"' in journaled.journal.read_bytes()


def test_healing_a_ledger_that_lacks_nothing_writes_nothing(journaled, hold, record):
    with hold(journaled) as ledger:
        ledger.recover()
        ledger.append(record(), record(status="sent"))
    before = journaled.lockfile.read_bytes(), journaled.journal.read_bytes()
    with hold(journaled) as ledger:
        assert ledger.recover() == 0
    assert (journaled.lockfile.read_bytes(), journaled.journal.read_bytes()) == before


def test_what_was_compacted_does_not_come_back_from_the_journal(journaled, hold, record):
    with hold(journaled) as ledger:
        ledger.recover()
        ledger.append(record(), record(status="sent", id="2001"))
        assert ledger.compact() == (3, 2)
    compacted = journaled.lockfile.read_bytes()
    with hold(journaled) as ledger:
        assert ledger.recover() == 0
    assert journaled.lockfile.read_bytes() == compacted


def test_a_ledger_is_pinned_once_and_to_one_workspace(places, hold):
    with hold(places) as ledger:
        pin_workspace(ledger, "acme")
        size = places.lockfile.stat().st_size
        pin_workspace(ledger, "acme")
        assert places.lockfile.stat().st_size == size
        with pytest.raises(GuardRefused, match="belongs to workspace acme, not zz"):
            pin_workspace(ledger, "zz")


MOVED = MoveMark(1, "moved", "git+origin")


def test_a_lockfile_that_moved_is_as_it_was_committed_and_its_journal_tells_also_a_restored_one(journaled, hold):
    with hold(journaled) as ledger:
        pin_workspace(ledger, "acme")
    committed = journaled.lockfile.read_bytes()
    with hold(journaled) as ledger:
        assert ledger.write_header(Header(mark=MOVED)) == MOVED
    assert journaled.lockfile.read_bytes() == committed
    journaled.lockfile.unlink()
    journaled.lockfile.write_bytes(committed)
    assert read_lockfile(journaled).mark == MOVED
    with hold(journaled) as ledger:
        ledger.recover()
        assert journaled.lockfile.read_bytes() == committed
        back = MoveMark(2, "current", "git+origin")
        assert ledger.write_header(Header(mark=back)) == back
    assert read_lockfile(journaled).mark == back
    journaled.journal.unlink()
    assert read_lockfile(journaled).mark == back


def test_outside_of_git_the_lockfile_itself_tells_that_it_moved(places, hold):
    with hold(places) as ledger:
        ledger.write_header(Header(mark=MOVED))
    assert read_lockfile(places).mark == MOVED


def test_a_pending_lockfile_says_so_in_every_file(journaled, hold):
    pending = MoveMark(3, "pending", "git+origin")
    with hold(journaled) as ledger:
        ledger.write_header(Header("acme", salt_check(""), ID_A, pending))
    for only in (replace(journaled, journal=None), replace(journaled, lockfile=journaled.journal, journal=None)):
        facts = read_lockfile(only)
        assert (facts.mark, facts.headers.merged("").ledger) == (pending, ID_A)


def test_a_mark_or_a_workspace_that_is_known_already_is_not_written_again(journaled, hold):
    headers = [Header("acme"), Header(ledger=ID_A), Header(mark=MoveMark(2, "current", "old.lock"))]
    with hold(journaled) as ledger:
        for header in headers:
            ledger.write_header(header)
    before = journaled.lockfile.read_bytes(), journaled.journal.read_bytes()
    with hold(journaled) as ledger:
        lower = [Header(mark=MoveMark(1, "moved", "x")), Header(mark=MoveMark(2, "pending", "y")), Header(mark=NO_MARK)]
        assert {ledger.write_header(header) for header in [*headers, *lower]} == {MoveMark(2, "current", "old.lock")}
    assert (journaled.lockfile.read_bytes(), journaled.journal.read_bytes()) == before


def test_compaction_keeps_the_mark_and_the_id(journaled, hold, record):
    mark = MoveMark(2, "current", "git+origin")
    with hold(journaled) as ledger:
        ledger.write_header(Header("acme", ledger=ID_A))
        ledger.write_header(Header(mark=MoveMark(1, "pending", "git+origin")))
        ledger.write_header(Header(mark=mark))
        ledger.append(record(), record(status="sent"))
        ledger.compact()
    facts = read_lockfile(replace(journaled, journal=None))
    assert (facts.mark, facts.headers.merged("")) == (mark, Header("acme", salt_check(""), ID_A))
    assert journaled.lockfile.read_bytes().count(b"\n") == 3


def test_another_salt_is_refused_before_anything_is_written(places):
    places.lockfile.write_bytes(Header("", "deadbeef").to_line())
    before = places.lockfile.read_bytes()
    with open_lockfile(places, "", "apply", NOW) as ledger:
        with pytest.raises(GuardRefused, match="salt"):
            ledger.recover()
        with pytest.raises(GuardRefused, match="salt"):
            pin_workspace(ledger, "acme")
    assert places.lockfile.read_bytes() == before


def test_a_lockfile_of_no_bytes_or_of_blank_lines_counts_as_missing(places):
    assert not places.exists
    places.lockfile.touch()
    assert not places.exists
    places.lockfile.write_bytes(b"\n \r\n")
    assert not places.exists
    places.lockfile.write_bytes(Header().to_line())
    assert places.exists


def test_reading_needs_no_hold_and_makes_no_file(places):
    assert list(read_lockfile(places)) == []
    assert list(places.lockfile.parent.iterdir()) == []


def test_compaction_keeps_the_files_mode_and_follows_a_link(places, hold, record, tmp_path):
    (tmp_path / "kept").mkdir()
    real = tmp_path / "kept" / "real.lock"
    real.write_bytes(Header().to_line() + record().to_line())
    real.chmod(0o664)
    places.lockfile.symlink_to(real)
    with hold(places) as ledger:
        ledger.compact()
    assert places.lockfile.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o664


def test_compaction_is_one_rename(places, hold, record, monkeypatch):
    with hold(places) as ledger:
        ledger.append(record(), record(status="sent"))
        before = places.lockfile.read_bytes()

        def power_cut(*_: object) -> None:
            assert places.lockfile.read_bytes() == before
            raise OSError(5, "Input/output error")

        monkeypatch.setattr("runner.ledger.lockfile.ledger.os.replace", power_cut)
        with pytest.raises(LedgerUnavailable, match="Input/output"):
            ledger.compact()
    assert places.lockfile.read_bytes() == before


members = st.lists(
    st.builds(
        Record,
        key=st.sampled_from(["k1", "k2"]),
        attempt=st.sampled_from(["A-1", "A-2"]),
        status=st.sampled_from(sorted(RANK)),
        contact=st.sampled_from(["", "c1"]),
        id=st.sampled_from(["", "1", "2"]),
        content=st.sampled_from(["x", "y"]),
        at=st.sampled_from(["1", "2"]),
    ),
    max_size=10,
)


@given(members)
def test_compaction_changes_no_state_and_a_second_one_no_byte(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("compact") / "messages.lock"
    places = LockfilePaths(path, None, "messages.lock")
    places.lockfile.write_bytes(Header().to_line() + b"".join(record.to_line() for record in found))
    before = states(read_lockfile(places))
    for _ in range(2):
        with open_lockfile(places, "", "compact", NOW) as ledger:
            ledger.compact()
        compacted = places.lockfile.read_bytes()
        assert states(read_lockfile(places)) == before
    with open_lockfile(places, "", "compact", NOW) as ledger:
        ledger.compact()
    assert places.lockfile.read_bytes() == compacted


@pytest.mark.parametrize(
    "data",
    [b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", b"\x00GITCRYPT\x00\xff\xfe" * 50],
)
def test_a_file_that_is_no_lockfile_is_unreadable_rather_than_empty(places, hold, data):
    places.lockfile.write_bytes(data)
    with pytest.raises(LedgerUnavailable, match="not a lockfile"):
        read_lockfile(places)
    with pytest.raises(LedgerUnavailable, match="not a lockfile"):
        enter(hold(places))


def test_a_lockfile_that_lost_its_header_is_unreadable(places, record):
    places.lockfile.write_bytes(record(status="sent").to_line())
    with pytest.raises(LedgerUnavailable, match="lost its header"):
        read_lockfile(places)


def test_what_a_run_wrote_is_read_into_the_facts_on_demand(places, hold, record):
    with hold(places) as ledger:
        ledger.recover()
        commit(ledger, record(status="sent"))
        assert ledger.facts.state("k1") is None
        ledger.refresh()
        assert ledger.facts.state("k1").status == "sent"


@pytest.mark.parametrize("tail", ["cut", "zeros"])
def test_a_power_cut_at_any_byte_after_the_last_fsync_frees_no_delivery_that_was_claimed_before(
    tail, journaled, hold, record
):
    with hold(journaled) as ledger:
        ledger.recover()
        commit(ledger, record("k1"), record("k2"))
        durable = journaled.lockfile.read_bytes()
        commit(ledger, record("k1", status="sent", id="2001"), record("k2", status="refused", code="c"), record("k3"))
    whole = journaled.lockfile.read_bytes()
    assert whole == journaled.journal.read_bytes()
    for end in range(len(durable), len(whole)):
        torn = whole[:end] + (b"\0" * (len(whole) - end) if tail == "zeros" else b"")
        for lockfile_has, journal_has in ((torn, torn), (torn, durable), (durable, torn)):
            journaled.lockfile.write_bytes(lockfile_has)
            journaled.journal.write_bytes(journal_has)
            facts = read_lockfile(journaled)
            assert [facts.state(key).status for key in ("k1", "k2")] in (
                ["unknown", "unknown"], ["sent", "unknown"], ["sent", "refused"],
            )  # fmt: skip
    with hold(journaled) as ledger:  # of the last byte but one: what follows starts on a fresh line
        ledger.recover()
        ledger.append(record("k4", status="sent", id="2004"))
    assert read_lockfile(journaled).state("k4").status == "sent"
