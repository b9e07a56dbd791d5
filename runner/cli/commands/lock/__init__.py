"""The command lock: starts, shows and moves the ledger."""

import click

from runner.cli.commands.lock import location, records
from runner.cli.help import CommandGroup


@click.group("lock", cls=CommandGroup)
def lock() -> None:
    """Start the ledger, look at it, and move it."""


for _command in (
    location.begin,
    location.move,
    records.verify,
    records.compact,
    records.stats,
    records.show,
    records.export,
    records.import_,
):
    lock.add_command(_command)
