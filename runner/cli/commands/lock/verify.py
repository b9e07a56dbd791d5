"""The command lock verify: checks that the ledger can be read, and that a pull request does not change it."""

import click

from runner.cli.context import open_context
from runner.cli.ledger import exit_code_of, read_ledger
from runner.cli.ledger_changes import require_unchanged_ledger_files
from runner.cli.next_steps import print_steps
from runner.cli.options import EXIT, command
from runner.cli.planned_ledger import MOVE_HINT
from runner.cli.planted_files import refuse_planted_files
from runner.errors import GuardRefused
from runner.ledger.known_hosts import UnknownHost
from runner.report.next_steps import NextStep
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command


@command("verify")
@click.option("--against", metavar="REF", help="Also check that the commits since REF do not change it.")
def verify(against: str | None) -> int:
    """Check that the ledger can be read.

    Exits with 1 for torn lines, and with 5 for duplicates or contradictory headers.

    --against is for pull requests. It exits with 5 if the commits since REF change a ledger's file, whatever lock: is.
    Otherwise an author of a pull request could change the record of what was sent.

    With or without --against, it exits with 5 if a file is committed that only msgrun writes: a rescue file, or one in
    .msgrun/. The same goes for a folder that git would take for a repository.
    """
    with open_context(against or "") as context:
        refuse_planted_files(context)
        try:
            facts = read_ledger(context, refuses=against is None).facts
        except UnknownHost as error:
            raise GuardRefused(error.message, MOVE_HINT if against else error.hint) from error
        if against is not None:
            require_unchanged_ledger_files(context, against, facts)
        torn = pluralize(len(facts.torn_lines), "torn line") if facts.torn_lines else "every line can be read"
        count = pluralize(len(facts), "delivery", "deliveries")
        unchanged = f". The commits since {against} change no record of a ledger." if against is not None else ""
        context.output.sentence(f"{context.ledger.address.display_name}: {count}, {torn}{unchanged}")
        if facts.torn_lines and against is None:
            step = NextStep("Write the ledger again, without torn lines", (shown_command("lock", "compact"),))
            print_steps(context, [step])
        return exit_code_of(facts) or (EXIT.problems if facts.torn_lines else EXIT.done)
