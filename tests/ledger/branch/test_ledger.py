"""A ledger on a branch of a git remote: who pushes first has the delivery, and nothing that was written is lost."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.repository import find_repository
from runner.ledger.branch.ledger import BranchLedger
from runner.ledger.branch.remote_file import RemoteFile
from runner.ledger.branch.shared_file import SharedFile
from runner.ledger.ledger import pin_workspace
from runner.ledger.lock_address import BranchAddress
from runner.ledger.mark import MoveMark
from runner.ledger.record import Header, Record, salt_check
from tests.support.ledger_contexts import ID_A, ID_B
from tests.support.ledgers import commit, commit_limited

CLAIM = Record(key="1" * 32, attempt="RUN-1", status="claimed", message="m", revision=1, contact="aaa1", at="2026")
BRANCH = "msgrun-ledger"
ADDRESS = BranchAddress("origin", BRANCH, "messages.lock")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
MOVED = MoveMark(1, "moved", "postgresql://db/messages")


@pytest.fixture
def origin(tmp_path):
    path = tmp_path / "origin.git"
    told(tmp_path, "init", "-q", "--bare", str(path))
    return path


@pytest.fixture
def opened(tmp_path, origin):
    """Opens the ledger in a new clone, whose name is also its run's."""

    def make(name):
        path = tmp_path / name
        if not path.exists():
            told(tmp_path, "clone", "-q", origin.as_uri(), str(path))
        file = SharedFile(RemoteFile(find_repository(path), ADDRESS), "salt", lambda _: None)
        ledger = BranchLedger(file, "salt", f"apply {name}", lambda: NOW)
        ledger.refresh()
        ledger.create(Header("", salt_check("salt")))
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
    assert commit(first, claim(1, "A"), claim(2, "A")) == frozenset()
    assert commit(second, claim(2, "B"), claim(3, "B")) == {"B-2"}
    assert [one["attempt"] for one in lines(origin)[1:]] == ["A-1", "A-2", "B-3"]
    assert second.facts.state(claim(2).key).record.attempt == "A-2"


def test_what_others_claimed_is_left_out_also_of_later_claims(opened):
    first, second = opened("a"), opened("b")
    commit(first, claim(7, "A"))
    commit(second, claim(1, "B"))
    assert commit(second, claim(7, "B")) == {"B-7"}


def test_a_delivery_that_another_run_released_meanwhile_is_left_to_the_next_run(opened):
    first, second = opened("a"), opened("b")
    commit(first, claim(1, "A"))
    commit(first, outcome(claim(1, "A"), "released", by="run"))
    assert commit(second, claim(1, "B")) == {"B-1"}


def test_another_address_of_a_contact_that_another_run_writes_to_is_left_out(opened):
    first, second = opened("a"), opened("b")
    commit(first, replace(claim(1, "A"), contact="same"))
    assert commit(second, replace(claim(2, "B"), contact="same")) == {"B-2"}
    assert commit(second, replace(claim(3, "B"), contact="same", revision=2)) == frozenset()
    commit(first, replace(claim(4, "A"), contact="tester", redirected=True))
    assert commit(second, replace(claim(5, "B"), contact="tester", redirected=True)) == frozenset()


def test_frequency_leaves_a_contact_to_the_run_that_sent_to_it_since_the_plan_was_made(opened):
    first, second = opened("a"), opened("b")
    commit(first, replace(claim(1, "A"), contact="same"))
    limited = replace(claim(2, "B"), contact="same", message="other")
    assert commit_limited(second, limited, replace(claim(3, "B"), message="other")) == {"B-2"}
    assert commit(second, replace(claim(4, "B"), contact="same", message="urgent")) == frozenset()
    commit(first, outcome(claim(5, "A"), "refused", code="no"))
    assert commit_limited(second, replace(claim(6, "B"), contact="c5", message="other")) == frozenset()


def test_outcomes_are_pushed_whoever_was_faster_meanwhile(opened, origin):
    first, second = opened("a"), opened("b")
    commit(second, claim(1, "B"))
    commit(first, claim(2, "A"))
    assert commit(second, outcome(claim(1, "B"), id="x"), claim(2, "B")) == {"B-2"}
    assert [(one["attempt"], one["status"]) for one in lines(origin)[1:]] == [
        ("B-1", "claimed"), ("A-2", "claimed"), ("B-1", "sent"),
    ]  # fmt: skip


def test_a_claim_that_a_person_released_meanwhile_is_told_before_it_is_sent(opened):
    run, person = opened("a"), opened("b")
    commit(run, claim(1, "A"), claim(2, "A"))
    person.refresh()
    person.append(outcome(claim(1, "A"), "released", by="person"))
    assert commit(run, claim(3, "A")) == {"A-1"}


def test_a_push_that_arrived_although_git_failed_is_not_made_twice(opened, origin, monkeypatch):
    ledger = opened("a")
    real = RemoteFile.push_version

    def lost(self, *args):
        real(self, *args)
        monkeypatch.setattr(RemoteFile, "push_version", real)
        raise LedgerUnavailable("the answer was lost")

    monkeypatch.setattr(RemoteFile, "push_version", lost)
    assert commit(ledger, claim(1)) == frozenset()
    assert len(lines(origin)) == 2
    assert commit(ledger, outcome(claim(1))) == frozenset()


def test_a_compaction_meanwhile_changes_nothing_of_who_has_what(opened, origin):
    run, other = opened("a"), opened("b")
    commit(run, claim(1, "A"))
    commit(run, outcome(claim(1, "A"), id="x"), claim(2, "A"))
    other.refresh()
    assert other.compact() == (4, 3)
    assert commit(run, outcome(claim(2, "A"), id="y"), claim(3, "A")) == frozenset()
    assert [one.get("attempt") for one in lines(origin)] == [None, "A-1", "A-2", "A-2", "A-3"]


def test_a_branch_that_was_put_back_gets_again_what_it_lacks(opened, origin):
    ledger = opened("a")
    old = told(origin, "rev-parse", BRANCH)
    commit(ledger, claim(1))
    commit(ledger, outcome(claim(1), id="x"))
    told(origin, "update-ref", f"refs/heads/{BRANCH}", old)
    commit(ledger, claim(2))
    assert {(one.get("attempt"), one.get("status")) for one in lines(origin)} >= {
        ("RUN-1", "sent"),
        ("RUN-2", "claimed"),
    }


def test_what_was_put_back_after_a_run_ended_comes_again_from_a_clone_that_knew_it(opened, origin, tmp_path):
    ledger = opened("a")
    old = told(origin, "rev-parse", BRANCH)
    commit(ledger, claim(1))
    commit(ledger, outcome(claim(1), id="x"), claim(2))
    ledger._file._remote.close()
    told(origin, "update-ref", f"refs/heads/{BRANCH}", old)
    opened("a")  # reading it, as plan does, forgets nothing
    assert len(lines(origin)) == 1
    commit(opened("b"), claim(3, "B"))
    opened("a")
    again = opened("a")
    assert (again.recover(), again.recover()) == (2, 0)
    found = {(one.get("attempt"), one.get("status")) for one in lines(origin)[1:]}
    assert found == {("RUN-1", "sent"), ("RUN-2", "claimed"), ("B-3", "claimed")}
    again.compact()
    assert opened("a").recover() == 0
    assert "msgrun/known" not in told(tmp_path / "a", "for-each-ref")


def test_a_branch_that_was_deleted_stops_the_run(opened, origin):
    ledger = opened("a")
    told(origin, "update-ref", "-d", f"refs/heads/{BRANCH}")
    with pytest.raises(LedgerUnavailable, match="was removed") as stopped:
        commit(ledger, claim(1))
    assert stopped.value.hint.startswith("run the command again: ")  # which has the commit to push
    assert told(origin, "for-each-ref") == ""


def test_a_ledger_that_is_started_where_it_was_deleted_has_its_records_and_its_id_at_once(opened, origin):
    ledger = opened("a")
    ledger.write_header(Header(ledger=ID_A))
    commit(ledger, claim(1))
    ledger._file._remote.close()
    told(origin, "update-ref", "-d", f"refs/heads/{BRANCH}")
    again = BranchLedger(ledger._file, "salt", "begin", lambda: NOW)
    again.refresh()
    assert (again.exists, len(again.facts)) == (False, 1)
    again.create(Header("", salt_check("salt"), ID_A))
    assert (again.exists, again.recover()) == (True, 0)
    assert [one.get("attempt") for one in lines(origin) if "key" in one] == ["RUN-1"]
    assert [one["ledger"] for one in lines(origin) if one.get("ledger")] == [ID_A]


def test_a_ledger_without_an_id_that_is_started_where_it_was_deleted_gets_one(opened, origin):
    ledger = opened("a")
    told(origin, "update-ref", "-d", f"refs/heads/{BRANCH}")
    ledger.refresh()
    ledger.create(Header("", salt_check("salt"), ID_A))
    assert ledger.facts.headers.ids == {ID_A}
    assert ledger.write_header(Header(ledger=ID_A)) == ledger.facts.mark
    assert {one["ledger"] for one in lines(origin) if one.get("ledger")} == {ID_A}


def test_a_ledger_that_is_too_large_takes_no_claim_but_every_outcome(opened, origin, monkeypatch):
    monkeypatch.setattr("runner.ledger.branch.shared_file.MAX_LINES", 3)
    ledger = opened("a")
    commit(ledger, claim(1), claim(2))
    with pytest.raises(LedgerUnavailable, match=r"4 lines, and on a git branch it has 3 at most"):
        commit(ledger, claim(3))
    commit(ledger, outcome(claim(1)), outcome(claim(2)))
    assert len(lines(origin)) == 5


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
    commit(ledger, claim(1))
    commit(ledger, outcome(claim(1)), claim(2))
    assert (
        told(origin, "log", "-1", "--format=%B", BRANCH) == "apply b: sent 1, claimed 1\n\nhttps://x/o/r/actions/runs/5"
    )
    assert told(origin, "show", f"{BRANCH}:README") == "hands off"


def test_pushes_leave_no_copies_of_the_ledger_in_the_clone(opened, tmp_path):
    ledger = opened("a")
    for number in range(8):
        commit(ledger, claim(number))
    ledger._file._remote.close()
    count = int(told(tmp_path / "a", "count-objects").split()[0])
    assert count <= 6
    assert list((tmp_path / "a/.git/msgrun").glob("objects-*")) == []
    told(tmp_path / "a", "fsck", "--strict")


def test_a_folder_of_objects_is_removed_once_its_process_is_gone_and_not_before(opened, tmp_path):
    ledger = opened("a")
    commit(ledger, claim(1))
    folder = tmp_path / "a/.git/msgrun"
    (living,) = folder.glob("objects-*")
    (folder / "objects-dead/ab").mkdir(parents=True)
    again = opened("a")
    commit(again, claim(2, "B"))
    assert living.exists()
    assert not (folder / "objects-dead").exists()
    assert commit(ledger, outcome(claim(1))) == frozenset()
    assert len(list(folder.glob("objects-*"))) == 2
    again._file._remote.close()
    assert list(folder.glob("objects-*")) == [living]


def test_what_was_pushed_can_be_read_when_the_remote_is_away(opened, origin, tmp_path):
    ledger = opened("a")
    commit(ledger, claim(1))
    ledger._file._remote.close()
    origin.rename(tmp_path / "away")
    remote = RemoteFile(find_repository(tmp_path / "a"), ADDRESS)
    version, seconds = remote.cached_version()
    assert b'"RUN-1"' in version.data
    assert seconds < 60


def test_a_run_claims_nothing_more_once_the_ledger_moved_and_its_outcomes_still_arrive(opened, origin):
    running, moving = opened("a"), opened("b")
    commit(running, claim(1, "A"))
    assert moving.write_header(Header(mark=MOVED)) == MOVED
    with pytest.raises(LedgerUnavailable, match="moved to postgresql://db/messages"):
        commit(running, claim(2, "A"))
    assert commit(running, outcome(claim(1, "A"))) == frozenset()
    assert [line["status"] for line in lines(origin) if "key" in line] == ["claimed", "sent"]
    moving.refresh()
    moving.compact()
    assert opened("c").facts.mark == MOVED
    back = MoveMark(2, "current", MOVED.address)
    assert opened("d").write_header(Header(mark=back)) == back
    running.refresh()
    assert commit(running, claim(3, "A")) == frozenset()
    assert told(origin, "log", "-1", "--format=%s", BRANCH) == "apply a: claimed 1"
    assert "apply d: header" in told(origin, "log", "--format=%s", BRANCH)


def test_a_ledger_that_is_being_filled_takes_records_and_no_claims(opened):
    ledger, pending = opened("a"), MoveMark(1, "pending", "messages.lock")
    assert ledger.write_header(Header(mark=pending)) == pending
    ledger.append(outcome(claim(1, "A")))
    with pytest.raises(LedgerUnavailable, match=r"lacks records: its move from messages\.lock did not end"):
        commit(ledger, claim(2, "A"))
    ledger.write_header(Header(mark=replace(pending, status="current")))
    assert commit(ledger, claim(2, "A")) == frozenset()


def test_of_two_that_mark_a_ledger_at_once_the_first_wins_and_both_hear_it(opened):
    one, two = opened("a"), opened("b")
    first, second = MoveMark(1, "moved", "git+origin#one"), MoveMark(1, "moved", "git+origin#two")
    assert one.write_header(Header(mark=first)) == first
    assert two.write_header(Header(mark=second)) == first
    assert opened("c").facts.mark == first


def test_a_header_that_another_run_contradicted_first_is_refused(opened, origin):
    one, two, three = opened("a"), opened("b"), opened("c")
    one.write_header(Header("acme", ledger=ID_A))
    with pytest.raises(GuardRefused, match="belongs to workspace acme, not zz"):
        pin_workspace(two, "zz")
    with pytest.raises(GuardRefused, match=f"has the id {ID_A}, not {ID_B}"):
        three.write_header(Header(ledger=ID_B))
    assert [(one["workspace"], one.get("ledger")) for one in lines(origin)] == [("", None), ("acme", ID_A)]


def test_a_header_that_is_known_already_makes_no_commit(opened, origin):
    ledger = opened("a")
    ledger.write_header(Header("acme", ledger=ID_A))
    before = told(origin, "rev-parse", BRANCH)
    pin_workspace(ledger, "acme")
    pin_workspace(opened("b"), "acme")
    assert told(origin, "rev-parse", BRANCH) == before


def test_of_two_that_start_a_ledger_the_first_gives_it_its_id(opened, tmp_path, origin):
    opened("first")
    told(origin, "update-ref", "-d", f"refs/heads/{BRANCH}")
    starting = []
    for name in ("a", "b"):
        told(tmp_path, "clone", "-q", origin.as_uri(), name)
        remote = RemoteFile(find_repository(tmp_path / name), ADDRESS)
        starting.append(BranchLedger(SharedFile(remote, "salt", lambda _: None), "salt", f"begin {name}", lambda: NOW))
        starting[-1].refresh()
    for name, ledger in zip((ID_A, ID_B), starting, strict=True):
        ledger.create(Header("", salt_check("salt"), name))
    assert [ledger.facts.headers.merged("salt").ledger for ledger in starting] == [ID_A, ID_A]
    assert len(lines(origin)) == 1


def test_what_another_run_claimed_a_moment_ago_is_being_sent(opened):
    one, two = opened("one"), opened("two")
    claims = [
        replace(CLAIM, at="2026-11-28T11:58:01Z"),
        replace(CLAIM, key="2" * 32, attempt="RUN-2", at="2026-11-28T11:57:59Z"),
        replace(CLAIM, key="3" * 32, attempt="RUN-3", at="2026-11-28T11:59:00Z"),
        replace(CLAIM, key="4" * 32, attempt="RUN-4", at="2026-11-28T11:59:00Z", message="other"),
    ]
    one.commit([], claims)
    one.commit([replace(claims[2], status="unknown")], [])
    assert two.other_runs(["m"]) == {"run RUN": 1}
    one.commit([replace(claims[0], status="sent", id="1")], [])
    assert two.other_runs(["m"]) == {}
