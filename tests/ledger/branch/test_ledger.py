"""A ledger on a branch of a git remote: who pushes first has the delivery, and nothing that was written is lost."""

import json
import subprocess
from dataclasses import replace

import pytest

from runner.errors import LedgerUnavailable, UsageMistake
from runner.git.repository import find_repository
from runner.ledger.address import BranchAddress, parse_branch_address
from runner.ledger.branch.ledger import BranchLedger
from runner.ledger.branch.remote_file import RemoteFile
from runner.ledger.record import Record

CLAIM = Record(key="1" * 32, attempt="RUN-1", status="claimed", message="m", revision=1, contact="aaa1", at="2026")
BRANCH = "msgrun-ledger"


@pytest.fixture
def origin(tmp_path):
    path = tmp_path / "origin.git"
    told(tmp_path, "init", "-q", "--bare", str(path))
    return path


@pytest.fixture
def opened(tmp_path, origin):
    """Opens the ledger in a new clone, whose name is also its run's."""

    def make(name, *, most=1000):
        path = tmp_path / name
        if not path.exists():
            told(tmp_path, "clone", "-q", origin.as_uri(), str(path))
        remote = RemoteFile(find_repository(path), parse_branch_address("git+origin", "messages.lock"))
        ledger = BranchLedger(remote, path / "messages.lock.rescue", "salt", f"apply {name}", lambda _: None, most)
        ledger.create()
        return ledger

    return make


def told(folder, *args):
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def lines(origin):
    return [json.loads(line) for line in told(origin, "show", f"{BRANCH}:messages.lock").splitlines()]


def claim(number, run="RUN"):
    return replace(CLAIM, key=f"{number:032x}", attempt=f"{run}-{number}", contact=f"c{number}")


def outcome(found, status="sent", **more):
    return replace(found, status=status, **more)


def test_the_second_of_two_claims_is_left_out_and_never_on_the_remote(opened, origin):
    first, second = opened("a"), opened("b")
    assert first.commit(claim(1, "A"), claim(2, "A")) == frozenset()
    assert second.commit(claim(2, "B"), claim(3, "B")) == {"B-2"}
    assert [one["attempt"] for one in lines(origin)[1:]] == ["A-1", "A-2", "B-3"]
    assert second.facts.state(claim(2).key).record.attempt == "A-2"


def test_what_others_claimed_is_left_out_also_of_later_claims(opened):
    first, second = opened("a"), opened("b")
    first.commit(claim(7, "A"))
    second.commit(claim(1, "B"))
    assert second.commit(claim(7, "B")) == {"B-7"}


def test_a_delivery_that_another_run_released_meanwhile_is_left_to_the_next_run(opened):
    first, second = opened("a"), opened("b")
    first.commit(claim(1, "A"))
    first.commit(outcome(claim(1, "A"), "released", by="run"))
    assert second.commit(claim(1, "B")) == {"B-1"}


def test_another_address_of_a_contact_that_another_run_writes_to_is_left_out(opened):
    first, second = opened("a"), opened("b")
    first.commit(replace(claim(1, "A"), contact="same"))
    assert second.commit(replace(claim(2, "B"), contact="same")) == {"B-2"}
    assert second.commit(replace(claim(3, "B"), contact="same", revision=2)) == frozenset()


def test_outcomes_are_pushed_whoever_was_faster_meanwhile(opened, origin):
    first, second = opened("a"), opened("b")
    second.commit(claim(1, "B"))
    first.commit(claim(2, "A"))
    assert second.commit(outcome(claim(1, "B"), id="x"), claim(2, "B")) == {"B-2"}
    assert [(one["attempt"], one["status"]) for one in lines(origin)[1:]] == [
        ("B-1", "claimed"), ("A-2", "claimed"), ("B-1", "sent"),
    ]  # fmt: skip


def test_a_claim_that_a_person_released_meanwhile_is_told_before_it_is_sent(opened):
    run, person = opened("a"), opened("b")
    run.commit(claim(1, "A"), claim(2, "A"))
    person.refresh()
    person.append(outcome(claim(1, "A"), "released", by="person"))
    assert run.commit(claim(3, "A")) == {"A-1"}


def test_a_push_that_arrived_although_git_failed_is_not_made_twice(opened, origin, monkeypatch):
    ledger = opened("a")
    real = RemoteFile.push_version

    def lost(self, *args):
        real(self, *args)
        monkeypatch.setattr(RemoteFile, "push_version", real)
        raise LedgerUnavailable("the answer was lost")

    monkeypatch.setattr(RemoteFile, "push_version", lost)
    assert ledger.commit(claim(1)) == frozenset()
    assert len(lines(origin)) == 2
    assert ledger.commit(outcome(claim(1))) == frozenset()


def test_a_compaction_meanwhile_changes_nothing_of_who_has_what(opened, origin):
    run, other = opened("a"), opened("b")
    run.commit(claim(1, "A"))
    run.commit(outcome(claim(1, "A"), id="x"), claim(2, "A"))
    other.refresh()
    assert other.compact() == (4, 3)
    assert run.commit(outcome(claim(2, "A"), id="y"), claim(3, "A")) == frozenset()
    assert [one.get("attempt") for one in lines(origin)] == [None, "A-1", "A-2", "A-2", "A-3"]


def test_a_branch_that_was_put_back_gets_again_what_it_lacks(opened, origin):
    ledger = opened("a")
    old = told(origin, "rev-parse", BRANCH)
    ledger.commit(claim(1))
    ledger.commit(outcome(claim(1), id="x"))
    told(origin, "update-ref", f"refs/heads/{BRANCH}", old)
    ledger.commit(claim(2))
    assert {(one.get("attempt"), one.get("status")) for one in lines(origin)} >= {
        ("RUN-1", "sent"),
        ("RUN-2", "claimed"),
    }


def test_what_was_put_back_after_a_run_ended_comes_again_from_a_clone_that_knew_it(opened, origin, tmp_path):
    ledger = opened("a")
    old = told(origin, "rev-parse", BRANCH)
    ledger.commit(claim(1))
    ledger.commit(outcome(claim(1), id="x"), claim(2))
    ledger.__exit__(None, None, None)
    told(origin, "update-ref", f"refs/heads/{BRANCH}", old)
    opened("a")  # reading it, as plan does, forgets nothing
    assert len(lines(origin)) == 1
    again = opened("a")
    assert (again.recover(), again.recover()) == (2, 0)
    found = {(one.get("attempt"), one.get("status")) for one in lines(origin)[1:]}
    assert found == {("RUN-1", "sent"), ("RUN-2", "claimed")}
    again.compact()
    assert opened("a").recover() == 0
    assert "aside" not in told(tmp_path / "a", "for-each-ref")


def test_a_branch_that_was_deleted_stops_the_run(opened, origin):
    ledger = opened("a")
    told(origin, "update-ref", "-d", f"refs/heads/{BRANCH}")
    with pytest.raises(LedgerUnavailable, match="is gone"):
        ledger.commit(claim(1))
    assert told(origin, "for-each-ref") == ""


def test_a_ledger_that_is_too_large_takes_no_claim_but_every_outcome(opened, origin):
    ledger = opened("a", most=3)
    ledger.commit(claim(1), claim(2))
    with pytest.raises(LedgerUnavailable, match=r"4 lines, and on a git branch it has 3 at most"):
        ledger.commit(claim(3))
    ledger.commit(outcome(claim(1)), outcome(claim(2)))
    assert len(lines(origin)) == 5


def test_what_could_not_be_pushed_is_pushed_by_the_next_run(opened, origin):
    ledger = opened("a")
    ledger.commit(claim(1))
    path = ledger.write_rescue_file([outcome(claim(1), id="x")])
    again = opened("a")
    assert (again.recover(), path.exists()) == (1, False)
    assert lines(origin)[-1]["id"] == "x"


def test_commits_say_what_they_brought_and_hold_what_else_is_on_the_branch(opened, origin, tmp_path, monkeypatch):
    opened("a")
    told(tmp_path / "a", "fetch", "-q", "origin", BRANCH)
    told(tmp_path / "a", "checkout", "-q", "FETCH_HEAD")
    (tmp_path / "a/README").write_text("hands off\n")
    told(tmp_path / "a", "add", "README")
    told(tmp_path / "a", "commit", "-q", "-m", "say so")
    told(tmp_path / "a", "push", "-q", "origin", f"HEAD:{BRANCH}")
    for name, value in {"SERVER_URL": "https://x", "REPOSITORY": "o/r", "RUN_ID": "5"}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    ledger = opened("b")
    ledger.commit(claim(1))
    ledger.commit(outcome(claim(1)), claim(2))
    assert (
        told(origin, "log", "-1", "--format=%B", BRANCH) == "apply b: sent 1, claimed 1\n\nhttps://x/o/r/actions/runs/5"
    )
    assert told(origin, "show", f"{BRANCH}:README") == "hands off"


def test_pushes_leave_no_copies_of_the_ledger_in_the_clone(opened, tmp_path):
    ledger = opened("a")
    for number in range(8):
        ledger.commit(claim(number))
    ledger.__exit__(None, None, None)
    count = int(told(tmp_path / "a", "count-objects").split()[0])
    assert count <= 6
    assert list((tmp_path / "a/.git/msgrun").glob("objects-*")) == []
    told(tmp_path / "a", "fsck", "--strict")


def test_a_folder_of_objects_is_removed_once_its_process_is_gone_and_not_before(opened, tmp_path):
    ledger = opened("a")
    ledger.commit(claim(1))
    folder = tmp_path / "a/.git/msgrun"
    (living,) = folder.glob("objects-*")
    (folder / "objects-dead/ab").mkdir(parents=True)
    again = opened("a")
    again.commit(claim(2, "B"))
    assert living.exists()
    assert not (folder / "objects-dead").exists()
    assert ledger.commit(outcome(claim(1))) == frozenset()
    assert len(list(folder.glob("objects-*"))) == 2
    again.__exit__(None, None, None)
    assert list(folder.glob("objects-*")) == [living]


def test_what_was_pushed_can_be_read_when_the_remote_is_away(opened, origin, tmp_path):
    ledger = opened("a")
    ledger.commit(claim(1))
    ledger.__exit__(None, None, None)
    origin.rename(tmp_path / "away")
    remote = RemoteFile(find_repository(tmp_path / "a"), parse_branch_address("git+origin", "messages.lock"))
    version, seconds = remote.cached_version()
    assert b'"RUN-1"' in version.data
    assert seconds < 60


@pytest.mark.parametrize(
    ("lock", "expected"),
    [
        ("git+origin", BranchAddress("origin", "msgrun-ledger", "f")),
        ("git+origin#sent", BranchAddress("origin", "sent", "f")),
        ("git+https://host/r.git#a/b", BranchAddress("https://host/r.git", "a/b", "f")),
        ("git+ssh://git@host/r.git", BranchAddress("ssh://git@host/r.git", "msgrun-ledger", "f")),
        ("git+file:///srv/r.git", BranchAddress("file:///srv/r.git", "msgrun-ledger", "f")),
    ],
)
def test_an_address_is_a_remote_and_a_branch(lock, expected):
    assert parse_branch_address(lock, "f") == expected


@pytest.mark.parametrize(
    "lock",
    [
        "git+", "git+--upload-pack=x", "git+ext::sh -c x", "git+ftp://host/r", "git+https://", "git+origin#-x",
        "git+origin#a..b", "git+origin#a.lock", "git+https://user:secret@host/r", "git+https://token@host/r",
    ],
)  # fmt: skip
def test_no_address_is_an_option_another_transport_or_a_place_for_secrets(lock):
    with pytest.raises(UsageMistake) as caught:
        parse_branch_address(lock, "f")
    assert "secret" not in str(caught.value.message)


def test_a_run_claims_nothing_more_once_the_ledger_moved_and_its_outcomes_still_arrive(opened, origin):
    running, moving = opened("a"), opened("b")
    running.commit(claim(1, "A"))
    moving.mark_moved("postgresql://db/messages")
    with pytest.raises(LedgerUnavailable, match="moved to postgresql://db/messages"):
        running.commit(claim(2, "A"))
    assert running.commit(outcome(claim(1, "A"))) == frozenset()
    assert [line["status"] for line in lines(origin) if "key" in line] == ["claimed", "sent"]
    moving.refresh()
    moving.compact()
    assert opened("c").facts.moved_to == "postgresql://db/messages"
    back = opened("d")
    back.mark_moved("")
    running.refresh()
    assert running.commit(claim(3, "A")) == frozenset()
    assert told(origin, "log", "-1", "--format=%s", BRANCH) == "apply a: claimed 1"
    assert "apply d: back" in told(origin, "log", "--format=%s", BRANCH)


def test_two_that_move_a_ledger_at_once_leave_it_where_the_last_one_said(opened):
    one, two = opened("a"), opened("b")
    one.mark_moved("git+origin#one")
    two.mark_moved("git+origin#two")
    assert opened("c").facts.moved_to == "git+origin#two"
