"""Checks that a ledger is the current one of its project. With another one, what was sent would be sent again."""

from collections.abc import Sequence
from dataclasses import replace
from shlex import quote

from runner.errors import GuardRefused
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.known_hosts import is_same_repository, own_remote_url
from runner.ledger.ledger_hints import find_address, hint_for_wrong_address
from runner.ledger.local_records import read_local_lockfiles
from runner.ledger.lock_address import BranchAddress, LockfileAddress, default_lockfile
from runner.ledger.mark import IF_LOST, NO_MARK, MoveMark, explain_mark
from runner.ledger.remote_marks import RemoteAnswer, RemoteMark, commits_of
from runner.shown_command import shown_git


def hint_for_other_default() -> str:
    """Returns the ways to go on where the default branch names another ledger than this commit."""
    moved = "if the ledger moved to this address: commit msgrun.yaml and merge it first"
    return f"if this commit is older: {shown_git('pull')}; {moved}"


def refuse_unless_current(
    context: LedgerContext, facts: Facts, answers: Sequence[RemoteAnswer], *, exists: bool, is_start: bool = False
) -> None:
    """Raises GuardRefused unless a ledger is the current one of the project, or may become its first one.

    `facts` are its records, or if it does not `exist`, what this clone has of it. `is_start`: a person begins it, so
    the default branch need not name it yet.
    """
    refuse_fork(context)
    if not exists:
        _refuse_second_ledger(context, answers)
    if error := find_ledger_refusal(context, facts):
        raise error
    ledger_id = facts.headers.merged(context.salt).ledger if exists else ""
    for answer in answers:
        for remote_mark in answer.marks:
            is_newer = remote_mark.mark.generation > facts.mark.generation
            if is_newer and _is_of_this_project(context, remote_mark, ledger_id):
                raise _marked_error(context, answer, remote_mark)
        _refuse_other_default(context, ledger_id, answer, is_start=is_start or not exists)
        if answer.renamed_to and isinstance(context.address, LockfileAddress):
            raise GuardRefused(
                f"on the default branch of {answer.remote}, {answer.renamed_to} declares this ledger for another folder"
                " or environment. Deliveries that were sent from there are not recorded here and could be sent twice",
                f"if the project was renamed there: {shown_git('pull')}; or merge this commit first; if this is a copy"
                " of the project: remove the lockfile and ledger: in msgrun.yaml, then start a ledger:"
                f" {context.command} lock begin",
            )


def find_ledger_refusal(context: LedgerContext, facts: Facts) -> GuardRefused | None:
    """Returns the error for a ledger that is not the one that msgrun.yaml means; None if it is.

    It asks no remote. Raises GuardRefused if the ledger's headers contradict each other.
    """
    if error := find_id_refusal(context, facts):
        return error
    return None if facts.mark.status == "current" else mark_error(context, facts.mark)


def mark_error(context: LedgerContext, mark: MoveMark) -> GuardRefused:
    """Returns the error for a ledger at the address in use that has a mark of a move."""
    return GuardRefused(*explain_mark(context.address.setting, mark, context.command))


def find_id_refusal(context: LedgerContext, facts: Facts) -> GuardRefused | None:
    """Returns the error for a ledger without the id that msgrun.yaml names; None if it has it, or none is named.

    Raises GuardRefused if the ledger's headers contradict each other.
    """
    ledger_id = facts.headers.merged(context.salt).ledger
    if context.declared.ledger_id in {"", ledger_id}:
        return None
    has = f"the id {ledger_id}" if ledger_id else "no id"
    message = f"the ledger {context.address.setting} has {has}, and msgrun.yaml names {context.declared.ledger_id}"
    return GuardRefused(message, hint_for_wrong_address(context, find_address(context, ())))


def warn_of_newer_commit(context: LedgerContext, answers: Sequence[RemoteAnswer]) -> None:
    """Warns if HEAD lacks commits of a branch that was asked for.

    A message that was withdrawn or edited there is still declared in HEAD. Whether there is one is not looked up.
    """
    if found := _find_newer_commit(context, answers):
        name, pull = found
        context.warn(
            f"HEAD lacks commits of {name}. What was withdrawn or edited there is still sent as it is here.", pull
        )


def refuse_newer_commit(context: LedgerContext, answers: Sequence[RemoteAnswer]) -> None:
    """Raises GuardRefused if HEAD lacks commits of a branch that was asked for, with which a move would conflict."""
    if found := _find_newer_commit(context, answers):
        name, pull = found
        raise GuardRefused(f"HEAD lacks commits of {name}, which may change the ledger. Nothing was moved", pull)


def _find_newer_commit(context: LedgerContext, answers: Sequence[RemoteAnswer]) -> tuple[str, str] | None:
    """Returns the branch with commits that HEAD lacks, and the command that gets them; None if there is none."""
    repository = context.repository
    for name, commit in commits_of(answers):
        if repository and repository.try_git("merge-base", "--is-ancestor", commit, "HEAD") is None:
            remote, _, branch = name.partition("/")
            return name, shown_git("pull", "--no-rebase", "--no-edit", "--autostash", remote, branch)
    return None


def missing_ledger_error(
    context: LedgerContext, answers: Sequence[RemoteAnswer] = (), *, was_moved: bool = False
) -> GuardRefused:
    """Returns the error for an address without a ledger. `was_moved`: the other end of its move exists."""
    message = f"there is no ledger {context.address.display_name}"
    if ledger_id := context.declared.ledger_id:
        hint = hint_for_wrong_address(context, find_address(context, answers))
        return GuardRefused(f"{message}, and msgrun.yaml names one, {ledger_id}", hint)
    way = IF_LOST if was_moved else f"if nothing was sent yet: {context.begin_command}"
    return GuardRefused(
        message,
        f"without it everything would be sent again: check lock: in msgrun.yaml, or restore the ledger from git; {way}",
    )


def _refuse_second_ledger(context: LedgerContext, answers: Sequence[RemoteAnswer]) -> None:
    """Raises GuardRefused if msgrun.yaml names a ledger, or this clone has another lockfile with records."""
    if context.declared.ledger_id:
        raise missing_ledger_error(context, answers)
    for path, local in () if context.is_sandbox else read_local_lockfiles(context, NO_MARK):
        if len(local) and path != context.address.setting:
            message = f"this project has a ledger already: {path} has records of {len(local):,} deliveries"
            raise GuardRefused(message, hint_for_wrong_address(context, path))


def _marked_error(context: LedgerContext, answer: RemoteAnswer, remote_mark: RemoteMark) -> GuardRefused:
    if not remote_mark.is_readable:
        hint = f"if you know that the ledger did not move: git push {quote(answer.remote)} --delete {remote_mark.ref}"
        return GuardRefused(f"{answer.remote} has a mark of this ledger that cannot be read, {remote_mark.ref}", hint)
    error = mark_error(context, remote_mark.mark)
    return GuardRefused(f"this project's ledger moved to {remote_mark.mark.address}, says {answer.remote}", error.hint)


def _is_of_this_project(context: LedgerContext, remote_mark: RemoteMark, ledger_id: str) -> bool:
    """Returns whether a mark is about the ledger with this id; without an id, whether it is of the same project."""
    if ledger_id:
        return remote_mark.ledger_id == ledger_id
    return (remote_mark.project, remote_mark.environment) == (context.project_path, context.environment)


def _refuse_other_default(context: LedgerContext, ledger_id: str, answer: RemoteAnswer, *, is_start: bool) -> None:
    """Raises GuardRefused if the default branch names another ledger; at the start of one, none is no other.

    MSGRUN_LOCK may spell the address of the ledger differently, so then only its id counts.
    """
    default, setting = answer.default, context.address.setting
    if default is None or (is_start and not default.ledger_id and default.address == default_lockfile(context.stem)):
        return
    is_override = context.address != context.declared.address
    is_same_id = ledger_id == default.ledger_id or not default.ledger_id
    is_same_address = default.address == context.address or (
        is_override and ledger_id and ledger_id == default.ledger_id
    )
    if is_same_id and is_same_address:
        return
    other = default.address.setting if default.address != context.address else f"the id {default.ledger_id}"
    raise GuardRefused(
        f"the ledger here is {setting}, and the default branch of {answer.remote} names {other}",
        hint_for_other_default(),
    )


def refuse_fork(context: LedgerContext, way: str = "") -> None:
    """Raises GuardRefused if the address in use is a branch of a fork. `way` begins the hint.

    In the clone of a fork, the name of a remote means another repository than the one that msgrun.yaml names.
    """
    address, url, repository = context.address, context.declared.remote, context.repository
    if not (isinstance(address, BranchAddress) and url and repository and address.remote == repository.main_remote):
        return
    if not is_same_repository(repository, address.remote, url):
        upstream = quote(replace(address, remote="upstream").setting)
        add = f"git remote add upstream {quote(url)}"
        way = way or f"in a fork: {add}; then put MSGRUN_LOCK={upstream} before the command"
        here = f"here, {own}," if (own := own_remote_url(context)) else "here"
        raise GuardRefused(
            f"{address.setting} is a branch of another repository {here} than the one that remote: of msgrun.yaml"
            f" names, {url}",
            f"{way}; if {address.remote} is to be the one that it names: git remote set-url {quote(address.remote)}"
            f" {quote(url)}; if the repository moved and the old one sends no more: correct remote: in msgrun.yaml",
        )
