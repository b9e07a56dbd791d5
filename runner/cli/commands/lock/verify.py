"""The command lock verify: checks that the ledger can be read, and that commits do not change it."""

import click

from runner.cli.context import open_context
from runner.cli.ledger_changes import refuse_tracked_run_files, require_unchanged_lockfiles
from runner.cli.options import EXIT, command
from runner.ledger.kinds import location_of
from runner.ledger.opening import read_ledger


@command("verify")
@click.option("--against", metavar="REF", help="Also that this branch changes nothing in it since it left REF.")
def verify(against: str | None) -> int:
    """Check that the ledger can be read.

    Tells torn lines (exit 1), duplicates and headers that contradict each other (exit 5). With --against, for pull
    requests: exit 5 if the commits since REF change the lockfile, because GitHub's merge button cannot merge it, or
    move the ledger elsewhere without its records. A file that git tracks where only msgrun writes is exit 5 too.
    """
    with open_context(against or "") as context:
        refuse_tracked_run_files(context)
        if against is not None:
            require_unchanged_lockfiles(context, against)
        facts = read_ledger(context)
        context.output.result(
            f"{location_of(context).display_name}: {len(facts):,} deliveries, {len(facts.torn_lines)} torn lines"
        )
        if facts.duplicates():
            return EXIT.guard
        return EXIT.problems if facts.torn_lines else EXIT.done
