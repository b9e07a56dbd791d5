"""The command lock compact: rewrites the ledger, sorted and without replaced records."""

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command
from runner.ledger.locations import open_existing


@command("compact")
@click.option("--yes", is_flag=True, help="Do not ask.", hidden=True)
def compact(*, yes: bool) -> int:
    """Rewrite the ledger, sorted and shorter.

    What later records of the same attempt replace is left out.
    """
    del yes  # it changes no meaning, so it never asks; --yes is accepted for scripts that always pass it
    with open_context() as context, open_existing(context.ledger, "lock compact", fetch=False) as ledger:
        before, after = ledger.compact()
        context.output.result(f"{before:,} lines, now {after:,}")
        return EXIT.guard if ledger.facts.duplicates() else EXIT.done
