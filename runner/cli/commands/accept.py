"""The command accept: keeps an edit of a sent message, without sending."""

import click

from runner.cli.context import open_context
from runner.cli.decisions import plan_one, write_decision
from runner.cli.ledger import open_ledger
from runner.cli.options import command, writes_ledger
from runner.clock import format_timestamp
from runner.deliver import decisions


@command("accept")
@click.argument("name")
@writes_ledger
def accept(name: str, *, yes: bool, new_lock: bool, no_fetch: bool) -> int:
    """Keep an edit of a sent message, without sending."""
    with open_context() as context, open_ledger(context, "accept", new_lock=new_lock, no_fetch=no_fetch) as ledger:
        message, _ = plan_one(context, ledger, name)
        records = decisions.accept_edits(message, ledger.facts, format_timestamp(context.now))
        return write_decision(context, ledger, records, f"accept the edit of {name}, sent to {len(records)}", yes=yes)
