"""The command lock free: ends a hold, or uses a ledger again that moved."""

import click

from runner.cli.context import session
from runner.cli.options import EXIT, command
from runner.cli.upload_target import is_elsewhere_here, upload_target
from runner.ledger.kinds import home
from runner.ledger.lockfile.remote_hold import hold_owner, release_hold
from runner.ledger.lockfile.upload import back_off
from runner.ledger.opening import held


@command("free")
@click.option("--yes", is_flag=True, help="Do not ask.")
def free(*, yes: bool) -> int:
    """End a hold that nobody will end any more.

    Or use a ledger again that moved to one that is lost for ever. What the run that had it sent, or the lost ledger
    knew, may be known nowhere. Settle that first: look into Intercom, and let msgrun adopt count what went out.
    """
    with session() as here:
        from runner.ledger.moves.handover import away, back  # noqa: PLC0415  # imported where used

        if lost := away(here, home(here).read()):
            here.confirmed(f"Use {home(here).shown} again, and forget what {lost} knows?", yes=yes)
            with held(here, "lock free", new_lock=False, no_fetch=False) as ledger:
                back(here, ledger)
            here.screen.result(f"{home(here).shown} is the ledger again")
            return EXIT.done
        if is_elsewhere_here(here):
            here.screen.result(f"{home(here).shown} needs no hold, and has none")
            return EXIT.done
        repository, to = upload_target(here, None)
        who = hold_owner(repository, to.remote, to.path)
        if not who:
            here.screen.result("nobody holds it")
            return EXIT.done
        here.confirmed(f"End the hold of {who}?", yes=yes)
        release_hold(repository, to, back_off, force=True)
        here.screen.result(f"ended the hold of {who}")
        return EXIT.done
