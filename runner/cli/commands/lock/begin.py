"""The command lock begin: starts the ledger."""

from runner.cli.context import session
from runner.cli.options import EXIT, command
from runner.ledger.address import is_elsewhere
from runner.ledger.facts import Facts
from runner.ledger.kinds import home
from runner.ledger.opening import held


@command("begin")
def begin() -> int:
    """Start the ledger, without any record.

    Once, where nothing was sent yet: pushes the branch, makes the tables, or writes the lockfile that lock: of
    msgrun.yaml names. One that is there already stays as it is.
    """
    with session() as here:
        here.known_hosts.add(here.settings.lock)  # a person starts a ledger, and so vouches for its host
        there = home(here)
        if there.exists:
            here.screen.result(f"{there.shown} is there already")
            return EXIT.done
        if not (here.options.sandbox or is_elsewhere(here.settings.lock)):
            from runner.ledger.moves.check import nothing_on_branch  # noqa: PLC0415  # imported where used

            nothing_on_branch(here, Facts())
        with held(here, "lock begin", new_lock=True, no_fetch=False):
            here.screen.result(f"started {there.shown}")
        return EXIT.done
