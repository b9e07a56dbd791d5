"""Checks that a ledger is the current one of its project. Without it, what another one records would be sent again."""

from collections.abc import Sequence
from dataclasses import replace
from shlex import quote

from runner.errors import GuardRefused
from runner.ledger.address import BranchAddress, LockfileAddress, default_lockfile
from runner.ledger.branch.location import BranchLocation
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.local_records import read_local_lockfiles
from runner.ledger.lockfile.files import journal_path
from runner.ledger.mark import IF_LOST, explain_mark
from runner.ledger.moves.remote_marks import RemoteAnswer, RemoteMark
from runner.ledger.record import MAX_TURN, NO_MARK, Mark
from runner.ledger.remotes import is_same_repository


def find_ledger_guard(context: LedgerContext, facts: Facts) -> tuple[str, str] | None:
    """The message and the hint if a ledger is not the one that msgrun.yaml means; None if it is.

    It asks no remote. Raises GuardRefused if the ledger's headers contradict each other.
    """
    if guard := find_id_guard(context, facts):
        return guard
    return None if facts.mark.status == "current" else explain_context_mark(context, facts.mark)


def explain_context_mark(context: LedgerContext, mark: Mark) -> tuple[str, str]:
    """The message and the hint for a mark of the ledger at the address in use."""
    return explain_mark(context.address.setting, mark, context.command)


def find_id_guard(context: LedgerContext, facts: Facts) -> tuple[str, str] | None:
    """The message and the hint if a ledger has not the id that msgrun.yaml names; None if it has, or none is named.

    Raises GuardRefused if the ledger's headers contradict each other.
    """
    own = facts.headers.merged(context.salt).ledger
    if context.declared.ledger_id in {"", own}:
        return None
    has = f"the id {own}" if own else "no id"
    message = f"the ledger {context.address.setting} has {has}, and msgrun.yaml names {context.declared.ledger_id}"
    return message, _explain_way_back(context, _find_address(context, ()))


def explain_restore(context: LedgerContext) -> str:
    """The command that brings a ledger back that is not at its address any more."""
    address, repository = context.address, context.readable_repository
    if not isinstance(address, LockfileAddress):
        command = BranchLocation(context, address).restore_command() if isinstance(address, BranchAddress) else ""
        way = f": {command}, from the clone that read it last" if command else " from a clone or a backup"
        return f"bring it back{way}"
    path = repository.relative_path(context.root / address.path) if repository else None
    if repository and path and repository.try_git("cat-file", "-e", f"HEAD:{path}") is not None:
        return f"take it back: git checkout HEAD -- {quote(address.path)}"
    journal = journal_path(repository, context.root / address.path) if repository else None
    if journal and journal.exists():
        return f"take it back from the journal: cp {quote(str(journal))} {quote(address.path)}"
    removal = (
        repository.try_git("rev-list", "-1", "HEAD", "--", f":(top,literal){path}") if repository and path else None
    )
    if repository and removal and repository.try_git("cat-file", "-e", f"{removal}^:{path}") is not None:
        return f"take it back from before it was removed: git checkout {removal[:12]}^ -- {quote(address.path)}"
    pull = "git pull, once the clone that has it pushed it; or " if repository else ""
    return f"{pull}take it from a backup"


def refuse_unless_current(context: LedgerContext, facts: Facts, answers: Sequence[RemoteAnswer]) -> None:
    """Raises GuardRefused if a ledger is not current, by its own marks or by what the remotes say."""
    if guard := find_ledger_guard(context, facts):
        raise GuardRefused(*guard)
    _refuse_fork(context)
    own = facts.headers.merged(context.salt).ledger
    for answer in answers:
        for mark in answer.marks:
            if _is_of_this_project(context, mark, own) and mark.mark.turn > facts.mark.turn:
                raise _marked_error(context, answer, mark)
        _refuse_other_default(context, own, answer)
        if answer.renamed_to and isinstance(context.address, LockfileAddress):
            raise GuardRefused(
                f"the default branch of {answer.remote} has this ledger in another folder or environment, by"
                f" {answer.renamed_to}: what was sent from there is not known here",
                "if it was renamed: git pull, or merge it first; if this is a copy of that project: remove its lockfile"
                f" and ledger: of msgrun.yaml, and then {context.command} lock begin",
            )


def describe_newer_commit(context: LedgerContext, answers: Sequence[RemoteAnswer]) -> str:
    """Says that a default branch has a commit that HEAD is not and does not contain; empty if none has.

    What was withdrawn there is still declared here. Whether a message was, is not looked up.
    """
    repository = context.repository
    for answer in answers if repository else ():
        if answer.tip and repository and repository.try_git("merge-base", "--is-ancestor", answer.tip, "HEAD") is None:
            return (
                f"this commit is not the newest of {answer.branch} at {answer.remote}: what was withdrawn there is sent"
                " from here all the same"
            )
    return ""


def _marked_error(context: LedgerContext, answer: RemoteAnswer, mark: RemoteMark) -> GuardRefused:
    if mark.mark.turn == MAX_TURN:
        hint = f"if you know that the ledger did not move: git push {answer.remote} --delete {mark.ref}"
        return GuardRefused(f"{answer.remote} has a mark of this ledger that cannot be read, {mark.ref}", hint)
    message, hint = explain_context_mark(context, mark.mark)
    return GuardRefused(f"{message}, says {answer.remote}", hint)


def find_missing_guard(context: LedgerContext, answers: Sequence[RemoteAnswer] = ()) -> tuple[str, str] | None:
    """The message and the hint if there is no ledger at the address in use although msgrun.yaml names one."""
    ledger_id = context.declared.ledger_id
    if not ledger_id:
        return None
    message = f"there is no ledger {context.address.display_name}, and msgrun.yaml names one, {ledger_id}"
    return message, _explain_way_back(context, _find_address(context, answers))


def refuse_second_ledger(context: LedgerContext, answers: Sequence[RemoteAnswer], known: Facts) -> None:
    """Raises GuardRefused if the project has a ledger already, so that no other may be started.

    `known` are the records that this clone has of a ledger at the address in use, which is not there any more.
    """
    has_ledger = "this project has a ledger already"
    if isinstance(context.address, BranchAddress) and len(known):
        message = f"the ledger {context.address.display_name} is gone: it knew of {len(known):,} deliveries"
        raise GuardRefused(message, _explain_way_back(context, context.address.setting))
    if guard := find_missing_guard(context, answers):
        raise GuardRefused(*guard)
    for path, local in () if context.is_sandbox else read_local_lockfiles(context, NO_MARK):
        if len(local) and path != context.address.setting:
            message = f"{has_ledger}: {path} has records of {len(local):,} deliveries"
            raise GuardRefused(message, _explain_way_back(context, path))
    for answer in answers:
        for mark in answer.marks:
            if _is_of_this_project(context, mark, ""):
                message = f"{has_ledger}, says {answer.remote}: it moved to {mark.mark.address}"
                raise GuardRefused(message, _explain_way_back(context, mark.mark.address))
        is_other = answer.default and answer.default.address not in {context.address, default_lockfile(context.stem)}
        if answer.default and (answer.default.ledger_id or is_other):
            message = f"{has_ledger}, says the default branch of {answer.remote}: {answer.default.address.setting}"
            raise GuardRefused(message, _explain_way_back(context, answer.default.address.setting))


def _explain_way_back(context: LedgerContext, address: str) -> str:
    """The hint for an address that is not the ledger of the project, which is at `address`; empty: not known where."""
    move = f"{context.command} lock move {quote(context.address.setting)}"
    if address == context.address.setting:
        edited = "if lock: was edited, git log -p msgrun.yaml shows the address of before: MSGRUN_LOCK=ADDRESS"
        way = f"{explain_restore(context)}; or, {edited} {move}"
    elif address:
        way = f"use it: lock: {address} in msgrun.yaml; or move it here: MSGRUN_LOCK={quote(address)} {move}"
    else:
        source = "git log -p msgrun.yaml shows its address" if context.readable_repository else "take it from a backup"
        way = f"{source}; move it here: MSGRUN_LOCK=ADDRESS {move}"
    return f"{way}; {IF_LOST}"


def find_own_lockfile(context: LedgerContext, *, or_moved: bool = False) -> str:
    """The path of the default lockfile if it is the ledger that msgrun.yaml names; empty if it is not, or not there.

    `or_moved`: also if that ledger moved away from it, and it has records.
    """
    for path, local in read_local_lockfiles(context, NO_MARK):
        is_named = context.declared.ledger_id in {header.ledger for header in local.headers if header.ledger}
        counts = local.mark.status == "current" or (or_moved and len(local))
        if is_named and counts and path != context.address.setting:
            return path
    return ""


def _find_address(context: LedgerContext, answers: Sequence[RemoteAnswer]) -> str:
    """The address of the ledger whose id msgrun.yaml names, for a hint; empty if it is not known.

    HEAD or a remote names it, or it is the default lockfile.
    """
    repository, ledger_id = context.readable_repository, context.declared.ledger_id
    head = repository.try_git("rev-parse", "--verify", "--quiet", "HEAD") if repository else None
    commits = [context.declared_at(repository, head)] if repository and head else []
    addresses = [
        declared.address.setting
        for declared in (*commits, *(answer.default for answer in answers))
        if declared and declared.ledger_id == ledger_id
    ]
    others = [address for address in addresses if address != context.address.setting]
    return next(iter((*others, *addresses)), "") or find_own_lockfile(context, or_moved=True)


def _is_of_this_project(context: LedgerContext, mark: RemoteMark, own: str) -> bool:
    """Whether a mark is about the ledger with the id `own`; without an id, whether it is of the same project."""
    if own:
        return mark.ledger_id == own
    return (mark.project, mark.environment) == (context.project_path, context.environment)


def _refuse_other_default(context: LedgerContext, own: str, answer: RemoteAnswer) -> None:
    """Raises GuardRefused if the default branch names another ledger.

    MSGRUN_LOCK may spell the address of the ledger differently, so then only its id counts.
    """
    default, setting = answer.default, context.address.setting
    if default is None:
        return
    is_override = context.address != context.declared.address
    is_same_id = own == default.ledger_id or not default.ledger_id
    is_same_address = default.address == context.address or (is_override and own and own == default.ledger_id)
    if is_same_id and is_same_address:
        return
    other = default.address.setting if default.address != context.address else f"the id {default.ledger_id}"
    raise GuardRefused(
        f"this would use the ledger {setting}, and the default branch of {answer.remote} names {other}",
        "if this commit is older: git pull; if the ledger moved here: commit msgrun.yaml and merge it first",
    )


def _refuse_fork(context: LedgerContext) -> None:
    """Raises GuardRefused if the ledger is a branch of a fork: there, the name of a remote means another repository."""
    address, url, repository = context.address, context.declared.remote, context.repository
    if not (isinstance(address, BranchAddress) and url and repository) or address != context.declared.address:
        return
    is_main = address.remote in repository.relevant_remotes()[-1:]
    if is_main and not is_same_repository(repository, address.remote, url):
        upstream = replace(address, remote="upstream").setting
        raise GuardRefused(
            f"{address.setting} is a branch of another repository here than the one that msgrun.yaml names, {url}",
            f"in a fork: git remote add upstream {quote(url)}, then MSGRUN_LOCK={quote(upstream)}"
            " before the command; if the repository moved: correct remote: in msgrun.yaml",
        )
