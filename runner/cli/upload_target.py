"""Shared by lock hold, push and free: where on the git remote the lockfile is pushed to."""

import click

from runner.cli.context import Context
from runner.errors import LedgerUnavailable, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.address import is_shared_ledger
from runner.ledger.lockfile.location import lockfile_paths
from runner.ledger.lockfile.upload import PushTarget, resolve_push_target

branch_option = click.option(
    "--branch", metavar="NAME", help="The branch; without it the upstream, CI's, or the default."
)


def uses_shared_ledger(context: Context) -> bool:
    """Returns whether the ledger of this project is not a lockfile."""
    return is_shared_ledger(context.settings.lock) and not context.options.sandbox


def upload_target(context: Context, branch: str | None) -> tuple[Repository, PushTarget]:
    """Returns the project's repository, and the remote, branch and path that its lockfile is pushed to.

    Raises LedgerUnavailable, UsageMistake.
    """
    if context.options.sandbox:
        raise UsageMistake("a sandbox's ledger stays on this machine", "leave --sandbox out")
    paths = lockfile_paths(context)
    repository = find_repository(context.tree.root.resolve())
    if repository is None:
        raise LedgerUnavailable(
            f"{context.tree.root} is in no git repository: {paths.display_name} can be pushed nowhere",
            "keep it where CI finds it",
        )
    return repository, resolve_push_target(repository, paths.lockfile, branch)
