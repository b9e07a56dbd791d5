"""The command lock verify: checks that the ledger can be read, and that commits do not change it."""

import click

from runner.cli.context import open_context
from runner.cli.ledger import read_ledger
from runner.cli.ledger_changes import refuse_tracked_run_files, require_unchanged_ledger_files
from runner.cli.options import EXIT, command


@command("verify")
@click.option("--against", metavar="REF", help="Also that this branch changes nothing in it since it left REF.")
def verify(against: str | None) -> int:
    """Check that the ledger can be read.

    Tells torn lines (exit 1), duplicates and headers that contradict each other (exit 5). With --against, for pull
    requests: exit 5 if the commits since REF change a ledger's file, whatever lock: is. Else everybody who can open a
    pull request could change what was sent. A file that git tracks where only msgrun writes is exit 5 too.
    """
    with open_context(against or "") as context:
        refuse_tracked_run_files(context)
        facts = read_ledger(context).facts
        if against is not None:
            require_unchanged_ledger_files(context, against, facts)
        context.output.result(
            f"{context.ledger.address.display_name}: {len(facts):,} deliveries, {len(facts.torn_lines)} torn lines"
        )
        if facts.duplicates():
            return EXIT.guard
        return EXIT.problems if facts.torn_lines else EXIT.done
