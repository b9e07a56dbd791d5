"""What a person has to commit: the lockfile, and the files that belong to what it records."""

import os
from collections.abc import Sequence
from pathlib import Path
from shlex import join, split

from runner.cli.context import Context
from runner.declare.project_root import SETTINGS_FILE
from runner.errors import LedgerUnavailable
from runner.git.repository import Repository, find_repository
from runner.ledger.lock_address import LedgerAddress, LockfileAddress
from runner.report.next_steps import NextStep, format_next_steps
from runner.shown_command import shown_git, shown_path

_SOURCES = ("messages", "audiences", SETTINGS_FILE)  # what most projects have


def commit_ledger(
    context: Context, aim: str = "no other clone sends these again", *, message: str = "Record what was sent",
    will_change: bool = False, with_sources: bool = False,
) -> list[NextStep]:  # fmt: skip
    """Returns the step that commits the lockfile, if the ledger is one that git has to commit. `aim` says what for.

    `will_change`: it is for later, when the lockfile has changed. `with_sources`: it also commits the changed files
    that declare messages, without which nobody can tell later which text was sent.
    """
    address, root = context.ledger.address, context.tree.root
    if not isinstance(address, LockfileAddress):
        return []
    try:
        repository = context.ledger.repository
        if repository is None or not _has_change(repository, root / address.path, will_change=will_change):
            return []
        files = [SETTINGS_FILE]  # apply may have written `remote:` to it
        files = [file for file in (_SOURCES if with_sources else files) if _read_status(repository, root / file)]
        push = _format_push(context, repository)
        commit = _format_commit(repository, root, [*files, address.path], message)
    except (LedgerUnavailable, OSError):  # the run is over: this is only advice
        return []
    what = "the ledger and what was changed" if files else "the ledger"
    purpose = f"Commit{' and push' if push else ''} {what}, so that {aim}"
    return [NextStep(purpose, (" && ".join(filter(None, (commit, push))),))]


def _has_change(repository: Repository, path: Path, *, will_change: bool) -> bool:
    """Returns whether there is a change of a file to commit: not outside of git, nor of an ignored file."""
    status = _read_status(repository, path, "--ignored")
    return status is not None and not status.startswith("!!") and bool(status or will_change)


def _read_status(repository: Repository, path: Path, *options: str) -> str | None:
    name = repository.relative_path(path)
    return name and repository.try_git("status", "--porcelain", *options, "--", f":(top,literal){name}")


def _format_push(context: Context, repository: Repository) -> str:
    """Returns the commands that push; empty without a remote. Where HEAD lacks commits, a push alone is rejected."""
    push = repository.push_command
    commands = [["pull", "--no-rebase", "--no-edit"]] if push and context.output.repeated_warnings else []
    return " && ".join(shown_git(*words) for words in (*commands, *([split(push)[1:]] if push else [])))


def _format_commit(repository: Repository, root: Path, files: Sequence[str], message: str) -> str:
    """Returns the commands that commit files, which git may not know yet."""
    names = [shown_path(file) for file in files]
    is_new = any("??" in (_read_status(repository, root / file) or "") for file in files)
    add = f"{shown_git('add', *names)} && " if is_new else ""
    return f"{add}{shown_git('commit', '-m', message, *names)}"


def commit_workflow(root: Path, paths: Sequence[str]) -> list[NextStep]:
    """Returns the step that commits the files of CI, given by their paths in the repository; none outside of git."""
    repository = find_repository(root.resolve())
    files = [repository.toplevel / path for path in paths] if repository else []
    if repository is None or not any(_read_status(repository, file) for file in files):
        return []
    names = join(os.path.relpath(file) for file in files)
    commands = f"git add {names}", f"git commit -m 'Send messages from CI' {names}", repository.push_command
    return [NextStep("Commit the workflow", (" && ".join(filter(None, commands)),))]


def print_commit_step(context: Context, address: LedgerAddress, purpose: str, left: str = "") -> None:
    """Prints to stderr how to commit msgrun.yaml, and the lockfile if `address` is one, unless that is done.

    `left` is the path of a lockfile that is of no use any more, or empty.
    """
    repository = context.ledger.repository
    if repository is None or context.output.quiet:
        return
    files = [SETTINGS_FILE, *([address.path] if isinstance(address, LockfileAddress) else [])]
    if not any(_read_status(repository, context.tree.root / file) for file in files):
        return
    names = [shown_path(file) for file in files]
    old = context.tree.root / left
    is_tracked = left and repository.try_git("ls-files", "--", f":(top,literal){repository.relative_path(old)}")
    remove = [shown_git("rm", "-f", shown_path(left))] if is_tracked else []
    commit = [*remove, shown_git("add", *names), shown_git("commit", "-m", "Name the ledger")]
    step = NextStep(purpose, (" && ".join(filter(None, (*commit, _format_push(context, repository)))),))
    context.output.error(format_next_steps([step], context.output.width))
