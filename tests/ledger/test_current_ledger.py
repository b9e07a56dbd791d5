"""Only the current ledger of a project is written, and every refusal names a way out."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import GuardRefused
from runner.ledger.context import LedgerContext
from runner.ledger.current_ledger import (
    find_ledger_refusal,
    missing_ledger_error,
    refuse_unless_current,
)
from runner.ledger.facts import Facts
from runner.ledger.ledger_hints import explain_restore
from runner.ledger.lock_address import DeclaredLedger, parse_address
from runner.ledger.mark import MAX_GENERATION, MoveMark
from runner.ledger.record import Header
from runner.ledger.remote_marks import RemoteAnswer, RemoteMark
from tests.support.clones import git_output
from tests.support.ledger_contexts import (
    ID_A,
    ID_B,
    fill_ledger,
    ledger_context,
    make_clone,
    make_origin,
    make_record,
    push_all,
)

MOVED = MoveMark(2, "moved", "git+origin#sent")
IF_LOST = "; if it is lost: msgrun explain ledger-moved"


def facts(ledger_id: str = ID_A, mark: MoveMark | None = None) -> Facts:
    found = Facts()
    found.add(Header("acme", ledger=ledger_id))
    if mark:
        found.add(Header("acme", ledger=ledger_id, mark=mark))
    return found


def answer(*marks: RemoteMark, lock: str = "", ledger_id: str = "") -> RemoteAnswer:
    """What a remote says: marks, and what the default branch names, if it names a ledger."""
    default = DeclaredLedger(parse_address(lock, "messages"), ledger_id) if lock else None
    return RemoteAnswer("origin", marks, default)


def remote_mark(
    ledger_id: str = ID_A, mark: MoveMark = MOVED, project: str = ".", environment: str = "default"
) -> RemoteMark:
    return RemoteMark(f"refs/msgrun/moved/{ledger_id}", project, environment, mark)


def refused(context: LedgerContext, found: Facts, *answers: RemoteAnswer) -> str:
    """The message of the refusal of a ledger; empty if it may be used."""
    try:
        refuse_unless_current(context, found, answers, exists=True)
    except GuardRefused as error:
        return error.message if error.hint else "a refusal without a hint"
    return ""


def second_refused(context: LedgerContext, *answers: RemoteAnswer, known: Facts | None = None) -> str:
    """The message of the refusal to start a ledger; empty if it may be started."""
    try:
        refuse_unless_current(context, known or Facts(), answers, exists=False)
    except GuardRefused as error:
        return error.message if error.hint else "a refusal without a hint"
    return ""


def test_a_ledger_with_the_id_of_msgrun_yaml_and_no_mark_is_current(tmp_path: Path) -> None:
    assert find_ledger_refusal(ledger_context(tmp_path, ledger_id=ID_A), facts()) is None
    assert find_ledger_refusal(ledger_context(tmp_path), facts()) is None  # msgrun.yaml names no id
    current = MoveMark(3, "current", "old.lock")
    assert find_ledger_refusal(ledger_context(tmp_path, ledger_id=ID_A), facts(mark=current)) is None


@pytest.mark.parametrize(("own", "has"), [(ID_B, f"the id {ID_B}"), ("", "no id")])
def test_another_id_or_none_where_msgrun_yaml_names_one_is_another_ledger(tmp_path: Path, own: str, has: str) -> None:
    refusal = find_ledger_refusal(ledger_context(tmp_path, "sent.lock", ledger_id=ID_A), facts(own))
    assert refusal is not None
    assert refusal.message == f"the ledger sent.lock has {has}, and msgrun.yaml names {ID_A}"
    assert IF_LOST in refusal.hint


@pytest.mark.parametrize("status", ["pending", "moved"])
def test_a_ledger_that_is_pending_or_moved_is_not_current(tmp_path: Path, status: str) -> None:
    refusal = find_ledger_refusal(ledger_context(tmp_path, ledger_id=ID_A), facts(mark=replace(MOVED, status=status)))
    assert refusal is not None
    assert "git+origin#sent" in refusal.message


def test_two_merged_ledgers_are_refused_before_anything_else(tmp_path: Path) -> None:
    both = facts()
    both.add(Header(ledger=ID_B))
    with pytest.raises(GuardRefused, match="two ledgers were merged"):
        find_ledger_refusal(ledger_context(tmp_path), both)


@pytest.mark.parametrize(("own_turn", "is_refused"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_mark_on_the_remote_counts_while_its_turn_is_higher_than_the_ledgers(
    tmp_path: Path,
    own_turn: int,
    is_refused: bool,  # noqa: FBT001
) -> None:
    found = facts(mark=MoveMark(own_turn, "current", "git+origin#sent") if own_turn else None)
    message = refused(ledger_context(tmp_path, ledger_id=ID_A), found, answer(remote_mark()))
    assert message == ("this project's ledger moved to git+origin#sent, says origin" if is_refused else "")


def test_a_mark_of_another_ledger_says_nothing_of_this_one(tmp_path: Path) -> None:
    assert not refused(ledger_context(tmp_path, ledger_id=ID_A), facts(), answer(remote_mark(ID_B)))


@pytest.mark.parametrize(
    ("project", "environment", "is_refused"), [(".", "default", True), ("ops", "default", False), (".", "eu", False)]
)
def test_a_ledger_without_an_id_is_refused_by_a_mark_of_its_project_and_environment(
    tmp_path: Path,
    project: str,
    environment: str,
    is_refused: bool,  # noqa: FBT001
) -> None:
    mark = remote_mark(project=project, environment=environment)
    assert bool(refused(ledger_context(tmp_path), facts(""), answer(mark))) == is_refused


def test_a_mark_that_cannot_be_read_names_the_ref_to_remove(tmp_path: Path) -> None:
    mark = remote_mark(mark=MoveMark(MAX_GENERATION, "moved", "?"))
    with pytest.raises(GuardRefused, match=f"cannot be read, refs/msgrun/moved/{ID_A}") as caught:
        refuse_unless_current(ledger_context(tmp_path, ledger_id=ID_A), facts(), [answer(mark)], exists=True)
    assert f"git push origin --delete refs/msgrun/moved/{ID_A}" in caught.value.hint


@pytest.mark.parametrize(
    ("lock", "ledger_id", "other"),
    [
        ("messages.lock", ID_A, ""),
        ("messages.lock", "", ""),
        ("git+origin", ID_A, "git+origin"),
        ("git+origin", "", "git+origin"),
        ("messages.lock", ID_B, f"the id {ID_B}"),
        ("git+origin", ID_B, "git+origin"),
    ],
)
def test_the_default_branch_may_name_no_other_ledger(tmp_path: Path, lock: str, ledger_id: str, other: str) -> None:
    message = refused(ledger_context(tmp_path, ledger_id=ID_A), facts(), answer(lock=lock, ledger_id=ledger_id))
    expected = f"the ledger here is messages.lock, and the default branch of origin names {other}"
    assert message == (expected if other else "")


def test_a_remote_without_a_default_branch_refuses_nothing(tmp_path: Path) -> None:
    assert not refused(ledger_context(tmp_path, ledger_id=ID_A), facts(), answer())


def test_of_an_address_in_msgrun_lock_the_id_counts_because_it_may_be_spelled_differently(tmp_path: Path) -> None:
    context = ledger_context(tmp_path, "git+https://host/r", declared="git+origin", ledger_id=ID_A)
    assert not refused(context, facts(), answer(lock="git+origin", ledger_id=ID_A))
    assert refused(context, facts(), answer(lock="git+origin", ledger_id=ID_B))
    assert refused(
        replace(context, declared=DeclaredLedger(context.declared.address)), facts(""), answer(lock="git+origin")
    )


def test_the_branch_of_a_fork_is_not_the_ledger_that_msgrun_yaml_names(tmp_path: Path) -> None:
    make_origin(tmp_path)
    clone = make_clone(tmp_path, "clone")
    git_output(clone, "remote", "set-url", "origin", "git@host:bob/mail.git")
    context = ledger_context(clone, "git+origin", ledger_id=ID_A, remote="https://host/acme/mail")
    assert refused(context, facts()) == (
        "git+origin is a branch of another repository here, git@host:bob/mail.git, than the one that remote: of"
        " msgrun.yaml names, https://host/acme/mail"
    )
    with pytest.raises(GuardRefused, match="is a branch of another repository here"):  # a fork may lack the branch
        refuse_unless_current(context, Facts(), (), exists=False)
    git_output(clone, "remote", "set-url", "origin", "git@host:acme/mail.git")
    assert not refused(context, facts())


def test_a_ledger_that_msgrun_yaml_names_and_that_is_not_there_is_not_started_again(tmp_path: Path) -> None:
    context = ledger_context(tmp_path, "sent.lock", ledger_id=ID_A)
    message = f"there is no ledger sent.lock, and msgrun.yaml names one, {ID_A}"
    assert second_refused(context) == message
    refusal = missing_ledger_error(context, [answer(lock="git+origin", ledger_id=ID_A)])
    assert "lock: git+origin in msgrun.yaml" in refusal.hint
    assert "MSGRUN_LOCK=git+origin msgrun lock move sent.lock" in refusal.hint


def test_after_an_edit_of_lock_the_hint_names_the_address_of_the_last_commit(tmp_path: Path) -> None:
    make_origin(tmp_path)
    clone = make_clone(tmp_path, "clone")
    (clone / "msgrun.yaml").write_text(f"lock: git+origin\nledger: {ID_A}\n")
    push_all(clone)
    refusal = missing_ledger_error(ledger_context(clone, "sent.lock", ledger_id=ID_A))
    assert "MSGRUN_LOCK=git+origin msgrun lock move sent.lock" in refusal.hint


def test_the_first_ledger_of_a_project_may_be_started(tmp_path: Path) -> None:
    for lock in ("messages.lock", "sent.lock", "git+origin", "postgresql://db/m"):
        assert not second_refused(ledger_context(tmp_path, lock), answer())
        assert not second_refused(ledger_context(tmp_path, lock), answer(lock="messages.lock"))  # the default
        assert not second_refused(ledger_context(tmp_path, lock), answer(remote_mark(project="ops")))


def test_no_second_ledger_is_started_beside_this_clones_lockfile(tmp_path: Path) -> None:
    fill_ledger(ledger_context(tmp_path))
    assert not second_refused(ledger_context(tmp_path, "git+origin"))  # it has no record
    fill_ledger(ledger_context(tmp_path), make_record(1))
    expected = "this project has a ledger already: messages.lock has records of 1 deliveries"
    assert second_refused(ledger_context(tmp_path, "git+origin")) == expected
    assert not second_refused(ledger_context(tmp_path))
    assert not second_refused(ledger_context(tmp_path, ".msgrun/sandbox/messages.lock", is_sandbox=True))


def test_no_second_ledger_is_started_where_a_mark_or_the_default_branch_names_one(tmp_path: Path) -> None:
    context = ledger_context(tmp_path, "sent.lock")
    assert "moved to git+origin#sent" in second_refused(context, answer(remote_mark()))
    assert "the default branch of origin names git+origin" in second_refused(
        context, answer(lock="git+origin", ledger_id=ID_B)
    )
    assert second_refused(context, answer(lock="git+origin"))
    assert second_refused(context, answer(lock="messages.lock", ledger_id=ID_B))


def test_a_ledger_that_moved_and_whose_file_is_gone_is_not_started_again(tmp_path: Path) -> None:
    assert "moved to git+origin#sent" in second_refused(ledger_context(tmp_path), known=facts(mark=MOVED))


def test_only_at_the_start_of_a_ledger_may_the_default_branch_name_none(tmp_path: Path) -> None:
    context, answers = ledger_context(tmp_path, "git+origin"), [answer(lock="messages.lock")]
    refuse_unless_current(context, facts(), answers, exists=True, is_start=True)
    with pytest.raises(GuardRefused, match=r"the default branch of origin names messages\.lock"):
        refuse_unless_current(context, facts(), answers, exists=True)


def test_the_default_lockfile_with_the_id_of_msgrun_yaml_is_where_to_move_from(tmp_path: Path) -> None:
    git_output(tmp_path, "init", "--quiet")
    fill_ledger(ledger_context(tmp_path), make_record(1))
    context = ledger_context(tmp_path, "git+origin", ledger_id=ID_A)
    move = "MSGRUN_LOCK=messages.lock msgrun lock move git+origin"
    refusal = missing_ledger_error(context)
    assert refusal.hint.startswith(f"use lock: messages.lock in msgrun.yaml; or move the ledger: {move}{IF_LOST}")
    (tmp_path / "msgrun.yaml").write_text(f"lock: git+origin\nledger: {ID_A}\n")
    git_output(tmp_path, "add", "--all")
    git_output(tmp_path, "commit", "--quiet", "--message", "moved")
    refusal = missing_ledger_error(context)
    assert refusal.hint.endswith(IF_LOST)
    other = replace(context, declared=replace(context.declared, ledger_id=ID_B))
    assert missing_ledger_error(other).hint != refusal.hint


def test_what_brings_a_lockfile_back_is_head_else_the_journal_else_the_commit_before_its_removal(
    tmp_path: Path,
) -> None:
    context = ledger_context(tmp_path)
    assert explain_restore(context) == "restore it from a backup"
    git_output(tmp_path, "init", "--quiet")
    assert explain_restore(context) == "once the clone that has it has pushed it: git pull; or restore it from a backup"
    fill_ledger(context, make_record(1))
    journal = tmp_path / ".git/msgrun/messages.lock.journal"
    assert explain_restore(context) == f"restore it from the journal: cp {journal} messages.lock"
    git_output(tmp_path, "add", "messages.lock")
    git_output(tmp_path, "commit", "--quiet", "--message", "sent")
    assert explain_restore(context) == "restore it: git checkout HEAD -- messages.lock"
    assert explain_restore(ledger_context(tmp_path, "git+origin")) == "restore it from a clone or a backup"
    content = (tmp_path / "messages.lock").read_bytes()
    git_output(tmp_path, "rm", "--quiet", "messages.lock")
    git_output(tmp_path, "commit", "--quiet", "--message", "removed")
    journal.unlink()
    text, _, command = explain_restore(context).partition(": git ")
    assert text == "restore it from before its removal"
    git_output(tmp_path, *shlex.split(command))
    assert (tmp_path / "messages.lock").read_bytes() == content
