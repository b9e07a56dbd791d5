"""The command lock compact: rewrites the ledger, sorted and shorter."""

from runner.cli.commit_steps import commit_ledger
from runner.cli.context import open_context
from runner.cli.ledger import exit_code_of
from runner.cli.next_steps import print_steps
from runner.cli.options import command, stored_flag
from runner.ledger.opening import open_ledger
from runner.report.problem_text import pluralize


@command("compact")
@stored_flag("--yes", "It never asks; for scripts that always pass it.", hidden=True)
def compact() -> int:
    """Rewrite the ledger, sorted and shorter.

    It drops records that a later record of the same attempt replaces. The state of every delivery stays the same, so no
    confirmation is needed.
    """
    with open_context() as context, open_ledger(context.ledger, "lock compact", no_fetch=True) as ledger:
        before, after = ledger.compact()
        name = context.ledger.address.display_name
        if before == after:
            context.output.sentence(f"{name} has nothing to compact: {pluralize(after, 'line')}.")
        else:
            text = f"{name}: {pluralize(before, 'line')} before, {after:,} now. Every delivery has the same state."
            context.output.sentence(text)
            aim = "the other clones have it, too"
            print_steps(context, commit_ledger(context, aim, message="Compact the ledger"))
        return exit_code_of(ledger.facts)
