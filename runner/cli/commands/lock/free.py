"""The command lock free: ends the hold of another run, or uses a ledger again that had moved."""

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command
from runner.cli.upload_target import upload_target, uses_shared_ledger
from runner.ledger.kinds import location_of
from runner.ledger.lockfile.remote_hold import hold_owner, release_hold
from runner.ledger.lockfile.upload import back_off
from runner.ledger.moves.handover import mark_current, moved_to
from runner.ledger.opening import open_ledger


@command("free")
@click.option("--yes", is_flag=True, help="Do not ask.")
def free(*, yes: bool) -> int:
    """End a hold that nobody will end any more.

    Or use a ledger again that moved to one that is lost for ever. What the run that had it sent, or the lost ledger
    knew, may be known nowhere. Settle that first: look into Intercom, and let msgrun adopt count what went out.
    """
    with open_context() as context:
        if lost_ledger := moved_to(context, location_of(context).read()):
            context.confirm(
                f"Use {location_of(context).display_name} again, and forget what {lost_ledger} knows?", yes=yes
            )
            with open_ledger(context, "lock free", new_lock=False, no_fetch=False) as ledger:
                mark_current(context, ledger)
            context.output.result(f"{location_of(context).display_name} is the ledger again")
            return EXIT.done
        if uses_shared_ledger(context):
            context.output.result(f"{location_of(context).display_name} needs no hold, and has none")
            return EXIT.done
        repository, target = upload_target(context, None)
        owner = hold_owner(repository, target.remote, target.path)
        if not owner:
            context.output.result("nobody holds it")
            return EXIT.done
        context.confirm(f"End the hold of {owner}?", yes=yes)
        release_hold(repository, target, back_off, force=True)
        context.output.result(f"ended the hold of {owner}")
        return EXIT.done
