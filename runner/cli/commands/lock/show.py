"""The command lock show: prints the records of the ledger."""

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command
from runner.errors import UsageMistake
from runner.ledger.kinds import location_of
from runner.ledger.opening import read_ledger


@command("show")
@click.argument("key", required=False)
def show(key: str | None) -> int:
    """Print the facts, a line each.

    Of every key, or of those that begin with KEY.
    """
    with open_context() as context:
        facts = read_ledger(context)
        records = location_of(context).read_history(key or "")
        for record in records:
            context.output.result(record.to_line().decode().rstrip("\n"))
        if key and not records:
            raise UsageMistake(f"the ledger has no key that begins with {key}")
        return EXIT.guard if facts.duplicates() else EXIT.done
