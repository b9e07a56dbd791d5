"""The command lock compact: rewrites the ledger, sorted and without replaced records."""

import click

from runner.cli.context import open_context
from runner.cli.ledger import exit_code_of
from runner.cli.options import command
from runner.ledger.opening import open_existing
from runner.report.problem_text import pluralize


@command("compact")
@click.option("--yes", is_flag=True, help="Do not ask.", hidden=True)
def compact(*, yes: bool) -> int:
    """Rewrite the ledger, sorted and shorter.

    It drops records that a later record of the same attempt replaces. The state of every delivery stays the same, so no
    confirmation is needed.
    """
    del yes  # it changes no meaning, so it never asks; --yes is accepted for scripts that always pass it
    with open_context() as context, open_existing(context.ledger, "lock compact", fetch=False) as ledger:
        before, after = ledger.compact()
        name = context.ledger.address.display_name
        if before == after:
            context.output.sentence(f"{name}: {pluralize(after, 'line')}, and no record that another one replaces.")
        else:
            text = f"{name}: {pluralize(before, 'line')} before, {after:,} now. Every delivery has the same state."
            context.output.sentence(text)
        return exit_code_of(ledger.facts)
