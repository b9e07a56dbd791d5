"""The command lock begin: creates the ledger."""

from runner.cli.context import open_context
from runner.cli.options import EXIT, command
from runner.ledger.address import is_shared_ledger
from runner.ledger.facts import Facts
from runner.ledger.kinds import location_of
from runner.ledger.moves.check import require_records_of_branch
from runner.ledger.opening import open_ledger


@command("begin")
def begin() -> int:
    """Start the ledger, without any record.

    Once, where nothing was sent yet: pushes the branch, makes the tables, or writes the lockfile that lock: of
    msgrun.yaml names. One that is there already stays as it is.
    """
    with open_context() as context:
        context.known_hosts.add(context.settings.lock)  # the user runs this command, and so approves the host
        location = location_of(context)
        if location.exists:
            context.output.result(f"{location.display_name} is there already")
            return EXIT.done
        if not (context.options.sandbox or is_shared_ledger(context.settings.lock)):
            require_records_of_branch(context, Facts())
        with open_ledger(context, "lock begin", new_lock=True, no_fetch=False):
            context.output.result(f"started {location.display_name}")
        return EXIT.done
