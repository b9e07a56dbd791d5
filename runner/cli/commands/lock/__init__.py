"""The command lock: starts, shows and moves the ledger."""

import click

from runner.cli.commands.lock.begin import begin
from runner.cli.commands.lock.compact import compact
from runner.cli.commands.lock.export import export
from runner.cli.commands.lock.import_ import import_
from runner.cli.commands.lock.move import move
from runner.cli.commands.lock.show import show
from runner.cli.commands.lock.stats import stats
from runner.cli.commands.lock.verify import verify
from runner.cli.help import CommandGroup


@click.group("lock", cls=CommandGroup)
def lock() -> None:
    """Start the ledger, look at it, and move it."""


for _command in (begin, move, verify, compact, stats, show, export, import_):
    lock.add_command(_command)
