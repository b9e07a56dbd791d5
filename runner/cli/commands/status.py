"""The command status: shows what the ledger knows."""

from collections import Counter

import click

from runner.cli.context import open_context
from runner.cli.ledger import read_ledger
from runner.cli.options import EXIT, command, format_option
from runner.declare.similar_names import did_you_mean
from runner.errors import UsageMistake
from runner.report import json_output, plain_text


@command("status")
@click.argument("name", required=False)
@format_option("text", "json")
def status(name: str | None, form: str) -> int:
    """Show what the ledger knows.

    Counts a message, and every delivery that somebody has to look at.
    """
    with open_context() as context:
        facts = read_ledger(context).facts
        counts = Counter({group: number for group, number in facts.counts().items() if name in (None, group.message)})
        if name is not None and not counts:
            names = sorted(facts.message_names())
            raise UsageMistake(f"the ledger knows nothing of {name}", did_you_mean(name, names))
        if form == "json":
            for part in json_output.status(counts, facts.states_with(*json_output.STATUSES, message=name)):
                context.output.document(part)
        else:
            listed, unknown = (
                facts.states_with("unknown", "refused", message=name),
                facts.states_with("unknown", message=name),
            )
            context.output.result(plain_text.status(counts, listed, unknown))
        return EXIT.guard if facts.duplicates() else EXIT.done
