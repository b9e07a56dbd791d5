"""The command lock: starts, shows and moves the ledger. Each subcommand is in the module of its name."""

import click

from runner.cli.commands.lock import begin, compact, export, import_, move, show, stats, verify
from runner.cli.help import CommandGroup


@click.group("lock", cls=CommandGroup)
def lock() -> None:
    """Start the ledger, look at it, and move it."""


for _command in (
    begin.begin,
    move.move,
    verify.verify,
    compact.compact,
    stats.stats,
    show.show,
    export.export,
    import_.import_,
):
    lock.add_command(_command)
