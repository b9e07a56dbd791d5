"""A move takes every record along, can be killed at any step, and at no time do two ledgers take claims."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.local_records import write_rescue_file
from runner.ledger.lock_address import LockfileAddress
from runner.ledger.mark import MAX_GENERATION, MoveMark
from runner.ledger.moves import move as moving
from runner.ledger.moves.move import Move, highest_mark, prepare_move, run_move
from runner.ledger.opening import location_of, open_existing
from runner.ledger.record import Header
from runner.ledger.remote_marks import RemoteAnswer, RemoteMark, ask_remotes, push_mark
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
from tests.support.ledgers import commit
from tests.support.postgres import Server
from tests.support.proof import one_of, table

KINDS = ("lockfile", "branch", "working branch", "database")
PAIRS = [(old, new) for old in KINDS for new in KINDS if (old, new) != ("working branch", "lockfile")]
CHOSEN = [("lockfile", "branch"), ("branch", "database"), ("database", "lockfile"), ("lockfile", "working branch")]
OTHERS = table(pair for pair in PAIRS if pair not in CHOSEN)
STEPS = (moving.mark_pending, moving.mark_moved, moving.copy_records, moving.mark_current)
RECORDS = [make_record(1), make_record(2, "claimed"), make_record(3, "refused"), make_record(4, "released")]


class Ledgers:
    """The two ends of a move in a clone."""

    def __init__(self, clone: Path, server: Server, old: str, new: str) -> None:
        self.old, self.new = (
            self.context(clone, server, kind, name) for kind, name in ((old, "first"), (new, "second"))
        )
        fill_ledger(self.old, Header("acme"), *RECORDS)

    @staticmethod
    def context(clone: Path, server: Server, kind: str, name: str) -> LedgerContext:
        if kind == "working branch":
            branches = git_output(clone, "ls-remote", "origin", "main", name)
            if name not in branches:
                git_output(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{name}")
        lock = {
            "lockfile": f"{name}.lock",
            "branch": f"git+origin#ledger/{name}",
            "working branch": f"git+origin#{name}",
            "database": f"{server.lock}#{name}",
        }[kind]
        return trusted_context(clone, lock)

    def prepare(self) -> Move:
        return prepare_move(self.old, self.new, ask_remotes(self.old))


def takes_claims(context: LedgerContext) -> bool:
    """Whether apply may claim: by the ledger's own mark and those of the remotes."""
    facts = location_of(context).read()
    return facts is not None and highest_mark(facts, ID_A, ask_remotes(context)).status == "current"


def claim_directly(context: LedgerContext, number: int) -> bool:
    """Whether the ledger itself takes a claim, without any check before."""
    with open_existing(context, "test") as ledger:
        try:
            return not commit(ledger, make_record(number, "claimed"))
        except LedgerUnavailable:
            return False


@pytest.mark.parametrize(("old", "new"), [*CHOSEN, *OTHERS])
def test_a_move_takes_every_record_the_workspace_and_the_id_along(
    clone: Path, server: Server, old: str, new: str
) -> None:
    ledgers = Ledgers(clone, server, old, new)
    before = read_facts(ledgers.old)
    run_move(ledgers.prepare())
    after, left = read_facts(ledgers.new), read_facts(ledgers.old)
    assert list(after.compacted_records()) == list(before.compacted_records())
    assert after.headers.merged("") == before.headers.merged("")
    assert after.mark == MoveMark(1, "current", ledgers.old.address.setting)
    assert left.mark == MoveMark(1, "moved", ledgers.new.address.setting)


@pytest.mark.parametrize("count", one_of(2, 0, 1, 3, 4))
@pytest.mark.parametrize(("old", "new"), [PAIRS[1], *table(pair for pair in PAIRS if pair != PAIRS[1])])
def test_a_move_that_was_killed_after_any_step_is_repeated(
    clone: Path, server: Server, old: str, new: str, count: int
) -> None:
    ledgers = Ledgers(clone, server, old, new)
    killed = ledgers.prepare()
    for step in STEPS[:count]:
        step(killed)
    again = ledgers.prepare()
    assert (again.generation, again.ledger_id) == (killed.generation, ID_A)
    run_move(again)
    assert read_facts(ledgers.new).mark.status == "current"
    assert read_facts(ledgers.old).mark.status == "moved"
    assert attempts(read_facts(ledgers.new)) == {record.attempt: record.status for record in RECORDS}


@pytest.mark.parametrize("count", one_of(3, 1, 2, 4))
@pytest.mark.parametrize(("old", "new"), [PAIRS[1], *table(pair for pair in PAIRS if pair != PAIRS[1])])
def test_a_move_that_was_killed_after_any_step_is_cancelled(
    clone: Path, server: Server, old: str, new: str, count: int
) -> None:
    if (old, new) == ("lockfile", "working branch"):
        pytest.skip("its way back would be the move that is refused")
    ledgers = Ledgers(clone, server, old, new)
    killed = ledgers.prepare()
    for step in STEPS[:count]:
        step(killed)
    back = prepare_move(ledgers.new, ledgers.old, ask_remotes(ledgers.new))
    assert back.generation == killed.generation + 1
    run_move(back)
    assert read_facts(ledgers.old).mark == MoveMark(2, "current", ledgers.new.address.setting)
    assert read_facts(ledgers.new).mark == MoveMark(2, "moved", ledgers.old.address.setting)
    assert attempts(read_facts(ledgers.old)) == {record.attempt: record.status for record in RECORDS}


@pytest.mark.parametrize(("old", "new"), [*one_of(*CHOSEN), *OTHERS])
def test_at_no_step_do_both_ledgers_take_claims(clone: Path, server: Server, old: str, new: str) -> None:
    ledgers = Ledgers(clone, server, old, new)
    move, taken = ledgers.prepare(), []
    for number, step in enumerate((lambda _: None, *STEPS), 100):
        step(move)
        taken.append((takes_claims(ledgers.old), takes_claims(ledgers.new)))
        for context, may_claim in zip((ledgers.old, ledgers.new), taken[-1], strict=True):
            if not isinstance(context.address, LockfileAddress) and location_of(context).read():  # a lockfile is locked
                assert claim_directly(context, number) == may_claim
    assert taken == [(True, False), (True, False), (False, False), (False, False), (False, True)]


def test_a_claim_between_two_steps_is_copied_and_its_outcome_still_goes_to_the_old_ledger(
    clone: Path, server: Server
) -> None:
    ledgers = Ledgers(clone, server, "branch", "database")
    move = ledgers.prepare()
    moving.mark_pending(move)
    fill_ledger(ledgers.old, make_record(9, "claimed"))
    moving.mark_moved(move)
    moving.copy_records(move)
    moving.mark_current(move)
    assert attempts(read_facts(ledgers.new))["RUN-9"] == "claimed"
    fill_ledger(ledgers.old, make_record(9))
    assert attempts(read_facts(ledgers.old))["RUN-9"] == "sent"


def test_a_ledger_moves_on_and_comes_back_with_a_higher_turn_each_time(clone: Path, server: Server) -> None:
    kinds = [("lockfile", "a"), ("branch", "b"), ("database", "c"), ("lockfile", "a"), ("branch", "b")]
    contexts = [Ledgers.context(clone, server, *kind) for kind in kinds]
    fill_ledger(contexts[0], make_record(1))
    for turn, (old, new) in enumerate(pairwise(contexts), 1):
        run_move(prepare_move(old, new, ask_remotes(old)))
        assert read_facts(new).mark == MoveMark(turn, "current", old.address.setting)
        assert read_facts(old).mark == MoveMark(turn, "moved", new.address.setting)
        fill_ledger(new, make_record(turn + 1))
    assert len(read_facts(contexts[-1])) == len(kinds)


def test_a_lockfile_that_git_restored_is_still_left_for_its_clone_and_for_others(clone: Path, server: Server) -> None:
    ledgers = Ledgers(clone, server, "lockfile", "branch")
    push_all(clone)
    other = clone.with_name("other")
    make_clone(clone.parent, "other")
    run_move(ledgers.prepare())
    git_output(clone, "checkout", "--quiet", "HEAD", "--", "first.lock")
    assert read_facts(ledgers.old).mark.status == "moved"
    restored = ledger_context(other, "first.lock", ledger_id=ID_A)
    facts = read_facts(restored)
    assert facts.mark.status == "current"
    assert highest_mark(facts, ID_A, ask_remotes(restored)) == MoveMark(1, "moved", "git+origin#ledger/second")


def test_a_ledger_without_an_id_gets_one(clone: Path, server: Server) -> None:
    old = ledger_context(clone, "first.lock")
    fill_ledger(old, make_record(1), ledger_id="")
    move = prepare_move(old, Ledgers.context(clone, server, "database", "second"), [])
    assert len(move.ledger_id) == 26
    run_move(move)
    assert read_facts(old).headers.merged("").ledger == read_facts(move.new).headers.merged("").ledger == move.ledger_id


def test_what_this_clone_has_of_the_ledger_is_moved_too(clone: Path, server: Server) -> None:
    ledgers = Ledgers(clone, server, "branch", "database")
    path = write_rescue_file(ledgers.old, ID_A, [make_record(2)])
    run_move(ledgers.prepare())
    assert attempts(read_facts(ledgers.new))["RUN-2"] == "sent"
    assert not path.exists()


def test_another_ledger_at_the_new_address_is_left_alone(clone: Path, server: Server) -> None:
    ledgers = Ledgers(clone, server, "lockfile", "branch")
    fill_ledger(replace(ledgers.new, declared=replace(ledgers.new.declared, ledger_id=ID_B)), ledger_id=ID_B)
    with pytest.raises(GuardRefused, match=f"has another ledger, {ID_B}"):
        ledgers.prepare()


def test_a_ledger_of_another_workspace_at_the_new_address_is_left_alone(clone: Path, server: Server) -> None:
    ledgers = Ledgers(clone, server, "branch", "database")
    fill_ledger(ledgers.new, Header("zz"), ledger_id="")
    with pytest.raises(GuardRefused, match="belongs to workspace zz, not acme"):
        run_move(ledgers.prepare())


def test_what_is_at_the_old_address_must_be_the_ledger_of_msgrun_yaml(clone: Path, server: Server) -> None:
    ledgers = Ledgers(clone, server, "lockfile", "branch")
    old = replace(ledgers.old, declared=replace(ledgers.old.declared, ledger_id=ID_B))
    with pytest.raises(GuardRefused, match=f"msgrun.yaml names {ID_B}"):
        prepare_move(old, ledgers.new, [])
    with pytest.raises(GuardRefused, match=r"there is no ledger nowhere\.lock"):
        prepare_move(ledger_context(clone, "nowhere.lock"), ledgers.new, [])


def test_a_fork_moves_no_ledger_because_its_copy_lacks_what_was_sent_since(clone: Path, server: Server) -> None:
    old, new, database = (
        trusted_context(clone, lock) for lock in ("git+origin#first", "git+origin#second", f"{server.lock}#third")
    )
    fill_ledger(old, Header("acme"), *RECORDS)
    of_fork = replace(old.declared, remote="https://host/acme/mail")
    for here, there in ((old, database), (database, new)):
        with pytest.raises(GuardRefused, match="is a branch of another repository here") as refused:
            prepare_move(*(replace(context, declared=of_fork) for context in (here, there)), [])
        assert refused.value.hint.startswith("move the ledger in a clone of https://host/acme/mail; ")


def test_a_ledger_that_is_elsewhere_by_now_is_not_moved_from_here(clone: Path, server: Server) -> None:
    ledgers = Ledgers(clone, server, "lockfile", "branch")
    run_move(ledgers.prepare())
    third = Ledgers.context(clone, server, "database", "third")
    with pytest.raises(GuardRefused, match=r"first\.lock moved to git\+origin#ledger/second"):
        prepare_move(ledgers.old, third, [])
    pending = Ledgers.context(clone, server, "branch", "pending")
    fill_ledger(pending, Header(mark=MoveMark(1, "pending", "somewhere.lock")))
    with pytest.raises(GuardRefused, match="lacks records"):
        prepare_move(pending, third, [])


def test_a_mark_on_the_remote_stops_a_move_of_a_restored_lockfile(clone: Path, server: Server) -> None:
    ledgers = Ledgers(clone, server, "lockfile", "branch")
    push_mark(ledgers.old, ID_A, MoveMark(4, "moved", "git+origin#elsewhere"))
    with pytest.raises(GuardRefused, match="moved to git\\+origin#elsewhere"):
        ledgers.prepare()


def test_a_place_that_was_emptied_or_never_filled_is_not_made_current(clone: Path, server: Server) -> None:
    ledgers = Ledgers(clone, server, "branch", "database")
    run_move(ledgers.prepare())
    server.rows("DROP SCHEMA second CASCADE")
    with pytest.raises(GuardRefused, match="but another ledger is there now") as caught:
        ledgers.prepare()
    assert "restore it from a clone or a backup" in caught.value.hint


@pytest.mark.parametrize(("old", "new"), one_of(("lockfile", "branch"), ("branch", "database")))
def test_of_two_moves_at_once_one_ends_and_the_other_says_so(clone: Path, server: Server, old: str, new: str) -> None:
    ledgers = Ledgers(clone, server, old, new)
    other = make_clone(clone.parent, "other")
    if old == "lockfile":
        (other / "first.lock").write_bytes((clone / "first.lock").read_bytes())
    first, second = (
        ledgers.prepare(),
        prepare_move(
            Ledgers.context(other, server, old, "first"), Ledgers.context(other, server, "branch", "third"), []
        ),
    )
    moving.mark_pending(first)
    moving.mark_pending(second)
    moving.mark_moved(first)
    with pytest.raises(LedgerUnavailable, match="another move was faster"):
        moving.mark_moved(second)
    assert read_facts(second.new).mark == first.moved
    moving.copy_records(first)
    moving.mark_current(first)
    assert read_facts(first.new).mark.status == "current"


def test_a_move_to_another_spelling_of_the_same_place_loses_nothing(clone: Path, server: Server) -> None:
    ledgers = Ledgers(clone, server, "database", "database")
    other = ledger_context(clone, f"{ledgers.old.address.setting}".replace("127.0.0.1", "localhost"), trusts_host=True)
    if other.address == ledgers.old.address:
        pytest.skip("one spelling")
    run_move(prepare_move(ledgers.old, other, []))
    assert read_facts(ledgers.old).mark.status == "current"
    assert attempts(read_facts(other)) == {record.attempt: record.status for record in RECORDS}


def test_a_branch_does_not_move_into_the_same_file_of_the_working_tree(clone: Path) -> None:
    old = ledger_context(clone, "git+origin#main", ledger_id=ID_A)
    fill_ledger(old, make_record(1))
    with pytest.raises(GuardRefused, match=r"messages\.lock is the file on the branch where the ledger is now"):
        prepare_move(old, ledger_context(clone, ledger_id=ID_A), ask_remotes(old))


def test_records_that_the_new_ledger_lacks_in_the_end_stop_the_move(
    clone: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledgers = Ledgers(clone, server, "lockfile", "branch")
    move = ledgers.prepare()
    moving.mark_pending(move)
    moving.mark_moved(move)
    monkeypatch.setattr(moving, "append_missing", lambda *_: 0)
    with pytest.raises(LedgerUnavailable, match="lacks 4 records after it was filled"):
        moving.copy_records(move)
    assert read_facts(ledgers.new).mark.status == "pending"


@pytest.mark.parametrize("turn", [1, MAX_GENERATION - 1])
def test_a_forged_turn_that_no_other_can_follow_is_refused(clone: Path, server: Server, turn: int) -> None:
    ledgers = Ledgers(clone, server, "branch", "database")
    fill_ledger(ledgers.old, Header(mark=MoveMark(turn, "current", "x.lock")))
    if turn == 1:
        assert ledgers.prepare().generation == 2
        return
    with pytest.raises(GuardRefused, match="no higher one is possible"):
        ledgers.prepare()


@pytest.mark.parametrize("remote_turn", one_of(1, 2, 3))
def test_the_highest_mark_is_the_ledgers_or_a_higher_one_of_a_remote(remote_turn: int) -> None:
    found = Facts()
    found.add(Header(ledger=ID_A, mark=MoveMark(2, "current", "x.lock")))
    remote = RemoteMark(f"refs/msgrun/moved/{ID_A}", ".", "default", MoveMark(remote_turn, "moved", "y.lock"))
    other = replace(remote, ref=f"refs/msgrun/moved/{ID_B}", mark=MoveMark(9, "moved", "z.lock"))
    held = highest_mark(found, ID_A, [RemoteAnswer("origin", (remote, other), None)])
    assert held == (remote.mark if remote_turn > 2 else found.mark)
