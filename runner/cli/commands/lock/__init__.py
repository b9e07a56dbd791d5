"""The command lock: shows, moves and shares the ledger. Each subcommand is in the module of its name."""

import click

from runner.cli.commands.lock import begin, compact, export, free, hold, import_, push, show, stats, verify


@click.group("lock")
def lock() -> None:
    """Look at the ledger itself, move it, and share it."""


for _command in (
    begin.begin,
    verify.verify,
    compact.compact,
    stats.stats,
    show.show,
    export.export,
    import_.import_,
    hold.hold,
    push.push,
    free.free,
):
    lock.add_command(_command)
