"""The command lock show: prints records."""

import click

from runner.cli.context import session
from runner.cli.options import EXIT, command
from runner.errors import UsageMistake
from runner.ledger.kinds import home
from runner.ledger.opening import known


@command("show")
@click.argument("key", required=False)
def show(key: str | None) -> int:
    """Print the facts, a line each.

    Of every key, or of those that begin with KEY.
    """
    with session() as here:
        facts = known(here)
        matching = home(here).history(key or "")
        for record in matching:
            here.screen.result(record.to_line().decode().rstrip("\n"))
        if key and not matching:
            raise UsageMistake(f"the ledger has no key that begins with {key}")
        return EXIT.guard if facts.duplicates() else EXIT.done
