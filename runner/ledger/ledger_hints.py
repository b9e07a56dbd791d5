"""Hints for a command that does not have the current ledger: where the ledger is, and how it is restored or moved."""

from collections.abc import Sequence
from shlex import quote

from runner.ledger.branch.location import BranchLocation
from runner.ledger.context import LedgerContext
from runner.ledger.local_records import read_local_lockfiles
from runner.ledger.lock_address import BranchAddress, LockfileAddress
from runner.ledger.lockfile.files import journal_path
from runner.ledger.mark import IF_LOST, NO_MARK
from runner.ledger.remote_marks import RemoteAnswer
from runner.shown_command import shown_git, shown_path


def hint_for_wrong_address(context: LedgerContext, address: str) -> str:
    """Returns the hint for a command that was given the wrong ledger address.

    `address` is where the project's ledger is, or empty if that is not known.
    """
    move = f"{context.command} lock move {quote(context.address.setting)}"
    if address == context.address.setting:
        edited = "or, if lock: was edited, find the previous address with git log -p msgrun.yaml and move the ledger"
        way = f"{explain_restore(context)}; {edited}: MSGRUN_LOCK=ADDRESS {move}"
    elif address:
        way = f"use lock: {address} in msgrun.yaml; or move the ledger: MSGRUN_LOCK={quote(address)} {move}"
    else:
        source = (
            "find the ledger's address with git log -p msgrun.yaml"
            if context.readable_repository
            else "restore the ledger from a backup"
        )
        way = f"{source}, then move it: MSGRUN_LOCK=ADDRESS {move}"
    return f"{way}; {IF_LOST}"


def explain_restore(context: LedgerContext) -> str:
    """Returns the hint that restores a ledger which is not at its address any more: a command, where there is one."""
    address, repository = context.address, context.readable_repository
    if not isinstance(address, LockfileAddress):
        command = BranchLocation(context, address).restore_command() if isinstance(address, BranchAddress) else ""
        if command:
            return f"in the clone that read it last, restore it: {command}"
        return "restore it from a clone or a backup"
    path = repository.relative_path(context.root / address.path) if repository else None
    if repository and path and repository.try_git("cat-file", "-e", f"HEAD:{path}") is not None:
        return f"restore it: {shown_git('checkout', 'HEAD', '--', shown_path(address.path))}"
    journal = journal_path(repository, context.root / address.path) if repository else None
    if journal and journal.exists():
        return f"restore it from the journal: cp {quote(str(journal))} {quote(address.path)}"
    removal = (
        repository.try_git("rev-list", "-1", "HEAD", "--", f":(top,literal){path}") if repository and path else None
    )
    if repository and removal and repository.try_git("cat-file", "-e", f"{removal}^:{path}") is not None:
        command = shown_git("checkout", f"{removal[:12]}^", "--", shown_path(address.path))
        return f"restore it from before its removal: {command}"
    pull = f"once the clone that has it has pushed it: {shown_git('pull')}; or " if repository else ""
    return f"{pull}restore it from a backup"


def find_address(context: LedgerContext, answers: Sequence[RemoteAnswer]) -> str:
    """Returns the address of the ledger whose id msgrun.yaml names; empty if it is not known.

    It is looked up in HEAD, on the remotes, and in the default lockfile.
    """
    repository, ledger_id = context.readable_repository, context.declared.ledger_id
    head = repository.try_git("rev-parse", "--verify", "--quiet", "HEAD") if repository else None
    commits = [context.declared_at(repository, head)] if repository and head else []
    addresses = [
        declared.address.setting
        for declared in (*commits, *(answer.default for answer in answers))
        if declared and declared.ledger_id == ledger_id
    ]
    for path, local in read_local_lockfiles(context, NO_MARK):
        if ledger_id in local.headers.ids and (local.mark.status == "current" or len(local)):
            addresses.append(path)
    others = [address for address in addresses if address != context.address.setting]
    return next(iter((*others, *addresses)), "")
