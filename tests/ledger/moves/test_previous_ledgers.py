"""The ledgers that a ledger moved from: their late outcomes arrive, and they hear of decisions."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import GuardRefused, LedgerUnavailable
from runner.ledger.context import LedgerContext
from runner.ledger.mark import MoveMark
from runner.ledger.moves import previous_ledgers
from runner.ledger.moves.move import mark_moved, mark_pending, prepare_move, run_move
from runner.ledger.moves.previous_ledgers import add_late_outcomes, write_to_previous
from runner.ledger.opening import open_existing, open_ledger
from runner.ledger.record import Header, Record
from runner.ledger.remote_marks import ask_remotes
from tests.support.clones import git_output
from tests.support.ledger_contexts import (
    attempts,
    fill_ledger,
    make_record,
    read_facts,
    trusted_context,
)
from tests.support.ledgers import commit
from tests.support.postgres import Server


@pytest.fixture
def moved(clone: Path, server: Server) -> tuple[LedgerContext, LedgerContext]:
    """A ledger that moved from a branch to a database while an attempt was open, and its former place."""
    old, new = trusted_context(clone, "git+origin"), trusted_context(clone, server.lock)
    fill_ledger(old, make_record(1, "claimed"))
    run_move(prepare_move(old, new, ask_remotes(old)))
    return new, old


def late(own: LedgerContext) -> dict[str, str]:
    with open_ledger(own, "resolve") as ledger:
        add_late_outcomes(own, ledger)
    return attempts(read_facts(own))


def test_an_outcome_that_came_to_the_previous_ledger_after_the_move_is_added(
    moved: tuple[LedgerContext, LedgerContext],
) -> None:
    new, old = moved
    assert late(new) == {"RUN-1": "claimed"}
    fill_ledger(old, make_record(1))
    assert late(new) == {"RUN-1": "sent"}


def test_outcomes_come_over_several_moves(clone: Path) -> None:
    first, *others = (trusted_context(clone, f"git+origin#{name}") for name in ("first", "second", "third"))
    fill_ledger(first, make_record(1, "claimed"))
    last = first
    for own in others:
        run_move(prepare_move(last, own, ask_remotes(last)))
        last = own
    fill_ledger(first, make_record(1))
    assert late(last) == {"RUN-1": "sent"}


def test_a_previous_ledger_that_is_gone_is_no_hindrance(
    moved: tuple[LedgerContext, LedgerContext], tmp_path: Path
) -> None:
    git_output(tmp_path / "origin.git", "update-ref", "-d", "refs/heads/msgrun-ledger")
    assert late(moved[0]) == {"RUN-1": "claimed"}


def test_the_host_of_a_previous_ledger_is_asked_only_if_the_base_commit_names_it(clone: Path, server: Server) -> None:
    own = trusted_context(clone, "git+origin")
    fill_ledger(own, make_record(1, "claimed"), Header(mark=MoveMark(1, "current", f"{server.lock}#evil")))
    with pytest.raises(GuardRefused, match="may have later outcomes") as caught:
        late(own)
    assert "msgrun lock import late.lock" in caught.value.hint
    assert server.rows("SELECT 1 FROM pg_namespace WHERE nspname = 'evil'") == []


def test_a_run_under_way_while_the_ledger_moves_claims_nothing_more_and_its_outcomes_arrive(
    clone: Path, server: Server
) -> None:
    old, new = trusted_context(clone, "git+origin"), trusted_context(clone, server.lock)
    fill_ledger(old)
    with open_ledger(old, "apply") as run:
        commit(run, make_record(1, "claimed"))
        move = prepare_move(old, new, ask_remotes(old))
        mark_pending(move)
        mark_moved(move)
        with pytest.raises(LedgerUnavailable, match="moved to"):
            commit(run, make_record(2, "claimed"))
        run_move(move)
        commit(run, make_record(1))
    assert late(new) == {"RUN-1": "sent"}


def decide(own: LedgerContext, *records: Record) -> None:
    """What resolve does with the decision of a person."""
    with open_ledger(own, "resolve") as ledger:
        write_to_previous(own, ledger.facts, records)
        ledger.append(*records)


def test_a_decision_about_a_claim_of_a_run_that_is_alive_at_the_previous_database_is_refused(
    clone: Path, server: Server
) -> None:
    old, new = (trusted_context(clone, f"{server.lock}#{schema}") for schema in ("first", "second"))
    git_output(clone, "remote", "remove", "origin")  # otherwise a base commit has to name the previous database
    fill_ledger(old)
    with open_existing(old, "apply") as run:
        commit(run, make_record(1, "claimed"))
        run_move(prepare_move(old, new, ask_remotes(old)))
        with pytest.raises(GuardRefused, match="being sent right now, by msgrun apply"):
            decide(new, make_record(1, "released", by="person"))
        assert attempts(read_facts(new)) == {"RUN-1": "claimed"}
        commit(run, make_record(1))
    decide(new, make_record(2, "released", by="person"))
    assert attempts(read_facts(new)) == {"RUN-1": "claimed", "RUN-2": "released"}
    assert attempts(read_facts(old)) == {"RUN-1": "sent"}


def test_a_decision_is_in_the_previous_ledger_too_that_has_the_claim(
    moved: tuple[LedgerContext, LedgerContext],
) -> None:
    decide(moved[0], make_record(1, "released", by="person"))
    for own in moved:
        assert attempts(read_facts(own)) == {"RUN-1": "released"}


def test_of_many_previous_ledgers_the_latest_are_asked_and_it_is_said(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported = list[str]()
    own = replace(trusted_context(clone, "git+origin#own"), report=reported.append)
    fill_ledger(own, make_record(1))
    facts = read_facts(own)
    for turn in range(1, 31):
        facts.add(Header(mark=MoveMark(turn, "current", f"git+origin#old{turn}")))
    asked = list[str]()
    monkeypatch.setattr(previous_ledgers, "location_of", lambda at: asked.append(at.address.setting) or Absent())
    write_to_previous(own, facts, [])
    assert asked == [f"git+origin#old{turn}" for turn in range(30, 10, -1)]
    assert reported == ["only 20 previous ledgers were asked for later outcomes; the headers name more"]


class Absent:
    """A ledger that is not there any more."""

    def read(self) -> None:
        return None
