"""What lock hold, push and free share: where on the git remote the lockfile goes."""

import click

from runner.cli.context import Session
from runner.errors import LedgerUnavailable, UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.address import is_elsewhere
from runner.ledger.lockfile.location import places
from runner.ledger.lockfile.upload import PushTarget, resolve_push_target

branch_option = click.option(
    "--branch", metavar="NAME", help="The branch; without it the upstream, CI's, or the default."
)


def is_elsewhere_here(here: Session) -> bool:
    """Whether the ledger of this project is no lockfile."""
    return is_elsewhere(here.settings.lock) and not here.options.sandbox


def upload_target(here: Session, branch: str | None) -> tuple[Repository, PushTarget]:
    """The repository around the project, and where its lockfile goes. Raises LedgerUnavailable, UsageMistake."""
    if here.options.sandbox:
        raise UsageMistake("a sandbox's ledger stays on this machine", "leave --sandbox out")
    where = places(here)
    repository = find_repository(here.tree.root.resolve())
    if repository is None:
        raise LedgerUnavailable(
            f"{here.tree.root} is in no git repository: {where.display_name} can be pushed nowhere",
            "keep it where CI finds it",
        )
    return repository, resolve_push_target(repository, where.lockfile, branch)
