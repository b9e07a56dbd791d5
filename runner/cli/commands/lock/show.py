"""The command lock show: prints the records of the ledger."""

import click

from runner.cli.context import open_context
from runner.cli.ledger import read_ledger
from runner.cli.options import EXIT, command
from runner.cli.suggestions import suggest_unknown_keys
from runner.errors import UsageMistake


@command("show")
@click.argument("key", required=False, shell_complete=suggest_unknown_keys)
def show(key: str | None) -> int:
    """Print the records that count, a line each.

    With KEY, only of keys that begin with it. A record that a later one of its attempt replaces is left out. Lines
    are as the ledger has them: what is "claimed" has no outcome, which msgrun status calls unknown, and what is
    "released" was not sent.
    """
    with open_context() as context:
        facts = read_ledger(context).facts
        records = [record for record in facts.sorted_records() if record.key.startswith(key or "")]
        for record in records:
            context.output.document(record.to_line().decode().rstrip("\n"))
        if key and not records:
            raise UsageMistake(f"the ledger has no key that begins with {key}")
        return EXIT.guard if facts.duplicates() else EXIT.done
