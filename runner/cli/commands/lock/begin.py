"""The command lock begin: starts the ledger."""

from shlex import quote

import click

from runner.cli.commit_steps import print_commit_step
from runner.cli.context import Context, open_context
from runner.cli.ledger import save_current_ledger
from runner.cli.options import EXIT, command, stored_flag
from runner.errors import GuardRefused
from runner.ledger.lock_address import BranchAddress
from runner.ledger.opening import start_ledger


@command("begin")
@click.option(
    "--abandon-previous",
    is_flag=True,
    help="Give up the lost ledger that msgrun.yaml names. What only it knew may be sent again.",
)
@stored_flag("--yes", "Do not ask.")
def begin(*, abandon_previous: bool) -> int:
    """Start the ledger, without any record.

    Run it once, before anything is sent. It pushes the branch, makes the tables or writes the lockfile that lock: of
    msgrun.yaml names, and writes the ledger's id to msgrun.yaml. A ledger that is there already stays as it is.
    """
    with open_context() as context:
        name = context.ledger.address.display_name
        if abandon_previous:
            context.confirm(f"What only the previous ledger records is sent again. Abandon it, and use {name}?")
        _refuse_empty_remote(context)
        ledger_id, was_started = start_ledger(context.ledger, abandon_previous=abandon_previous)
        context.output.sentence(f"started {name}" if was_started else f"{name} is there already")
        if not context.options.sandbox:
            save_current_ledger(context, ledger_id)
            _print_other_address(context)
            print_commit_step(context, context.ledger.address, "Commit it, so that every clone uses this ledger")
        return EXIT.done


def _refuse_empty_remote(context: Context) -> None:
    """Raises GuardRefused if the ledger's branch would be the first one of the remote that the project is pushed to.

    GitHub and GitLab make the first branch that they get the default one.
    """
    address, repository = context.ledger.address, context.ledger.repository
    if context.options.sandbox or repository is None or not isinstance(address, BranchAddress):
        return
    if address.remote == repository.main_remote and not repository.list_remote_refs(address.remote)[0]:
        message = f"{address.remote} has no branch yet, and would take that of the ledger as its default branch"
        raise GuardRefused(message, f"push yours first: {repository.push_command}")


def _print_other_address(context: Context) -> None:
    """Prints what is left to do if MSGRUN_LOCK named another ledger than lock: does."""
    address, declared = context.ledger.address, context.ledger.declared.address
    if address.display_name != declared.display_name:
        own, other = address.setting, declared.setting
        move = f"MSGRUN_LOCK={quote(own)} {context.ledger.command} lock move {quote(other)}"
        context.output.note(f"lock: is still {other}; write lock: {own} to msgrun.yaml, or move the ledger: {move}")
